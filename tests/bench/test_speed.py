"""The benches of speed in their quick form: they run, peers included, and their figures are what they say.

How fast it is is no matter of a test: machines are shared and noisy.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from bench.support.photos import SEVERAL_FACES, find_photos, group_by_faces, group_of, in_order, load, many, spread
from faces.recognition.recognizer import Recognizer
from tests.bench.support import run

pytestmark = pytest.mark.timeout(600)
PORTRAIT = "paul_rudd.jpg"
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, photos_dir: Path, lfw_dir: Path) -> str:
    """A folder with one large portrait and four small ones."""
    folder = tmp_path_factory.mktemp("few")
    (folder / PORTRAIT).symlink_to((photos_dir / PORTRAIT).resolve())
    for photo in spread(find_photos([lfw_dir / "images" / "Hans_Blix"]), 4):
        (folder / photo.name).symlink_to(photo.resolve())
    return str(folder)


@posix_only
@pytest.mark.slow
def test_verify(few: str) -> None:
    groups = run("verify", few, "--quick")["groups"]
    assert {name: row["photos"] for name, row in groups.items()} == {
        "12 megapixels": 1, "3 megapixels or more": 1, "250 × 250": 4,
    }  # fmt: skip
    for row in groups.values():
        assert row["naive flow"]["ms"] > 0
        assert row["face_recognition"]["ms"] > 0
        assert set(row["dlib-resnet"]) == {"ms", "naive flow", "face_recognition"}


@posix_only
@pytest.mark.slow
def test_limit(few: str) -> None:
    for row in run("limit", few, "--quick")["groups"].values():
        assert row["limit"] == pytest.approx(row["decode"] + row["embed"], rel=0.5)
        assert row["share"] > 0


@pytest.mark.slow
def test_detector(few: str) -> None:
    groups = run("detector", few, "--quick")["groups"]
    for row in groups.values():
        assert row["largest_same"] == row["all_same"] == row["photos"]
        assert row["reasons"] == {}
    assert sum(row["photos"] for row in groups.values()) == 5


@posix_only
@pytest.mark.slow
def test_load(few: str) -> None:
    report = run("load", few, "--quick")
    assert set(report["throughput"]["this project"]["status"]) == {"200"}
    assert set(report["overload"]["status"]) <= {"200", "503"}
    assert report["overload"]["retry_after"] == report["overload"]["status"].get("503", 0)
    assert report["memory"]["megabytes"][-1] < report["memory"]["naive_megabytes"]


@posix_only
@pytest.mark.slow
def test_start(few: str) -> None:
    report = run("start", few, "--quick")
    assert report["heavy"] == "[]"
    assert set(report["first_answer_s"]) == {"this project", "naive flow"}


@posix_only
@pytest.mark.slow
def test_pipeline(few: str) -> None:
    report = run("pipeline", few, "--quick")
    assert set(report["beside"]) == {"12 megapixels", "small"}
    assert list(report["growth"]) == ["20", "40"]
    assert all(row["times_as_fast"] > 0 for row in report["beside"].values())


@posix_only
@pytest.mark.slow
def test_incremental(few: str) -> None:
    seconds = run("incremental", few, "--quick")["seconds"]
    assert set(seconds) == {"one photo added", "nothing changed"}


@pytest.mark.slow
def test_gpu(few: str) -> None:
    """On the CPU, so that its code runs where there is no GPU."""
    report = run("gpu", few, "--quick", "--device", "cpu", "--backbone", "dlib-resnet")
    assert report["precisions"]["float32"]["least_cosine"] > 0.999999
    assert set(report["precisions"]["float32"]["batches"]) == {"2", "4"}
    assert report["stage"]["cpu"]["per_second"] > 0


def test_photos_are_chosen_by_size(few: str) -> None:
    photos = load([Path(few)], small=2)
    assert [group_of(photo) for photo in photos] == ["12 megapixels", "3 megapixels or more", *["250 × 250"] * 2]
    with Image.open(io.BytesIO(photos[0])) as image:
        assert image.width * image.height == pytest.approx(12e6, rel=0.01)


@pytest.mark.parametrize(
    ("name", "group"),
    [("kate_siegel.jpg", "smaller"), ("multiface.jpg", SEVERAL_FACES), ("bald_guys.jpg", "3 megapixels or more")],
)
def test_smaller_photos_of_several_people_are_apart(
    photos_dir: Path, recognizer: Recognizer, name: str, group: str
) -> None:
    detector = recognizer.networks.open_detector()
    assert group_by_faces((photos_dir / name).read_bytes(), detector) == group


def test_groups_in_order() -> None:
    assert in_order(["no face", "250 × 250", SEVERAL_FACES, "smaller", "250 × 250"]) == [
        "smaller", SEVERAL_FACES, "250 × 250", "no face",
    ]  # fmt: skip


def test_many_of_few_differ(few: str) -> None:
    photos = [path.read_bytes() for path in find_photos([Path(few)]) if path.name != PORTRAIT]
    assert len(set(many(photos, 13))) == 13
