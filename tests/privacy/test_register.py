"""`python -m privacy consent`: the table is edited, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

from privacy.errors import PrivacyError
from privacy.register import command, contact, editing
from stages.errors import StageError
from stages.files.consent import read_register
from tests.conftest import ROOT
from tests.privacy.held_support import DAY, HEADING, run, start_project

TABLE = Path("data/consent.csv")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return start_project(tmp_path / "project", command, monkeypatch)


def text() -> str:
    return TABLE.read_bytes().decode()


def test_adding_to_a_project_without_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("consent", "add", "ana", "--until", "2028-06-15", "--how", "form, signed") == 0
    assert text() == HEADING + 'ana,2026-06-15,2028-06-15,,"form, signed",\n'
    said = capsys.readouterr()
    assert "not_me/ana: given on 2026-06-15 until 2028-06-15. It stands in line 2 of data/consent.csv." in said.out
    assert "about 2 photos" in said.out
    assert "privacy.consent: require (or warn), privacy.register: data/consent.csv" in said.err
    if os.name == "posix":
        assert TABLE.stat().st_mode & 0o777 == 0o600


SPREADSHEET = (
    '\ufeffwho;given;until;how\r\n# a remark;;;\r\nana;2026-01-01;;"signed\r\non paper"\r\n;;;\r\nme;2026-01-01;;x\r\n'
)


def test_what_a_spreadsheet_has_saved_stays_as_it_is() -> None:
    """Mark, semicolons, line ends, a text of two lines, a remark and an empty line; a column that lacks is added."""
    TABLE.write_bytes(SPREADSHEET.encode())
    assert run("consent", "add", "not_me/x.jpg", "--given", "2026-02-01") == 0
    assert text() == SPREADSHEET + "x.jpg;2026-02-01;;\r\n"
    assert run("consent", "withdraw", "ana") == 0
    lines = text().split("\r\n")
    assert lines[0] == "\ufeffwho;given;until;how;withdrawn"
    assert lines[1:] == ["# a remark;;;", 'ana;2026-01-01;;"signed', 'on paper";2026-06-15', ";;;", "me;2026-01-01;;x",
                         "x.jpg;2026-02-01;;", ""]  # fmt: skip
    assert read_register(TABLE).consents["not_me/ana"].withdrawn == DAY


def test_a_last_line_without_an_end() -> None:
    TABLE.write_text(HEADING + "me,2026-01-01,,,,", encoding="utf-8", newline="")
    run("consent", "add", "ana")
    assert text() == HEADING + "me,2026-01-01,,,,\nana,2026-06-15,,,,\n"


def test_a_person_who_is_there_already_is_replaced_only_if_asked() -> None:
    run("consent", "add", "ana")
    run("consent", "add", "me")
    before = text()
    with pytest.raises(PrivacyError, match=r"not_me/ana has a consent already, in line 2 .*--replace"):
        run("consent", "add", "not_me/ana", "--until", "2030-01-01")
    assert text() == before
    run("consent", "add", "not_me/ana", "--until", "2030-01-01", "--replace")
    assert text() == HEADING + "ana,2026-06-15,2030-01-01,,,\nme,2026-06-15,,,,\n"


def test_withdrawing_takes_what_lies_in_a_folder_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    TABLE.write_text(
        HEADING + "ana,2026-01-01,,,,\nana/1.jpg,2026-01-01,,2026-02-02,,\nme,2026-01-01,,,,\nanabel,2026-01-01,,,,\n"
    )
    run("consent", "withdraw", "ana", "--on", "2026-05-01")
    found = read_register(TABLE).consents
    assert [consent.withdrawn for consent in found.values()] == [date(2026, 5, 1), date(2026, 2, 2), None, None]
    assert "expire" in capsys.readouterr().out
    run("consent", "withdraw", "ana", "--on", "2026-05-02")
    assert "before; nothing is changed" in capsys.readouterr().out
    with pytest.raises(PrivacyError, match=r"no line for not_me/x\.jpg, so there is nothing to take back"):
        run("consent", "withdraw", "x.jpg")


def test_somebody_who_is_not_there_is_written_down_with_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("consent", "add", "Ana") == 0
    assert "Did you mean not_me/ana?" in capsys.readouterr().err
    assert "not_me/Ana" in read_register(TABLE).consents


@pytest.mark.parametrize("who", ["", "not_me", "../etc", "not_me/../me"])
def test_what_is_no_person_is_refused_and_nothing_is_written(who: str) -> None:
    with pytest.raises(StageError, match="who is"):
        run("consent", "add", who)
    assert not TABLE.exists()


def test_a_table_with_a_mistake_is_not_touched() -> None:
    TABLE.write_text(HEADING + "me,yesterday,,,,\n")
    for arguments in (("add", "ana"), ("withdraw", "me"), ("list",)):
        with pytest.raises(StageError, match="line 2: given is 'yesterday'"):
            run("consent", *arguments)
    assert text() == HEADING + "me,yesterday,,,,\n"


def test_a_last_day_before_the_first_is_refused() -> None:
    with pytest.raises(StageError, match="until, 2026-01-01, is before given, 2026-06-15"):
        run("consent", "add", "ana", "--until", "2026-01-01")
    with pytest.raises(SystemExit):
        run("consent", "add", "ana", "--until", "20270101")


@pytest.mark.security
def test_an_address_is_kept_as_a_keyed_hash_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """The same address has the same hash here, whatever its capitals, and another one elsewhere."""
    run("consent", "add", "ana", "--contact", "Ana@Example.org")
    run("consent", "add", "me", "--contact", " ana@example.org")
    run("consent", "add", "x.jpg", "--contact", "bea@example.org")
    everything = b"".join(path.read_bytes() for path in Path().rglob("*") if path.is_file())
    assert b"xample.org" not in everything
    hashes = [consent.contact for consent in read_register(TABLE).consents.values()]
    assert hashes[0] == hashes[1] != hashes[2]
    capsys.readouterr()
    run("consent", "list", "--contact", "ANA@example.org", "--json")
    assert [row["who"] for row in json.loads(capsys.readouterr().out)] == ["not_me/ana", "me"]
    if os.name == "posix":
        assert contact.KEY.stat().st_mode & 0o777 == 0o600
        assert contact.KEY.parent.stat().st_mode & 0o777 == 0o700
    contact.KEY.unlink()
    with pytest.raises(PrivacyError, match="Put the file back"):
        run("consent", "list", "--contact", "ana@example.org")
    run("consent", "add", "ana", "--contact", "ana@example.org", "--replace")
    assert read_register(TABLE).consents["not_me/ana"].contact != hashes[0]


def test_an_address_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.getpass, "getpass", lambda _: "ana@example.org")
    run("consent", "add", "ana", "--contact")
    assert read_register(TABLE).consents["not_me/ana"].contact == contact.contact_hash("ana@example.org")


@pytest.mark.parametrize("name", [".~lock.consent.csv#", "~$consent.csv"])
def test_a_table_that_is_open_in_a_spreadsheet_is_not_touched(name: str) -> None:
    run("consent", "add", "ana")
    Path("data", name).touch()
    with pytest.raises(PrivacyError, match="is open in a spreadsheet"):
        run("consent", "add", "me")
    assert list(read_register(TABLE).consents) == ["not_me/ana"]


def test_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "_LOCK_SECONDS", 0.1)
    editing.LOCK.parent.mkdir(parents=True)
    with FileLock(editing.LOCK), pytest.raises(PrivacyError, match="another program is changing"):
        run("consent", "add", "ana")


def test_a_change_by_hand_meanwhile_is_not_lost() -> None:
    def change(table: editing.Table) -> editing.Table:
        TABLE.write_text(HEADING + "me,2026-01-01,,,,\n")
        return table.put({"who": "ana", "given": "2026-01-01"})

    with pytest.raises(PrivacyError, match="was changed by another program just now"):
        editing.edit(change)
    assert list(read_register(TABLE).consents) == ["me"]


_MANY = """
import sys
from tests.privacy.held_support import run
for number in range(10):
    run("consent", "add", f"{sys.argv[1]}{number}")
