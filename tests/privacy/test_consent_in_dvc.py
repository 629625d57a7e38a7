"""The table of consents and DVC: a change is seen, experiments work, the table is never lost or committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clone import Clone
from tests.privacy.held_support import HEADING

pytestmark = pytest.mark.timeout(600)

EXPERIMENT = ("exp", "run", "-S", "privacy.consent=require", "-S", "privacy.register=data/consent.csv")


@pytest.fixture
def mine(pristine: Clone, tmp_path: Path) -> Clone:
    """A copy of the built clone in which everybody has consented but one person, whose name comes first."""
    clone = pristine.copy(tmp_path / "clone")
    people = sorted({path.parent.name for path in clone.path("data/not_me").rglob("*.jpg")})
    write(clone, *people[1:])
    return clone


def write(clone: Clone, *people: str) -> None:
    lines = "".join(f"{name},2020-01-01,,,,\n" for name in ("me", *people))
    clone.path("data/consent.csv").write_text(HEADING + lines, encoding="utf-8")


def refused(clone: Clone) -> set[str]:
    report = clone.crop_report()
    return set(report["photo"][report["sha256"].fillna("") == ""])


@pytest.mark.slow
def test_the_table_is_not_gits(mine: Clone) -> None:
    assert mine.git("status", "--porcelain") == ""
    assert mine.would_run() == []


@pytest.mark.slow
def test_repro_sees_a_change_where_the_register_is_named(mine: Clone) -> None:
    mine.set_params(privacy__consent="require", privacy__register="data/consent.csv")
    assert mine.would_run()[0] == "crop"
    mine.repro_alone("crop")
    one = refused(mine)
    assert len(one) >= 1
    assert "crop" not in mine.would_run()
    everybody = sorted({path.parent.name for path in mine.path("data/not_me").rglob("*.jpg")})
    write(mine, *everybody[2:])
    assert "crop" in mine.would_run()
    mine.repro_alone("crop")
    assert refused(mine) > one


@pytest.mark.long
def test_without_the_register_a_change_is_not_seen_and_that_is_said(mine: Clone) -> None:
    mine.set_params(privacy__consent="require")
    done = mine.call("dvc", "repro", "--single-item", "crop")
    assert done.returncode == 0
    assert "privacy.register" in done.stdout + done.stderr
    write(mine)
    assert "crop" not in mine.would_run()


@pytest.mark.long
def test_experiments_keep_the_table(mine: Clone) -> None:
    """In the workspace it is there; in a folder of its own an experiment needs a copy, and leaves none."""
    table = mine.path("data/consent.csv").read_bytes()
    mine.dvc(*EXPERIMENT, "--name", "asked", "crop")
    assert len(refused(mine)) >= 1
    mine.git("checkout", "--quiet", ".")
    assert "data/consent.csv" in mine.failing_dvc(*EXPERIMENT, "--temp", "crop")
    mine.dvc(*EXPERIMENT, "--temp", "--copy-paths", "data/consent.csv", "--name", "aside", "crop")
    mine.dvc("exp", "apply", "aside")
    assert mine.path("data/consent.csv").read_bytes() == table
    assert list(mine.path(".dvc/tmp/exps").rglob("consent.csv")) == []
    for line in mine.git("for-each-ref", "refs/exps", "--format=%(objectname)").split():
        assert "consent.csv" not in mine.git("ls-tree", "-r", "--name-only", line).replace("consent.example.csv", "")
