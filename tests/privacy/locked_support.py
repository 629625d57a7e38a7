"""The small project with its photos locked, and a search for somebody whose photos are."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.conftest import ROOT
from tests.privacy.held_support import set_parameter
from tests.privacy.support import Project, Remains, picture

KEYS = ("PRIVACY_KEY", "PRIVACY_KEY_FILE", "PRIVACY_NEW_KEY", "PRIVACY_NEW_KEY_FILE")
TABLE = "data/not_me/attributes.csv.locked"


def make_locked(folder: Path, plain: Path, derived: bool) -> None:
    """Copy the small project to folder/project and lock its photos with folder/photos.key.

    Args:
        folder: an empty one.
        plain: the small project.
        derived: whether what is made of photos is locked, too.
    """
    shutil.copytree(plain, folder / "project", symlinks=True)
    project = Project(folder / "project")
    shutil.copy(ROOT / "params.yaml", project.root)
    if derived:
        set_parameter(project.root, "encrypt_derived", "true")
        (project.root / "encrypt_derived").touch()
    picture(100).resize((40, 40)).save(project.root / "data/not_me/eva/small.png")
    (project.root / "data/not_me/attributes.csv").write_text("photo,age\nnot_me/ana,30\nnot_me/ben,40\n")
    project.variables["PRIVACY_KEY_FILE"] = key = str(folder / "photos.key")
    privacy(project, "new-key", key)
    for _ in range(2 if derived else 1):  # then everything that was made of plain photos is gone
        privacy(project, "lock")
        project.dvc("repro")
    project.commit("Locked")


def privacy(project: Project, *arguments: str) -> str:
    """Run a command of `python -m privacy` that must end well; returns what it printed."""
    done = project.privacy(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def add_remote(project: Project) -> Path:
    """Give the project a folder as its remote, and push everything there."""
    remote = project.root.parent / "remote"
    project.dvc("remote", "add", "--default", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    project.commit("A remote")
    return remote


def build(project: Project, message: str) -> None:
    """Lock new photos, make everything anew, commit and push."""
    privacy(project, "lock", "--no-purge")
    project.dvc("repro")
    project.commit(message)
    if project.dvc("remote", "list").strip():
        project.dvc("push", "--quiet", "--run-cache")


def stored(project: Project, *names: str) -> set[str]:
    """MD5 of files of the working tree: how DVC names their objects."""
    return {hashlib.md5((project.root / name).read_bytes()).hexdigest() for name in names}


def still_in(objects: set[str], *stores: Path) -> set[str]:
    """Which objects a cache or a remote has."""
    return {
        name
        for store in stores
        for path in (store / "files/md5").rglob("*")
        if path.is_file() and (name := path.parent.name + path.name) in objects
    }


class LockedRemains(Remains):
    """A search for somebody whose photos are locked: they are read here, and their locked bytes are looked for, too."""

    def __init__(self, locked: Project, person: str, plain: Project) -> None:
        super().__init__(plain, person)
        files = [
            *(locked.root / "data" / person).rglob("*.locked"),
            *(locked.root / "data/cropped" / person).rglob("*"),
        ]
        self.digests |= {hashlib.md5(path.read_bytes()).hexdigest() for path in files if path.is_file()}
