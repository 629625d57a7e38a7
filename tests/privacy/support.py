"""Small projects with real git and DVC, in which stand-ins of a few lines make what the stages make.

The stand-ins write the same kinds of files in the same places: crops, a crop report, embeddings with their index, a
model, metrics. So all of what DVC keeps of them is there, and a run takes a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from privacy.folder import STATE
from stages.files.encryption import LockedError, is_sealed
from stages.files.locked_files import reveal
from tests.conftest import ROOT
from tests.repository import Repository

STAGES = """
import csv, hashlib, io, json, pathlib, pickle, sys
import numpy as np
from PIL import Image
from stages.files.locked_files import key_like, reveal, sealed
from stages.files.photos import photos_in, read_photo

def derived_key(path):
    return key_like(path) if pathlib.Path("encrypt_derived").exists() else None

def crop():
    rows = []
    for photo in photos_in(pathlib.Path("data")):
        name, source, made = photo.path_in_data, read_photo(photo.path), io.BytesIO()
        target = pathlib.Path("data/cropped", f"{name}-0.png")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(io.BytesIO(source)).convert("RGB").crop((4, 4, 60, 60)).resize((32, 32)).save(made, "png")
        target.write_bytes(sealed(made.getvalue(), derived_key(photo.path)))
        digests = [hashlib.sha256(each).hexdigest() for each in (source, made.getvalue())]
        rows.append([name, digests[0], f"{name}-0.png", digests[1], ""])
    pathlib.Path("reports").mkdir(exist_ok=True)
    with open("reports/crop_report.csv", "w", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["photo", "sha256", "crop", "crop_sha256", "photo_hash"], *rows])

def embed():
    rows = list(csv.DictReader(open("reports/crop_report.csv", newline="")))
    vectors = []
    for row in rows:
        path = pathlib.Path("data/cropped", row["crop"])
        key = derived_key(path)
        pixels = np.asarray(Image.open(io.BytesIO(reveal(path.read_bytes(), path))), np.float64)
        vectors.append(np.random.default_rng(3).normal(size=(128, pixels.size)) @ (pixels.ravel() - 127))
    array = np.array(vectors, np.float32)
    made = io.BytesIO()
    np.save(made, array / np.linalg.norm(array, axis=1, keepdims=True))
    pathlib.Path("data/embeddings.npy").write_bytes(sealed(made.getvalue(), key))
    with open("data/index.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "photo", "sha256", "crop", "crop_sha256", "face"])
        writer.writerows([n, r["photo"], r["sha256"], r["crop"], r["crop_sha256"], 0] for n, r in enumerate(rows))
    pathlib.Path("data/embedding_recipe.json").write_text("{}")

def train():
    pathlib.Path("models/card").mkdir(parents=True, exist_ok=True)
    path = pathlib.Path("data/embeddings.npy")
    array = np.load(io.BytesIO(reveal(path.read_bytes(), path)))
    if not any(line.split(",")[1].startswith("me/") for line in open("data/index.csv").read().splitlines()[1:]):
        sys.exit("no photo of me")
    pathlib.Path("models/model.joblib").write_bytes(pickle.dumps(array.mean(axis=0)))
    pathlib.Path("reports/metrics.json").write_text(json.dumps({"accuracy": float(len(array))}))
    pathlib.Path("models/card/card.json").write_text(json.dumps({"photos": len(array), "sum": float(array.sum())}))

globals()[sys.argv[1]]()
"""

RUN = "import sys, pathlib, privacy.__main__ as m; m.ROOT = pathlib.Path.cwd(); sys.argv[0] = 'privacy'; m.main()"
"""Runs `python -m privacy` with the current folder as the project."""

PIPELINE = """
stages:
  crop:
    cmd: python making.py crop
    deps: [data/me, data/not_me]
    outs: [data/cropped, reports/crop_report.csv]
  embed:
    cmd: python making.py embed
    deps: [data/cropped, reports/crop_report.csv]
    outs: [data/embeddings.npy, data/index.csv, data/embedding_recipe.json]
  train:
    cmd: python making.py train
    deps: [data/embeddings.npy, data/index.csv]
    outs:
    - models/card
    - models/model.joblib:
        persist: true
    metrics:
    - reports/metrics.json:
        cache: false
"""


def picture(seed: int, size: int = 64) -> Image.Image:
    """A picture like no other: soft patches of colour."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


@dataclass
class Project(Repository):
    """A project folder with git and DVC, and variables of the environment that commands have there."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, root: Path, git: bool = True) -> Project:
        """Three photos of me, and two each of ana, ben and eva; built and committed."""
        root.mkdir(parents=True)
        project = cls(root)
        (root / "making.py").write_text(STAGES, encoding="utf-8")
        (root / "dvc.yaml").write_text(PIPELINE, encoding="utf-8")
        (root / ".gitignore").write_text("/data/?*\n!/data/*.dvc\n/private/\n__pycache__/\n", encoding="utf-8")
        if git:
            project.begin()
        project.dvc("init", "--quiet", *([] if git else ["--no-scm"]))
        project.dvc("config", "core.analytics", "false")
        for number in range(3):
            project.put(f"me/{number}.png", number)
        for place, person in enumerate(("ana", "ben", "eva")):
            for number in range(2):
                project.put(f"not_me/{person}/{number}.png", 100 * (place + 1) + number)
        project.build()
        if git:
            project.commit("First")
        return project

    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return {**super().environment(), "PYTHONPATH": path, **self.variables}

    def forget(self, *arguments: str, status: int = 0) -> str:
        """Run `python -m privacy forget` here; returns what it printed, errors last."""
        done = self.privacy("forget", *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr

    def privacy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `python -m privacy` with this folder as the project."""
        return self.call(sys.executable, "-c", RUN, *arguments)

    def put(self, name: str, seed: int) -> None:
        path = self.root / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed).save(path)

    def build(self) -> None:
        self.dvc("add", "--quiet", "data/me", "data/not_me")
        self.dvc("repro")

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def objects(self, store: Path | None = None) -> dict[str, str]:
        """SHA-256 of every object of the cache or a remote, by its path there."""
        folder = store or self.root / ".dvc/cache"
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((folder / "files").rglob("*"))
            if path.is_file()
        }

    def certificates(self) -> list[Path]:
        return sorted((self.root / STATE / "certificates").glob("*.json"))


