"""`python -m faces verify` as a program: the table, what programs read, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asking import verify
from asking.local_service import LocalService
from service.client.results import COLUMNS
from service.config import Settings
from stages.files.encryption import RAW, Key
from tests.asking.support import SPANISH, environment, faces
from tests.stages.support import Workspace, posix_only
from tests.terminal import FILES_LIMITED, interrupted_once_it_shows_progress, run

KEY = Key(bytes(range(64)), RAW)


def test_a_folder_as_a_table(settings: Settings, tmp_path: Path, me_photo: Path, stranger_photo: Path) -> None:
    """Sub-folders too; hidden files and files of other kinds are left out; what is named is judged or complained of.

    No terminal obeys a name.
    """
    folder = tmp_path / "fotos" / "del año"
    folder.mkdir(parents=True)
    for name in ("a.JPG", ".hidden.jpg", "\x1b[31mz.jpg"):
        shutil.copyfile(me_photo, folder / name)
    (folder / "notes.txt").write_text("hello")
    shutil.copyfile(stranger_photo, tmp_path / "b.jpg")
    done = faces(settings, tmp_path, "verify", "fotos", "b.jpg", "gone.jpg", "b.jpg", **SPANISH)
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert table[0] == ["foto", "respuesta", "puntuación", "umbral", "consejos"]
    assert [row[:2] for row in table[1:5]] == [
        ["fotos/del año/·[31mz.jpg", "soy yo"], ["fotos/del año/a.JPG", "soy yo"], ["b.jpg", "no soy yo"],
        ["gone.jpg", "sin respuesta"],
    ]  # fmt: skip
    assert table[4][2] == "no se puede leer (No such file or directory)"
    assert table[1][2].startswith("0,9") and table[1][3] == "0,75"
    assert table[-1] == ["4 fotos: 2 son mías, 1 no es mía, 1 sin respuesta"]
    assert (done.returncode, done.stderr) == (2, "")


def test_json_and_csv_have_the_same(
    settings: Settings, service: LocalService, tmp_path: Path, photos_dir: Path, me_photo: Path
) -> None:
    """Every face of each photo; numbers as /verify has them, whatever the language."""
    photos = [me_photo, photos_dir / "multiface.jpg"]
    done = faces(settings, tmp_path, "verify", "--faces", "all", "--json", *photos, **SPANISH)
    assert (done.returncode, done.stderr) == (1, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.pop("photo") for line in lines] == [str(photo) for photo in photos]
    set_there = {"threshold_basis": "set"}  # in the environment of the program
    expected = [service.answer(photo.read_bytes(), all_faces=True) | set_there for photo in photos]
    assert lines == expected

    done = faces(settings, tmp_path, "verify", "--faces", "all", "--csv", "new/out.csv", *photos)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "new/out.csv is written. 2 photos: 1 me, 1 not me\n"
    text = (tmp_path / "new" / "out.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    faces_there = [face for answer in expected for face in answer["faces"]]
    assert [float(row["score"]) for row in rows] == [face["score"] for face in faces_there]
    assert [row["is_me"] for row in rows] == ["true" if face["is_me"] else "false" for face in faces_there]
    assert [row["face"] for row in rows[1:]] == [str(place) for place in range(1, len(rows))]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--csv", "a.jpg", "b.jpg"], "--csv is 'a.jpg'; expected a name that ends with .csv, or - for the terminal\n"),
        (["--csv", "folder.csv", "b.jpg"], "folder.csv is a folder; expected the name of a file\n"),
        (["--csv", "a.jpg/x.csv", "b.jpg"], "a.jpg/x.csv cannot be written (Not a directory)\n"),
        (["folder.csv"], "folder.csv holds no photo\n"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is(
    called: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, me_photo: Path,
    arguments: list[str], said: str,
) -> None:  # fmt: skip
    """A glob after --csv names a photo: it must not be replaced."""
    (tmp_path / "folder.csv").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copyfile(me_photo, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    status, output, errors = called("verify", *arguments)
    assert (status, output, errors.replace("File exists", "Not a directory")) == (2, "", said)
    assert (tmp_path / "a.jpg").read_bytes() == me_photo.read_bytes()


@posix_only
def test_on_a_full_disk_the_results_are_printed(settings: Settings, tmp_path: Path, me_photo: Path) -> None:
    (tmp_path / "out.csv").write_text("what was there")
    command = ["-c", FILES_LIMITED, "20", "faces", "verify", "--csv", "out.csv", str(me_photo)]
    done = run(command, tmp_path, environment(settings))
    assert done.returncode == 2
    assert done.stderr == "out.csv cannot be written (File too large): here it is\n"
    assert f"{me_photo}  me " in done.stdout and "1 photo: 1 me, 0 not me" in done.stdout
    assert (tmp_path / "out.csv").read_text() == "what was there"
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.security
def test_locked_photos(service: LocalService, tmp_path: Path, me_photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judged where the key is there, under either name; nothing is written."""
    locked = tmp_path / "a.jpg.locked"
    locked.write_bytes(KEY.seal(me_photo.read_bytes()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PRIVACY_KEY", raising=False)
    judge = verify.open_judge(service, False, "en", 1)
    refused = judge(locked)
    assert refused["code"] == "locked" and "there is no key: set PRIVACY_KEY_FILE" in refused["message"]
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    assert judge(locked) == judge(tmp_path / "a.jpg") == service.answer(me_photo.read_bytes())
    assert list(tmp_path.iterdir()) == [locked]


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_writes_what_is_done(
    settings: Settings, built: Workspace, tmp_path: Path, number: signal.Signals
) -> None:
    photos = tmp_path / "photos"
    for copy in range(100):
        shutil.copytree(built.path("data/me"), photos / f"{copy:03}")
    command = ["-m", "faces", "verify", "--csv", "out.csv", "photos"]
    done = interrupted_once_it_shows_progress(command, tmp_path, environment(settings), number)
    assert done.returncode == 130
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert 0 < len(rows) < 1200
    assert f"stopped: {len(rows)} of 1200 photos done, the others were not asked about\n" in done.stderr
    expected = sorted(path.relative_to(tmp_path).as_posix() for path in photos.rglob("*.jpg"))
    assert [row["photo"] for row in rows] == expected[: len(rows)]


@pytest.mark.slow
def test_a_photo_that_ends_its_process_is_told(
    service: LocalService, tmp_path: Path, me_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are judged all the same."""
    import os

    from stages.crop.processes import map_in_processes

    if sys.platform != "linux":
        pytest.skip("what is patched here reaches other processes by fork alone")
    answer = LocalService.answer

    def deadly(self: LocalService, photo: bytes, all_faces: bool = False) -> dict[str, object]:
        return os._exit(9) if photo == b"deadly" else answer(self, photo, all_faces)

    monkeypatch.setattr(LocalService, "answer", deadly)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"deadly")
    fresh = LocalService(service.settings, quietly=True)
    given = (fresh, False, "en")
    results = list(map_in_processes(verify.open_judge, given, [me_photo, bad, me_photo], verify._lost))
    assert [result.get("is_me") for result in results] == [True, None, True]
    assert results[1]["code"] == "unreadable" and "ends the process that reads it" in results[1]["message"]
