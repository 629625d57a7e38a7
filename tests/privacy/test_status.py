"""`python -m privacy status` and `expire`: who is in, since when, and what is due."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import types
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from privacy.errors import PrivacyError
from privacy.held import command
from privacy.held.first_days import remember, remembered
from privacy.held.since import first_days, known_days
from stages.files.photos import photos_in
from tests.privacy.held_support import HEADING, new_project, run, set_parameter

DAY = date(2026, 6, 15)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = new_project(tmp_path / "project", "me/1.jpg", "not_me/ana/1.jpg", "not_me/ana/2.jpg", "not_me/x.jpg")
    monkeypatch.chdir(root)
    monkeypatch.setattr(command, "today", lambda: DAY)
    return root


def write(*lines: str) -> None:
    Path("data/consent.csv").write_text(HEADING + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def dated(name: str, day: date) -> None:
    moment = datetime(day.year, day.month, day.day, 12).timestamp()
    os.utime(Path("data", name), (moment, moment))


def status(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run("status", "--json")
    return code, json.loads(capsys.readouterr().out)


def test_nothing_is_due_where_consent_is_not_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    code, state = status(capsys)
    assert (code, state["due"]) == (0, False)
    assert [(one["who"], one["photos"]) for one in state["people"]] == [
        ("me", 1),
        ("not_me/ana", 2),
        ("not_me/x.jpg", 1),
    ]
    assert run("status") == 0
    assert "privacy.consent is off" in capsys.readouterr().out


def test_with_crop_asking_nobody_has_consented(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_parameter(project, "consent", "require")
    code, state = status(capsys)
    assert code == 1
    assert all(one["without_consent"] for one in state["people"])


def test_consents_and_what_ends_next(capsys: pytest.CaptureFixture[str]) -> None:
    write(
        "me,2026-01-01,,,,",
        "ana,2026-02-01,2027-01-01,,,",
        "ana/2.jpg,2026-03-01,2026-12-01,,,",
        "x.jpg,2026-01-01,,2026-07-01,,",
    )
    code, state = status(capsys)
    assert code == 0
    ana = state["people"][1]
    assert (ana["given"], ana["since"], ana["until"]) == ("2026-02-01", "2026-02-01", "2026-12-01")
    assert state["next"] == {"day": "2026-06-30", "who": "not_me/x.jpg"}, "a withdrawal that is to come ends a consent"
    assert run("status") == 0
    assert "Next: not_me/x.jpg, on 2026-06-30." in capsys.readouterr().out


def test_what_is_past_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    write("me,2026-01-01,,,,", "ana,2026-02-01,2026-06-14,,,", "ana/2.jpg,2026-03-01,,,,", "y.jpg,2026-01-01,,,,")
    code, state = status(capsys)
    assert code == 1
    assert state["people"][1]["without_consent"] == {"not_me/ana/1.jpg": "consent ended on 2026-06-14"}
    assert state["lines_of_nobody"] == ["not_me/y.jpg"]
    assert run("status") == 1
    said = capsys.readouterr().out
    assert "  consent ended on 2026-06-14: not_me/ana\n" in said
    assert "has no line for it: not_me/x.jpg\n" in said
    assert "not_me/y.jpg (line 5)" in said


def test_age_counts_from_the_consent_else_from_the_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("me,2026-01-01,,,,", "ana,2026-06-01,,,,", "x.jpg,2026-06-01,,,,")
    dated("me/1.jpg", date(2026, 6, 1))
    set_parameter(project, "max_age_days", "165")
    code, state = status(capsys)
    assert (code, state["next"]) == (0, {"day": "2026-06-16", "who": "me"})
    set_parameter(project, "max_age_days", "164")
    code, state = status(capsys)
    assert (code, state["people"][0]["too_old"]) == (1, ["me/1.jpg"])
    write("ana,2026-06-01,,,,", "x.jpg,2026-06-01,,,,")
    assert status(capsys)[1]["people"][0]["too_old"] == []


def commit(root: Path, moment: str) -> None:
    def do(*arguments: str) -> None:
        environment = {**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment, "DVC_NO_ANALYTICS": "1",
                       "DVC_SITE_CACHE_DIR": str(root.parent / "site")}  # fmt: skip
        done = subprocess.run(
            arguments, cwd=root, env=environment, check=False, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr

    if not (root / ".git").exists():
        do("git", "init", "--quiet")
        do("git", "config", "user.name", "Test")
        do("git", "config", "user.email", "test@example.org")
        do(sys.executable, "-m", "dvc", "init", "--quiet")
    do(sys.executable, "-m", "dvc", "add", "--quiet", "data/me", "data/not_me")
    do("git", "add", "data/me.dvc", "data/not_me.dvc", ".dvc")
    do("git", "commit", "--quiet", "-m", "x")


def test_a_file_is_younger_than_the_commit_that_brought_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, or by its content where it was renamed since; on a branch, too. If no commit has it, by its file."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    commit(project, "2024-03-01T12:00:00")
    subprocess.run(["git", "branch", "aside"], cwd=project, check=True)
    (project / "data/not_me/x.jpg").rename(project / "data/not_me/renamed.jpg")
    new_project(project, "not_me/bea/1.jpg")
    commit(project, "2025-03-01T12:00:00")
    new_project(project, "not_me/new.jpg")
    found = first_days(photos_in(Path("data")))
    today = date.today()
    assert found == {
        "me/1.jpg": date(2024, 3, 1), "not_me/ana/1.jpg": date(2024, 3, 1), "not_me/ana/2.jpg": date(2024, 3, 1),
        "not_me/renamed.jpg": date(2024, 3, 1), "not_me/bea/1.jpg": date(2025, 3, 1), "not_me/new.jpg": today,
    }  # fmt: skip


@pytest.mark.security
def test_first_days_are_remembered_without_names(project: Path) -> None:
    path = project / "private/privacy/first_days.json"
    remember({})
    assert not path.exists()
    remember({"me/1.jpg": date(2024, 5, 1), "not_me/ana/1.jpg": date(2024, 5, 2)})
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    assert "ana" not in before and hashlib.sha256(b"me/1.jpg").hexdigest() not in before
    remember({"me/1.jpg": date(2025, 1, 1), "not_me/x.jpg": date(2025, 1, 2)})
    days = {"me/1.jpg": date(2024, 5, 1), "not_me/x.jpg": date(2025, 1, 2)}
    assert remembered(["me/1.jpg", "not_me/ana/1.jpg", "not_me/x.jpg", "me/2.jpg"]) == days
    assert known_days(list(days)) == days
    path.write_text("damaged")
    assert remembered(["me/1.jpg"]) == {}


@pytest.mark.slow
@pytest.mark.security
def test_locking_makes_no_photo_younger(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`lock` and `rekey` delete the lists of the commits that brought the photos."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    for name in ("PRIVACY_KEY", "PRIVACY_KEY_FILE", "PRIVACY_NEW_KEY", "PRIVACY_NEW_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    keys = [str(tmp_path / name) for name in ("a.key", "b.key")]
    for key in keys:
        run("new-key", key)
    commit(project, "2024-03-01T12:00:00")
    new_project(project, "not_me/bea/1.jpg")
    commit(project, "2025-03-01T12:00:00")
    before = first_days(photos_in(Path("data")))
    assert {day.year for day in before.values()} == {2024, 2025}
    people = status(capsys)[1]["people"]
    run("lock", "--key-file", keys[0])
    commit(project, "2026-03-01T12:00:00")
    assert first_days(photos_in(Path("data"))) == before
    Path("data/me/1.jpg.locked").unlink()
    run("rekey", "--key-file", keys[0], "--new-key-file", keys[1])
    commit(project, "2026-04-01T12:00:00")
    del before["me/1.jpg"]
    assert first_days(photos_in(Path("data"))) == before
    assert status(capsys)[1]["people"] == people[1:], "status needs no key"
    text = Path("private/privacy/first_days.json").read_text()
    assert text.count("-") == 2 * len(before), "of a photo that is gone nothing is remembered"
    assert not any(name in text for name in before)
    set_parameter(project, "max_age_days", "600")
    capsys.readouterr()
    assert run("expire", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "not_me/ana/1.jpg: older than privacy.max_age_days" in said
    assert "bea" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [('[{"name": "storage", "address": "s3://x", "since": "2026-05-01", "reason": "", "oids": []}]',
      "storage still has what was to be deleted there, since 2026-05-01"),
     ('{"storage": ["ab"]}', "storage still has"), ("nonsense", "cannot be read")],
)  # fmt: skip
def test_what_a_remote_is_owed_is_due(content: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("private/privacy").mkdir(parents=True)
    Path("private/privacy/owed.json").write_text(content)
    assert run("status") == 1
    assert said in capsys.readouterr().out
    Path("private/privacy/owed.json").write_text("[]")
    assert run("status") == 0


def test_a_forget_that_was_stopped_is_due(capsys: pytest.CaptureFixture[str]) -> None:
    Path("private/privacy").mkdir(parents=True)
    Path("private/privacy/forget.json").write_text("{}")
    assert run("status") == 1
    assert "forget --resume" in capsys.readouterr().out


# expire


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], bool]]:
    """What is handed over to be forgotten; the forgetting itself has tests of its own."""
    calls: list[tuple[list[str], bool]] = []
    module = types.ModuleType("privacy.forget.forget")

    def forget(_: Path, asked: list[str], *, yes: bool) -> int:
        calls.append((asked, yes))
        return 0

    module.forget = forget  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "privacy.forget.forget", module)
    monkeypatch.setitem(sys.modules, "privacy.forget", types.ModuleType("privacy.forget"))
    return calls


def test_expire_hands_over_what_is_past_withdrawn_or_too_old(
    project: Path, forgotten: list[tuple[list[str], bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing else: not a photo without a line, nor one whose consent is still to begin."""
    new_project(project, "not_me/bea/1.jpg", "not_me/eva/1.jpg", "not_me/old.jpg")
    dated("not_me/old.jpg", date(2020, 1, 1))
    set_parameter(project, "max_age_days", "1000")
    write(
        "me,2026-01-01,,,,", "ana/1.jpg,2026-02-01,2026-06-14,,,", "bea,2026-02-01,,2026-06-01,,", "eva,2026-07-01,,,,"
    )
    assert run("expire", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "not_me/bea/1.jpg: consent was withdrawn on 2026-06-01" in said
    assert "not_me/old.jpg: older than privacy.max_age_days" in said
    assert forgotten == []
    assert run("expire", "--yes") == 0
    assert forgotten == [(["data/not_me/ana/1.jpg", "data/not_me/bea/1.jpg", "data/not_me/old.jpg"], True)]


def test_expire_asks_first(forgotten: list[tuple[list[str], bool]], monkeypatch: pytest.MonkeyPatch) -> None:
    write("ana,2026-01-01,2026-06-01,,,")
    with pytest.raises(PrivacyError, match="nobody is there to ask: add --yes"):
        run("expire")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run("expire") == 1
    assert forgotten == []
    monkeypatch.setattr("builtins.input", lambda _: "Yes ")
    assert run("expire") == 0
    assert len(forgotten) == 1


def test_nothing_to_expire(forgotten: list[tuple[list[str], bool]], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("expire", "--yes") == 0
    assert "No photo's time is over." in capsys.readouterr().out
    assert forgotten == []
