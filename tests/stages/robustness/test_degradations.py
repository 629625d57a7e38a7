"""Each degradation really makes a real photo worse in what it says, step by step, and touches nothing else it names."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.detection.face import Face
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer
from stages.robustness import degradations
from stages.robustness.degradations import DEGRADATIONS, Degradation, encode
from stages.robustness.robustness import Sample, score_of
from tests.stages.support import photos_of_me

BY_NAME = {degradation.name: degradation for degradation in DEGRADATIONS}
SEED = 7
CODEC = 8  # grey levels by which saving as JPEG may change a pixel that nothing else touched
COVER = degradations._BAR

Pixels = np.ndarray


@pytest.fixture(scope="module")
def photo(lfw_dir: Path) -> Image.Image:
    """One of LFW's photos, 250 × 250."""
    return Photo.open(photos_of_me(lfw_dir)[0]).decode()


@pytest.fixture(scope="module")
def face(photo: Image.Image, recognizer: Recognizer) -> Face:
    """The face on it."""
    found = recognizer.largest_face(encode(photo))
    assert found is not None
    return found


def decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    assert image.mode == "RGB"
    return image


def pixels(content: bytes) -> Pixels:
    return np.asarray(decoded(content), np.float64)


def grey(content: bytes) -> Pixels:
    return np.asarray(decoded(content).convert("L"), np.float64)


def steps(name: str, photo: Image.Image, face: Face) -> list[bytes]:
    """The photo as it is, then along the levels."""
    degradation = BY_NAME[name]
    return [encode(photo), *(degradation.apply(photo, face.box, level, SEED) for level in degradation.levels)]


def laplacian(content: bytes) -> float:
    """Variance of the Laplacian: sharp edges make it high."""
    image = grey(content)
    edges = 4 * image[1:-1, 1:-1] - image[:-2, 1:-1] - image[2:, 1:-1] - image[1:-1, :-2] - image[1:-1, 2:]
    return float(edges.var())


def shares(values: list[float]) -> list[float]:
    return [value / values[0] for value in values[1:]]


def test_every_level_is_a_step_and_they_go_one_way() -> None:
    assert list(BY_NAME) == [
        "darker", "brighter", "contrast", "blur", "noise", "jpeg", "size", "rotation", "covered",
    ]  # fmt: skip
    for degradation in DEGRADATIONS:
        assert degradation.unit
        assert len(degradation.levels) >= 4
        assert list(degradation.levels) in (sorted(set(degradation.levels)), sorted(set(degradation.levels))[::-1])


@pytest.mark.parametrize("degradation", DEGRADATIONS, ids=lambda degradation: degradation.name)
def test_the_same_seed_gives_the_same_jpeg(photo: Image.Image, face: Face, degradation: Degradation) -> None:
    before = photo.tobytes()
    for level in degradation.levels:
        first = degradation.apply(photo, face.box, level, SEED)
        assert decoded(first).size == photo.size or degradation.name == "size"
        assert first == degradation.apply(photo, face.box, level, SEED)
    assert photo.tobytes() == before, "the photo given was changed"


def test_darker_takes_light_away(photo: Image.Image, face: Face) -> None:
    light = [grey(content).mean() for content in steps("darker", photo, face)]
    assert shares(light) == pytest.approx(BY_NAME["darker"].levels, abs=0.02)


def test_brighter_adds_light_until_it_burns(photo: Image.Image, face: Face) -> None:
    contents = steps("brighter", photo, face)
    light = [grey(content).mean() for content in contents]
    burnt = [(pixels(content) >= 250).mean() for content in contents]
    assert all(later > earlier for earlier, later in itertools.pairwise(light))
    assert all(later > earlier for earlier, later in itertools.pairwise(burnt))
    assert 1.2 < shares(light)[0] <= 1.52
    assert burnt[-1] > 0.3


def test_contrast_brings_all_pixels_nearer_to_their_mean(photo: Image.Image, face: Face) -> None:
    contents = [grey(content) for content in steps("contrast", photo, face)]
    assert shares([content.std() for content in contents]) == pytest.approx(BY_NAME["contrast"].levels, abs=0.02)
    assert [content.mean() for content in contents] == pytest.approx([contents[0].mean()] * len(contents), abs=2)


def test_blur_takes_edges_away(photo: Image.Image, face: Face) -> None:
    edges = [laplacian(content) for content in steps("blur", photo, face)]
    assert all(later < 0.9 * earlier for earlier, later in itertools.pairwise(edges))
    assert edges[1] < 0.5 * edges[0]


def test_blur_goes_by_the_face_not_by_the_photo(photo: Image.Image, face: Face) -> None:
    wide = face.box * [1, 1, 1, 1] + [0, 0, face.box[2] - face.box[0], 0]
    apply = BY_NAME["blur"].apply
    assert apply(photo, wide, 2.0, SEED) == apply(photo, face.box, 4.0, SEED)


def test_noise_is_as_strong_as_its_level(face: Face) -> None:
    """On a plain grey photo, where no value is cut off until the strongest, and before JPEG smooths it."""
    plain = Image.new("RGB", (250, 250), (128, 128, 128))
    spread = [grey(content).std() for content in steps("noise", plain, face)]
    assert spread[0] < 1
    # The luminance of independent noise in three colours: sqrt(0.299² + 0.587² + 0.114²) = 0.67 of it.
    expected = [0.67 * level for level in BY_NAME["noise"].levels]
    assert spread[1:] == pytest.approx(expected, rel=0.12)


