"""A project folder in which stages run as programs, without DVC, and what tests ask of it."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.shared import SharedFolders

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("crop", "embed", "quality", "train", "evaluate", "robustness", "report")
ME = "Hans_Blix"
ME_PHOTOS = 12
STRANGERS = 20

posix_only = pytest.mark.skipif(os.name != "posix", reason="uses signals, links or names that Windows does not have")

# Runs a stage that kills itself, as SIGKILL would, just before the n-th file or folder is moved into its place.
_KILLED_AT_MOVE = """
import os, pathlib, runpy, signal, sys
stage, moves, first = sys.argv[1], int(sys.argv[2]), os.getpid()
def deadly(move):
    def moving(*arguments):
        global moves
        if os.getpid() != first:  # a process that the stage has started
            return move(*arguments)
        if moves == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        moves -= 1
        return move(*arguments)
    return moving
pathlib.Path.replace, pathlib.Path.rename = deadly(pathlib.Path.replace), deadly(pathlib.Path.rename)
sys.argv = [stage]
runpy.run_module(f"stages.{stage}", run_name="__main__")
"""

# Runs a stage that may write no file larger than so many bytes.
_FILES_LIMITED = """
import resource, runpy, sys
_, stage, size = sys.argv
resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), resource.RLIM_INFINITY))
sys.argv = [stage]
runpy.run_module(f"stages.{stage}", run_name="__main__")
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Workspace:
    """A folder with params.yaml, models/networks (linked) and perhaps photos and outputs.

    Attributes:
        root: the folder.
    """

    root: Path

    def path(self, name: str) -> Path:
        return self.root / name

    def copy(self, root: Path) -> Workspace:
        """A copy in which files that are one (hard links) still are."""
        root.mkdir(parents=True, exist_ok=True)
        if os.name == "posix":
            subprocess.run(["cp", "-a", f"{self.root}/.", str(root)], check=True)
        else:
            shutil.copytree(self.root, root, symlinks=True, dirs_exist_ok=True)
        return Workspace(root)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    def start(self, stage: str) -> subprocess.Popen[str]:
        """Start a stage without waiting for it; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-u", "-m", f"stages.{stage}"], cwd=self.root, env=self.environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run python with arguments."""
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.root, env=self.environment(), check=False,
            capture_output=True, text=True, encoding="utf-8", errors="backslashreplace", timeout=100,
        )  # fmt: skip

    def stage(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run a stage that must end well."""
        done = self.run("-m", f"stages.{name}")
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert self.leftovers() == []
        return done

    def failing(self, name: str) -> str:
        """Run a stage that must end with one message; returns it."""
        return self.message(name, self.run("-m", f"stages.{name}"))

    def refused(self, name: str, monkeypatch: pytest.MonkeyPatch) -> str:
        """As `failing`, in this process: far sooner, and any other error than a message comes through."""
        monkeypatch.chdir(self.root)
        monkeypatch.setattr(sys, "argv", [name])
        try:
            with pytest.raises(SystemExit) as caught, warnings.catch_warnings():
                warnings.filterwarnings("ignore", r"'stages\.\w+' found in sys\.modules", RuntimeWarning)
                runpy.run_module(f"stages.{name}", run_name="__main__")
        finally:
            logging.captureWarnings(False)
        assert isinstance(caught.value.code, str), f"exit status {caught.value.code!r}"
        assert self.leftovers() == []
        assert caught.value.code.startswith(f"{name}: error: ")
        return caught.value.code.removeprefix(f"{name}: error: ")

    def failing_with_files_limited(self, name: str, size: int) -> str:
        """Run a stage that must fail because it may not write a file of that many bytes; returns its message."""
        return self.message(name, self.run("-c", _FILES_LIMITED, name, str(size)))

    def message(self, name: str, done: subprocess.CompletedProcess[str]) -> str:
        """The one message with which a stage ended: nothing else speaks of an error, nothing is left half done."""
        assert done.returncode == 1, f"exit status {done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        _, start, message = done.stderr.partition(f"{name}: error: ")
        assert start, done.stderr
        assert len(re.findall("(?i)error:", done.stderr)) == 1, done.stderr
        assert self.leftovers() == []
        return message.strip()

    def killed_at_move(self, name: str, moves: int) -> None:
        """Run a stage that gets SIGKILL when it has moved so many files or folders into their place."""
        done = self.run("-c", _KILLED_AT_MOVE, name, str(moves))
        assert done.returncode == -9, f"ended before move {moves}: {done.stderr}"

    def leftovers(self) -> list[str]:
        """Temporary files and folders of any kind."""
        found = (path.relative_to(self.root).as_posix() for path in self.root.rglob(".*"))
        return sorted(name for name in found if not name.startswith(("data/me/", "data/not_me/")))

    def set_params(self, **values: Any) -> None:
        """Change parameters, named section__name, or name where it stands in no section."""
        path = self.path("params.yaml")
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, value in values.items():
            section, _, key = name.partition("__")
            if key:
                params[section][key] = value
            else:
                params[section] = value
        path.write_text(yaml.safe_dump(params), encoding="utf-8")

    def outputs(self) -> dict[str, str]:
        """SHA-256 of every file that stages wrote (not of the networks), by name."""
        folders = [self.path(name) for name in ("data", "models", "reports")]
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        names = {path.relative_to(self.root).as_posix(): path for path in files}
        photos = ("data/me/", "data/not_me/", "models/networks/", "data/remembered/")
        return {name: digest(path) for name, path in names.items() if not name.startswith(photos)}

    def crop_report(self) -> pd.DataFrame:
        return pd.read_csv(self.path("reports/crop_report.csv"), keep_default_na=False, encoding="utf-8")

    def index(self) -> pd.DataFrame:
        return pd.read_csv(self.path("data/index.csv"), keep_default_na=False, encoding="utf-8")

    def embeddings(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        embeddings: np.ndarray[Any, np.dtype[np.float32]] = np.load(self.path("data/embeddings.npy"))
        return embeddings

    def texts(self) -> Iterable[tuple[str, str]]:
        """Name and content of every file of data/ and reports/ but the photos, decoded leniently."""
        for name in self.outputs():
            yield name, self.path(name).read_bytes().decode("utf-8", errors="replace")


def write_params(root: Path, language: str = "en") -> None:
    """params.yaml as shipped but for the backbone, which needs no download, few photos to degrade, and the language."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    # Every photo is verified some forty times.
    for line, given in (("name: dlib-resnet", r"\S+"), ("photos: 5", r"\d+"), ("strangers: 3", r"\d+")):
        text, count = re.subn(rf"(?m)^  {line.split()[0]} {given}", f"  {line}", text)
        assert count == 1, line
    text, count = re.subn(r"(?m)^language: es\b", f"language: {language}", text)
    assert count == 1
    (root / "params.yaml").write_text(text, encoding="utf-8")


def new_workspace(root: Path, networks: Path) -> Workspace:
    """A folder with parameters and networks, and no photos."""
    (root / "models").mkdir(parents=True)
    (root / "models" / "networks").symlink_to(networks, target_is_directory=True)
    (root / "models" / "records").mkdir()
    shutil.copy(networks.parent / "records" / "export.json", root / "models" / "records")
    write_params(root)
    return Workspace(root)


def photos_of_me(lfw: Path) -> list[Path]:
    return sorted((lfw / "images" / ME).glob("*.jpg"))


def photos_of_strangers(lfw: Path, count: int) -> list[Path]:
    """The first photo of as many other people; always the same people."""
    people = sorted(folder for folder in (lfw / "images").iterdir() if folder.name != ME)
    return [sorted(folder.glob("*.jpg"))[0] for folder in random.Random(1).sample(people, count)]


def put(photo: Path, target: Path) -> None:
    """Copy a photo's content, not its mode: shared photos may be read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(photo, target)


def put_photos(root: Path, lfw: Path, me: int = ME_PHOTOS, strangers: int = STRANGERS) -> None:
    """Fill data/me and data/not_me/<person>."""
    for photo in photos_of_me(lfw)[:me]:
        put(photo, root / "data" / "me" / photo.name)
    for photo in photos_of_strangers(lfw, strangers):
        put(photo, root / "data" / "not_me" / photo.parent.name / photo.name)


def built_once(shared: SharedFolders, networks: Path, lfw: Path) -> Workspace:
    """The workspace in which every stage has run once, the same for all tests of a run."""

    def build(folder: Path) -> None:
        workspace = new_workspace(folder / "project", networks)
        put_photos(workspace.root, lfw)
        for stage in STAGES:
            workspace.stage(stage)

    return Workspace(shared.made_once("built", build) / "project")


def put_embeddings(workspace: Workspace, me: int, not_me: int, apart: float = 1.0, seed: int = 0) -> None:
    """Write embeddings, labels and groups of made-up faces, each its own group.

    128 dimensions as dlib-resnet's, `apart` the classes' distance.
    """
    generator = np.random.default_rng(seed)
    labels = np.array([0] * not_me + [1] * me, np.int64)
    embeddings = generator.normal(size=(me + not_me, 128)).astype(np.float32)
    embeddings[labels == 1] += np.float32(apart)
    workspace.path("data").mkdir(exist_ok=True)
    np.save(workspace.path("data/embeddings.npy"), embeddings)
    np.save(workspace.path("data/labels.npy"), labels)
    put_groups(workspace, range(len(labels)))
    recipe = {"backbone": "dlib-resnet", "embedding_size": 128, "flip": True, "weights": {"embedder": "of nobody"}}
    text = json.dumps({"recipe": recipe, "made_with": {"code": "0" * 16, "numpy": np.__version__}})
    workspace.path("data/embedding_recipe.json").write_text(text, encoding="utf-8")


def put_groups(workspace: Workspace, groups: Iterable[int]) -> None:
    """Write data/groups.csv."""
    pd.DataFrame({"group": list(groups)}).rename_axis("row").to_csv(workspace.path("data/groups.csv"))


def put_faceless(target: Path, seed: int = 0) -> None:
    """A photo without a face: noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(target, "JPEG" if target.suffix.lower() != ".png" else "PNG")
