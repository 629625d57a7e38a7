"""What many tests need once: exported networks, a verifier trained on real photographs, the pipeline built by DVC."""

from __future__ import annotations

import gc
import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from service.audit import counts
from service.memory import give_back
from stages.params import Params
from stages.train.train import load_params
from tests.clone import Clone, new_clone
from tests.recording import write_trained
from tests.shared import SharedFolders, common_folder
from tests.stages.support import put_photos

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SHARED_PHOTOS", ROOT.parent / "shared"))
"""Folder with lfw/ and photos/: real photographs that are no part of the project."""

ME = "Hans_Blix"

os.environ["LC_ALL"] = "C.UTF-8"  # what follows the language of the terminal is in English, whatever that is here

LONGEST_FIRST = (
    "test_linters.py", "test_pipeline.py", "docs/test_commands.py", "bench/test_speed.py", "test_update.py",
    "test_slim_install.py", "test_quickstart.py", "history/test_history.py",
)  # fmt: skip
"""Files that take longest: begun last, they would keep one worker of pytest-xdist busy and the others idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those files first; within them, and after them, nothing changes its place."""
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish() -> None:
    """Hide what was collected from the garbage collector: a run of it would look at thousands of tests each time."""
    gc.collect()
    gc.freeze()


GROWTH = 300 * 2**20
"""Bytes by which a process may grow within a file before what is free is given back."""


def resident() -> int:
    """Bytes of memory that this process has in use; 0 where the system is not Linux."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After each file, and where tests have used much, give back the memory of what nobody needs any more.

    Applications and networks refer to themselves, so the garbage collector alone frees them, and by itself it comes
    late: there are gigabytes of them then.
    """
    yield
    before = item.config.stash.get(_AT_LAST, 0)
    if nextitem is None or nextitem.path != item.path or resident() > before + GROWTH:
        gc.collect()
        give_back()
        item.config.stash[_AT_LAST] = resident()


_AT_LAST = pytest.StashKey[int]()
"""What `resident` was after memory was last given back."""


@pytest.fixture(autouse=True)
def _no_count_outlives_its_test() -> Iterator[None]:
    """Refusals are written a minute later: by then the test's folder is gone, and another test would find the error."""
    yield
    for thread in threading.enumerate():
        if thread.name == counts.THREAD and isinstance(thread, threading.Timer):
            thread.cancel()


@pytest.fixture(scope="session")
def lfw_dir() -> Path:
    """LFW: images/<person>/*.jpg and pairs.txt."""
    folder = SHARED / "lfw"
    if not (folder / "images").is_dir():
        pytest.skip(f"no real photographs: {folder}/images is not there")
    return folder


@pytest.fixture(scope="session")
def photos_dir() -> Path:
    """Group photos and portraits of 0.1 to 4 megapixels."""
    folder = SHARED / "photos"
    if not folder.is_dir():
        pytest.skip(f"no real photographs: {folder} is not there")
    return folder


@pytest.fixture(scope="session")
def dlib_params() -> Params:
    """params.yaml with the backbone that needs no download."""
    params = load_params(ROOT / "params.yaml")
    return replace(params, backbone=replace(params.backbone, name="dlib-resnet"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedFolders:
    """Folders that are made once a run, whichever worker needs them first."""
    return SharedFolders(common_folder(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def networks_dir(shared: SharedFolders, dlib_params: Params) -> Path:
    """Folder with the exported networks of dlib-resnet."""
    from stages.export.export import export_networks  # torch, which a test of a formula need not wait for

    return shared.made_once("models", lambda folder: export_networks(dlib_params, folder / "networks")) / "networks"


@pytest.fixture(scope="session")
def recognizer(networks_dir: Path) -> Recognizer:
    """An opened recognizer with those networks."""
    opened = Recognizer(Networks.load(networks_dir))
    opened.open()
    return opened


@dataclass
class TrainedModels:
    """A trained verifier and photos it has not seen."""

    path: Path
    me_photos: list[Path] = field(default_factory=list)
    stranger_photos: list[Path] = field(default_factory=list)


@pytest.fixture(scope="session")
def trained_models(shared: SharedFolders, recognizer: Recognizer, lfw_dir: Path, dlib_params: Params) -> TrainedModels:
    """What train writes into models/, trained on 20 photos of one person and 60 of others."""
    me = sorted((lfw_dir / "images" / ME).glob("*.jpg"))
    people = sorted(folder for folder in (lfw_dir / "images").iterdir() if folder.name != ME)
    others = [sorted(folder.glob("*.jpg"))[0] for folder in random.Random(0).sample(people, 80)]

    def train(folder: Path) -> None:
        write_trained(folder, recognizer, dlib_params, me[:20], others[:60])

    return TrainedModels(shared.made_once("trained", train), me[20:], others[60:])


@pytest.fixture(scope="session")
def pristine(shared: SharedFolders, lfw_dir: Path) -> Clone:
    """A clone built once by `dvc repro` and committed. To be read only, without DVC: take `clone` for the rest.

    first-output.txt beside it holds what `dvc repro` printed.
    """

    def build(folder: Path) -> None:
        clone = new_clone(folder / "clone")
        put_photos(clone.root, lfw_dir)
        clone.dvc("add", "data/me", "data/not_me")
        (folder / "first-output.txt").write_text(clone.dvc("repro"), encoding="utf-8")
        clone.commit("Built")

    return Clone(shared.made_once("pipeline", build) / "clone")


@pytest.fixture
def clone(pristine: Clone, tmp_path: Path) -> Clone:
    """A copy of the built clone."""
    return pristine.copy(tmp_path / "clone")


@pytest.fixture
def project_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, made the current directory, on a machine that has no weights of FaceNet."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("FACENET_WEIGHTS", raising=False)
    return folder


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What starts browsers: a process can have one alone."""
    from playwright.sync_api import sync_playwright  # here: few tests need it

    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose camera sees a demo portrait."""
    from tests.ui.support import ME as PORTRAIT
    from tests.ui.support import OTHER_HOST, browser_path, write_video

    path = browser_path()
    video = tmp_path_factory.mktemp("camera") / "me.y4m"
    write_video(PORTRAIT, video)
    options = [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}", f"--host-resolver-rules=MAP {OTHER_HOST} 127.0.0.1",
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # root has no sandbox, and the page is our own
    running = playwright.chromium.launch(executable_path=path, args=options)
    yield running
    running.close()
