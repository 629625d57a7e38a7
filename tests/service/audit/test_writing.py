"""Records that were acknowledged are there, whatever happens to those who write."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from service.audit import Audit, AuditError, AuditSettings
from service.audit import audit as module
from service.audit.chain import Head
from service.audit.files import KeptFile
from service.audit.lock import make_lock
from service.audit.walk import Walk
from service.config import PROJECT_ROOT
from tests.service.audit.support import (
    answer,
    findings,
    image,
    kinds,
    lines,
    records,
    segment,
    settings_in,
    walk,
    write,
)  # fmt: skip

pytestmark = pytest.mark.security


@pytest.fixture
def settings(tmp_path: Path) -> AuditSettings:
    return settings_in(tmp_path)


@pytest.fixture
def audit(settings: AuditSettings) -> Iterator[Audit]:
    opened = Audit.open(settings)
    yield opened
    with contextlib.suppress(AuditError):
        opened.close()


def ids(settings: AuditSettings) -> list[str]:
    return [record["request_id"] for record in records(settings) if record["act"] == "verify"]


def test_a_record_has_what_was_given_and_nothing_of_the_image(settings: AuditSettings, audit: Audit) -> None:
    answer(audit, 7, is_me=False, score=0.1, backbone="dlib-resnet")
    record = records(settings)[-1]
    assert record.keys() == {
        "number", "time", "act", "image", "request_id", "key_id", "status", "is_me", "score", "threshold", "backbone",
    }  # fmt: skip
    assert (record["number"], record["act"], record["is_me"]) == (2, "verify", False)
    assert len(record["image"]) == 64
    everything = b"".join(path.read_bytes() for path in settings.folder.parent.rglob("*") if path.is_file())
    assert image(7) not in everything
    salt = (settings.salts / "salts-000001.bin").read_bytes()[32:64]
    assert salt != bytes(32)
    assert salt.hex().encode() not in everything
    assert salt not in b"".join(lines(settings))


def test_two_commitments_to_one_image_differ(audit: Audit) -> None:
    assert audit.commit_to(b"x") != audit.commit_to(b"x")


@pytest.mark.parametrize("name", ["number", "time", "mac"])
def test_names_of_the_log_are_refused(audit: Audit, settings: AuditSettings, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        audit.record("x", **{name: 1})
    with pytest.raises(ValueError, match="at most"):
        audit.record("x", text="x" * 70_000)
    with pytest.raises(ValueError, match="JSON"):
        audit.record("x", score=float("nan"))
    audit.record("x", text="ñ \ud800 \n")
    assert kinds(settings) == []
    assert records(settings)[-1]["text"] == "ñ \ud800 \n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_only_the_owner_may_read(settings: AuditSettings) -> None:
    own_key = replace(settings, key="")
    write(own_key, 1)
    for path in settings.folder.parent.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert findings(own_key) == []


def test_the_end_is_found_by_every_writer_and_after_each_segment(settings: AuditSettings) -> None:
    small = replace(settings, max_bytes=1500)
    one, other = Audit.open(small), Audit.open(small)
    for number in range(0, 20, 2):
        answer(one, number)
        answer(other, number + 1)
    assert ids(small) == [f"r{number}" for number in range(20)]
    assert [record["number"] for record in records(small)] == list(range(1, len(records(small)) + 1))
    assert segment(small, 4).exists()
    assert kinds(small) == []
    one.close()
    other.close()
    answer(one, 20)  # it opens its files again
    assert ids(small)[-1] == "r20"
    one.close()


def test_threads_write_at_once(settings: AuditSettings, audit: Audit) -> None:
    threads = [
        threading.Thread(target=lambda start=start: [answer(audit, start + at) for at in range(25)])
        for start in range(0, 100, 25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(settings)) == sorted(f"r{number}" for number in range(100))
    assert kinds(settings) == []


WRITER = """
import sys
from pathlib import Path
from tests.service.audit.support import Audit, answer, settings_in
audit = Audit.open(settings_in(Path(sys.argv[1]), max_bytes=20_000))
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 100_000):
    answer(audit, number)
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(3, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.long)]
)
def test_processes_write_at_once_and_are_killed(settings: AuditSettings, rounds: int) -> None:
    """Whatever was acknowledged is there, each once, and the log is whole all the time."""
    acknowledged: list[str] = []
    watched = replace(settings, max_bytes=20_000)
    write(watched, 1)
    alarms = []
    for round_ in range(rounds):
        starts = [1_000_000 * (10 * round_ + own + 1) for own in range(3)]
        outputs = [settings.folder.parent / f"said-{start}" for start in starts]
        writers = []
        for start, output in zip(starts, outputs, strict=True):
            with output.open("wb") as file:
                command = [sys.executable, "-c", WRITER, settings.folder.parent, str(start)]
                writers.append(subprocess.Popen(command, stdout=file, cwd=PROJECT_ROOT))
        for output in outputs:
            while not output.stat().st_size:  # it writes records from now on
                time.sleep(0.01)
        for writer in writers:
            time.sleep(0.1)
            alarms += findings(watched)
            writer.kill()
        for writer, output in zip(writers, outputs, strict=True):
            writer.wait()
            acknowledged += output.read_text().rpartition("\n")[0].split()
    write(watched, 1, start=1)
    there = ids(watched)
    assert not alarms
    assert len(acknowledged) > 100
    assert {f"r{number}" for number in acknowledged} <= set(there)
    assert len(set(there)) == len(there)
    assert findings(watched) == []


