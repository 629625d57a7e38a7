"""A project folder in the place of this one: quickstart.py's paths lead into it."""

from __future__ import annotations

from pathlib import Path

import pytest

import quickstart
from tests.tour.support import MODULES, write


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder without anything in it, spaces and accents in its path."""
    folder = tmp_path / "mi carpeta ñandú"
    folder.mkdir()
    paths = {"ROOT": folder, "DEMO": folder / "demo", "LOG": folder / "quickstart.log"}
    paths["COPIED_FROM"] = folder / "quickstart-photos.json"
    for module in (quickstart, *MODULES):
        for name, path in paths.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, path)
    paths["LOG"].write_bytes(b"")
    return folder


@pytest.fixture
def demo(root: Path) -> Path:
    """The project's demo: a few files that pass for portraits."""
    for name in ("me/1.jpg", "me/2.PNG", "not_me/person_01/1.jpg", "ask/me_1.jpg", "ask/stranger_1.jpg"):
        write(root / "demo" / name, f"drawn {name}".encode())
    return root / "demo"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder as --photos wants it."""
    given = tmp_path / "fotos"
    write(given / "me" / "uno.JPG", b"mine 1")
    write(given / "me" / "verano" / "dos.Png", b"mine 2")
    write(given / "not_me" / "ana" / "1.jpeg", b"other")
    return given
