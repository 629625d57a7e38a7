"""The benches of speed in their quick form: they run, peers included, and their figures are what they say.

How fast it is is no matter of a test: machines are shared and noisy.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from bench.gpu.__main__ import parse
from bench.gpu.cropping import LARGE, SMALL, choose_photos
from bench.peers.mtcnn import BatchedMtcnn
from bench.peers.settings import VARIABLES, Settings, for_many, for_one_request
from bench.pipeline import Project, naive_ways
from bench.support import servers
from bench.support.photos import SEVERAL_FACES, find_photos, group_by_faces, group_of, in_order, load, many, spread
from faces.recognition.recognizer import Recognizer
from stages.files.paths import CROP_REPORT, CROPPED, INDEX, REMEMBERED_CROPS, REMEMBERED_EMBEDDINGS
from tests.bench.support import run

pytestmark = pytest.mark.timeout(600)
PORTRAIT = "paul_rudd.jpg"
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, photos_dir: Path, lfw_dir: Path) -> str:
    """A folder with one large portrait and four small ones."""
    folder = tmp_path_factory.mktemp("few")
    (folder / PORTRAIT).symlink_to((photos_dir / PORTRAIT).resolve())
    for photo in spread(find_photos([lfw_dir / "images" / "Hans_Blix"]), 4):
        (folder / photo.name).symlink_to(photo.resolve())
    return str(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, lfw_dir: Path) -> str:
    """A folder with two small photos, for what asks peers that take seconds for a large one."""
    folder = tmp_path_factory.mktemp("small")
    for photo in spread(find_photos([lfw_dir / "images" / "Hans_Blix"]), 2):
        (folder / photo.name).symlink_to(photo.resolve())
    return str(folder)


@posix_only
@pytest.mark.long
def test_verify(small: str, networks_dir: Path) -> None:
    report = run("verify", small, "--quick", networks=networks_dir)
    groups = report["groups"]
    assert re.fullmatch(r"dlib \d+\.\d+\.\d+, BLAS: (True|False)", report["face_recognition"])
    assert {name: row["photos"] for name, row in groups.items()} == {"250 × 250": 2}
    for row in groups.values():
        assert set(row["dlib-resnet"]) == {"ms", "naive flow", "face_recognition"}
        for peer in ("naive flow", "face_recognition"):
            tried = row[peer]["ms_by_settings"]
            assert {f"{peer}, 1 worker, 1 thread"} <= set(tried)
            assert row[peer]["ms"] == tried[row[peer]["settings"]] == min(tried.values()) > 0


@posix_only
@pytest.mark.slow
def test_limit(few: str) -> None:
    """With large photos, and networks that it exports for itself, as all benches do."""
    groups = run("limit", few, "--quick")["groups"]
    assert {name: row["photos"] for name, row in groups.items()} == {
        "12 megapixels": 1, "3 megapixels or more": 1, "250 × 250": 4,
    }  # fmt: skip
    for row in groups.values():
        assert row["limit"] == pytest.approx(row["decode"] + row["embed"], rel=0.5)
        assert row["share"] > 0


@pytest.mark.slow
def test_detector(few: str, networks_dir: Path) -> None:
    groups = run("detector", few, "--quick", networks=networks_dir)["groups"]
    for row in groups.values():
        assert row["largest_same"] == row["all_same"] == row["photos"]
        assert row["reasons"] == {}
    assert sum(row["photos"] for row in groups.values()) == 5


@pytest.mark.slow
def test_detector_constants(few: str, networks_dir: Path) -> None:
    report = run("detector_constants", few, "--quick", networks=networks_dir)
    usual, lavish = (report["early_stop"][name] for name in ("as they are", "WORTH_RNET (0, 0)"))
    assert report["photos"] == 5
    assert usual["another_face"] == usual["changed"] == 0
    assert lavish["rnet"] >= usual["rnet"] > usual["onet"] > 0
    assert all(ratio > 0 for ratios in report["parts"].values() for ratio in ratios.values())


@posix_only
@pytest.mark.long
def test_load(small: str, networks_dir: Path) -> None:
    report = run("load", small, "--quick", networks=networks_dir)
    assert set(report["throughput"]["this project"]["status"]) == {"200"}
    assert set(report["overload"]["status"]) <= {"200", "503"}
    assert report["overload"]["retry_after"] == report["overload"]["status"].get("503", 0)
    throughput, memory = report["throughput"], report["memory"]
    naive = throughput["naive flow"]
    tried = throughput["naive flow, by settings"]
    assert "2 workers, untuned threads each" not in tried, "of the naive flow as it comes, nobody waits in a test"
    assert naive["per_second"] == max(row["per_second"] for row in tried.values()) > 0
    assert naive == {**tried[naive["settings"]], "settings": naive["settings"]}
    assert throughput["times_as_many"] == throughput["times_as_many_by_settings"][naive["settings"]]
    assert memory["megabytes"][-1] < memory["naive_megabytes"] == min(memory["naive_megabytes_by_settings"].values())


@posix_only
@pytest.mark.long
def test_start(small: str, networks_dir: Path) -> None:
    report = run("start", small, "--quick", networks=networks_dir)
    assert report["heavy"] == "[]"
    assert set(report["first_answer_s"]) == {"this project", "naive flow"}
    tried = report["naive_first_answer_s_by_settings"]
    assert report["first_answer_s"]["naive flow"] == tried[report["naive_settings"]] == min(tried.values())


@posix_only
@pytest.mark.long
def test_pipeline(few: str, networks_dir: Path) -> None:
    report = run("pipeline", few, "--quick", networks=networks_dir)
    assert set(report["beside"]) == {"12 megapixels", "small"}
    assert list(report["growth"]) == ["20", "40"]
    for row in report["beside"].values():
        tried = row["naive_per_second_by_settings"]
        assert row["naive_per_second"] == tried[row["naive_settings"]] == max(tried.values())
        assert row["times_as_fast"] > 0


@posix_only
@pytest.mark.long
def test_incremental(few: str) -> None:
    seconds = run("incremental", few, "--quick")["seconds"]
    assert set(seconds) == {"one photo added", "nothing changed"}


@posix_only
@pytest.mark.slow
def test_lock(few: str) -> None:
    figures = run("lock", few, "--quick")
    assert figures["photos"] == 16
    assert len(figures["plain_seconds"]) == len(figures["locked_seconds"]) == 1
    assert len(figures["slower"]) == 2


@pytest.mark.slow
def test_threads() -> None:
    figures = run("threads", "--quick", "--pauses", "0", "0.01")["figures"]
    assert len(figures) == 2
    for pauses in figures.values():
        assert list(pauses) == ["0", "0.01"]
        assert all(row["p50"] > 0 for ways in pauses.values() for row in ways.values())


@posix_only
@pytest.mark.long
def test_processes(few: str) -> None:
    report = run("processes", few, "--quick")
    assert list(report["times"]) == ["10"]
    assert report["times"]["10"]["own_s"] > 0
    for results in report["endings"].values():
        assert results["own"]["left"] == 0


@pytest.mark.long
def test_gpu(few: str, networks_dir: Path) -> None:
    """On the CPU, so that its code runs where there is no GPU."""
    report = run("gpu", few, "--quick", "--device", "cpu", "--backbone", "dlib-resnet", networks=networks_dir)
    assert report["precisions"]["float32"]["least_cosine"] > 0.999999
    assert set(report["precisions"]["float32"]["batches"]) == {"2", "4"}
    assert report["stage"]["cpu"]["per_second"] > 0
    assert report["stage"]["cpu"]["crops"] < report["faces"], "one is embedded by itself"
    assert report["device"] == "cpu"
    assert {group: len(row["mtcnn"]) for group, row in report["crop"].items()} == {SMALL: 2, LARGE: 4}
    for row in report["crop"].values():
        best = row["mtcnn"][row["fastest"]]
        assert best["per_second"] == max(own["per_second"] for own in row["mtcnn"].values()) > 0
        assert best["crop_times_as_fast"] == pytest.approx(row["crop"]["per_second"] / best["per_second"], rel=0.1)
        assert best["times_as_fast_as_crop"] == pytest.approx(1 / best["crop_times_as_fast"], rel=0.1)
        assert row["mtcnn_photos"] == row["crop"]["photos"] == row["crop"]["with_a_face"] == best["with_a_face"]


@without_gpu
def test_gpu_where_there_is_none(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu", "photos"])
    arguments = parse()
    assert arguments.device == "cpu"
    assert arguments.mtcnn_photos < 100
    assert "torch finds no GPU here: everything runs on the processor" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["gpu", "photos", "--device", "cuda"])
    with pytest.raises(SystemExit, match="torch finds no GPU here; expected a GPU, or --device cpu"):
        parse()


def test_photos_for_crop_beside_mtcnn(photos_dir: Path, lfw_dir: Path) -> None:
    groups = choose_photos([photos_dir, lfw_dir / "images" / "Hans_Blix"], 40)
    assert {group: len(set(photos)) for group, photos in groups.items()} == {SMALL: 40, LARGE: 10}
    for photo in groups[LARGE]:
        with Image.open(io.BytesIO(photo)) as image:
            assert 2e6 <= image.width * image.height <= 5e6
    assert list(choose_photos([lfw_dir / "images" / "Hans_Blix"], 4)) == [SMALL]


def test_mtcnn_finds_the_same_in_batches_of_equal_size(photos_dir: Path, lfw_dir: Path) -> None:
    """Two sizes of photos, one of them without a face, in batches that do not come out even."""
    paths = [
        *find_photos([lfw_dir / "images" / "Hans_Blix"])[:3],
        photos_dir / "dogs.jpg",
        photos_dir / "kate_siegel.jpg",
    ]
    batched = BatchedMtcnn("cpu", 2, 200, 2)
    assert [[image.size for image in batch] for batch in batched.batches(paths)] == [
        [(200, 200), (200, 200)], [(200, 200)], [(197, 200)], [(140, 200)],
    ]  # fmt: skip
    assert batched.crop(paths) == BatchedMtcnn("cpu", 1, 200, 1).crop(paths) == 4


def test_what_stages_remember_is_forgotten(tmp_path: Path, networks_dir: Path) -> None:
    """Else the second round would measure how soon crops and embeddings are taken over."""
    project = Project(tmp_path / "project", networks_dir.parent, "dlib-resnet")
    project.put([b"one", b"two", b"three", b"four"])
    for path in (REMEMBERED_CROPS, REMEMBERED_EMBEDDINGS, CROPPED, INDEX, CROP_REPORT):
        (project.root / path.parent).mkdir(parents=True, exist_ok=True)
        (project.root / path).touch()
    project.forget()
    left = {path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("models/")} == {
        "params.yaml", "data/me/00000.jpg", "data/me/00001.jpg", "data/me/00002.jpg", "data/not_me/00003.jpg",
    }  # fmt: skip


def test_settings_of_a_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert all(Settings(threads=2).environment()[name] == "2" for name in VARIABLES)
    assert not set(VARIABLES) & set(Settings().environment()), "as it comes is without the user's own setting"
    assert [settings.title for settings in for_one_request(2)] == ["1 worker, 1 thread", "1 worker, 2 threads"]
    assert [settings.threads for settings in for_one_request(16)] == [1, 4, 16]
    assert [settings.title for settings in for_many(2, 2)] == ["2 workers, 1 thread each", "1 worker, 2 threads"]
    assert [(settings.workers, settings.threads) for settings in for_many(8, 2)] == [(2, 4), (1, 8)]
    assert naive_ways(2) == [Settings(2, 1), Settings(1, 2), Settings(1, 1)]
    assert for_many(1, 2) == [Settings(2, 1), Settings(1, 1)]


class Disobeyed(Settings):
    """One that the peer does not hear of."""

    def environment(self) -> dict[str, str]:
        return Settings(threads=1).environment()


@posix_only
@pytest.mark.slow
def test_a_peer_that_computes_with_other_threads_is_no_peer() -> None:
    with servers.naive(Settings(threads=1)) as server:
        assert server.get("/healthz") == (200, b'{"status":"ok","threads":1}\n')
    with pytest.raises(SystemExit, match="computes with 1 threads; expected 2"), servers.naive(Disobeyed(threads=2)):
        pass


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