def test_a_kill_between_any_two_writes_loses_nothing(settings: AuditSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each state that the disk goes through, also in the middle of a write, is one that a kill may leave."""
    small = replace(settings, max_bytes=1500)
    root = settings.folder.parent
    states: list[tuple[Path, int]] = []
    done = 0
    plain = KeptFile.write

    def watched(self: KeptFile, at: int, data: bytes) -> None:
        for part in sorted({0, 1, len(data) // 2, len(data) - 1, len(data)}):
            plain(self, at, data[:part])
            copy = root.with_name(f"{root.name}-{len(states)}")
            shutil.copytree(root, copy)
            states.append((copy, done))

    audit = Audit.open(small)
    for number in range(4):
        answer(audit, number)
        done += 1
    monkeypatch.setattr(KeptFile, "write", watched)
    for number in range(4, 7):  # with a rotation among them
        answer(audit, number)
        done += 1
    audit.close()
    monkeypatch.undo()
    assert len(states) > 40
    recovered = 0
    for copy, acknowledged in states:
        own = settings_in(copy, max_bytes=1500)
        # A head that is half written is told by one who does not write; the next writer mends it.
        assert set(kinds(own)) <= {"head"}, copy
        write(own, 2, start=100)
        there = ids(own)
        assert there[:acknowledged] == [f"r{number}" for number in range(acknowledged)], copy
        assert there[-2:] == ["r100", "r101"]
        assert len(there) <= acknowledged + 3
        assert kinds(own) == [], copy
        recovered += any(record["act"] == "recovered" for record in records(own))
    assert recovered > 5


def test_an_unfinished_record_is_cut_off_and_that_is_recorded(settings: AuditSettings) -> None:
    write(settings, 2)
    with segment(settings).open("ab") as file:
        file.write(b'{"number":4,"ti')
    assert walk(settings).unfinished == 15
    assert kinds(settings) == []
    write(settings, 1, start=2)
    assert [record["act"] for record in records(settings)][-2:] == ["recovered", "verify"]
    assert records(settings)[-2]["bytes_cut"] == 15


@pytest.mark.parametrize("cut", [1, 150, 300, 700])
def test_a_lost_end_is_told_and_the_log_goes_on_after_it(settings: AuditSettings, cut: int) -> None:
    """As after a power cut, or somebody's hand."""
    write(settings, 5)
    os.truncate(segment(settings), segment(settings).stat().st_size - cut)
    write(settings, 1, start=5)
    found = findings(settings)
    assert "lost" in [finding.kind for finding in found]
    lost = next(finding for finding in found if finding.kind == "lost")
    assert lost.last == 6
    assert ids(settings)[-1] == "r5"
    assert ids(settings)[:2] == ["r0", "r1"]


def test_an_end_that_is_lost_while_the_service_runs_is_told(settings: AuditSettings, audit: Audit) -> None:
    answer(audit, 0)
    answer(audit, 1)
    size = segment(settings).stat().st_size - 150
    os.truncate(segment(settings), size)
    answer(audit, 2)
    assert "lost" in kinds(settings)
    assert segment(settings).stat().st_size == size
    assert ids(settings)[-1] == "r2"


def test_an_end_that_was_overwritten_is_told(settings: AuditSettings) -> None:
    """After a power cut, some file systems leave zeros."""
    write(settings, 3)
    data = segment(settings).read_bytes()
    segment(settings).write_bytes(data[:-100] + bytes(100))
    write(settings, 1, start=3)
    assert {"lost", "damaged"} <= set(kinds(settings))
    assert ids(settings)[-1] == "r3"


def test_what_is_put_past_the_end_stays_as_evidence(settings: AuditSettings) -> None:
    write(settings, 3)
    with segment(settings).open("ab") as file:
        file.write(lines(settings)[2])
    write(settings, 1, start=3)
    assert "lost" in kinds(settings)
    assert len(lines(settings)) == 5


def fails(audit: Audit, text: str) -> None:
    with pytest.raises(AuditError, match=text):
        answer(audit, 99)


def test_a_folder_that_is_gone_is_an_error_until_it_is_back(settings: AuditSettings, audit: Audit) -> None:
    answer(audit, 0)
    moved = settings.folder.with_name("moved")
    for path in (settings.folder, settings.head.parent, settings.salts):
        path.rename(moved)
        fails(audit, "audit")
        shutil.rmtree(path, ignore_errors=True)  # the lock's file made its folder anew
        moved.rename(path)
        answer(audit, 1)
    assert "r99" not in ids(settings)
    assert kinds(settings) == []


def test_a_segment_that_is_gone_is_an_error(settings: AuditSettings, audit: Audit) -> None:
    answer(audit, 0)
    segment(settings).rename(settings.folder / "elsewhere")
    fails(audit, "is gone")
    with pytest.raises(AuditError, match="is gone"):
        Audit.open(settings)
    (settings.folder / "elsewhere").rename(segment(settings))
    answer(audit, 1)
    assert kinds(settings) == []


def test_a_head_that_is_damaged_is_an_error(settings: AuditSettings, audit: Audit) -> None:
    answer(audit, 0)
    good = settings.head.read_bytes()
    settings.head.write_bytes(b"{}")
    fails(audit, "is damaged")
    settings.head.write_bytes(good)
    answer(audit, 1)
    settings.head.unlink()
    fails(audit, "cannot be written|is gone")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_file_that_cannot_be_written_is_an_error(settings: AuditSettings) -> None:
    write(settings, 1)
    segment(settings).chmod(0o400)
    with pytest.raises(AuditError, match="Permission denied"):
        write(settings, 1)


def no_room(monkeypatch: pytest.MonkeyPatch, name: str, part: int) -> None:
    """Files with this in their name take so many bytes more, and no byte after them."""
    plain = KeptFile.write

    def full(self: KeptFile, at: int, data: bytes) -> None:
        if name in self.path.name:
            plain(self, at, data[:part])
            raise OSError(28, "No space left on device", str(self.path))
        plain(self, at, data)

    monkeypatch.setattr(KeptFile, "write", full)


@pytest.mark.parametrize("name", ["audit-000001", "audit-000002", "head", "salts"])
@pytest.mark.parametrize("part", [0, 100, 10_000])
def test_no_room_is_an_error_until_there_is(
    settings: AuditSettings, monkeypatch: pytest.MonkeyPatch, name: str, part: int
) -> None:
    small = replace(settings, max_bytes=1500)
    audit = Audit.open(small)
    answer(audit, 0)
    with monkeypatch.context() as context:
        no_room(context, name, part)
        failed = False
        for number in range(1, 6):  # the sixth begins a segment
            try:
                answer(audit, number)
            except AuditError as error:
                assert "make room" in str(error)
                failed = True
        assert failed
    there = ids(small)
    answer(audit, 10)
    audit.close()
    assert ids(small) == [*there, "r10"]
    assert kinds(small) == []
    assert not any(record["act"] == "recovered" for record in records(small))


def test_a_writer_that_is_stopped_does_not_stop_the_others_for_ever(
    settings: AuditSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.1)
    other = Audit.open(settings)
    with FileLock(settings.lock):
        fails(other, "another process holds")
    answer(other, 1)
    other.close()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX")
def test_a_writer_that_is_killed_frees_the_lock(settings: AuditSettings, audit: Audit) -> None:
    held = subprocess.Popen(
        [sys.executable, "-c",
         f"import time, filelock; filelock.FileLock({str(settings.lock)!r}).acquire(); print(1, flush=True); "
         "time.sleep(60)"], stdout=subprocess.PIPE,
    )  # fmt: skip
    assert held.stdout
    held.stdout.readline()
    held.kill()
    held.communicate()
    answer(audit, 1)


def test_a_clock_that_steps_back_changes_no_order(settings: AuditSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(["2031-01-01T00:00:00.000Z"] * 3 + ["2026-01-01T00:00:00.000Z"] * 99)
    monkeypatch.setattr("service.audit.writer.now", lambda: next(times))
    write(replace(settings, keep_days=10_000), 4)
    monkeypatch.undo()
    assert [record["number"] for record in records(settings)] == [1, 2, 3, 4, 5]
    assert kinds(settings) == []


def test_the_head_fits_its_place() -> None:
    key = settings_in(Path("x")).load_key()
    head = Head("f" * 32, "f" * 16, 10**9, 10**13, 10**15, "2026-01-31T08:15:00.123Z", 10**15, "f" * 64)
    line = head.encode(key)
    assert len(line) == 512
    assert Head.decode(key, line) == head


@pytest.mark.parametrize("secret", ["short", "x" * 31])
def test_a_secret_that_is_too_short_is_refused(settings: AuditSettings, tmp_path: Path, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_text(secret + "\n")
    for wrong in (replace(settings, key=secret), replace(settings, key="", key_file=file)):
        with pytest.raises(
            AuditError, match=f"holds {len(secret)} characters; expected a secret of at least 32"
        ) as told:
            Audit.open(wrong)
        assert "xxx" not in str(told.value)


def test_a_secret_that_is_missing_is_told(settings: AuditSettings, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"no audit log in .* yet, and no secret .*nowhere"):
        Audit.open(replace(settings, key="", key_file=tmp_path / "nowhere"))
    own = replace(settings, key="")
    write(own, 1)
    own.own_key_file.unlink()
    with pytest.raises(AuditError, match="cannot be read"):
        Audit.open(own)


def test_refusals_are_counted_and_written_together(settings: AuditSettings, audit: Audit) -> None:
    for _ in range(1000):
        audit.count("rate_limit", "k1")
    audit.count("bad_key")
    before = len(records(settings))
    audit.close()
    audit.close()
    record = records(settings)[-1]
    assert len(records(settings)) == before + 1
    assert record["act"] == "refusals"
    assert record["counts"] == [
        {"refusal": "rate_limit", "key_id": "k1", "count": 1000},
        {"refusal": "bad_key", "key_id": None, "count": 1},
    ]
    assert record["seconds"] >= 0


def test_refusals_are_written_each_minute(
    settings: AuditSettings, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.audit.counts.COUNT_SECONDS", 0.1)
    audit.count("overload")
    deadline = time.monotonic() + 10
    while not any(record["act"] == "refusals" for record in records(settings)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_refusals_that_cannot_be_written_are_kept(
    settings: AuditSettings, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.count("overload")
    with monkeypatch.context() as context:
        no_room(context, "audit-", 10)
        with pytest.raises(AuditError):
            audit.close()
    audit.count("overload")
    audit.close()
    assert records(settings)[-1]["counts"] == [{"refusal": "overload", "key_id": None, "count": 2}]


def test_a_flood_of_keys_takes_no_memory(settings: AuditSettings, audit: Audit) -> None:
    for number in range(5000):
        audit.count("bad_key", f"k{number}")
    audit.close()
    counts = records(settings)[-1]["counts"]
    assert sum(one["count"] for one in counts) == 5000
    assert len(counts) <= 1001


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs the right to mount a disk")
@pytest.mark.parametrize("part", ["audit", "private"])
def test_a_full_disk_is_an_error_until_there_is_room(settings: AuditSettings, part: str) -> None:
    """On a real disk of 256 KB."""
    folder = settings.folder.parent / part
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        audit = Audit.open(settings)
        filler = folder / "filler"
        acknowledged = 0
        failed = 0
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        os.truncate(filler, filler.stat().st_size - 8192)
        for number in range(1000):
            try:
                answer(audit, number)
                acknowledged += 1
            except AuditError as error:
                assert "No space left" in str(error)
                failed += 1
        assert acknowledged > 10
        assert failed > 10
        filler.unlink()
        answer(audit, 5000)
        audit.close()
        assert ids(settings) == [*(f"r{number}" for number in range(acknowledged)), "r5000"]
        assert findings(settings) == []
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_nothing_is_found_while_records_are_written_and_removed(settings: AuditSettings) -> None:
    small = replace(settings, max_bytes=1500)
    audit = Audit.open(small)
    ended = threading.Event()

    def work() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            answer(audit, number)
            if number % 30 == 0:
                audit.prune(0)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        counts = []
        for _ in range(60):
            found = walk(small)
            assert found.findings == []
            counts.append(found.pruned_through)
    finally:
        ended.set()
        thread.join()
        audit.close()
    assert counts[-1] > counts[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows renames no file that is being read")
def test_nothing_is_found_where_the_end_that_was_known_is_removed_meanwhile(settings: AuditSettings) -> None:
    small = replace(settings, max_bytes=1500)
    write(small, 20)
    reading = Walk(small, small.load_key())
    entries = reading.entries()
    next(entries)
    audit = Audit.open(small)
    answer(audit, 20)
    time.sleep(0.002)  # times are to the millisecond
    audit.prune(0)
    answer(audit, 21)
    audit.close()
    assert [entry.record.get("request_id") for entry in entries][-1] == "r21"
    assert reading.findings == [] and reading.pruned_through > 20


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_a_lock_whose_file_is_removed_still_keeps_others_out(settings: AuditSettings, audit: Audit) -> None:
    """Else the one who opened it before and the one who opens it after would both have it."""
    one = make_lock(settings.lock, 0.05)
    with one:
        pass
    settings.lock.unlink()
    with make_lock(settings.lock, 0.05), pytest.raises(TimeoutError), one:
        pass
    answer(audit, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX")
def test_a_fork_does_not_share_its_parents_lock(settings: AuditSettings, audit: Audit) -> None:
    """gunicorn may load the service before it forks its workers."""
    answer(audit, 0)
    lock = make_lock(settings.lock, 0.05)
    with lock:
        child = os.fork()
        if child == 0:
            try:
                with lock:
                    os._exit(1)
            except TimeoutError:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    child = os.fork()
    if child == 0:
        for number in range(100, 120):
            answer(audit, number)
        os._exit(0)
    for number in range(1, 20):
        answer(audit, number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(ids(settings)) == 40
    assert kinds(settings) == []
