"""The operating point's file: it goes with its model, and what cannot be used is refused with what to do."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from faces.files import sha256_of
from faces.operating_point import DEFAULT_THRESHOLD, Basis, OperatingPoint, OperatingPointError, strangers_are

POINT = OperatingPoint(0.61, 0.01, "promised", 0.52, False, 412, 350, 300)


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    """An operating point's file and its model."""
    model, path = tmp_path / "model.joblib", tmp_path / "operating_point.json"
    model.write_bytes(b"model")
    POINT.write(tmp_path, model, {"far": 0.002})
    return path, model


def test_it_goes_with_its_model(written: tuple[Path, Path]) -> None:
    path, model = written
    assert OperatingPoint.read(path, model) == POINT
    assert '"far": 0.002' in path.read_text(encoding="utf-8")
    model.write_bytes(b"another")
    with pytest.raises(OperatingPointError, match="is of another model: run 'dvc repro'"):
        OperatingPoint.read(path, model)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no operating_point.json"), ("{", "is damaged"), ("[]", "is damaged"), ("{}", "is damaged"),
     ('{"threshold": 3, "target_far": 0.1, "supported": true, "basis": "promised", "estimated_threshold": null,'
      ' "accept_estimate": false, "people": 1, "effective_people": 1, "people_needed": 2, "model_sha256": ""}',
      "gives the threshold 3.0; expected 0 to 1"),
     ('{"threshold": 0.5, "target_far": 0.1, "supported": true, "people": 1, "effective_people": 1, "people_needed": 2,'
      ' "model_sha256": ""}', "is of an earlier version of the project: run 'dvc repro', and copy all of models/")],
)  # fmt: skip
def test_files_that_cannot_be_used(written: tuple[Path, Path], content: str | None, said: str) -> None:
    path, model = written
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(OperatingPointError, match=said):
        OperatingPoint.read(path, model)


def test_the_file_says_what_each_figure_is(written: tuple[Path, Path]) -> None:
    path, model = written
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "threshold": 0.61, "target_far": 0.01, "supported": True, "basis": "promised", "estimated_threshold": 0.52,
        "accept_estimate": False, "people": 412, "effective_people": 350, "people_needed": 300, "far": 0.002,
        "model_sha256": sha256_of(model),
    }  # fmt: skip


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_the_ends_of_the_scale_are_thresholds(written: tuple[Path, Path], threshold: float) -> None:
    path, model = written
    replace(POINT, threshold=threshold, estimated_threshold=threshold).write(path.parent, model)
    read = OperatingPoint.read(path, model)
    assert (read.threshold, read.estimated_threshold) == (threshold, threshold)


@pytest.mark.parametrize("threshold", [-0.01, 1.01, float("nan")])
@pytest.mark.parametrize("name", ["threshold", "estimated_threshold"])
def test_what_is_no_threshold_is_refused(written: tuple[Path, Path], name: str, threshold: float) -> None:
    path, model = written
    replace(POINT, **{name: threshold}).write(path.parent, model)
    with pytest.raises(OperatingPointError, match="expected 0 to 1"):
        OperatingPoint.read(path, model)


@pytest.mark.parametrize("basis", ["measured", "estimated"])
def test_only_what_is_said_to_be_promised_is_promised(written: tuple[Path, Path], basis: Basis) -> None:
    path, model = written
    replace(POINT, basis=basis).write(path.parent, model)
    assert OperatingPoint.read(path, model).supported is False
    assert json.loads(path.read_text(encoding="utf-8"))["supported"] is False


@pytest.mark.parametrize("basis", [None, True, "", "Promised", "likely"])
def test_a_basis_that_nobody_knows_is_refused(written: tuple[Path, Path], basis: object) -> None:
    path, model = written
    values = {**asdict(POINT), "basis": basis, "model_sha256": sha256_of(model)}
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(OperatingPointError, match="is damaged"):
        OperatingPoint.read(path, model)


@pytest.mark.parametrize(("accepted", "read"), [(True, True), (False, False), (1, False), ("true", False)])
def test_an_estimate_is_accepted_where_that_is_said(written: tuple[Path, Path], accepted: object, read: bool) -> None:
    path, model = written
    values = {**asdict(POINT), "accept_estimate": accepted, "model_sha256": sha256_of(model)}
    path.write_text(json.dumps(values), encoding="utf-8")
    assert OperatingPoint.read(path, model).accept_estimate is read


def test_without_a_population_nothing_is_estimated(written: tuple[Path, Path]) -> None:
    path, model = written
    replace(POINT, estimated_threshold=None).write(path.parent, model)
    assert OperatingPoint.read(path, model).estimated_threshold is None


def test_without_its_model_it_is_of_another(written: tuple[Path, Path]) -> None:
    path, model = written
    model.unlink()
    with pytest.raises(OperatingPointError, match="is of another model"):
        OperatingPoint.read(path, model)


def test_how_many_strangers_count_as_is_said_where_it_is_another_number() -> None:
    assert "count as" not in strangers_are(250, 250)
    assert "250" in strangers_are(250, 250)
    fewer = strangers_are(250, 180)
    assert re.findall(r"\d+", fewer) == ["250", "180"]
    assert "several faces" in fewer and "more photos" not in fewer, "a bystander on a photo is a reason too"


def test_what_is_served_where_nothing_is_set_is_the_contracts() -> None:
    assert DEFAULT_THRESHOLD == 0.75
