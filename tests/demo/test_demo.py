"""The demo portraits: that they are all there, that the detector finds them, and that "me" is told from others."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from PIL import ExifTags, Image
from sklearn.metrics import roc_auc_score

from demo.draw import draw, save
from demo.drawing.album import album
from demo.drawing.people import ME, OTHERS, STRANGERS
from faces.cosine import CosineClassifier
from faces.detection.face import Face
from faces.recognition.recognizer import Recognizer
from stages.estimation.fit import fit, predict
from stages.estimation.population import population_for
from stages.estimation.protocol import make_splits
from stages.evaluate.operating_point import choose
from stages.files.dataset import Dataset
from stages.files.photos import find_photos
from stages.params import Params

DEMO = Path(__file__).resolve().parents[2] / "demo"
PICTURES = {picture.name: picture for picture in album()}


def _files() -> dict[str, Path]:
    """Pictures in the demo folder by name relative to it."""
    suffixes = (".jpg", ".jpeg", ".png")
    return {p.relative_to(DEMO).as_posix(): p for p in DEMO.rglob("*") if p.suffix.lower() in suffixes}


def _upright(path: Path) -> np.ndarray:
    """Pixels as a viewer shows them, int32 [H, W, 3]."""
    with Image.open(path) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}
        shown = image.transpose(turns[orientation]) if orientation in turns else image
        return np.asarray(shown.convert("RGB"), np.int32)


@pytest.fixture(scope="module")
def found(recognizer: Recognizer) -> dict[str, list[Face]]:
    """The faces of every picture, the first of each embedded."""
    result = {}
    for name, path in sorted(_files().items()):
        result[name] = recognizer.faces(path)
        recognizer.embed(result[name][:1])
    return result


def _embeddings(found: dict[str, list[Face]], start: str) -> np.ndarray:
    # `found` has embedded the first face of each picture, which a type cannot say
    return np.stack([faces[0].embedding for name, faces in found.items() if name.startswith(start)])  # type: ignore[misc]


@pytest.fixture(scope="module")
def dataset(found: dict[str, list[Face]]) -> Dataset:
    names = sorted(name for name in found if name.startswith(("not_me/", "me/")))
    people = np.unique([name if name.startswith("me/") else name.split("/")[1] for name in names], return_inverse=True)
    labels = np.array([int(name.startswith("me/")) for name in names])
    embeddings = np.stack([found[name][0].embedding for name in names])  # type: ignore[misc]
    return Dataset(embeddings, labels, people[1])


def test_the_folder_holds_just_what_the_album_says_and_is_small() -> None:
    files = _files()
    assert set(files) == set(PICTURES)
    assert sum(path.stat().st_size for path in files.values()) <= 2 * 2**20


def test_counts_of_people_and_photos() -> None:
    photos, ignored = find_photos(DEMO)
    me = [photo for photo in photos if photo.label == 1]
    people = Counter(photo.person for photo in photos if photo.label == 0)
    assert len(me) == 30
    assert len(people) == 40
    assert sum(count > 1 for count in people.values()) >= 5
    assert max(people.values()) <= 3
    assert not ignored
    asked = sorted(Path(name).stem for name in PICTURES if name.startswith("ask/"))
    assert asked == ["me_1", "me_2", "me_3", "stranger_1", "stranger_2", "stranger_3"]


def test_strangers_are_nobody_else() -> None:
    assert len({looks.seed for looks in (ME, *OTHERS, *STRANGERS)}) == 1 + 40 + 3
    learnt = {picture.looks for name, picture in PICTURES.items() if not name.startswith("ask/")}
    assert not learnt & set(STRANGERS)


def test_kinds_of_files_are_mixed_as_among_real_photos() -> None:
    formats, orientations, modes, sizes = Counter[str](), set(), set(), set()
    for path in _files().values():
        with Image.open(path) as image:
            formats[str(image.format)] += 1
            orientations.add(image.getexif().get(ExifTags.Base.Orientation, 1))
            modes.add(image.mode)
            sizes.add(image.size)
    assert formats["PNG"] >= 4
    assert formats["JPEG"] >= 60
    assert {1, 3, 6, 8} <= orientations
    assert "L" in modes
    assert any(width > height for width, height in sizes)
    assert any(width < height for width, height in sizes)
    assert {".JPG", ".jpeg", ".PNG"} <= {path.suffix for path in _files().values()}


def test_one_face_is_found_on_every_portrait(found: dict[str, list[Face]]) -> None:
    wrong = {
        name: [face.as_json() for face in faces]
        for name, faces in found.items()
        if len(faces) != 1 or faces[0].probability < 0.95
    }
    assert not wrong


def test_the_face_is_found_where_it_was_drawn(found: dict[str, list[Face]]) -> None:
    for name, faces in found.items():
        shot = PICTURES[name].shot
        least = min(shot.size)
        eye_distance = float(np.hypot(*(faces[0].landmarks[1] - faces[0].landmarks[0])))
        # The eyes of an upright head are about 0.1 above its place, give or take what turning and tilting moves them.
        wanted = (shot.size[0] / 2 + shot.place[0] * least, shot.size[1] / 2 - shot.place[1] * least)
        away = np.hypot(*(faces[0].landmarks[:2].mean(axis=0) - wanted)) / (shot.head * least)
        assert away < 0.2, f"{name}: eyes {away:.2f} head heights away"
        assert 0.15 < eye_distance / (shot.head * least) < 0.4, name


@pytest.mark.parametrize("name", ["me/05.jpg", "not_me/person_04/1.png", "ask/me_1.jpg"])
def test_drawing_again_gives_the_same_picture(name: str, tmp_path: Path) -> None:
    save(draw(PICTURES[name]), PICTURES[name], tmp_path)
    again, committed = _upright(tmp_path / name), _upright(DEMO / name)
    assert again.shape == committed.shape == (*PICTURES[name].shot.size[::-1], 3)
    difference = np.abs(again - committed)
    assert difference.mean() < 1.5  # another numpy or libjpeg: last digits, and a few rays at edges
    assert np.quantile(difference, 0.99) < 16


def test_saving_turns_pixels_so_that_they_show_upright(tmp_path: Path) -> None:
    stored = {name: picture for name, picture in PICTURES.items() if picture.orientation in (6, 8)}
    for name, picture in stored.items():
        with Image.open(DEMO / name) as image:
            assert image.size == picture.shot.size[::-1]
        assert _upright(DEMO / name).shape[:2] == picture.shot.size[::-1]
    assert len(stored) >= 3
    left_red = Image.new("RGB", PICTURES["me/05.jpg"].shot.size, "white")
    left_red.paste((255, 0, 0), (0, 0, left_red.width // 2, left_red.height))
    save(left_red, PICTURES["me/05.jpg"], tmp_path)
    assert _upright(tmp_path / "me/05.jpg")[:, :20, 1].max() < 60


def test_a_person_is_nearer_to_themselves_than_to_others(dataset: Dataset) -> None:
    distances = np.linalg.norm(dataset.embeddings[:, None] - dataset.embeddings[None], axis=-1)
    me = dataset.labels == 1
    own = distances[np.ix_(me, me)][np.triu_indices(int(me.sum()), 1)]
    others = distances[np.ix_(me, ~me)]
    assert own.mean() < 0.7 * others.mean()
    assert roc_auc_score(np.repeat([0, 1], [own.size, others.size]), np.concatenate([own, others.ravel()])) > 0.97


def test_no_portrait_passes_for_a_copy_of_another(dataset: Dataset, dlib_params: Params) -> None:
    unit = dataset.embeddings / np.linalg.norm(dataset.embeddings, axis=1, keepdims=True)
    alike = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    assert alike.max() < dlib_params.quality.copy_cosine - 0.0002


def test_asked_photos_are_told_apart_whatever_the_split(
    dataset: Dataset, found: dict[str, list[Face]], recognizer: Recognizer, dlib_params: Params
) -> None:
    """Drawn strangers contradict a population of photographs, in every part of every split."""
    me, strangers = _embeddings(found, "ask/me_"), _embeddings(found, "ask/stranger_")
    assert len(me) == len(strangers) == 3
    population = population_for(dlib_params.train, recognizer.networks.manifest.recipe(recognizer.flip))
    assert population is not None
    for state in (dlib_params.train.random_state, *range(10)):
        train = replace(dlib_params.train, random_state=state)
        predictions = predict(dataset, make_splits(dataset, train, True), train, population)
        assert roc_auc_score(predictions["label"], predictions["score"]) >= 0.98
        verifier = fit(dataset, train, population)
        assert isinstance(verifier.model, CosineClassifier)
        advised = choose(*_strangers_of(dataset, predictions), dlib_params.evaluate, None).threshold
        for threshold in (0.5, 0.75, 0.9, advised):
            assert verifier.score(me).min() >= threshold + 0.01
            assert verifier.score(strangers).max() <= threshold - 0.1


def _strangers_of(dataset: Dataset, predictions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Held-out scores of strangers, and the person of each: what stage evaluate chooses its threshold on."""
    own = predictions[predictions["label"] == 0]
    return own["score"].to_numpy(), dataset.groups[own["row"].to_numpy()]


def test_the_photo_that_documents_ask_about_keeps_its_bytes() -> None:
    digest = hashlib.sha256((DEMO / "ask/me_2.jpg").read_bytes()).hexdigest()
    assert digest == "56912856e1f53d38e30a4b2d64818e5296d3e5e388d7b07094a1791a8443bd2d"