def test_noise_is_another_for_another_seed(photo: Image.Image, face: Face) -> None:
    apply = BY_NAME["noise"].apply
    assert apply(photo, face.box, 15.0, 1) != apply(photo, face.box, 15.0, 2)


def test_jpeg_needs_fewer_bytes_and_is_further_from_the_photo(photo: Image.Image, face: Face) -> None:
    contents = steps("jpeg", photo, face)
    original = np.asarray(photo, np.float64)
    errors = [np.abs(pixels(content) - original).mean() for content in contents]
    assert all(len(later) < 0.8 * len(earlier) for earlier, later in itertools.pairwise(contents))
    assert all(later > earlier for earlier, later in itertools.pairwise(errors))


def test_size_makes_the_face_as_wide_as_its_level(photo: Image.Image, face: Face) -> None:
    width = face.box[2] - face.box[0]
    for level, content in zip(BY_NAME["size"].levels, steps("size", photo, face)[1:], strict=True):
        small = decoded(content)
        assert small.width / photo.width == pytest.approx(level / width, abs=0.5 / photo.width)
        assert small.width == small.height  # as the photo


def test_a_face_that_is_smaller_already_is_not_enlarged(photo: Image.Image, face: Face) -> None:
    assert face.box[2] - face.box[0] < 200
    assert decoded(BY_NAME["size"].apply(photo, face.box, 200.0, SEED)).size == photo.size


def turned(points: Pixels, centre: Pixels, degrees: float) -> Pixels:
    """Points turned counter-clockwise as one sees them; y points down."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - centre) @ turn.T + centre


def test_rotation_turns_the_face_about_its_middle(photo: Image.Image, face: Face, recognizer: Recognizer) -> None:
    """The detector finds the five points where turning puts them, as far as it finds a turned face at all."""
    centre = (face.box[:2] + face.box[2:]) / 2
    width = face.box[2] - face.box[0]
    for degrees in BY_NAME["rotation"].levels[:2]:
        found = recognizer.largest_face(BY_NAME["rotation"].apply(photo, face.box, degrees, SEED))
        assert found is not None
        expected = turned(face.landmarks, centre, degrees)
        assert np.linalg.norm(expected - face.landmarks, axis=1).max() > 0.1 * width
        assert np.linalg.norm(found.landmarks - expected, axis=1).max() < 0.1 * width


def test_rotation_moves_pixels_as_it_says(photo: Image.Image, face: Face) -> None:
    """A white dot beside the face's middle, which can be followed to any angle."""
    centre = (face.box[:2] + face.box[2:]) / 2
    left, top = round(float(centre[0] + 0.3 * (face.box[2] - face.box[0]))), round(float(centre[1]))
    marked = Image.new("RGB", photo.size)
    marked.paste((255, 255, 255), (left - 3, top - 3, left + 3, top + 3))
    for degrees in BY_NAME["rotation"].levels:
        rows, columns = np.nonzero(pixels(BY_NAME["rotation"].apply(marked, face.box, degrees, SEED)).min(axis=2) > 200)
        found = np.array([columns.mean(), rows.mean()]) + 0.5
        assert found == pytest.approx(turned(np.array([left, top]), centre, degrees), abs=1)


def test_covered_hides_the_box_from_below_and_nothing_outside(photo: Image.Image, face: Face) -> None:
    left, top, right, bottom = (round(float(value)) for value in face.box)
    original = pixels(encode(photo))
    before = 0.0
    for level, content in zip(BY_NAME["covered"].levels, steps("covered", photo, face)[1:], strict=True):
        covered = np.abs(pixels(content) - COVER).max(axis=2) <= CODEC
        share = covered[top:bottom, left:right].mean()
        assert share == pytest.approx(level / 100, abs=0.04)
        assert share > before
        before = share
        outside = np.ones(covered.shape, bool)
        outside[max(top - 16, 0) : bottom + 16, max(left - 16, 0) : right + 16] = False  # blocks of JPEG straddle it
        assert np.abs(pixels(content) - original)[outside].max() <= CODEC
        assert not (covered & ~(np.abs(original - COVER).max(axis=2) <= CODEC))[outside].any()
        upper = round(bottom - level / 100 * (bottom - top)) - 16
        assert np.abs(pixels(content) - original)[top:upper, left:right].max() <= CODEC, "above what is covered"


@pytest.mark.parametrize("name", ["darker", "blur", "noise", "jpeg", "covered"])
def test_the_worst_step_takes_the_face_further_away(
    photo: Image.Image, face: Face, recognizer: Recognizer, name: str
) -> None:
    """As the service sees it: the embedding of the worst step has a lower cosine than the mildest's, or no face."""

    class Cosine:
        """Stands for a verifier: the cosine to the undegraded face's embedding."""

        def score(self, embeddings: Pixels) -> Pixels:
            assert face.embedding is not None
            return embeddings @ face.embedding / np.linalg.norm(embeddings) / np.linalg.norm(face.embedding)

        def strangers_like(self, _: Pixels) -> None:
            """It knows no population."""

    if face.embedding is None:
        recognizer.embed([face])
    sample = Sample(photo, face.box, 1, Cosine(), SEED)  # type: ignore[arg-type]
    cosines: list[float] = [score_of(content, sample, recognizer) for content in steps(name, photo, face)]
    assert cosines[0] == pytest.approx(1, abs=1e-4)
    assert np.nan_to_num(cosines[-1], nan=-1) < cosines[1] < 1
