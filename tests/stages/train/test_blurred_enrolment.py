"""Blurred photos of me among sharp ones do not open the door to blurred strangers."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from faces.recognition.recognizer import Recognizer
from faces.verification import verify
from faces.verifier import Verifier
from tests.stages.support import ME, Workspace, photos_of_me, put, put_photos

BLUR = 6  # pixels, standard deviation, on photos of 250 pixels
SHARP = 10


def blurred(photo: Path) -> Image.Image:
    with Image.open(photo) as image:
        return image.convert("RGB").filter(ImageFilter.GaussianBlur(BLUR))


@pytest.mark.slow
def test_blurred_photos_of_me_are_named_and_not_enrolled(
    empty: Workspace, lfw_dir: Path, recognizer: Recognizer
) -> None:
    put_photos(empty.root, lfw_dir, me=0, strangers=40)
    for number, photo in enumerate(photos_of_me(lfw_dir)[: 2 * SHARP]):
        target = empty.path(f"data/me/{number}.png")
        target.parent.mkdir(parents=True, exist_ok=True)
        if number < SHARP:
            put(photo, target.with_suffix(".jpg"))
        else:
            blurred(photo).save(target)
    said = {stage: empty.stage(stage).stderr for stage in ("crop", "embed", "quality", "train")}["train"]
    warning = next(line for line in said.splitlines() if "too blurred (quality.min_sharpness)" in line)
    named = {int(number) for number in re.findall(r"me/(\d+)\.png", warning)}
    assert len(named) >= SHARP - 2 and min(named) >= SHARP, "blurred photos, and no sharp one"
    metrics = json.loads(empty.path("reports/metrics.json").read_text(encoding="utf-8"))
    assert metrics["not_enrolled"] == len(named) == metrics["faces"]["total"]["me"] - metrics["faces"]["train"]["me"]

    verifier = Verifier.load(empty.path("models/model.joblib"), empty.path("models/scaler.joblib"))
    strangers = [folder for folder in sorted((lfw_dir / "images").iterdir()) if folder.name != ME][-100:]
    scores = []
    for folder in strangers:
        file = io.BytesIO()
        blurred(sorted(folder.glob("*.jpg"))[0]).save(file, "PNG")
        found = verify(file.getvalue(), recognizer, verifier)
        scores += [] if found is None else [found.score]
    assert len(scores) > 75
    assert sum(score >= 0.75 for score in scores) <= 0.02 * len(scores)
    more = [verify(photo, recognizer, verifier) for photo in photos_of_me(lfw_dir)[2 * SHARP :]]
    assert sum(one is not None and one.score >= 0.75 for one in more) >= 0.9 * len(more)
