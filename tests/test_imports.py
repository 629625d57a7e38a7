"""Which part of the project imports which: what docs/architecture.md promises beside the stages' own rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.stages.test_dependencies import imports_of

PARTS = ("asking", "faces", "history", "privacy", "service", "stages", "tour")
MAY = {
    "faces": {"faces"},
    "service": {"faces", "service"},
    "stages": {"faces", "stages"},
    "asking": {"asking", "faces", "service", "stages"},
}
HANDS_OVER = ROOT / "faces" / "__main__.py"


def parts_imported(file: Path) -> set[str]:
    return {module.partition(".")[0] for module in imports_of(file)} & set(PARTS)


@pytest.mark.parametrize("part", MAY)
def test_a_part_imports_no_other_than_it_may(part: str) -> None:
    files = [file for file in (ROOT / part).rglob("*.py") if file != HANDS_OVER]
    assert len(files) > 5
    wrong = {file.relative_to(ROOT).as_posix(): parts_imported(file) - MAY[part] for file in files}
    assert {file: others for file, others in wrong.items() if others} == {}


def test_the_one_file_of_faces_that_does_is_imported_by_nobody() -> None:
    assert parts_imported(HANDS_OVER) == {"asking", "faces"}
    importing = [
        file for part in PARTS for file in (ROOT / part).rglob("*.py") if "faces.__main__" in set(imports_of(file))
    ]
    assert importing == []
