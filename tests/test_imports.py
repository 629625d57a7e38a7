"""Which part of the project imports which: what docs/architecture.md promises beside the stages' own rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.stages.test_dependencies import imports_of

PARTS = ("asking", "enrolment", "faces", "history", "privacy", "service", "stages", "tour")
MAY = {
    "faces": {"faces"},
    "service": {"faces", "service"},
    "stages": {"faces", "stages"},
    "asking": {"asking", "faces", "service", "stages"},
    "enrolment": {"enrolment", "faces", "privacy", "service", "stages", "tour"},
}
HANDS_OVER = {ROOT / "faces" / "__main__.py": "asking", ROOT / "service" / "__main__.py": "enrolment"}


def parts_imported(file: Path) -> set[str]:
    return {module.partition(".")[0] for module in imports_of(file)} & set(PARTS)


@pytest.mark.parametrize("part", MAY)
def test_a_part_imports_no_other_than_it_may(part: str) -> None:
    files = [file for file in (ROOT / part).rglob("*.py") if file not in HANDS_OVER]
    assert len(files) > 5
    wrong = {file.relative_to(ROOT).as_posix(): parts_imported(file) - MAY[part] for file in files}
    assert {file: others for file, others in wrong.items() if others} == {}


@pytest.mark.parametrize("file", HANDS_OVER, ids=lambda file: file.parent.name)
def test_a_file_that_does_hands_over_and_is_imported_by_nobody(file: Path) -> None:
    part = file.parent.name
    assert parts_imported(file) - MAY[part] == {HANDS_OVER[file]}
    importing = [
        other for name in PARTS for other in (ROOT / name).rglob("*.py") if f"{part}.__main__" in set(imports_of(other))
    ]
    assert importing == []
