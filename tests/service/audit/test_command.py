"""What an operator does with a log."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from service.audit import Audit, AuditSettings, chain, removal, writer
from service.audit.administrator import administrator
from service.audit.audit import LOCK_SECONDS
from service.audit.command import add_commands
from service.audit.errors import AuditError
from service.audit.files import KeptFile
from service.audit.report import summarise
from service.config import Settings, SettingsError
from tests.service.audit.support import (
    SECRET,
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
from tests.service.support import posix_only

pytestmark = pytest.mark.security

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def settings(tmp_path: Path) -> AuditSettings:
    return settings_in(tmp_path, max_bytes=1500)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """`python -m service audit …` on the log of `settings`; its exit status and what it prints."""
    for name, value in {
        "AUDIT_PATH": tmp_path / "audit", "AUDIT_HEAD_PATH": tmp_path / "private/head.jsonl",
        "AUDIT_SALTS_PATH": tmp_path / "private/salts", "AUDIT_KEY": SECRET, "AUDIT_MAX_MB": "0.0014305",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, str(value))
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        arguments = parser.parse_args(["audit", *words])
        status = arguments.run(arguments)
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def photo(tmp_path: Path, number: int) -> str:
    path = tmp_path / f"{number}.jpg"
    path.write_bytes(image(number))
    return str(path)


def salt_of(settings: AuditSettings, number: int) -> bytes:
    """The salt of the record of an answer."""
    place = 0
    for index in range(1, 9):
        for at, line in enumerate(lines(settings, index)):
            if b'"request_id":"r%d"' % number in line:
                place = at
                return (settings.salts / f"salts-{index:06}.bin").read_bytes()[place * 32 : place * 32 + 32]
    raise AssertionError(number)


def is_on_disk(settings: AuditSettings, salt: bytes) -> bool:
    files = [path for path in settings.folder.parent.rglob("*") if path.is_file()]
    return any(form in path.read_bytes() for path in files for form in (salt, salt.hex().encode()))


def test_a_log_that_is_whole(settings: AuditSettings, ask: Ask) -> None:
    write(settings, 8)
    status, said = ask("verify")
    assert status == 0
    assert said.splitlines() == ["Proven: 10 records, up to number 10.", "The log is whole."]
    status, said = ask("verify", "--json")
    assert json.loads(said) == {
        "whole": True, "records": 10, "last": 10, "pruned_through": 0, "unfinished_bytes": 0, "findings": [],
    }  # fmt: skip


def test_a_log_that_is_damaged(settings: AuditSettings, ask: Ask) -> None:
    write(settings, 8)
    segment(settings).write_bytes(segment(settings).read_bytes().replace(b'"is_me":true', b'"is_me":null', 1))
    status, said = ask("verify")
    assert status == 1
    assert said.splitlines()[0] == "audit-000001.jsonl: line 2, record 2, was changed or put in"
    assert said.splitlines()[-1] == "The log is damaged."
    status, said = ask("verify", "--json")
    assert (status, json.loads(said)["findings"][0]["kind"]) == (1, "changed")
    assert "The log is damaged" in ask("report")[1]


def test_what_cannot_be_verified(settings: AuditSettings, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = ask("verify")
    assert status == 2
    assert f"There is no audit log in {settings.folder} yet" in said
    assert not settings.folder.exists()
    write(settings, 1)
    monkeypatch.setenv("AUDIT_KEY", "another secret, of 32 characters or more")
    status, said = ask("verify")
    assert status == 2
    assert "The secret is not the one" in said
    monkeypatch.setenv("AUDIT_KEY", "short")
    status, said = ask("verify")
    assert status == 2
    assert said == (
        "Wrong settings:\nAUDIT_KEY is a text that is not shown here; "
        "expected a secret of 32 characters or more, or nothing\n"
    )


SECRET_MADE = '(umask 077; python3 -c "import secrets; print(secrets.token_hex(32))" > ~/audit.key)'


@pytest.mark.parametrize("words", ["verify", "report", "find --image {photo}", "forget --request r1", "prune --days 9"])
@pytest.mark.parametrize("secret", ["own", "named"])
def test_where_there_never_was_a_log_nothing_is_to_be_put_back(
    ask: Ask, settings: AuditSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, secret: str
) -> None:
    monkeypatch.delenv("AUDIT_KEY")
    if secret == "named":
        monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "new.key"))
    status, said = ask(*words.format(photo=photo(tmp_path, 1)).split())
    assert status == 2 and f"There is no audit log in {settings.folder} yet" in said and "put the file back" not in said
    assert ("print(secrets.token_hex(32))" in said and "new.key" in said) is (secret == "named")
    assert not settings.folder.exists() and not settings.head.parent.exists()


def test_a_log_whose_secret_is_gone_needs_that_one(
    ask: Ask, settings: AuditSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings, 1)
    monkeypatch.delenv("AUDIT_KEY")
    monkeypatch.setenv("AUDIT_KEY_FILE", str(tmp_path / "lost.key"))
    status, said = ask("verify")
    assert status == 2 and "put the file back" in said


@posix_only
def test_the_secret_that_is_made_as_the_message_and_the_page_say(tmp_path: Path) -> None:
    path = tmp_path / "audit.key"
    settings = settings_in(tmp_path, key="", key_file=path)
    with pytest.raises(AuditError, match=r"no audit log in .* yet, and no secret") as caught:
        Audit.open(settings)
    command = str(caught.value).partition("Make one: ")[2]
    assert command == SECRET_MADE.replace("~/audit.key", str(path))
    subprocess.run(["bash", "-c", command], check=True, timeout=60)
    assert path.stat().st_mode & 0o077 == 0
    Audit.open(settings).close()
    assert kinds(settings) == []


def test_a_copy_of_the_head(settings: AuditSettings, ask: Ask, tmp_path: Path) -> None:
    write(settings, 3)
    copy = tmp_path / "copy"
    shutil.copy(settings.head, copy)
    write(settings, 3)
    assert ask("verify", "--head", str(copy))[0] == 0
    for path in (settings.folder, settings.head, settings.salts):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    write(settings, 9)  # by somebody who has the secret
    assert ask("verify")[0] == 0
    status, said = ask("verify", "--head", str(copy))
    assert status == 1
    assert "the log was replaced" in said
    assert ask("verify", "--head", str(segment(settings)))[0] == 2
    assert ask("verify", "--head", str(tmp_path / "nowhere"))[0] == 2


def test_finding_and_forgetting_an_image(settings: AuditSettings, ask: Ask, tmp_path: Path) -> None:
    write(settings, 6)
    write(settings, 2, start=3)  # the images 3 and 4 again
    salts = [salt_of(settings, 3), salt_of(settings, 4)]
    status, said = ask("find", "--image", photo(tmp_path, 3))
    assert status == 0
    assert said.count("request_id=r3") == 2
    assert said.endswith("2 records are of this image.\n")
    assert all(is_on_disk(settings, salt) for salt in salts)
    status, said = ask("forget", "--image", photo(tmp_path, 3))
    assert (status, said) == (0, "Salts deleted: 2. Nobody can tell any more which image those records are of.\n")
    assert not is_on_disk(settings, salts[0])
    assert is_on_disk(settings, salts[1])
    assert ask("find", "--image", photo(tmp_path, 3)) == (1, "0 records are of this image.\n")
    assert ask("find", "--image", photo(tmp_path, 4))[0] == 0
    assert ask("forget", "--image", photo(tmp_path, 3)) == (1, "There is no such record.\n")
    record = records(settings)[-1]
    assert {name: record[name] for name in record if name not in ("number", "time")} == {
        "act": "forget", "by": "image", "salts": 2, **administrator(),
    }  # fmt: skip
    assert ask("verify")[0] == 0


def test_forgetting_a_request(settings: AuditSettings, ask: Ask, tmp_path: Path) -> None:
    write(settings, 6)
    salt = salt_of(settings, 5)
    assert ask("forget", "--request", "r5")[0] == 0
    assert not is_on_disk(settings, salt)
    assert ask("find", "--image", photo(tmp_path, 5))[0] == 1
    assert ask("forget", "--request", "r5") == (0, "That is forgotten already.\n")
    assert ask("forget", "--request", "r99") == (1, "There is no such record.\n")
    assert ask("forget", "--image", str(tmp_path / "nowhere"))[0] == 2
    assert ask("verify")[0] == 0


@pytest.fixture
def twice(settings: AuditSettings) -> dict[str, bytes]:
    """A log in which two clients, and one of them twice, gave their request one id; the salts by record."""
    audit = Audit.open(settings)
    answer(audit, 1, request_id="same", key_id="k1")
    answer(audit, 2, request_id="same", key_id="k2")
    answer(audit, 3, request_id="same", key_id="k2")
    answer(audit, 4)
    audit.close()
    data = (settings.salts / "salts-000001.bin").read_bytes()
    return {str(number): data[32 * (number - 1) : 32 * number] for number in (2, 3, 4, 5)}


def test_an_id_that_several_requests_had_is_not_forgotten_unasked(
    settings: AuditSettings, ask: Ask, twice: dict[str, bytes]
) -> None:
    status, said = ask("forget", "--request", "same")
    assert status == 2
    assert "3 requests had this id" in said and "--record N" in said
    shown = [line.split(": ")[0] + line.partition("Z")[2] for line in said.splitlines() if line.startswith("  record")]
    assert shown == [
        f"  record {number}, key {key}, status 200, is_me True, score 0.9"
        for number, key in ((2, "k1"), (3, "k2"), (4, "k2"))
    ]
    assert "audit find --image" in said
    status, said = ask("forget", "--request", "same", "--key", "k2")
    assert status == 2 and "2 requests had this id" in said
    assert all(is_on_disk(settings, salt) for salt in twice.values())
    assert not [record for record in records(settings) if record["act"] == "forget"]


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("--key k1", "2"), ("--record 3", "3"), ("--record 2 --record 4", "24"), ("--key k2 --all", "34"),
        ("--all", "234"),
    ],
)  # fmt: skip
def test_which_request_of_an_id_is_forgotten_can_be_said(
    settings: AuditSettings, ask: Ask, twice: dict[str, bytes], words: str, gone: str
) -> None:
    status, said = ask("forget", "--request", "same", *words.split())
    assert status == 0 and said.startswith(f"Salts deleted: {len(gone)}.")
    assert {number for number, salt in twice.items() if not is_on_disk(settings, salt)} == set(gone)


def test_what_is_chosen_must_be_there(
    settings: AuditSettings, ask: Ask, twice: dict[str, bytes], tmp_path: Path
) -> None:
    assert ask("forget", "--request", "same", "--record", "5") == (1, "There is no such record.\n")
    assert ask("forget", "--request", "same", "--key", "k3") == (1, "There is no such record.\n")
    assert ask("forget", "--image", photo(tmp_path, 1), "--all")[0] == 2
    assert all(is_on_disk(settings, salt) for salt in twice.values())


def test_who_administered_is_recorded(settings: AuditSettings, ask: Ask, clock: Clock) -> None:
    clock.set("2026-01-01")
    write(settings, 8)
    clock.set("2026-02-01")
    write(settings, 2, start=8)
    assert ask("forget", "--request", "r9")[0] == ask("prune", "--days", "20")[0] == 0
    oldest = min(settings.folder.glob("audit-*.jsonl"))
    oldest.write_bytes(oldest.read_bytes().replace(b'"is_me":true', b'"is_me":null', 1))
    assert ask("accept", "--note", "x")[0] == 0
    acts = {record["act"]: record for record in records(settings) if record["act"] in ("forget", "prune", "accept")}
    assert len(acts) == 3
    for record in acts.values():
        assert {name: record[name] for name in administrator()} == administrator(), record["act"]


class Clock:
    """Sets the time of all that is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, day: str) -> None:
        class At(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=tz)

        self._monkeypatch.setattr(chain, "datetime", At)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_retention(settings: AuditSettings, ask: Ask, clock: Clock, tmp_path: Path) -> None:
    clock.set("2026-01-01")
    write(settings, 8)
    clock.set("2026-02-01")
    write(settings, 8, start=8)
    salt = salt_of(settings, 1)
    status, said = ask("prune", "--days", "20")
    assert (status, said.splitlines()[0]) == (0, "1 file was removed.")
    assert said.splitlines()[1].startswith("4 records that are older remain: a file is removed only if all its records")
    assert "With AUDIT_KEEP_DAYS=20 the service begins a new file each day" in said
    assert not segment(settings).exists()
    assert not is_on_disk(settings, salt)
    assert ask("find", "--image", photo(tmp_path, 1))[0] == 1
    assert ask("find", "--image", photo(tmp_path, 12))[0] == 0
    status, said = ask("verify")
    assert status == 0
    assert "Records 1 to 6 were removed by retention, which is recorded." in said
    segment(settings, 2).unlink()  # by hand: that is no retention
    status, said = ask("verify")
    assert status == 1
    assert "audit-000003.jsonl: records 1 to 12 are missing before it" in said


