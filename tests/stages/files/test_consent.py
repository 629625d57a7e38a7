"""The table of consents: what counts for a photo, on which day, and every mistake named with its line."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from stages.errors import StageError
from stages.files.consent import COLUMNS, Register, as_path, parse_register, parts_of, read_register
from tests.stages.support import ROOT

HEADING = "who,given,until,withdrawn,how,contact_sha256\n"
DAY = date(2026, 6, 15)
PATH = Path("data/consent.csv")


def parsed(*lines: str) -> Register:
    return parse_register(HEADING + "".join(f"{line}\n" for line in lines), PATH)


def problems(text: str) -> str:
    with pytest.raises(StageError) as caught:
        parse_register(text, PATH)
    return str(caught.value)


@pytest.mark.parametrize(
    ("who", "path"),
    [("me", "me"), (" me ", "me"), ("me/1.jpg", "me/1.jpg"), ("ana", "not_me/ana"), ("not_me/ana/", "not_me/ana"),
     ("data/not_me/ana/1.jpg", "not_me/ana/1.jpg"), (r"not_me\ana\1.jpg", "not_me/ana/1.jpg"),
     ("ana/1.jpg", "not_me/ana/1.jpg"), ("jose\u0301", "not_me/jos\u00e9"), ("./data/me", "me"),
     ("not_me/me", "not_me/me"), ("Me", "not_me/Me")],
)  # fmt: skip
def test_a_person_is_named_in_any_of_the_usual_ways(who: str, path: str) -> None:
    assert as_path(who) == path


def test_the_folder_of_all_others_is_nobodys_name() -> None:
    assert parts_of("not_me/ana/trip/1.jpg") == ["not_me/ana", "not_me/ana/trip", "not_me/ana/trip/1.jpg"]
    assert parts_of("me/1.jpg") == ["me", "me/1.jpg"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [("ana,2026-01-01,,,,", None), ("ana,2026-01-01,2026-06-15,,,", None),
     ("ana,2026-01-01,2026-06-14,,,", "consent ended on 2026-06-14"), ("ana,2026-06-15,,,,", None),
     ("ana,2026-06-16,,,,", "consent begins only on 2026-06-16"),
     ("ana,2026-01-01,,2026-06-15,,", "consent was withdrawn on 2026-06-15"), ("ana,2026-01-01,,2026-06-16,,", None),
     ("bea,2026-01-01,,,,", "no consent: data/consent.csv has no line for it")],
)  # fmt: skip
def test_the_day_decides(line: str, reason: str | None) -> None:
    """The last day still counts, and so does the first; on the day of a withdrawal nothing is used any more."""
    found = parsed(line).why_not("not_me/ana/1.jpg", DAY)
    assert found is None if reason is None else found is not None and found.replace("\\", "/") == reason


def test_the_nearest_line_counts_but_a_withdrawal_counts_for_all_below() -> None:
    near = parsed("ana,2020-01-01,2021-01-01,,,", "ana/1.jpg,2026-01-01,,,,")
    assert near.why_not("not_me/ana/1.jpg", DAY) is None
    assert near.why_not("not_me/ana/2.jpg", DAY) == "consent ended on 2021-01-01"
    withdrawn = parsed("ana,2020-01-01,,2026-02-01,,", "ana/1.jpg,2026-01-01,,,,", "ana/2.jpg,2026-01-01,,2025-02-01,,")
    assert withdrawn.why_not("not_me/ana/1.jpg", DAY) == "consent was withdrawn on 2026-02-01"
    assert withdrawn.why_not("not_me/ana/2.jpg", DAY) == "consent was withdrawn on 2025-02-01"


def test_letters_may_be_composed_or_not() -> None:
    assert parsed("jos\u00e9,2026-01-01,,,,").why_not("not_me/jose\u0301/1.jpg", DAY) is None


def test_lines_about_nobody_are_known() -> None:
    register = parsed("ana,2026-01-01,,,,", "anna,2026-01-01,,,,", "me/2.jpg,2026-01-01,,,,", "me,2026-01-01,,,,")
    idle = register.of_nobody(["not_me/ana/1.jpg", "me/1.jpg"])
    assert [(consent.who, consent.line) for consent in idle] == [("not_me/anna", 3), ("me/2.jpg", 4)]


SPREADSHEET = (
    "\ufeffWho;given;until;withdrawn;how;contact_sha256;;\r\n"
    "# a remark; of mine;;;;;;\r\n"
    'ana;2026-01-01;;;"signed; on paper";;;\r\n'
    ";;;;;;;\r\n\r\n"
    "me;2026-01-01;2027-01-01;;;;;\r\n"
)


def test_a_table_that_a_spanish_spreadsheet_has_saved(tmp_path: Path) -> None:
    (tmp_path / "consent.csv").write_bytes(SPREADSHEET.encode())
    register = read_register(tmp_path / "consent.csv")
    assert list(register.consents) == ["not_me/ana", "me"]
    assert register.consents["not_me/ana"].how == "signed; on paper"
    assert (register.consents["not_me/ana"].line, register.consents["me"].line) == (3, 6)
    assert register.consents["me"].until == date(2027, 1, 1)


def test_the_example_is_a_table_without_lines() -> None:
    path = ROOT / "privacy/consent.example.csv"
    assert read_register(path).consents == {}
    with path.open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS


@pytest.mark.parametrize(
    ("line", "problem"),
    [(",2026-01-01,,,,", "line 3: who is ''; expected me, a sub-folder of not_me"),
     ("not_me,2026-01-01,,,,", "line 3: who is 'not_me'"), ("../x,2026-01-01,,,,", "line 3: who is '../x'"),
     ("bea,,,,,", "line 3: given is empty"), ("bea,01/02/2026,,,,", "line 3: given is '01/02/2026'; expected year-"),
     ("bea,2026-1-1,,,,", "line 3: given is '2026-1-1'"), ("bea,2026-02-30,,,,", "line 3: given is '2026-02-30'"),
     ("bea,20260101,,,,", "line 3: given is '20260101'"), ("bea,2026-01-01,soon,,,", "line 3: until is 'soon'"),
     ("bea,2026-01-01,2025-12-31,,,", "line 3: until, 2025-12-31, is before given, 2026-01-01"),
     ("bea,2026-01-01,,yes,,", "line 3: withdrawn is 'yes'"),
     ("not_me/ana,2026-01-01,,,,", "line 3: not_me/ana stands in line 2 already"),
     ("bea,2026-01-01,,,,,x", "line 3: it has more values than there are columns")],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(line: str, problem: str) -> None:
    said = problems(f"{HEADING}ana,2026-01-01,,,,\n{line}\n")
    assert said.replace("\\", "/").startswith(f"data/consent.csv, {problem}")
    assert len(said.splitlines()) == 1


def test_an_address_in_the_column_of_hashes_is_refused_and_not_repeated() -> None:
    said = problems(f"{HEADING}ana,2026-01-01,,,,ana@example.org\n")
    assert "line 2: contact_sha256 is no hash" in said
    assert "example.org" not in said
    assert parsed(f"ana,2026-01-01,,,,{'AB' * 32}").consents["not_me/ana"].contact == "ab" * 32


def test_all_mistakes_are_named_as_far_as_one_can_read_them() -> None:
    said = problems(HEADING + "".join(f"p{number},never,,,,\n" for number in range(25)))
    assert "line 2:" in said and "line 21:" in said and "line 22:" not in said
    assert said.endswith("… and 5 more")


@pytest.mark.parametrize(
    "heading",
    ["who,given\n", "who,given,untill\n", "who,given,until,who\n", "who,given,until,note\n", "ana,2026-01-01,\n"],
)
def test_a_heading_that_is_wrong(heading: str) -> None:
    """Above all one with a typo: without `until`, a consent would never end."""
    assert "has the columns" in problems(heading + "ana,2026-01-01,\n")


def test_columns_may_stand_in_another_order_and_some_may_lack() -> None:
    register = parse_register("until,who,given\n2026-12-31,ana,2026-01-01\n", PATH)
    assert register.consents["not_me/ana"].until == date(2026, 12, 31)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "consent.csv"
    for content, said in (
        (b"", "is empty"), (b"# nothing\n", "is empty"), (HEADING.encode() + b'ana,"2026', "is no table"),
        (HEADING.encode() + "josé,2026-01-01,,,,\n".encode("cp1252"), "is not saved as UTF-8"),
    ):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(StageError, match=said):
            read_register(path)
    path.unlink()
    with pytest.raises(StageError, match=r"there is no .*python -m privacy consent add"):
        read_register(path)
