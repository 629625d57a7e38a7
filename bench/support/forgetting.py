"""A project with a history to forget somebody in: versions, branches, tags, experiments, remotes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from bench.support.servers import ROOT
from bench.support.workspace import Workspace

PEOPLE = 20
BUCKET = "photos"
_KEYS = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class S3:
    """An S3-compatible store on loopback.

    Attributes:
        address: its URL.
        client: of boto3.
    """

    address: str
    client: Any

    def objects(self) -> dict[str, bytes]:
        """Everything in it."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        names = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {name: self.client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}

    def restore(self, objects: dict[str, bytes]) -> None:
        """Make it hold these objects and no other."""
        for name in self.objects().keys() - objects.keys():
            self.client.delete_object(Bucket=BUCKET, Key=name)
        for name, data in objects.items():
            self.client.put_object(Bucket=BUCKET, Key=name, Body=data)


def why_no_s3() -> str:
    """Why there can be no S3-compatible store here; "" where there can."""
    missing = [name for name in ("moto", "dvc_s3", "boto3") if importlib.util.find_spec(name) is None]
    return f"{', '.join(missing)} not installed (requirements-dev.txt)" if missing else ""


@contextmanager
def s3() -> Iterator[S3 | None]:
    """The store, while the block runs; None where its packages are not installed."""
    if why_no_s3():
        yield None
        return
    import boto3
    from moto.server import ThreadedMotoServer

    os.environ.update(_KEYS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
        client.create_bucket(Bucket=BUCKET)
        yield S3(f"http://{host}:{port}", client)
    finally:
        server.stop()


@dataclass
class History:
    """The project, and what is known of it.

    Attributes:
        workspace: the project; `path` is its folder.
        person: the sub-folder of not_me to be forgotten.
        folder: where everything lies: the project, a worktree of it, and two remotes.
        store: one more remote.
        photos: every photo that the person ever had.
        expected: what the version holds that never had the person: paths in the cache and their SHA-256.
        before: what the cache and each remote held before anybody was forgotten, in the same form.
    """

    workspace: Workspace
    person: str
    folder: Path
    store: S3 | None
    photos: list[Path] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    before: list[dict[str, str]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.workspace.path

    @property
    def remote(self) -> Path:
        """The folder of a remote that has everything."""
        return self.folder / "remote"

    @property
    def other_remote(self) -> Path:
        """The folder of a remote that one file is pushed to."""
        return self.folder / "other-remote"

    @property
    def worktree(self) -> Path:
        """A second working tree."""
        return self.folder / "worktree"

    @property
    def archive(self) -> Path:
        """An archive with photos of everybody."""
        return self.root / "reports/manual/everybody.tar.gz"

    def git(self, *arguments: str) -> None:
        """Run git."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        """Commit everything that git may hold."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def build(self, message: str) -> None:
        """Track the photos, run the pipeline, commit."""
        self.workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
        self.workspace.run("dvc", "repro", "-q")
        self.commit(message)

    def track(self, message: str) -> None:
        """Track the photos and commit, without a run of the pipeline."""
        self.workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
        self.commit(message)

    def copied_to(self, folder: Path) -> History:
        """A copy of everything but the store. git notes by its full path where a worktree lies."""
        for place in (self.root, self.remote, self.other_remote, self.worktree):
            shutil.copytree(place, folder / place.name, symlinks=True)
        copy = replace(self, workspace=Workspace(folder / self.root.name), folder=folder)
        (notes,) = (copy.root / ".git/worktrees").iterdir()
        (notes / "gitdir").write_text(f"{copy.worktree / '.git'}\n", encoding="utf-8")
        (copy.worktree / ".git").write_text(f"gitdir: {notes}\n", encoding="utf-8")
        return copy

    def push(self) -> None:
        """Push all versions to both remotes, with the run cache."""
        for name in ("folder", "s3"):
            if name == "folder" or self.store is not None:
                self.workspace.run("dvc", "push", "-q", "-r", name, "--run-cache", "--all-commits")


def choose_people(photos: Path | None) -> tuple[list[Path], dict[str, list[Path]]]:
    """Photos of me, and of 20 others by name; the first of these has the most.

    Args:
        photos: a folder with images/<person>/ (LFW); None for the demo's portraits.
    """
    if photos is None:
        me = sorted((ROOT / "demo" / "me").iterdir())
        folders = sorted((ROOT / "demo" / "not_me").iterdir())
    else:
        by_count = sorted((photos / "images").iterdir(), key=lambda folder: -len(list(folder.iterdir())))
        me, folders = sorted(by_count[8].iterdir())[:20], by_count[9:]
    others = {folder.name: sorted(folder.iterdir())[:4] for folder in folders}
    names = sorted(others, key=lambda name: -len(others[name]))[:PEOPLE]
    return me, {name: others[name] for name in names}


def make_history(path: Path, photos: Path | None, store: S3 | None) -> History:
    """Build the project: versions on two branches, a tag, a stash, a worktree, experiments, archives, three remotes."""
    me, others = choose_people(photos)
    # Without the project's own history: DVC would go through all of it at each push.
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", str(path / "project")], check=True)
    history = History(Workspace(path / "project"), next(iter(others)), path, store)
    history.git("config", "user.name", "Bench")
    history.git("config", "user.email", "bench@example.org")
    configure(history.workspace)
    _add_remotes(history)
    mine = others.pop(history.person)
    history.workspace.put_photos("me", me, by_person=False)
    for own in others.values():
        history.workspace.put_photos("not_me", own, by_person=True)
    history.build("Before the person")
    history.expected = objects(history.root / ".dvc/cache/files")
    folder = history.root / "data/not_me" / history.person
    folder.mkdir()
    for photo in mine:
        shutil.copy(photo, folder)
    _rename(history, folder, mine[-1].name)
    history.build("With the person")
    history.git("tag", "with-the-person")
    history.git("checkout", "-q", "-b", "branch")
    shutil.copy(mine[-1], folder / f"other{mine[-1].suffix}")
    near = history.root / "data/not_me" / next(iter(others)) / "again.jpg"
    with Image.open(mine[0]) as image:
        image.convert("RGB").resize((image.width * 3 // 4, image.height * 3 // 4)).save(near, quality=60)
    history.photos = [*_copies(path / "photos", [*folder.iterdir(), near])]
    history.build("More of them, and a copy under another name")
    near.unlink()
    shutil.rmtree(folder)
    history.track("They were deleted by hand")
    history.git("checkout", "-q", "main")
    history.workspace.run("dvc", "checkout", "-q", "--force")
    history.workspace.run("dvc", "exp", "run", "-q", "-n", "kept", "-S", "train.verifier=logistic_regression")
    history.git("checkout", "-q", "--", ".")
    history.workspace.run("dvc", "checkout", "-q", "--force")
    _track_by_hand(history, folder)
    history.push()
    _stash_and_queue(history, folder, mine[-1])
    _add_worktree(history)
    _leave_lying_about(history, folder)
    kill_experiment(history)
    return history


def _rename(history: History, folder: Path, last: str) -> None:
    """Two versions without a run of the pipeline: under another name, and with the right one and a photo less."""
    former = folder.with_name(f"called-otherwise-{folder.name}")
    folder.rename(former)
    history.track("The person under another name")
    former.rename(folder)
    if len(list(folder.iterdir())) > 1:
        (folder / last).unlink()


def _track_by_hand(history: History, folder: Path) -> None:
    """What people let DVC track beside the data: an archive, and a single photo that has a remote of its own."""
    history.archive.parent.mkdir(exist_ok=True)
    with tarfile.open(history.archive, "w:gz") as archive:
        archive.add(folder.parent, "not_me")
    photo = history.root / "holdout" / "1.jpg"
    photo.parent.mkdir()
    with Image.open(min(folder.iterdir())) as image:
        ImageOps.mirror(image.convert("RGB")).save(photo, quality=80)
    history.workspace.run("dvc", "add", "-q", "reports/manual/everybody.tar.gz", "holdout/1.jpg")
    with photo.with_name("1.jpg.dvc").open("a", encoding="utf-8") as file:
        file.write("  remote: other\n")
    history.commit("An archive, and a photo with a remote of its own")
    history.workspace.run("dvc", "push", "-q", "holdout/1.jpg.dvc")


def _stash_and_queue(history: History, folder: Path, photo: Path) -> None:
    """One more photo that only a stash of git's knows, and an experiment that waits."""
    shutil.copy(photo, folder / f"stashed{photo.suffix}")
    history.workspace.run("dvc", "add", "-q", "data/not_me")
    history.git("stash", "-q")
    history.workspace.run("dvc", "checkout", "-q", "--force")
    history.workspace.run("dvc", "exp", "run", "-q", "--queue", "-n", "waiting", "-S", "embed.flip=false")


def _add_worktree(history: History) -> None:
    """A second working tree, of the tag; it has the cache of the first."""
    history.git("worktree", "add", "-q", "--detach", str(history.worktree), "with-the-person")
    tree = Workspace(history.worktree)
    (history.worktree / ".dvc/config.local").write_text(
        "[cache]\n    dir = ../../project/.dvc/cache\n", encoding="utf-8"
    )
    tree.run("dvc", "checkout", "-q")


def _leave_lying_about(history: History, folder: Path) -> None:
    """A notebook with a photo, and a picture of the cache that no version names."""
    photo = min(folder.iterdir()).read_bytes()
    shown = {"image/jpeg": base64.encodebytes(photo).decode()}
    notebook = {"cells": [{"cell_type": "code", "source": ["show()"], "outputs": [{"data": shown}]}]}
    (history.root / "reports/manual/look.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with Image.open(io.BytesIO(photo)) as image:
        file = io.BytesIO()
        image.convert("RGB").rotate(90, expand=True).save(file, "jpeg", quality=70)
    digest = hashlib.md5(file.getvalue()).hexdigest()
    nameless = history.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    nameless.parent.mkdir(exist_ok=True)
    nameless.write_bytes(file.getvalue())


def _copies(folder: Path, photos: list[Path]) -> Iterator[Path]:
    """Copies of photos in a folder that is not searched."""
    folder.mkdir()
    for number, photo in enumerate(photos):
        yield Path(shutil.copy(photo, folder / f"{number}{photo.suffix}"))


def configure(workspace: Workspace) -> None:
    """Nothing is built yet, and the network is the one that needs no download."""
    if (workspace.path / "dvc.lock").exists():
        subprocess.run(["git", "rm", "-q", "dvc.lock"], cwd=workspace.path, check=True)
    text = (workspace.path / "params.yaml").read_text(encoding="utf-8")
    for before, after in (("name: facenet-vggface2", "name: dlib-resnet"), ("photos: 5", "photos: 1")):
        text = text.replace(before, after, 1)
    (workspace.path / "params.yaml").write_text(text, encoding="utf-8")


def _add_remotes(history: History) -> None:
    """Paths from the project on, so that a copy has remotes of its own."""
    run = history.workspace.run
    run("dvc", "remote", "add", "-q", "-d", "folder", "../remote")
    run("dvc", "remote", "add", "-q", "other", "../other-remote")
    if history.store is not None:
        run("dvc", "remote", "add", "-q", "s3", f"s3://{BUCKET}/project")
        run("dvc", "remote", "modify", "s3", "endpointurl", history.store.address)


def kill_experiment(history: History) -> None:
    """Begin an experiment in a folder of its own and kill it half way: it leaves copies of all photos."""
    command = [sys.executable, "-m", "dvc", "exp", "run", "--temp", "-S", "embed.flip=false"]
    process = subprocess.Popen(
        command, cwd=history.root, env=history.workspace.environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    folder = history.root / ".dvc/tmp/exps"
    end = time.monotonic() + 180
    while time.monotonic() < end and not any(folder.rglob("data/not_me/*/*")) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if not any(folder.rglob("data/not_me/*/*")):
        sys.exit("the experiment was to be killed half way, but has ended before")


def objects(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
