"""The threshold to serve with: no more strangers than asked for, and no promise without people enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faces.operating_point import OperatingPoint, OperatingPointError
from stages.estimation.intervals import rate_interval
from stages.evaluate.operating_point import choose

RESAMPLINGS = 100


def test_it_is_the_lowest_that_lets_few_enough_in() -> None:
    scores = np.linspace(0, 0.999, 1000)
    for target, passing in ((0.01, 10), (0.1, 100), (0.0005, 0)):
        point = choose(scores, np.arange(1000), target, RESAMPLINGS)
        if not point.supported:
            assert int((scores >= point.threshold).sum()) == passing
            assert int((scores >= point.threshold - 0.002).sum()) > passing
        assert (point.people, point.target_far) == (1000, target)


def test_a_promise_takes_a_stricter_threshold_than_a_measurement() -> None:
    scores = np.random.default_rng(0).random(10_000)
    point = choose(scores, np.arange(10_000), 0.01, RESAMPLINGS)
    assert point.supported
    assert 0.005 < (scores >= point.threshold).mean() < 0.009
    fewer = choose(scores[:200], np.arange(200), 0.01, RESAMPLINGS)
    assert not fewer.supported
    assert fewer.people_needed == 300


@pytest.mark.parametrize("seed", range(3))
def test_what_is_promised_is_kept(seed: int) -> None:
    """Of many data sets, at most one in twenty gets a threshold that lets more strangers in than the target."""
    generator = np.random.default_rng(seed)
    broken = 0
    for _ in range(200):
        point = choose(
            generator.random(400), np.arange(400), 0.01, RESAMPLINGS
        )  # the true FAR of a threshold is 1 - threshold
        assert point.supported
        broken += 1 - point.threshold > 0.01
    assert broken <= 18  # 10 expected at most; 18 has a probability below 1 %


def test_one_person_with_many_photos_is_not_many_people() -> None:
    scores = np.random.default_rng(0).random(5000)
    assert choose(scores, np.arange(5000), 0.001, RESAMPLINGS).supported
    assert not choose(scores, np.arange(5000) % 100, 0.001, RESAMPLINGS).supported


def test_scores_at_the_end_of_the_scale() -> None:
    assert choose(np.array([1.0, 1.0, 0.2]), np.arange(3), 0.001, RESAMPLINGS).threshold == 1.0
    assert choose(np.zeros(5), np.arange(5), 0.001, RESAMPLINGS).threshold == pytest.approx(1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("target", "people"), [(0.05, 100), (0.02, 400)])
def test_a_promise_is_what_the_interval_says_and_no_stricter(seed: int, target: float, people: int) -> None:
    """Whoever looks the threshold up in a report finds an interval that ends at the target or below."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, people, 3 * people)  # some have many photos, others few
    scores = generator.beta(1, 1 + generator.random(people)[groups] * 20)
    point = choose(scores, groups, target, RESAMPLINGS)
    assert point.effective_people < point.people
    assert point.supported == (point.effective_people >= 3 / target)
    if point.supported:
        assert rate_interval(scores >= point.threshold, groups, RESAMPLINGS).high <= target
        one_more = scores >= scores[scores < point.threshold].max()
        assert rate_interval(one_more, groups, RESAMPLINGS).high > target


def test_nothing_is_promised_where_a_stranger_has_the_highest_score_there_is() -> None:
    point = choose(np.array([1.0] + [0.1] * 99), np.arange(100), 0.03, RESAMPLINGS)
    assert not point.supported
    assert choose(np.array([0.9] + [0.1] * 99), np.arange(100), 0.03, RESAMPLINGS).supported


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    """An operating point's file and its model."""
    model, path = tmp_path / "model.joblib", tmp_path / "operating_point.json"
    model.write_bytes(b"model")
    OperatingPoint(0.61, 0.01, True, 412, 350, 300).write(path, model, far=0.002)
    return path, model


def test_it_goes_with_its_model(written: tuple[Path, Path]) -> None:
    path, model = written
    assert OperatingPoint.read(path, model) == OperatingPoint(0.61, 0.01, True, 412, 350, 300)
    assert '"far": 0.002' in path.read_text(encoding="utf-8")
    model.write_bytes(b"another")
    with pytest.raises(OperatingPointError, match="is of another model: run 'dvc repro'"):
        OperatingPoint.read(path, model)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no operating_point.json"), ("{", "is damaged"), ("[]", "is damaged"), ("{}", "is damaged"),
     ('{"threshold": 3, "target_far": 0.1, "supported": true, "people": 1, "effective_people": 1, "people_needed": 2,'
      ' "model_sha256": ""}', "gives the threshold 3.0; expected 0 to 1")],
)  # fmt: skip
def test_files_that_cannot_be_used(written: tuple[Path, Path], content: str | None, said: str) -> None:
    path, model = written
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(OperatingPointError, match=said):
        OperatingPoint.read(path, model)
