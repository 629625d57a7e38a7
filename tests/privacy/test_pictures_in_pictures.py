"""A picture shows somebody in its thumbnail, a later frame or page, too; git's stores lie in many places."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from privacy.forget.evidence import Evidence
from privacy.forget.images import Originals
from privacy.forget.in_git import find_in_git
from privacy.forget.project import Project as Kept
from privacy.forget.traces import Traces
from tests.privacy.support import Project, picture

pytestmark = pytest.mark.security

OWN, OTHER = picture(1), picture(2)


def evidence() -> Evidence:
    return Evidence(Traces([], set(), set(), set()), Originals.of([("own", OWN)]), set())


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def with_thumbnail(image: Image.Image, thumbnail: Image.Image) -> bytes:
    """A JPEG as a camera writes it: the second folder of its EXIF data has a small picture."""
    small = saved(thumbnail, "jpeg")
    entries = [(0x103, 3, 1, 6), (0x201, 4, 1, 56), (0x202, 4, 1, len(small))]
    second = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    exif = b"II*\0" + struct.pack("<IHI", 8, 0, 14) + second + small
    return saved(image, "jpeg", exif=b"Exif\0\0" + exif)


@pytest.mark.parametrize("hidden", [OWN, OTHER])
def test_a_picture_that_stands_behind_another(hidden: Image.Image) -> None:
    shows = "picture" if hidden is OWN else ""
    assert evidence().of(with_thumbnail(OTHER, hidden)) == shows
    for kind, options in (("gif", {}), ("webp", {"lossless": True}), ("mpo", {}), ("png", {})):
        assert evidence().of(saved(OTHER, kind, save_all=True, append_images=[hidden], **options)) == shows


@pytest.mark.parametrize(
    "kind", ["ppm", "dds", "ico", "icns", "pcx", "sgi", "bmp", "gif", "tiff", "webp", "avif", "jpeg2000"]
)
def test_pictures_of_every_kind(kind: str) -> None:
    assert evidence().of(saved(OWN.resize((256, 256)), kind)) == "picture"
    assert evidence().of(saved(OTHER.resize((256, 256)), kind)) == ""


def test_damaged_pictures_show_nothing() -> None:
    data = with_thumbnail(OTHER, OWN)
    assert evidence().of(data[:60]) == ""


def test_everything_that_git_keeps_is_looked_into(tmp_path: Path) -> None:
    """What `git replace` hides, files of git-lfs, what killed commands left, submodules, mirrors, clones, bundles."""
    photo = saved(OWN, "png")
    other = Project(tmp_path / "other")
    other.root.mkdir()
    other.begin()
    (other.root / "a.png").write_bytes(photo)
    other.commit("A photo")
    root = tmp_path / "project"
    root.mkdir()
    project = Project(root)
    project.begin()
    (root / ".dvc").mkdir()
    (root / "b.png").write_bytes(photo + b"more")
    project.commit("Another")
    blob, blank = project.git("rev-parse", "HEAD:b.png").strip(), project.git("hash-object", "-w", ".git/HEAD").strip()
    project.git("replace", blob, blank)
    project.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "module")
    project.git("clone", "--quiet", "--bare", str(other.root), "mirror.git")
    project.git("clone", "--quiet", str(other.root), "clone")
    other.git("bundle", "create", "--quiet", str(root / "all.bundle"), "--all")
    (root / "half.bundle").write_bytes((root / "all.bundle").read_bytes()[:200])
    for name, data in {
        "lfs/objects/aa/bb/cc": photo,
        "objects/aa/tmp_obj_1": zlib.compress(b"blob 1\0" + photo),
    }.items():
        (root / ".git" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / ".git" / name).write_bytes(data)
    found = find_in_git(Kept(root, [], []), evidence())
    assert found == [
        ".git/lfs/objects/aa/bb/cc", ".git/modules/module: a.png", ".git/objects/aa/tmp_obj_1", "all.bundle",
        "b.png", "clone/.git: a.png", "mirror.git: a.png",
    ]  # fmt: skip
    assert list(root.rglob("*.tmp")) == []
