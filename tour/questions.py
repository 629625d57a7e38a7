"""What the service is asked, and what its answers mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from faces.message import translated
from faces.shares import estimated
from faces.spanish import SPANISH
from quickstart import ROOT, Problem, in_environment, log_tail
from tour.language import SWAPPED, spoken, tell
from tour.photos import complaints_of_photos
from tour.service import Service, model_elsewhere


def ask(service: Service, name: str, photos: list[Path]) -> dict[str, Any] | None:
    """Ask about a photo of a class and print what comes.

    Args:
        service: it.
        name: the class, me or not_me.
        photos: the first is asked about, and the next where the service finds no face on it or takes it for too large.

    Returns:
        The verdict, None where there was none.

    Raises:
        Problem: the service did not answer.
    """
    complaints = complaints_of_photos()
    resembling = estimate_is_of_strangers_like_me()
    status = 0
    answer: object = None
    for photo in photos[:10]:
        try:
            status, answer = service.request("/verify", photo)
        except requests.RequestException as error:
            text = "The service did not answer /verify ({error}). Its log:\n{messages}"
            raise Problem(tell(text, error=error, messages=log_tail())) from None
        asked = photo.relative_to(ROOT).as_posix()
        print("\n" + tell("POST /verify with {photo}: {status}", photo=asked, status=status))
        print("  " + json.dumps(answer, ensure_ascii=False))
        print("  " + meaning(name, status, answer, resembling), flush=True)
        if is_wrong(name, status, answer):
            print("  " + advice_on_wrong(name, complaints.get(photo, [])), flush=True)
        if status not in (400, 413):  # those two speak of the photo: try the next one
            break
    return answer if status == 200 and isinstance(answer, dict) else None


def is_wrong(name: str, status: int, answer: object) -> bool:
    """Whether the service gave a verdict on a photo of this class, and the wrong one."""
    return status == 200 and isinstance(answer, dict) and bool(answer.get("is_me")) != (name == "me")


def advice_on_wrong(name: str, complaints: list[str]) -> str:
    """What a wrong verdict on a photo of this class may mean, and where to look.

    Args:
        name: the class, me or not_me.
        complaints: what stage quality complained of on this photo, such as "blurred".
    """
    if complaints:
        why = tell(
            "Stage quality had complained of this photo ({problems}): reports/data_quality.csv says why, and "
            "reports/contact_sheet.png shows it.",
            problems=", ".join(complaints),
        )
    elif name == "me":
        why = tell(
            "The photo may be unlike the others of data/me, or these may be too few or of bad quality: look at "
            "reports/contact_sheet.png, and add photos from other days and in other light."
        )
    else:
        why = tell(
            "It may be a photo of the person of data/me in the wrong folder (look at reports/contact_sheet.png), or of "
            "somebody who resembles that person (reports/strangers.csv)."
        )
    if name == "me":
        threshold = tell("A lower threshold lets in more photos of that person, and more strangers")
    else:
        threshold = tell("A higher threshold turns away more strangers, and more photos of that person")
    return tell(
        "{why} How often it is wrong at which threshold: reports/INFORME_H10.md. {threshold}: set VERIFY_THRESHOLD in "
        "the environment or in a file .env beside quickstart.py.",
        why=why,
        threshold=threshold,
    )


def estimate_is_of_strangers_like_me() -> bool:
    """Whether the service's estimate is of strangers who resemble me, as `train.strangers: like_me` has it."""
    if model_elsewhere() is not None:
        return False
    try:
        metrics = json.loads((ROOT / "reports" / "metrics.json").read_text(encoding="utf-8"))
        return bool(metrics["population"]["strangers"] == "like_me")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def meaning(name: str, status: int, answer: object, resembling: bool = False) -> str:
    """What the service's answer to a photo of this class means, in plain sentences.

    Args:
        name: the class, me or not_me.
        status: of the answer.
        answer: its JSON.
        resembling: whether its estimate is of strangers who resemble me.
    """
    if status == 413:
        return tell("The photo is over the service's limit. Raise it, in the environment or .env: MAX_CONTENT_MB=8")
    if status == 401:
        return tell(
            "The service asks for an API key, since there are some ('python -m service keys list'), and quickstart.py "
            "has none. The page asks for it; 'python -m service.client' reads it from FACE_API_KEY."
        )
    if status != 200 or not isinstance(answer, dict):
        return tell("The service gave no verdict (status {status}).", status=status)
    is_me, score, threshold = (answer.get(key) for key in ("is_me", "score", "threshold"))
    right = tell("WRONG") if is_wrong(name, status, answer) else tell("right")
    if is_me:
        text = "This is the person of data/me (score {score:g}, threshold {threshold:g}), says the service: {right}."
    else:
        text = (
            "This is not the person of data/me (score {score:g}, threshold {threshold:g}), says the service: {right}."
        )
    verdict = tell(text, score=score, threshold=threshold, right=right)
    share = answer.get("strangers_like_this")
    if not isinstance(share, (int, float)):
        return verdict
    return f"{verdict} {_estimate(share, bool(is_me), resembling)}"


def _estimate(share: float, is_me: bool, resembling: bool) -> str:
    """How many strangers are estimated to score as high, in a sentence."""
    spanish = spoken() == "es"
    text = estimated(share, is_me, _number_in_spanish if spanish else "{:,g}".format, resembling)
    return str(translated(text, SPANISH)) if spanish else str(text)


def _number_in_spanish(figure: float) -> str:
    return f"{figure:,g}".translate(SWAPPED)


def explain_backbone(used: str) -> str:
    """Which network the answers say embedded the faces and, as far as the project knows, why that one."""
    try:
        text = (ROOT / "models" / "networks" / "networks.json").read_text(encoding="utf-8")
        wanted = json.loads(text)["requested"]
    except (OSError, ValueError, KeyError):
        return used
    if used == wanted:
        return tell("{backbone}, as params.yaml says", backbone=used)
    return tell(
        "{backbone}, which comes with the packages: the weights of {wanted}, which params.yaml names, could not be "
        "had. With internet, these lines, typed in a terminal, fetch them and build everything anew:\n{lines}",
        backbone=used,
        wanted=wanted,
        lines=in_environment("dvc repro --force export", "dvc repro"),
    )
