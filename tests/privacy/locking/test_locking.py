"""Photos are locked, unlocked and locked with another key; whatever interrupts that, none is lost."""

from __future__ import annotations

import getpass
import hashlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from privacy.errors import PrivacyError
from privacy.locking import files as files_module
from privacy.locking.command import ONE_AT_A_TIME
from stages.files.encryption import LockedError, is_sealed
from tests.privacy.locking.conftest import Run

pytestmark = pytest.mark.security

PHOTOS = {
    "data/me/one.jpg": b"first photo of me",
    "data/me/TWO.PNG": b"second photo of me",
    "data/not_me/ana/1.jpg": b"a photo of ana",
    "data/not_me/ana/1.jpg.png": b"another photo of ana",
    "data/not_me/empty.jpg": b"",
    "data/not_me/attributes.csv": b"photo,age\nnot_me/ana,30\n",
    "data/not_me/.hidden.jpg": b"a hidden photo",
    "data/not_me/film.mp4": b"a film",
}
KEPT = {"data/me/.gitkeep": b"", "data/not_me/.gitignore": b"/x\n"}


@pytest.fixture(autouse=True)
def photos(project: Path) -> None:
    for name, content in {**PHOTOS, **KEPT}.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(content)


def held() -> dict[str, bytes]:
    """Every file of data/."""
    return {path.as_posix(): path.read_bytes() for path in sorted(Path("data").rglob("*")) if path.is_file()}


@pytest.fixture
def key(run: Run) -> list[str]:
    """A key file, as an option."""
    assert run("new-key", "a.key") == 0
    return ["--key-file", "a.key"]


