"""What the service is asked, and what its answers mean."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import requests

from quickstart import ROOT, Problem, in_environment, log_tail
from tour.service import Service

FURTHEST = 1e-4 / 3
"""Share of strangers below which the estimate is not checked by faces, but goes on in a straight line."""


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
    status = 0
    answer: object = None
    for photo in photos[:10]:
        try:
            status, answer = service.request("/verify", photo)
        except requests.RequestException as error:
            raise Problem(f"The service did not answer /verify ({error}). Its log:\n{log_tail()}") from None
        print(f"\nPOST /verify with {photo.relative_to(ROOT).as_posix()}: {status}")
        print("  " + json.dumps(answer, ensure_ascii=False))
        print("  " + meaning(name, status, answer), flush=True)
        if status not in (400, 413):  # those two speak of the photo: try the next one
            break
    return answer if status == 200 and isinstance(answer, dict) else None


def meaning(name: str, status: int, answer: object) -> str:
    """One plain sentence on what the service's answer to a photo of this class means."""
    if status == 413:
        return "The photo is over the service's limit. Raise it, in the environment or .env: MAX_CONTENT_MB=8"
    if status != 200 or not isinstance(answer, dict):
        return f"The service gave no verdict (status {status})."
    is_me, score, threshold = (answer.get(key) for key in ("is_me", "score", "threshold"))
    right = "right" if bool(is_me) == (name == "me") else "WRONG"
    says = "This is" if is_me else "This is not"
    verdict = f"{says} the person of data/me (score {score}, threshold {threshold}), says the service: {right}."
    share = answer.get("strangers_like_this")
    if not isinstance(share, (int, float)):
        return verdict
    if share <= 0:
        return f"{verdict} It is estimated that hardly any stranger scores as high."
    if share < FURTHEST:
        return (
            f"{verdict} It is estimated that fewer than one stranger in {_one_digit_below(1 / share)} scores as high."
        )
    if share < 0.1:
        return f"{verdict} It is estimated that one stranger in {float(f'{1 / share:.2g}'):,.0f} scores as high."
    return f"{verdict} It is estimated that {100 * share:.0f} % of strangers score as high."


def _one_digit_below(count: float) -> str:
    """A large count by its first digit: what is extrapolated is not known any better, and it is not to be exceeded."""
    unit = 10 ** math.floor(math.log10(count))
    return f"{math.floor(count / unit) * unit:,}"


def explain_backbone(used: str) -> str:
    """Which network the answers say embedded the faces and, as far as the project knows, why that one."""
    try:
        text = (ROOT / "models" / "networks" / "networks.json").read_text(encoding="utf-8")
        wanted = json.loads(text)["requested"]
    except (OSError, ValueError, KeyError):
        return used
    if used == wanted:
        return f"{used}, as params.yaml says"
    return (
        f"{used}, which comes with the packages: the weights of {wanted}, which params.yaml names, could not be had. "
        "With internet, these lines, typed in a terminal, fetch them and build everything anew:\n"
        + in_environment("dvc repro --force export", "dvc repro")
    )
