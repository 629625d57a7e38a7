"""What the picture says, and how it looks."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asking import meaning, picture
from asking.language import choose
from asking.local_service import LocalService
from faces.message import Message
from service.threshold import Threshold
from tests.asking.support import RED, count_of


@pytest.mark.parametrize(
    ("share", "is_me", "said"),
    [
        (None, True, "How many strangers reach such a score, this model cannot estimate."),
        (1e-8, True, "Fewer than 1 stranger in 30,000 scores this high (estimated)."),
        (0.00052, True, "About 1 stranger in 1,900 scores this high (estimated)."),
        (0.38, False, "A usual score for strangers: about 38 % of them score this high (estimated)."),
    ],
)
def test_what_a_share_means(tmp_path: Path, share: float | None, is_me: bool, said: str) -> None:
    assert meaning.of_share(share, is_me, tmp_path / "none.json") == said


def test_an_estimate_of_look_alikes_says_so(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.json"
    metrics.write_text('{"population": {"strangers": "like_me"}}')
    choose("es")
    assert meaning.of_share(0.00052, True, metrics) == (
        "Más o menos 1 desconocido de cada 1.900 saca una puntuación tan alta (estimado para desconocidos que se "
        "parecen a la persona de «me»)."
    )


@pytest.mark.parametrize(
    ("source", "basis", "said"),
    [("setting", "set", "is the one that"), ("setting", "default", "is the default;"),
     ("default", "default", "is the default, since VERIFY_THRESHOLD=auto has too little to go by: why."),
     ("auto", "promised", "with 95 % confidence"), ("auto", "estimated", "is estimated from")],
)  # fmt: skip
def test_where_a_threshold_comes_from(source: str, basis: str, said: str) -> None:
    threshold = Threshold(0.6, source, basis, Message("why"))  # type: ignore[arg-type]
    told = meaning.of_threshold(threshold)
    assert told.startswith("The threshold 0.6 ") and said in told


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (0.9234, "0.923"),
        (0.75, "0.750"),
        (0.7499, "0.7499"),
        (0.749996, "0.749996"),
        (0.00012, "0.0001"),
        (0.999966, "0.99997"),
        (0.0, "0.000"),
        (1.0, "1.000"),
        (2e-7, "0.000000"),
    ],
)
def test_a_score_is_told_from_the_threshold_and_from_the_ends(score: float, shown: str) -> None:
    assert picture._shown(score, 0.75) == shown


def test_lines_are_as_wide_as_they_may_be() -> None:
    text = "a word and anotherwordthatislongerthanalineisallowedtobe and the rest"
    lines = picture.wrapped(text, 27, 200)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) > 3 and all(picture.font(27).getlength(line) <= 200 for line in lines)
    short = picture.shortened("a name that is far too long for its place.jpg", 23, 200)
    assert "…" in short and short.endswith(".jpg") and picture.font(23).getlength(short) <= 200


@pytest.mark.parametrize("scale", [2.0, 3.1])
def test_faces_are_marked_where_they_are(service: LocalService, me_photo: Path, scale: float) -> None:
    """The frame and the landmarks, in the colour of the answer, whatever the size at which the photo is drawn."""
    verification = service.verify(me_photo.read_bytes())
    assert verification is not None
    with Image.open(me_photo) as image:
        size = image.size
    explanation = picture.Explanation("a.jpg", Image.new("RGB", size), size, verification.scored, False, 0.75)
    shown = Image.new("RGB", (round(size[0] * scale), round(size[1] * scale)))
    picture._mark_faces(shown, explanation, scale)
    red = np.argwhere((np.asarray(shown) == RED).all(axis=-1))
    left, top, right, bottom = verification.face.box * scale
    assert [red[:, 1].min(), red[:, 0].min()] == pytest.approx([left, top], abs=2)
    assert [red[:, 1].max(), red[:, 0].max()] == pytest.approx([right, bottom], abs=2)
    for x, y in verification.face.landmarks * scale:
        assert shown.getpixel((round(x), round(y))) == RED


@pytest.mark.parametrize("is_me", [True, False, None])
def test_a_picture_of_any_photo_can_be_drawn(service: LocalService, me_photo: Path, is_me: bool | None) -> None:
    """Tall, wide, tiny; with every kind of hint; without what is not known."""
    verification = service.verify(me_photo.read_bytes())
    assert verification is not None
    for size in ((30, 900), (900, 30), (1, 1), (640, 480)):
        explanation = picture.Explanation(
            "x" * 300, Image.new("RGB", size, "#3355aa"), size, verification.scored if is_me is not None else (), is_me,
            0.0 if is_me else 1.0, meaning=["m " * 200], hints=["h " * 100] * 6, of_nearest="n " * 200,
        )  # fmt: skip
        drawn = picture.draw(explanation)
        with Image.open(io.BytesIO(drawn)) as image:
            assert image.width == picture.WIDTH and image.height < 5000
        assert count_of((0x33, 0x55, 0xAA), drawn) > 0
