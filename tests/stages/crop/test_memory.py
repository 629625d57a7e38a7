"""What is remembered of photos: taken over while it is whole, and deleted with the photo."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from stages.crop.memory import RECIPES_KEPT, CropMemory, prune
from stages.crop.one_photo import CroppedPhoto
from stages.files.crop_row import NO_FACE_FOUND, CropRow

FIRST, SECOND = b"the largest face", b"another face"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def made_of(photo: bytes) -> CroppedPhoto:
    """Three faces, two of them kept."""
    row = CropRow("", sha256(photo), 3, 0, left=1.5, probability=0.99)
    rows = [
        row._replace(kept=True, crop_sha256=sha256(FIRST), sharpness=0.25),
        row._replace(face=1, kept=True, crop_sha256=sha256(SECOND)),
        row._replace(face=2, reason="not the largest face"),
    ]
    return CroppedPhoto(rows, [FIRST, SECOND])


@pytest.fixture
def memory(tmp_path: Path) -> CropMemory:
    return CropMemory(tmp_path / "remembered", "recipe")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_what_was_added_is_recalled_by_the_photo_s_content_and_recipe(memory: CropMemory, tmp_path: Path) -> None:
    made = made_of(b"photo")
    memory.add(made)
    assert memory.recall(sha256(b"photo")) == made.rows
    assert memory.recall(sha256(b"other")) is None
    assert CropMemory(tmp_path / "remembered", "other").recall(sha256(b"photo")) is None
    assert CropMemory(tmp_path / "remembered", "recipe").recall(sha256(b"photo")) == made.rows


def test_a_photo_without_a_face_is_remembered_too(memory: CropMemory) -> None:
    rows = [CropRow("", sha256(b"photo"), 0, -1, reason=NO_FACE_FOUND)]
    memory.add(CroppedPhoto(rows, []))
    assert memory.recall(sha256(b"photo")) == rows


@pytest.mark.parametrize("content", [None, b"", b"damaged", SECOND])
@pytest.mark.parametrize("face", [0, 1])
def test_a_crop_that_is_gone_or_another_is_made_anew(
    memory: CropMemory, tmp_path: Path, face: int, content: bytes | None
) -> None:
    memory.add(made_of(b"photo"))
    (crop,) = (tmp_path / "remembered").rglob(f"*-{face}.png")
    same = crop.read_bytes() == content
    crop.unlink()
    if content is not None:
        crop.write_bytes(content)
    assert (memory.recall(sha256(b"photo")) is not None) == same


def test_each_row_s_crop_is_placed_where_it_is_asked_for(memory: CropMemory, tmp_path: Path) -> None:
    made = made_of(b"photo")
    memory.add(made)
    for row, name in zip(made.rows, ("me/a/1.png", "me/a/2.png"), strict=False):
        memory.place(row, str(tmp_path / "new" / name))
    assert (tmp_path / "new/me/a/1.png").read_bytes() == FIRST
    assert (tmp_path / "new/me/a/2.png").read_bytes() == SECOND


def test_where_links_cannot_be_made_crops_are_copied(
    memory: CropMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("another file system")

    memory.add(made_of(b"photo"))
    monkeypatch.setattr(os, "link", refused)
    memory.place(made_of(b"photo").rows[1], str(tmp_path / "new.png"))
    assert (tmp_path / "new.png").read_bytes() == SECOND


def test_rows_are_written_after_the_crops_that_they_name(
    memory: CropMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed in between has remembered nothing of the photo."""
    moved: list[str] = []
    original = Path.replace

    def replace(path: Path, target: Path) -> Path:
        moved.append(Path(target).suffix)
        return original(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    memory.add(made_of(b"photo"))
    assert moved == [".png", ".png", ".json"]
    assert len(files(tmp_path)) == 3, "nothing temporary stays"


def test_photos_that_are_gone_are_forgotten_by_every_recipe(tmp_path: Path) -> None:
    folder = tmp_path / "remembered"
    for recipe in ("one", "two"):
        for photo in (b"kept", b"gone"):
            CropMemory(folder, recipe).add(made_of(photo))
    leftover = folder / "one" / sha256(b"kept")[:2] / ".half.tmp"
    leftover.write_bytes(b"half")
    prune(folder, {"one"}, {sha256(b"kept")})
    assert not leftover.exists()
    for recipe in ("one", "two"):
        assert CropMemory(folder, recipe).recall(sha256(b"kept")) == made_of(b"kept").rows
        assert CropMemory(folder, recipe).recall(sha256(b"gone")) is None
        assert len(files(folder / recipe)) == 3


def test_recipes_used_last_are_kept(tmp_path: Path) -> None:
    """The oldest of all was used in this run, so it stays; of the others the oldest go."""
    folder = tmp_path / "remembered"
    names = [f"r{number}" for number in range(RECIPES_KEPT + 2)]
    for age, recipe in enumerate(reversed(names)):
        CropMemory(folder, recipe).add(made_of(b"photo"))
        os.utime(folder / recipe, (1e9 - age, 1e9 - age))
    prune(folder, {"r0"}, {sha256(b"photo")})
    assert sorted(path.name for path in folder.iterdir()) == sorted(["r0", *names[3:]])


def test_with_nothing_remembered_there_is_nothing_to_forget(tmp_path: Path) -> None:
    prune(tmp_path / "remembered", {"one"}, set())
    assert not (tmp_path / "remembered").exists()