class Remains:
    """A search for a person by what they are: bytes, pixels, embeddings, names; it knows nothing of how they went.

    Args:
        project: whose photos they are now.
        person: the folder within data/.
    """

    def __init__(self, project: Project, person: str) -> None:
        folder = project.root / "data"
        photos = [path for path in sorted((folder / person).rglob("*")) if path.suffix == ".png"]
        crops = [folder / "cropped" / f"{path.relative_to(folder).as_posix()}-0.png" for path in photos]
        files = [path for path in [*photos, *crops] if path.is_file()]
        self.person = person
        self.digests = {name(path.read_bytes()).hexdigest() for path in files for name in (hashlib.md5, hashlib.sha256)}
        self.pixels = [_pixels(path.read_bytes()) for path in files]
        index = (folder / "index.csv").read_text(encoding="utf-8").splitlines()[1:]
        rows = [number for number, line in enumerate(index) if line.split(",")[1].startswith(f"{person}/")]
        self.rows = np.load(folder / "embeddings.npy")[rows]
        assert len(self.rows) and len(self.digests) == 2 * len(files)

    def found(self, *places: Path) -> list[str]:
        """Files below these folders that hold something of the person."""
        return sorted(
            {
                str(path)
                for place in places
                for path in place.rglob("*")
                if path.is_file() and path.name != "making.py" and self._in(path)
            }
        )

    def _in(self, path: Path) -> bool:
        return any(self._is(data) for data in unpacked(path.read_bytes()))

    def _is(self, data: bytes) -> bool:
        if hashlib.md5(data).hexdigest() in self.digests or any(one.encode() in data for one in self.digests):
            return True
        if re.search(rb"(?<![\w/])" + self.person.encode() + b"/", data):
            return True
        if (own := _pixels(data)) is not None and any(float(np.mean(own * each)) > 0.98 for each in self.pixels):
            return True
        return any(row.tobytes() in data for row in self.rows)


def unpacked(data: bytes) -> Iterator[bytes]:
    """Bytes, and what is packed in them, or locked with the key of the environment."""
    yield data
    if is_sealed(data):
        with contextlib.suppress(LockedError):
            yield from unpacked(reveal(data, Path("object")))
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            for name in file.namelist():
                yield from unpacked(file.read(name))


def _pixels(data: bytes) -> np.ndarray | None:
    try:
        grey = np.asarray(Image.open(io.BytesIO(data)).convert("L").resize((24, 24)), np.float64)
    except (OSError, ValueError):
        return None
    return (grey - grey.mean()) / (grey.std() or 1.0)


def kept_objects(before: dict[str, str], after: dict[str, str], may_go: Iterable[str]) -> None:
    """All objects but those that may go are byte for byte what they were."""
    lost = {name for name in before if name not in after}
    assert lost <= set(may_go), lost - set(may_go)
    assert all(after[name] == before[name] for name in before.keys() & after.keys())


def load(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return content
