"""Whatever is done to a log without its secret is found, or has done no harm."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as configured
from hypothesis import strategies as st

from service.audit import Audit, AuditError, AuditSettings
from service.audit.chain import Key, read_head, seal
from service.audit.walk import MOST_FINDINGS, Walk
from tests.service.audit.support import findings, kinds, lines, records, segment, settings_in, walk, write

pytestmark = pytest.mark.security


@pytest.fixture
def log(tmp_path: Path) -> AuditSettings:
    """Three segments; the first has records 1 (its header) to 6."""
    settings = settings_in(tmp_path, max_bytes=1500)
    write(settings, 12)
    assert [len(lines(settings, index)) for index in (1, 2, 3)] == [6, 6, 3]
    assert kinds(settings) == []
    return settings


def put(settings: AuditSettings, changed: list[bytes], index: int = 1) -> None:
    segment(settings, index).write_bytes(b"".join(changed))


def other(digit: bytes) -> bytes:
    """Another hexadecimal digit."""
    return b"1" if digit == b"0" else b"0"


OTHER_KEY = Key.derive(b"another")
Change = Callable[[list[bytes]], list[bytes]]
CHANGES: dict[str, tuple[Change, str, int]] = {
    "a value": (lambda own: [*own[:2], own[2].replace(b"0.9", b"0.8"), *own[3:]], "changed", 3),
    "a space": (lambda own: [*own[:2], own[2].replace(b":", b": ", 1), *own[3:]], "changed", 3),
    "its HMAC": (lambda own: [*own[:2], own[2][:-9] + other(own[2][-9:-8]) + own[2][-8:], *own[3:]], "changed", 3),
    "removed": (lambda own: [*own[:2], *own[3:]], "missing", 3),
    "removed, several": (lambda own: [*own[:2], *own[4:]], "missing", 3),
    "removed at the end": (lambda own: own[:-1], "missing", 6),
    "swapped": (lambda own: [own[0], own[2], own[1], *own[3:]], "missing", 2),
    "repeated": (lambda own: [*own[:3], own[1], *own[3:]], "order", 2),
    "put in": (
        lambda own: [*own[:3], seal(OTHER_KEY, bytes(32), {"number": 4, "time": "", "act": "x"})[0], *own[3:]],
        "changed", 4,
    ),
    "no record": (lambda own: [*own[:3], b"nonsense\n", *own[4:]], "damaged", 4),
    "no newline": (lambda own: [*own[:2], own[2][:-1], *own[3:]], "changed", 3),
    "a header": (lambda own: [own[0].replace(b"20", b"21", 1), *own[1:]], "changed", 1),
    "a header removed": (lambda own: own[1:], "foreign", 0),
    "all of it": (lambda _: [], "missing", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_and_its_place_is_told(log: AuditSettings, name: str) -> None:
    change, kind, number = CHANGES[name]
    put(log, change(lines(log)))
    found = findings(log)
    assert found, name
    assert (found[0].kind, found[0].first or 0) == (kind, number), found
    assert segment(log).name in found[0].text or segment(log, 2).name in found[0].text
    assert len(found) <= 2, found


def test_one_changed_record_is_one_finding(log: AuditSettings) -> None:
    put(log, [*lines(log)[:2], lines(log)[2].replace(b"0.9", b"0.8"), *lines(log)[3:]])
    (finding,) = findings(log)
    assert finding.text == "audit-000001.jsonl: line 3, record 3, was changed or put in"
    assert walk(log).count == 14


@pytest.mark.parametrize("cut", [1, 2])
def test_records_cut_off_at_the_end_are_found(log: AuditSettings, cut: int) -> None:
    put(log, lines(log, 3)[:-cut], 3)
    (finding,) = findings(log)
    assert (finding.kind, finding.first, finding.last) == ("cut off", 16 - cut, 15)


def test_a_last_file_that_is_removed_is_found(log: AuditSettings) -> None:
    segment(log, 3).unlink()
    (finding,) = findings(log)
    assert (finding.kind, finding.first, finding.last) == ("cut off", 13, 15)


def test_a_file_that_is_removed_is_found(log: AuditSettings) -> None:
    segment(log, 2).unlink()
    (finding,) = findings(log)
    assert (finding.kind, finding.first, finding.last) == ("missing", 7, 12)
    assert "between it and audit-000001.jsonl files are gone" in finding.text


def test_a_first_file_that_is_removed_is_no_retention(log: AuditSettings) -> None:
    segment(log, 1).unlink()
    (finding,) = findings(log)
    assert (finding.kind, finding.first, finding.last) == ("missing", 1, 6)


def test_swapped_files_are_found(log: AuditSettings) -> None:
    one, other = lines(log, 1), lines(log, 2)
    put(log, other, 1)
    put(log, one, 2)
    assert kinds(log)[:2] == ["misnamed", "misnamed"]


@pytest.mark.parametrize("secret", ["", "another secret, of 32 characters or more"])
def test_a_file_of_another_log_is_found(log: AuditSettings, tmp_path: Path, secret: str) -> None:
    other = settings_in(tmp_path / "other", max_bytes=1500, **({"key": secret} if secret else {}))
    write(other, 12)
    shutil.copy(segment(other, 2), segment(log, 2))
    found = findings(log)
    assert [finding.kind for finding in found] == ["foreign", "missing"]
    assert (found[1].first, found[1].last) == (7, 12)


def test_records_past_the_end_are_found(log: AuditSettings) -> None:
    with segment(log, 3).open("ab") as file:
        file.write(lines(log, 1)[2])
    (finding,) = findings(log)
    assert (finding.kind, finding.file) == ("inserted", segment(log, 3).name)


def test_a_file_past_the_end_is_found(log: AuditSettings) -> None:
    shutil.copy(segment(log, 1), segment(log, 5))
    (finding,) = findings(log)
    assert (finding.kind, finding.file) == ("inserted", "audit-000005.jsonl")


def test_a_head_that_is_missing_or_damaged_is_found(log: AuditSettings) -> None:
    data = log.head.read_bytes()
    log.head.write_bytes(bytes(len(data)))
    assert kinds(log) == ["head"]
    log.head.unlink()
    assert kinds(log) == ["head"]
    with pytest.raises(AuditError, match="no head"):
        Audit.open(log)


def test_cutting_the_last_record_off_in_the_head_too_is_found(log: AuditSettings) -> None:
    """The head has the record before as well, as its writer had it."""
    slots = [log.head.read_bytes()[:512], log.head.read_bytes()[512:]]
    newer = max((0, 1), key=lambda place: b'"number":15' in slots[place])
    for replacement in (bytes(512), b" " * 511 + b"\n", slots[1 - newer]):
        own = list(slots)
        own[newer] = replacement
        log.head.write_bytes(b"".join(own))
        put(log, lines(log, 3)[:2], 3)
        assert kinds(log) == ["head"]


def test_the_head_of_another_log_is_found(log: AuditSettings, tmp_path: Path) -> None:
    other = settings_in(tmp_path / "other")
    write(other, 1)
    shutil.copy(other.head, log.head)
    assert "foreign" in kinds(log)


def test_the_head_of_another_log_stops_a_writer(log: AuditSettings, tmp_path: Path) -> None:
    other = settings_in(tmp_path / "other", max_bytes=1500)
    write(other, 12)
    audit = Audit.open(log)
    shutil.copy(other.head, log.head)
    with pytest.raises(AuditError, match="another audit log"):
        audit.record("x")
    audit.close()


def test_nothing_is_written_into_another_log(log: AuditSettings, tmp_path: Path) -> None:
    """As when AUDIT_PATH and AUDIT_HEAD_PATH are of two logs."""
    other = settings_in(tmp_path / "other", max_bytes=1500)
    write(other, 13)
    before = {path: path.read_bytes() for path in other.folder.iterdir()}
    with pytest.raises(AuditError, match="belongs to another audit log"):
        Audit.open(replace(log, folder=other.folder))
    assert {path: path.read_bytes() for path in other.folder.iterdir()} == before


def test_a_whole_log_that_is_replaced_by_an_older_one_is_found_with_a_copy_of_the_head(log: AuditSettings) -> None:
    old = log.folder.parent / "old"
    shutil.copytree(log.folder, old / "audit")
    shutil.copy(log.head, old / "head.jsonl")
    write(log, 3)
    copy = log.head.read_bytes()
    shutil.rmtree(log.folder)
    shutil.copytree(old / "audit", log.folder)
    shutil.copy(old / "head.jsonl", log.head)
    assert kinds(log) == []  # nothing in it is wrong
    found = read_head(log.load_key(), copy)
    assert found
    kept = Walk(log, log.load_key(), {found[0].number: found[0].record_mac}).run()
    assert [finding.kind for finding in kept.findings] == ["head"]


def test_a_file_of_empty_lines_does_not_fill_the_memory(log: AuditSettings) -> None:
    segment(log, 1).write_bytes(lines(log)[0] + b"\n" * 20_000)
    assert len(findings(log)) == MOST_FINDINGS


def test_another_secret_is_told_from_a_change(log: AuditSettings) -> None:
    wrong = replace(log, key="another secret, of 32 characters or more")
    with pytest.raises(AuditError, match="not the one that the audit log"):
        walk(wrong)
    with pytest.raises(AuditError, match="not the one that the audit log"):
        Audit.open(wrong)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditSettings, list[dict[str, object]]]:
    settings = settings_in(tmp_path_factory.mktemp("log"), max_bytes=1500)
    write(settings, 12)
    return settings, records(settings)


@configured(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_bytes_is_found_or_harmless(
    built: tuple[AuditSettings, list[dict[str, object]]], data: st.DataObject
) -> None:
    """Harmless: nothing is told as proven that was not written."""
    settings, written = built
    path = segment(settings, data.draw(st.sampled_from([1, 2, 3])))
    own = path.read_bytes()
    start = data.draw(st.integers(0, len(own) - 1))
    length = data.draw(st.sampled_from([0, 1, 1, 1, 2, 50, 400]))
    put_in = data.draw(st.binary(max_size=3) | st.sampled_from([b"\n", own[start : start + 1].swapcase(), own[:400]]))
    changed = own[:start] + put_in + own[start + length :]
    try:
        path.write_bytes(changed)
        proven = records(settings)
        assert all(record in written for record in proven)
        assert findings(settings) or changed == own
    finally:
        path.write_bytes(own)


@configured(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_the_head_is_found(
    built: tuple[AuditSettings, list[dict[str, object]]], data: st.DataObject
) -> None:
    settings, _ = built
    own = settings.head.read_bytes()
    at = data.draw(st.integers(0, len(own) - 1))
    changed = own[:at] + bytes([own[at] ^ data.draw(st.integers(1, 255))]) + own[at + 1 :]
    try:
        settings.head.write_bytes(changed)
        with contextlib.suppress(AuditError):  # it names another secret
            assert findings(settings)
    finally:
        settings.head.write_bytes(own)
