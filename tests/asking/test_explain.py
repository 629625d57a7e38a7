"""The picture that explains an answer as a file: where it goes, and what it must not do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from asking.explain import FOLDER
from asking.local_service import LocalService
from service.config import Settings
from stages.files.encryption import RAW, Key
from tests.asking.support import GREEN, RED, count_of, environment, seal
from tests.conftest import ROOT
from tests.stages.support import posix_only
from tests.terminal import FILES_LIMITED, run

pytestmark = pytest.mark.usefixtures("workspace")

KEY = Key(bytes(range(64)), RAW)
Called = Callable[..., tuple[int, str, str]]


def test_a_picture_is_written_and_named(called: Called, stranger_photo: Path) -> None:
    """By the photo's name and content, so that two photos of one name have two; in a folder that git ignores."""
    status, output, errors = called("explain", "data/me/Hans_Blix_0001.jpg")
    (first,) = FOLDER.iterdir()
    assert (status, output, errors) == (0, f"{first} is written\n", "")
    assert first.name.startswith("Hans_Blix_0001-")
    assert count_of(GREEN, first) > 3000 > 500 > count_of(RED, first)  # the frame; a word on the scale
    other = Path("Hans_Blix_0001.jpg")
    shutil.copyfile(stranger_photo, other)
    status, output, _ = called("explain", other, "--language", "es")
    (second,) = set(FOLDER.iterdir()) - {first}
    assert (status, output) == (1, f"{second} se ha guardado\n")
    assert count_of(RED, second) > 3000 > 500 > count_of(GREEN, second)
    assert called("explain", other)[1] == f"{second} is written anew\n"
    ignored = subprocess.run(["git", "check-ignore", "-q", str(first)], cwd=ROOT, check=False)
    assert ignored.returncode == 0 or not (ROOT / ".git").exists()


def test_a_photo_without_a_face_is_shown_with_what_to_do(called: Called, photos_dir: Path) -> None:
    status, output, _ = called("explain", photos_dir / "dogs.jpg", "-o", "new/out.png")
    assert (status, output) == (2, "new/out.png is written\n")
    assert count_of(GREEN, Path("new/out.png")) == count_of(RED, Path("new/out.png")) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.jpg"], "gone.jpg cannot be read (No such file or directory)"),
        (["broken.png"], "broken.png: a damaged PNG, or cut off: its pixels cannot be read. Copy it again from where "
         "it came"),
        (["a.png", "-o", "b.jpg"], "-o is 'b.jpg'; expected a name that ends with .png"),
        (["a.png", "-o", "b.png"], "b.png is there already: give another name, or --force to replace it"),
        (["a.png", "-o", "data.png"], "data.png is a folder; expected the name of a file"),
        (["a.png", "-o", "./a.png", "--force"], "a.png is the photo itself: give another name"),
        (["a.png", "-o", "b.png/c.png"], "b.png/c.png cannot be written (Not a directory)"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_and_nothing_is_lost(
    called: Called, me_photo: Path, arguments: list[str], said: str
) -> None:
    Image.open(me_photo).save("a.png")
    Path("b.png").write_text("precious")
    Path("data.png").mkdir()
    Path("broken.png").write_bytes(Path("a.png").read_bytes()[:200])
    before = Path("a.png").read_bytes()
    status, output, errors = called("explain", *arguments)
    assert (status, output, errors.replace("File exists", "Not a directory")) == (2, "", f"Error: {said}\n")
    assert Path("a.png").read_bytes() == before and Path("b.png").read_text() == "precious"
    assert not list(Path().glob(".*.tmp"))


def test_with_force_a_file_is_replaced(called: Called, me_photo: Path) -> None:
    Path("b.png").write_text("old")
    assert called("explain", me_photo, "-o", "b.png", "--force")[:2] == (0, "b.png is written anew\n")
    assert Path("b.png").read_bytes().startswith(b"\x89PNG")


@posix_only
def test_on_a_full_disk_what_was_there_stays(settings: Settings, me_photo: Path) -> None:
    Path("b.png").write_text("old")
    command = ["-c", FILES_LIMITED, "5000", "faces", "explain", str(me_photo), "-o", "b.png", "--force"]
    done = run(command, Path(), environment(settings))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: b.png cannot be written (File too large)\n"
    assert Path("b.png").read_text() == "old" and not list(Path().glob(".*.tmp"))


@pytest.mark.security
def test_what_is_stored_encrypted_is_shown_only_in_a_file_that_was_named(
    called: Called, me_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(KEY)
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    status, output, errors = called("explain", me_photo)
    assert (status, output) == (2, "") and "name the file that it is to be written to" in errors
    assert not FOLDER.exists()
    status, output, errors = called("explain", me_photo, "-o", "b.png")
    assert (status, output, errors) == (0, "b.png is written\n", "It is plain: delete it when you have seen it\n")


@pytest.mark.security
def test_a_locked_photo_needs_a_named_file_too(called: Called, me_photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    Path("a.jpg.locked").write_bytes(KEY.seal(me_photo.read_bytes()))
    for name in ("a.jpg", "a.jpg.locked"):
        assert called("explain", name)[0] == 2
        assert called("explain", name, "-o", f"{name}.png")[0] == 0
    assert not FOLDER.exists()


def test_a_picture_says_nothing_of_the_photo_that_is_not_seen(called: Called, me_photo: Path) -> None:
    """No place, no camera, no name of a folder in the file."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of somebody"
    Image.open(me_photo).save("a.jpg", exif=exif)
    called("explain", "a.jpg", "-o", "b.png")
    assert b"Camera of somebody" not in Path("b.png").read_bytes()
    with Image.open("b.png") as image:
        image.load()
        assert image.info == {}


def test_without_limits_nothing_is_said_of_the_quality(settings: Settings, me_photo: Path, tmp_path: Path) -> None:
    service = LocalService(replace(settings, photo_limits_path=tmp_path / "none.json"), quietly=True)
    service.open()
    assert service.engine.photo_limits is None
    assert service.answer(me_photo.read_bytes())["hints"] == []