def test_retention_that_is_interrupted(settings: AuditSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.set("2026-01-01")
    write(settings, 20)
    clock.set("2026-02-01")
    audit = Audit.open(settings)
    removed = []

    def interrupted(path: Path) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        removal.set_aside(path)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(writer, "set_aside", interrupted)
        audit.prune(20)
    assert kinds(settings) == []
    assert audit.prune(20) == [2, 3, 4, 5]
    audit.close()
    assert kinds(settings) == []
    assert walk(settings).pruned_through == records(settings)[0]["number"] - 1


def test_what_a_killed_process_was_to_remove_is_removed_by_the_next(
    settings: AuditSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch, ask: Ask
) -> None:
    clock.set("2026-01-01")
    write(settings, 8)
    salt = salt_of(settings, 1)
    clock.set("2026-02-01")

    def killed(_: AuditSettings) -> None:
        raise KeyboardInterrupt

    audit = Audit.open(settings)
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(removal, "remove_all", killed)
        audit.prune(20)
    audit.close()
    assert is_on_disk(settings, salt) and removal.is_due(settings)
    assert ask("verify")[0] == 0 and ask("report")[0] == 0, "the files that were set aside are none of the log's"
    Audit.open(settings).close()
    assert not is_on_disk(settings, salt) and not removal.is_due(settings)
    assert ask("verify")[0] == 0


@pytest.mark.parametrize("how", ["prune", "forget", "setting"])
def test_others_record_while_a_slow_disk_removes(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings = settings_in(tmp_path, keep_days=20 if how == "setting" else 0)
    clock.set("2026-01-01")
    write(settings, 8)
    salt = salt_of(settings, 1)
    clock.set("2026-02-01")
    entered, go_on = threading.Event(), threading.Event()
    sync = KeptFile.sync

    def slow(self: KeptFile) -> None:
        if self.path.suffix == ".bin":
            entered.set()
            assert go_on.wait(30)
        sync(self)

    monkeypatch.setattr(KeptFile, "sync", slow)
    one, other = Audit.open(settings), Audit.open(settings)
    work = {
        "prune": lambda: one.prune(20), "forget": lambda: one.forget({1: [2]}, "request"), "setting": lambda: None,
    }[how]  # fmt: skip
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert entered.wait(30)
        began = time.monotonic()
        answer(other, 20)
        answer(other, 21)
        assert time.monotonic() - began < LOCK_SECONDS / 2
    finally:
        go_on.set()
        thread.join()
    one.close()
    other.close()
    assert not is_on_disk(settings, salt)
    assert kinds(settings) == []


def test_retention_removes_what_is_old_though_nobody_asks(settings: AuditSettings, clock: Clock, ask: Ask) -> None:
    clock.set("2026-01-01")
    write(settings, 1)
    clock.set("2026-02-01")
    assert ask("prune", "--days", "20")[1] == "1 file was removed.\n"
    assert [record["act"] for record in records(settings)] == ["segment", "prune"]
    assert ask("prune", "--days", "20")[1] == "0 files were removed.\n"


def test_retention_by_setting(tmp_path: Path, clock: Clock) -> None:
    settings = settings_in(tmp_path, keep_days=2)
    for day in range(1, 7):
        clock.set(f"2026-01-0{day}")
        write(settings, 1, start=day)
        assert kinds(settings) == []
    assert [path.name for path in sorted(settings.folder.iterdir())] == [
        "audit-000004.jsonl", "audit-000005.jsonl", "audit-000006.jsonl",
    ]  # fmt: skip
    assert min(settings.salts.iterdir()).name == "salts-000004.bin"


def test_records_that_are_dated_back_are_not_removed(settings: AuditSettings, clock: Clock, ask: Ask) -> None:
    """Else retention would do the work of somebody who wants them gone."""
    clock.set("2026-02-01")
    write(settings, 8)
    for index in (1, 2):
        path = segment(settings, index)
        path.write_bytes(path.read_bytes().replace(b"2026-02-01", b"2026-01-01"))
    assert ask("prune", "--days", "20")[1] == "0 files were removed.\n"
    assert segment(settings).exists()


def test_a_last_record_that_is_dated_back_keeps_its_file(settings: AuditSettings, clock: Clock, ask: Ask) -> None:
    clock.set("2026-01-01")
    write(settings, 2)
    clock.set("2026-02-01")
    write(settings, 6, start=2)
    *before, last = lines(settings)
    assert b"2026-02-01" in last
    segment(settings).write_bytes(b"".join([*before, last.replace(b"2026-02-01", b"2026-01-01")]))
    assert ask("prune", "--days", "20")[1].startswith("0 files were removed.\n")
    assert segment(settings).exists()


def test_nothing_is_pruned_where_there_is_no_log(ask: Ask, settings: AuditSettings) -> None:
    status, said = ask("prune", "--days", "20")
    assert status == 2
    assert "There is no audit log" in said
    assert not settings.folder.exists()


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5"])
def test_days_that_are_none(ask: Ask, days: str) -> None:
    with pytest.raises(SystemExit) as ended:
        ask("prune", "--days", days)
    assert ended.value.code == 2


def test_accepting_a_loss(settings: AuditSettings, ask: Ask) -> None:
    write(settings, 8)
    segment(settings).write_bytes(b"".join(lines(settings)[:3] + lines(settings)[4:]))
    assert ask("verify")[0] == 1
    status, said = ask("accept", "--note", "disk error of 1 January")
    assert status == 0
    assert "accepted: audit-000001.jsonl: record 4 is missing" in said
    status, said = ask("verify")
    assert status == 0
    assert "disk error of 1 January" in said
    assert said.splitlines()[-1] == "The log is whole, save what was accepted (1)."
    assert "what was accepted as lost or changed (1) is left out" in ask("report")[1]
    report = json.loads(ask("report", "--json")[1])
    assert (report["findings"], report["accepted"]) == (0, 1)
    segment(settings).write_bytes(b"".join(lines(settings)[:2] + lines(settings)[3:]))
    assert ask("verify")[0] == 1  # another loss
    assert ask("accept", "--note", "another")[0] == 0
    assert ask("accept", "--note", "again")[1] == "Nothing is wrong with the log that is not accepted already.\n"


def damage_a_place_of_the_head(settings: AuditSettings) -> None:
    """One of its two places, as a crash can leave it: the one that the next record will be written to."""
    data = bytearray(settings.head.read_bytes())
    heads = [chain.Head.decode(settings.load_key(), bytes(data[at : at + 512])) for at in (0, 512)]
    older = min((0, 1), key=lambda place: heads[place].number if heads[place] else 0)  # type: ignore[union-attr]
    data[512 * older : 512 * older + 100] = b"x" * 100
    settings.head.write_bytes(data)


def test_a_later_damage_of_the_head_is_another(settings: AuditSettings, ask: Ask) -> None:
    write(settings, 4)
    damage_a_place_of_the_head(settings)
    assert kinds(settings) == ["head"]
    assert ask("accept", "--note", "a crash")[0] == 0
    assert ask("verify")[0] == 0
    write(settings, 3, start=4)
    assert ask("verify")[0] == 0
    damage_a_place_of_the_head(settings)
    status, said = ask("verify")
    assert status == 1 and "one of its two places is damaged" in said
    assert ask("accept", "--note", "another crash")[0] == 0
    assert ask("verify")[0] == 0


def change_line(settings: AuditSettings, number: int, old: bytes, new: bytes) -> None:
    own = lines(settings)
    assert old in own[number - 1]
    own[number - 1] = own[number - 1].replace(old, new)
    segment(settings).write_bytes(b"".join(own))


@pytest.mark.parametrize(
    ("loss", "line"), [("changed", 3), ("changed", 4), ("damaged", 4), ("missing", 3)],
    ids=["the record itself", "one beside it", "the one after a damaged line", "the one after a gap"],
)  # fmt: skip
def test_what_is_changed_where_a_loss_was_accepted_is_found(
    settings: AuditSettings, ask: Ask, loss: str, line: int
) -> None:
    """Nothing proves a record that follows a loss, so a change of it must not pass for accepted."""
    write(settings, 8)
    if loss == "changed":
        change_line(settings, 3, b'"is_me":true', b'"is_me":null')
        change_line(settings, 4, b'"is_me":true', b'"is_me":null')
    elif loss == "damaged":
        change_line(settings, 3, b',"mac":', b',"mac";')
    else:
        own = lines(settings)
        segment(settings).write_bytes(b"".join([*own[:2], *own[3:]]))
    assert ask("accept", "--note", "a disk error")[0] == 0
    write(settings, 3, start=20)
    assert ask("verify")[0] == 0
    change_line(settings, line, b'"score":0.9', b'"score":0.1')
    assert ask("verify")[0] == 1


def test_more_that_is_cut_off_before_an_accepted_break_is_found(settings: AuditSettings, ask: Ask) -> None:
    """After a power cut that damaged a line, the next file says that records may be missing: no number tells more."""
    write(settings, 3)
    own = lines(settings)
    segment(settings).write_bytes(b"".join([*own[:-1], b"x" * len(own[-1])]))
    assert ask("accept", "--note", "a power cut")[0] == 0
    assert ask("verify")[0] == 0
    segment(settings).write_bytes(b"".join([*own[:-2], b"x" * len(own[-2]), b"x" * len(own[-1])]))
    assert ask("verify")[0] == 1
    segment(settings).write_bytes(b"".join(own[:-1]))
    assert ask("verify")[0] == 1


def test_what_an_earlier_version_accepted_is_to_be_looked_at_again(settings: AuditSettings, ask: Ask) -> None:
    """It did not record what stood there, so nobody could tell a later change."""
    write(settings, 8)
    change_line(settings, 3, b'"is_me":true', b'"is_me":null')
    (finding,) = [one.as_json() for one in findings(settings)]
    del finding["evidence"]
    audit = Audit.open(settings)
    audit.record("accept", note="a disk error", findings=[finding])
    audit.close()
    status, said = ask("verify")
    assert status == 1 and ": a disk error, but not what stands there)" in said
    assert ask("accept", "--note", "looked at again")[0] == 0
    assert ask("verify")[0] == 0


@pytest.mark.parametrize("what", ["head", "damaged head", "segment", "both"])
def test_going_on_after_a_file_is_lost(settings: AuditSettings, ask: Ask, what: str) -> None:
    write(settings, 8)
    if what in ("head", "both"):
        settings.head.unlink()
    if what == "damaged head":
        settings.head.write_bytes(b"x" * 1024)
    if what in ("segment", "both"):
        segment(settings, 2).unlink()
    assert ask("verify")[0] == 1
    assert ask("accept", "--note", "lost")[0] == 0
    assert ask("verify")[0] == 0
    write(settings, 3, start=20)
    assert findings(settings) == []
    max(settings.folder.iterdir()).unlink()
    assert ask("verify")[0] == 1


def test_a_log_of_which_nothing_can_be_proven(settings: AuditSettings, ask: Ask) -> None:
    write(settings, 1)
    settings.head.unlink()
    segment(settings).write_bytes(b"x")
    status, said = ask("accept", "--note", "x")
    assert status == 2
    assert "No record in" in said


def test_report(settings: AuditSettings, clock: Clock, ask: Ask) -> None:
    clock.set("2026-01-01")
    audit = Audit.open(settings)
    answer(audit, 1)
    answer(audit, 2, is_me=False)
    answer(audit, 3, is_me=None, status=400, score=None)
    answer(audit, 4, key_id=None)
    audit.record("key_created", key_id="k2")
    audit.count("rate_limit", "k1")
    audit.count("rate_limit", "k1")
    audit.close()
    clock.set("2025-12-31")
    write(settings, 1)
    status, said = ask("report", "--json")
    report = json.loads(said)
    assert status == 0
    assert report["uses"] == [
        {"day": "2025-12-31", "key_id": "k1", "answers": 1, "me": 1, "not_me": 0, "failed": 0},
        {"day": "2026-01-01", "key_id": "(no key)", "answers": 1, "me": 1, "not_me": 0, "failed": 0},
        {"day": "2026-01-01", "key_id": "k1", "answers": 3, "me": 1, "not_me": 1, "failed": 1},
    ]
    assert report["refusals"] == [{"day": "2026-01-01", "refusal": "rate_limit", "key_id": "k1", "count": 2}]
    assert report["acts"] == {"key_created": 1}
    assert [one["to"][:10] for one in report["clock_set_back"]] == ["2025-12-31"]
    assert report["odd"] == []
    status, said = ask("report")
    assert "  2026-01-01  k1        3        1   1       1" in said
    assert "Nothing is out of the ordinary." in said
    assert "The clock was set back before record" in said
    assert "While the service runs, those of the last 60 seconds may be missing." in said


def uses(hour: str, count: int, is_me: bool = True) -> list[dict[str, Any]]:
    return [
        {"number": 1, "time": f"2026-01-01T{hour}:00:00.000Z", "act": "verify", "key_id": "k1", "is_me": is_me}
    ] * count


def test_bursts_are_told_with_their_rule() -> None:
    assert summarise([*uses("01", 3), *uses("02", 4), *uses("03", 30)]).odd == []
    (odd,) = summarise([*uses("01", 3), *uses("02", 4), *uses("03", 36)]).odd
    assert (odd.rule, odd.when, odd.key_id) == ("burst", "2026-01-01T03", "k1")
    assert odd.text.startswith("36 uses in an hour, 3.5 in the median of the others; the rule tells more than 30")
    assert summarise(uses("01", 500)).odd == []  # nothing to compare with


def test_trying_photos_out_is_told() -> None:
    assert summarise([*uses("01", 19, False), *uses("01", 1)]).odd == []
    (odd,) = summarise([*uses("01", 20, False), *uses("01", 1)]).odd
    assert (odd.rule, odd.text[:24]) == ("tries", '"me" after 20 "not me" i')


def test_a_flood_of_refusals_is_told() -> None:
    record = {"number": 1, "time": "2026-01-01T01:00:00.000Z", "act": "refusals"}
    counts = [{"refusal": "rate_limit", "key_id": "k1", "count": 60}]
    (odd,) = summarise([{**record, "counts": counts}] * 2).odd
    assert (odd.rule, odd.text[:12]) == ("refusals", "120 refusals")


def test_settings_of_the_service(tmp_path: Path) -> None:
    def load(**environment: str) -> AuditSettings:
        return AuditSettings.of(Settings.load(environment, tmp_path / "none"))

    assert load() == AuditSettings()
    given = load(AUDIT_PATH="x", AUDIT_KEY=SECRET, AUDIT_MAX_MB="1.5", AUDIT_KEEP_DAYS="30", AUDIT_SYNC="true")
    assert (given.folder.name, given.max_bytes, given.keep_days, given.sync) == ("x", 1572864, 30, True)
    assert SECRET not in repr(given)
    with pytest.raises(SettingsError, match="both set"):
        load(AUDIT_KEY=SECRET, AUDIT_KEY_FILE="x")
    for name, value in (("AUDIT_MAX_MB", "0"), ("AUDIT_KEEP_DAYS", "-1"), ("AUDIT_SYNC", "maybe")):
        with pytest.raises(SettingsError, match=name):
            load(**{name: value})


@pytest.mark.parametrize("words", ["verify", "report", "find --image {photo}", "forget --request r99"])
def test_looking_writes_nothing(settings: AuditSettings, ask: Ask, tmp_path: Path, words: str) -> None:
    write(settings, 8)
    given = words.format(photo=photo(tmp_path, 99)).split()

    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    before = state()
    ask(*given)
    assert state() == before