def test_what_is_locked_comes_back_byte_for_byte(run: Run, key: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    before = held()
    times = {name: Path(name).stat().st_mtime_ns for name in PHOTOS}
    assert run("lock", *key) == 0
    locked = held()
    assert set(locked) == {f"{name}.locked" for name in PHOTOS} | set(KEPT)
    assert all(is_sealed(locked[f"{name}.locked"]) for name in PHOTOS)
    assert not any(content and content in data for content in PHOTOS.values() for data in locked.values())
    said = capsys.readouterr().out
    assert "8 files locked, 0 files were already." in said
    assert "Crops and embeddings stay plain" in said
    assert run("lock", *key) == 0
    assert held() == locked
    assert "0 files locked, 8 files were already." in capsys.readouterr().out
    assert run("unlock", *key) == 0
    assert held() == before
    assert {name: Path(name).stat().st_mtime_ns for name in PHOTOS} == times
    assert run("lock", *key) == 0
    assert held() == locked, "the same photo under the same key is another file"


def test_a_renamed_photo_keeps_its_bytes(run: Run, key: list[str]) -> None:
    run("lock", *key)
    Path("data/me/one.jpg.locked").rename("data/me/other.jpg.locked")
    run("unlock", *key)
    assert Path("data/me/other.jpg").read_bytes() == PHOTOS["data/me/one.jpg"]


def test_a_passphrase_opens_what_another_clone_locked(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRIVACY_KEY", "four words of no connection")
    before = held()
    run("lock")
    locked = held()
    run("unlock")
    run("lock")
    assert held() == locked, "locked again, a photo is another file"
    Path("private/privacy/encryption.json").unlink()  # which no other clone has
    monkeypatch.setenv("PRIVACY_KEY", "five words of no connection")
    with pytest.raises(LockedError, match="another key"):
        run("unlock")
    assert held() == locked
    monkeypatch.setenv("PRIVACY_KEY", "four words of no connection")
    run("unlock")
    assert held() == before
    run("lock")
    assert held() == locked
    assert "four words" not in capsys.readouterr().out


def test_a_passphrase_is_asked_for_twice_where_nothing_is_locked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before, asked = held(), []

    def answers(*given: str) -> None:
        waiting = iter(given)

        def answer(prompt: str) -> str:
            asked.append(prompt)
            return next(waiting)

        monkeypatch.setattr(getpass, "getpass", answer)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    answers("four words of no connection", "four words of no connexion")
    with pytest.raises(PrivacyError, match="differ"):
        run("lock")
    answers("short", "short")
    with pytest.raises(PrivacyError, match="5 characters; expected 12 or more"):
        run("lock")
    assert held() == before
    answers("four words of no connection", "four words of no connection")
    run("lock")
    asked.clear()
    answers("four words of no connection")
    run("unlock")
    assert len(asked) == 1
    assert held() == before


def test_without_a_key_and_a_terminal_it_says_what_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(PrivacyError, match=r"--key-file FILE .* PRIVACY_KEY_FILE or PRIVACY_KEY"):
        run("lock")
    assert held() == before


@pytest.mark.usefixtures("key")
def test_a_key_file_is_private_and_never_overwritten(run: Run) -> None:
    text = Path("a.key").read_text(encoding="ascii")
    assert len(bytes.fromhex(text)) == 64
    if os.name == "posix":
        assert Path("a.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(PrivacyError, match="never overwritten"):
        run("new-key", "a.key")
    assert Path("a.key").read_text(encoding="ascii") == text
    run("new-key", "b.key")
    assert Path("b.key").read_text(encoding="ascii") != text


@pytest.mark.parametrize("act", ["lock", *(pytest.param(act, marks=pytest.mark.slow) for act in ("unlock", "rekey"))])
def test_another_key_or_a_changed_byte_changes_nothing(run: Run, key: list[str], act: str) -> None:
    run("new-key", "b.key")
    run("lock", *key)
    locked = held()
    run("new-key", "c.key")
    new = ["--new-key-file", "c.key"] if act == "rekey" else []
    with pytest.raises(LockedError, match=r"data/me/TWO\.PNG\.locked is locked with another key"):
        run(act, "--key-file", "b.key", *new)
    assert held() == locked
    last = Path("data/not_me/film.mp4.locked")
    last.write_bytes(locked[last.as_posix()][:-1] + b"x")
    damaged = held()
    with pytest.raises(PrivacyError, match=r"data/not_me/film\.mp4\.locked is locked and was changed or damaged"):
        run(act, *key, *new)
    assert held() == damaged


def test_a_new_photo_is_locked_with_the_key_of_the_others_alone(run: Run, key: list[str]) -> None:
    run("new-key", "b.key")
    run("lock", *key)
    Path("data/me/new.jpg").write_bytes(b"a new photo")
    with pytest.raises(LockedError, match="another key"):
        run("lock", "--key-file", "b.key")
    assert Path("data/me/new.jpg").read_bytes() == b"a new photo"
    run("lock", *key)
    assert not Path("data/me/new.jpg").exists()


def test_rekey_locks_with_the_new_key_alone(run: Run, key: list[str]) -> None:
    before = held()
    run("new-key", "b.key")
    with pytest.raises(PrivacyError, match="nothing is locked"):
        run("rekey", *key, "--new-key-file", "b.key")
    run("lock", *key)
    locked = held()
    with pytest.raises(PrivacyError, match="the new key is the old one"):
        run("rekey", *key, "--new-key-file", "a.key")
    run("rekey", *key, "--new-key-file", "b.key")
    changed = held()
    assert changed.keys() == locked.keys()
    assert all(changed[f"{name}.locked"] != locked[f"{name}.locked"] for name in PHOTOS)
    with pytest.raises(LockedError, match="another key"):
        run("unlock", *key)
    run("unlock", "--key-file", "b.key")
    assert held() == before


def test_rekey_from_a_passphrase_to_another(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held()
    monkeypatch.setenv("PRIVACY_KEY", "four words of no connection")
    run("lock")
    monkeypatch.setenv("PRIVACY_NEW_KEY", "too short")
    with pytest.raises(PrivacyError, match="9 characters"):
        run("rekey")
    monkeypatch.setenv("PRIVACY_NEW_KEY", "other words of no connection")
    run("rekey")
    with pytest.raises(LockedError, match="another key"):
        run("unlock")
    monkeypatch.setenv("PRIVACY_KEY", "other words of no connection")
    run("unlock")
    assert held() == before


# Whatever interrupts it


class Killed(BaseException):
    """What ends a run where a kill would; nothing catches it."""


@contextmanager
def stopped_before(operation: int) -> Iterator[Callable[[], bool]]:
    """Raise at the n-th operation on files, and at each one after it, as if the process had been killed there.

    Gives a function that says whether it came to that.
    """
    count = 0

    def deadly(real: Any) -> Any:
        def act(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if count >= operation:
                count += 1
                raise Killed
            count += 1
            return real(*arguments, **options)

        return act

    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_bytes", "replace", "unlink", "chmod"):
            patch.setattr(pathlib.Path, name, deadly(getattr(pathlib.Path, name)))
        for name in ("fsync", "utime"):
            patch.setattr(os, name, deadly(getattr(os, name)))
        patch.setattr(files_module, "write_flushed", half_written(deadly(files_module.write_flushed)))
        yield lambda: count > operation


def half_written(write: Any) -> Any:
    def act(path: Path, data: bytes, mode: int) -> None:
        try:
            write(path, data, mode)
        except Killed:
            path.write_bytes(data[: len(data) // 2])
            raise

    return act


def contents(keys: list[bytes]) -> set[bytes]:
    """What the files of data/ hold, opened with whichever key opens them; temporary ones are left out."""
    from stages.files.encryption import RAW, Key

    opened = set()
    for name, data in held().items():
        if name.endswith(".tmp"):
            continue
        if is_sealed(data):
            found = []
            for secret in keys:
                try:
                    found.append(Key(secret, RAW).open(data, Path(name)))
                except LockedError:
                    continue
            assert found, f"{name} opens with no key"
            opened.add(found[0])
        else:
            opened.add(data)
    return opened


@pytest.mark.parametrize("act", ["lock", "unlock", "rekey"])
def test_stopped_at_any_operation_no_photo_is_lost_and_the_next_run_finishes(
    run: Run, key: list[str], act: str
) -> None:
    run("new-key", "b.key")
    secrets = [bytes.fromhex(Path(name).read_text()) for name in ("a.key", "b.key")]
    new = ["--new-key-file", "b.key"] if act == "rekey" else []
    if act != "lock":
        run("lock", *key)
    start = held()
    run(act, *key, *new)
    end = held()
    wanted = set(PHOTOS.values())
    operation = 0
    while True:
        for name in held():
            Path(name).unlink()
        for name, data in start.items():
            Path(name).write_bytes(data)
        with stopped_before(operation) as stopped, suppress(Killed):
            run(act, *key, *new)
        assert wanted <= contents(secrets), f"something is lost at operation {operation}"
        run(act, *key, *new)
        assert held() == end, operation
        if not stopped():
            break
        operation += 1
    assert operation > 5 * len(PHOTOS)


def test_a_full_disk_is_told_and_loses_nothing(run: Run, key: list[str]) -> None:
    resource = pytest.importorskip("resource")
    Path("data/me/large.jpg").write_bytes(os.urandom(300_000))
    before = held()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(PrivacyError, match=r"data/me/.*large.*Make room; nothing is lost"):
            run("lock", *key)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Path("data/me/large.jpg").read_bytes() == before["data/me/large.jpg"]
    assert not list(Path("data").rglob("*.tmp"))
    run("lock", *key)
    run("unlock", *key)
    assert held() == before


def test_a_folder_that_may_not_be_written_is_named(run: Run, key: list[str]) -> None:
    def set_immutable(sign: str) -> None:
        subprocess.run(["chattr", f"{sign}i", "data/me"], check=False, capture_output=True)  # holds for root, too
        Path("data/me").chmod(0o700 if sign == "-" else 0o500)

    try:
        with suppress(OSError):
            set_immutable("+")
        if may_write(Path("data/me")):
            pytest.skip("here this user may write anywhere")
        with pytest.raises(PrivacyError, match=r"data/me/.*Give yourself the right to it; nothing is lost"):
            run("lock", *key)
    finally:
        with suppress(OSError):
            set_immutable("-")
    assert Path("data/me/one.jpg").read_bytes() == PHOTOS["data/me/one.jpg"]


def may_write(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
        (folder / "probe").unlink()
    except OSError:
        return False
    return True


def _key() -> Any:
    from stages.files.encryption import RAW, Key

    return Key(bytes(64), RAW)


def test_two_photos_under_one_name_are_told_and_kept(run: Run, key: list[str]) -> None:
    run("lock", *key)
    locked = Path("data/me/one.jpg.locked").read_bytes()
    Path("data/me/one.jpg").write_bytes(b"another photo")
    for act in ("lock", "unlock"):
        with pytest.raises(PrivacyError, match=r"data/me/one\.jpg and one\.jpg\.locked are two different photos"):
            run(act, *key)
        assert Path("data/me/one.jpg").read_bytes() == b"another photo"
        assert Path("data/me/one.jpg.locked").read_bytes() == locked


def test_a_name_that_leaves_no_room_is_refused_before_anything_is_done(run: Run, key: list[str]) -> None:
    Path(f"data/not_me/{'x' * 248}.jpg").write_bytes(b"a photo")
    before = held()
    with pytest.raises(PrivacyError, match="shorten it by 4 bytes or more"):
        run("lock", *key)
    assert held() == before


def test_only_one_runs_at_a_time(run: Run, key: list[str]) -> None:
    before = held()
    ONE_AT_A_TIME.parent.mkdir(parents=True)
    with FileLock(ONE_AT_A_TIME), pytest.raises(PrivacyError, match="another 'python -m privacy' is at work"):
        run("lock", *key)
    assert held() == before
    run("lock", *key)


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_is_replaced_and_what_it_leads_to_is_named(
    run: Run, key: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    album = project.parent / "album.jpg"
    album.write_bytes(b"of the album")
    Path("data/me/link.jpg").symlink_to(album)
    run("lock", *key)
    assert "plain as before: data/me/link.jpg" in capsys.readouterr().out
    assert not Path("data/me/link.jpg").is_symlink() and album.read_bytes() == b"of the album"
    run("unlock", *key)
    assert Path("data/me/link.jpg").read_bytes() == b"of the album"


def test_a_photo_changed_meanwhile_is_not_removed(run: Run, key: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = files_module.write_flushed

    def edit(path: Path, data: bytes, mode: int) -> None:
        Path("data/me/TWO.PNG").write_bytes(b"edited in this moment")
        real(path, data, mode)

    monkeypatch.setattr(files_module, "write_flushed", edit)
    with pytest.raises(PrivacyError, match="changed meanwhile"):
        run("lock", *key)
    assert Path("data/me/TWO.PNG").read_bytes() == b"edited in this moment"


@pytest.mark.parametrize("act", ["lock", "unlock", "rekey"])
def test_what_a_failing_disk_has_not_kept_removes_nothing(
    run: Run, key: list[str], act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("new-key", "b.key")
    if act != "lock":
        run("lock", *key)
    before, real = held(), files_module.write_flushed
    monkeypatch.setattr(files_module, "write_flushed", lambda path, data, mode: real(path, data[:-1], mode))
    new = ["--new-key-file", "b.key"] if act == "rekey" else []
    with pytest.raises((PrivacyError, LockedError)):
        run(act, *key, *new)
    assert held() == before


@pytest.mark.parametrize("act", ["lock", "unlock", "rekey"])
def test_not_while_a_forget_waits_for_its_end(run: Run, key: list[str], act: str) -> None:
    """It knows the photos that are to go by the form that they have now."""
    run("new-key", "b.key")
    if act != "lock":
        run("lock", *key)
    before = held()
    Path("private/privacy").mkdir(parents=True, exist_ok=True)
    Path("private/privacy/forget.json").write_text("{}")
    with pytest.raises(PrivacyError, match="forget --resume"):
        run(act, *key, *(["--new-key-file", "b.key"] if act == "rekey" else []))
    assert held() == before


def test_no_photos_at_all(run: Run, project: Path) -> None:
    (project / "data").rename(project / "elsewhere")
    with pytest.raises(PrivacyError, match="neither data/me nor data/not_me"):
        run("lock")


def test_the_md5_is_of_the_plain_content() -> None:
    done = files_module.lock_file(Path("data/me/one.jpg"), _key())
    assert done.plain_md5 == hashlib.md5(PHOTOS["data/me/one.jpg"]).hexdigest()


def test_one_file_is_written_out_to_look_at(run: Run, key: list[str], project: Path) -> None:
    run("lock", *key)
    run("reveal", "data/me/one.jpg.locked", "seen.jpg", *key)
    assert Path("seen.jpg").read_bytes() == PHOTOS["data/me/one.jpg"]
    with pytest.raises(PrivacyError, match="is there already"):
        run("reveal", "data/me/TWO.PNG.locked", "seen.jpg", *key)
    assert Path("seen.jpg").read_bytes() == PHOTOS["data/me/one.jpg"]
    with pytest.raises(LockedError, match="another key"):
        run("new-key", "b.key")
        run("reveal", "data/me/one.jpg.locked", "other.jpg", "--key-file", "b.key")
    with pytest.raises(PrivacyError, match=r"params.yaml is not encrypted: open it as it is"):
        run("reveal", "params.yaml", "other.jpg", *key)
    assert not (project / "other.jpg").exists()