"""


def test_several_at_once_lose_nothing(project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-c", _MANY, name], cwd=project, env=environment, stdout=-3, stderr=-3)
        for name in ("a", "b", "c")
    ]
    assert [process.wait(100) for process in started] == [0, 0, 0]
    assert len(read_register(TABLE).consents) == 30
    assert [path.name for path in Path("data").iterdir() if path.name.endswith(".tmp")] == []


def test_the_list_says_what_holds_today(capsys: pytest.CaptureFixture[str]) -> None:
    run("consent", "list")
    assert "data/consent.csv has no line" in capsys.readouterr().out.replace("\\", "/")
    TABLE.write_text(HEADING + "ana,2026-01-01,2026-06-14,,\x1b[31mform,\nme,2026-01-01,2026-06-15,,,\n")
    run("consent", "list", "--json")
    assert [row["holds"] for row in json.loads(capsys.readouterr().out)] == [False, True]
    run("consent", "list")
    said = capsys.readouterr().out
    assert said.splitlines()[1].split() == ["not_me/ana", "2026-01-01", "2026-06-14", "no", r"\x1b[31mform"]


def test_the_program_itself(tmp_path: Path) -> None:
    """Started anywhere, it says what is wrong in one line."""
    done = subprocess.run(
        [sys.executable, "-m", "privacy", "export", "nobody of that name"], cwd=tmp_path, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 'nobody of that name' is nobody whose photos are in data/")
    assert "Traceback" not in done.stderr
