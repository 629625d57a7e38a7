"""Does the whole work on real people? Pipeline and service, from photos in a folder to answers over HTTP.

    python -m bench.real LFW [--people 5] [--me 20] [--others 200] [--strangers 500]

For each of some people with 30 photos or more: 20 in data/me, 200 photos of others in data/not_me, `dvc repro` in a
temporary clone, the service started; then every other photo of the person, and photos of people that are in neither
class, are posted to /verify. A photo in which the service finds no face counts as rejected. LFW's photos are centred on
the person they are named after; where a larger face is on one, that face is verified, as it is for any user, so figures
are also given without those photos.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image
from sklearn.metrics import roc_auc_score

from bench.support.lfw import people
from bench.support.workspace import Workspace, temporary_workspace
from stages.progress import progress

THRESHOLD = 0.75
MINIMUM_PHOTOS = 30


@dataclass(frozen=True)
class Answer:
    """What /verify said of a photo.

    Attributes:
        is_me: whether the photo is of the person enrolled.
        score: 0 to 1; 0 where no face was found.
        found: whether a face was found.
        central: whether the face verified covers the photo's centre, where LFW has the person named.
        timing_ms: the server's time.
    """

    is_me: bool
    score: float
    found: bool
    central: bool
    timing_ms: float


def ask(session: requests.Session, address: str, photo: Path, is_me: bool) -> Answer:
    """Post one photo.

    Raises:
        requests.HTTPError: anything but an answer, or the 400 for a photo without a face.
    """
    with photo.open("rb") as file:
        response = session.post(f"{address}/verify", files={"image": (photo.name, file, "image/jpeg")}, timeout=60)
    if response.status_code == 400 and "No se detect" in response.json()["error"]:
        return Answer(is_me, 0.0, False, True, float("nan"))
    response.raise_for_status()
    body = response.json()
    with Image.open(photo) as image:
        x, y = image.width / 2, image.height / 2
    left, top, right, bottom = body["face"]["box"]
    central = left <= x <= right and top <= y <= bottom
    return Answer(is_me, body["score"], True, central, body["timing_ms"])


def figures(answers: Iterable[Answer]) -> dict[str, float]:
    """AUC, and FRR and FAR at 0.75."""
    rows = list(answers)
    me = np.array([row.is_me for row in rows])
    scores = np.array([row.score for row in rows])
    return {
        "auc": round(float(roc_auc_score(me, scores)), 5),
        "frr": round(float((scores[me] < THRESHOLD).mean()), 5),
        "far": round(float((scores[~me] >= THRESHOLD).mean()), 5),
        "me": int(me.sum()),
        "strangers": int((~me).sum()),
    }


def one_person(
    name: str, photos: dict[str, list[Path]], args: argparse.Namespace, workspace: Workspace
) -> tuple[list[Answer], dict[str, float]]:
    """Run pipeline and service for one person; returns the answers and the seconds of each stage."""
    rng = random.Random(name)
    mine = rng.sample(photos[name], len(photos[name]))
    others = [person for person in sorted(photos) if person != name]
    rng.shuffle(others)
    pool = [photo for person in others for photo in photos[person]]
    enrolled, asked_of = pool[: args.others], {photo.parent.name for photo in pool[: args.others]}
    strangers = [photo for photo in pool[args.others :] if photo.parent.name not in asked_of][: args.strangers]
    workspace.put_photos("me", mine[: args.me], by_person=False)
    workspace.put_photos("not_me", enrolled, by_person=True)
    seconds = workspace.reproduce()
    probes = [(photo, True) for photo in mine[args.me :]] + [(photo, False) for photo in strangers]
    with workspace.serving() as address, requests.Session() as session:
        answers = [ask(session, address, photo, is_me) for photo, is_me in progress(probes, len(probes), name, "photo")]
    return answers, seconds


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("lfw", type=Path, help="folder with images/<person>/*.jpg")
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--me", type=int, default=20, help="photos of the person in data/me")
    parser.add_argument("--others", type=int, default=200, help="photos of others in data/not_me")
    parser.add_argument("--strangers", type=int, default=500, help="photos of strangers posted")
    args = parser.parse_args()
    photos = people(args.lfw)
    enough = [name for name, own in photos.items() if len(own) >= max(MINIMUM_PHOTOS, args.me + 1)]
    chosen = random.Random(0).sample(enough, args.people)

    everything: list[Answer] = []
    stage_seconds: dict[str, list[float]] = defaultdict(list)
    rows: dict[str, dict[str, float]] = {}
    for name in chosen:
        with temporary_workspace() as workspace:
            answers, seconds = one_person(name, photos, args, workspace)
        rows[name] = figures(answers)
        everything += answers
        for stage, value in seconds.items():
            stage_seconds[stage].append(value)
    report(rows, everything, stage_seconds)


def report(rows: dict[str, dict[str, float]], answers: list[Answer], stage_seconds: dict[str, list[float]]) -> None:
    """Print what came out."""
    pooled = figures(answers)
    central = figures(row for row in answers if row.central)
    timing = np.array([row.timing_ms for row in answers if row.found])
    print(f"{'person':28}{'AUC':>9}{'FRR':>9}{'FAR':>9}{'me':>6}{'strangers':>11}   at {THRESHOLD}")
    for name, row in {**rows, "all": pooled, "all, person named verified": central}.items():
        print(f"{name:28}{row['auc']:9.4f}{row['frr']:9.2%}{row['far']:9.2%}{row['me']:6}{row['strangers']:11}")
    stages = {stage: round(float(np.median(values)), 2) for stage, values in stage_seconds.items()}
    print("median seconds of each stage: " + ", ".join(f"{name} {value}" for name, value in stages.items()))
    quantiles = {name: round(float(np.percentile(timing, q)), 1) for name, q in (("p50", 50), ("p95", 95))}
    print(f"/verify, timing_ms: median {quantiles['p50']}, 95th percentile {quantiles['p95']}")
    result: dict[str, Any] = {
        "bench": "real",
        "people": rows,
        "all": pooled,
        "all_person_named_verified": central,
        "photos_without_face": sum(not row.found for row in answers),
        "stage_seconds": stages,
        "verify_ms": quantiles,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
