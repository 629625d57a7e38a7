"""Each degradation, on real photos: worse with every step in what it says, and in nothing else that matters."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.recognizer import Recognizer
from stages.degradations import DEGRADATIONS, Box, Degradation, encode
from tests.stages.support import photos_of_me, photos_of_strangers

BY_NAME = {degradation.name: degradation for degradation in DEGRADATIONS}
PEOPLE = 4


@pytest.fixture(scope="module")
def photos(lfw_dir: Path, recognizer: Recognizer) -> list[tuple[Image.Image, Box]]:
    """Photos with the box of their face."""
    found = []
    for path in [*photos_of_me(lfw_dir)[:2], *photos_of_strangers(lfw_dir, PEOPLE)]:
        face = recognizer.largest_face(path)
        assert face is not None
        with Image.open(path) as image:
            found.append((image.convert("RGB"), face.box))
    return found


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")
        return np.asarray(image, np.float64)


def steps(degradation: Degradation, image: Image.Image, box: Box) -> list[np.ndarray]:
    """Pixels of the photo as it is, then of each step."""
    worse = [degradation.apply(image, box, level, 0) for level in degradation.levels]
    return [decoded(encode(image)), *map(decoded, worse)]


def falling(values: list[float]) -> bool:
    return bool((np.diff(values) < 0).all())


def detail(pixels: np.ndarray) -> float:
    """Mean absolute difference of neighbours."""
    return float(np.abs(np.diff(pixels.mean(axis=2), axis=1)).mean())


def test_names_are_unique_and_levels_go_from_mild_to_bad_within_their_range() -> None:
    assert len(BY_NAME) == len(DEGRADATIONS) == 9
    for degradation in DEGRADATIONS:
        assert len(degradation.levels) == len(set(degradation.levels)) >= 3
        assert min(degradation.levels) > 0
        assert degradation.unit
        ordered = sorted(degradation.levels)
        assert degradation.levels in (tuple(ordered), tuple(reversed(ordered)))
    assert max(BY_NAME["darker"].levels) < 1 < min(BY_NAME["brighter"].levels)
    assert max(BY_NAME["contrast"].levels) < 1
    assert max(BY_NAME["jpeg"].levels) < 95
    assert max(BY_NAME["covered"].levels) < 100


def test_brightness_moves_the_mean(photos: list[tuple[Image.Image, Box]]) -> None:
    for image, box in photos:
        means = [pixels.mean() for pixels in steps(BY_NAME["darker"], image, box)]
        assert falling(means)
        for level, mean in zip(BY_NAME["darker"].levels, means[1:], strict=True):
            assert mean == pytest.approx(level * means[0], abs=2)
        assert falling([-pixels.mean() for pixels in steps(BY_NAME["brighter"], image, box)])


def test_contrast_shrinks_around_the_same_mean(photos: list[tuple[Image.Image, Box]]) -> None:
    for image, box in photos:
        pixels = steps(BY_NAME["contrast"], image, box)
        grey = [values.mean(axis=2) for values in pixels]
        assert falling([values.std() for values in grey])
        assert all(values.mean() == pytest.approx(grey[0].mean(), abs=5) for values in grey)


def test_blur_takes_detail_and_leaves_the_mean(photos: list[tuple[Image.Image, Box]]) -> None:
    for image, box in photos:
        pixels = steps(BY_NAME["blur"], image, box)
        assert falling([detail(values) for values in pixels])
        assert all(values.mean() == pytest.approx(pixels[0].mean(), abs=2) for values in pixels)


def test_blur_is_relative_to_the_face(photos: list[tuple[Image.Image, Box]]) -> None:
    """The same photo twice as large, blurred by the same level, is the same picture when it is reduced again."""
    image, box = photos[0]
    large = image.resize((2 * image.width, 2 * image.height), Image.Resampling.BICUBIC)
    blur = BY_NAME["blur"]
    small = decoded(blur.apply(image, box, 4.0, 0))
    with Image.open(io.BytesIO(blur.apply(large, 2 * box, 4.0, 0))) as blurred:
        reduced = np.asarray(blurred.resize(image.size, Image.Resampling.BOX), np.float64)
    assert np.abs(small - reduced).mean() < 1.5


def test_noise_grows_as_its_deviation_says(photos: list[tuple[Image.Image, Box]]) -> None:
    grey = Image.new("RGB", (128, 128), (127, 127, 127))
    for level in BY_NAME["noise"].levels[:2]:
        noisy = decoded(BY_NAME["noise"].apply(grey, np.array([0, 0, 128, 128.0]), level, 0))
        assert noisy[..., 1].std() == pytest.approx(level * 0.76, rel=0.2)  # JPEG keeps brightness, halves colours
    for image, box in photos:
        assert falling([-detail(values) for values in steps(BY_NAME["noise"], image, box)])


def test_noise_is_seeded(photos: list[tuple[Image.Image, Box]]) -> None:
    image, box = photos[0]
    noise = BY_NAME["noise"].apply
    assert noise(image, box, 30.0, 7) == noise(image, box, 30.0, 7)
    assert noise(image, box, 30.0, 7) != noise(image, box, 30.0, 8)


def test_jpeg_makes_files_smaller_and_errors_larger(photos: list[tuple[Image.Image, Box]]) -> None:
    jpeg = BY_NAME["jpeg"]
    for image, box in photos:
        assert falling([len(encode(image)), *(len(jpeg.apply(image, box, level, 0)) for level in jpeg.levels)])
        original = np.asarray(image, np.float64)
        assert falling([-np.abs(pixels - original).mean() for pixels in steps(jpeg, image, box)])


def test_size_gives_the_face_that_width_and_never_enlarges(photos: list[tuple[Image.Image, Box]]) -> None:
    size = BY_NAME["size"]
    for image, box in photos:
        width = float(box[2] - box[0])
        for level in size.levels:
            height, across, _ = decoded(size.apply(image, box, level, 0)).shape
            assert across == pytest.approx(image.width * level / width, abs=1)
            assert across / height == pytest.approx(image.width / image.height, rel=0.05)
        assert size.apply(image, box, 2 * width, 0) == encode(image)
    assert decoded(size.apply(Image.new("RGB", (900, 2)), np.array([0, 0, 900.0, 2]), 15.0, 0)).shape == (1, 15, 3)


def test_rotation_turns_around_the_face(photos: list[tuple[Image.Image, Box]], recognizer: Recognizer) -> None:
    """The line through the eyes turns by as much, and the face stays where it is, as far as the detector sees it."""
    rotate = BY_NAME["rotation"].apply
    turned, moved = [], []
    for image, box in photos:
        before, after = recognizer.largest_face(encode(image)), recognizer.largest_face(rotate(image, box, 15.0, 0))
        assert before is not None
        assert after is not None
        across = [face.landmarks[1] - face.landmarks[0] for face in (before, after)]
        angles = [np.degrees(np.arctan2(-vector[1], vector[0])) for vector in across]
        turned.append(angles[1] - angles[0])
        moved.append(np.abs((after.box[:2] + after.box[2:] - before.box[:2] - before.box[2:]) / 2).max())
        assert decoded(rotate(image, box, 45.0, 0)).shape == decoded(encode(image)).shape
    assert np.median(turned) == pytest.approx(15, abs=4)
    assert np.median(moved) < 10


def test_covered_hides_that_share_of_the_face_and_nothing_else(photos: list[tuple[Image.Image, Box]]) -> None:
    for image, box in photos:
        original = np.asarray(image, np.float64)
        left, top, right, bottom = (round(float(value)) for value in box)
        inside = np.zeros(original.shape[:2], bool)
        inside[max(top, 0) : bottom, max(left, 0) : right] = True
        pixels = steps(BY_NAME["covered"], image, box)
        for level, values in zip(BY_NAME["covered"].levels, pixels[1:], strict=True):
            bar = np.abs(values - [90, 110, 130]).max(axis=2) < 12
            assert bar[inside].mean() == pytest.approx(level / 100, abs=0.06)
            far = np.ones(inside.shape, bool)  # JPEG's blocks carry the bar's edge up to 16 pixels away
            far[max(top - 16, 0) : bottom + 16, max(left - 16, 0) : right + 16] = False
            assert np.abs(values[far] - pixels[0][far]).mean() < 1


@pytest.mark.parametrize("box", [(-30.0, -20.0, 60.0, 80.0), (60.0, 50.0, 140.0, 130.0)])
@pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda degradation: degradation.name)
def test_a_box_that_reaches_outside_the_photo(degradation: Degradation, box: tuple[float, ...]) -> None:
    """The detector's boxes do."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 110, 3), dtype=np.uint8))
    for level in degradation.levels:
        data = degradation.apply(image, np.array(box), level, 3)
        assert decoded(data).size
        assert data == degradation.apply(image, np.array(box), level, 3)


def test_the_photo_itself_stays_as_it_is(photos: list[tuple[Image.Image, Box]]) -> None:
    image, box = photos[0]
    before = image.tobytes()
    for degradation in DEGRADATIONS:
        degradation.apply(image, box, degradation.levels[-1], 0)
    assert image.tobytes() == before
