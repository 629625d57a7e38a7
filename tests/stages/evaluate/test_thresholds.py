"""What each threshold would do, and which ones are worth knowing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from stages.estimation.held_out import HeldOutScores
from stages.estimation.rates import error_rates, rates_with_intervals
from stages.evaluate import thresholds
from stages.params import load_params
from tests.stages.support import ROOT

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
SCORES = np.array([0.1, 0.2, 0.4, 0.7, 0.3, 0.6, 0.7, 0.8, 0.9])


def table_of(f1: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"threshold": np.linspace(0, 1, len(f1)), "f1": f1})


def test_the_table_goes_evenly_from_0_to_1() -> None:
    table = thresholds.threshold_table(HeldOutScores(np.arange(9), LABELS, SCORES, np.arange(9)), 11, 50)
    assert list(table["threshold"]) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert (np.diff(table["far"]) <= 0).all()
    assert (np.diff(table["frr"]) >= 0).all()
    assert table["f1"].iloc[5] == pytest.approx(0.8)


def test_the_table_has_the_intervals_of_the_report() -> None:
    """Three photos of one stranger and one of each of three others; each photo of me is scored in two rounds."""
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    scores = np.array([0.9, 0.55, 0.2, 0.4, 0.1, 0.3, 0.8, 0.7, 0.35, 0.6, 0.65, 0.95])
    groups = np.array([0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5, 6])
    held_out = HeldOutScores(np.arange(12), labels, scores, groups)
    table = thresholds.threshold_table(held_out, 21, 300)
    for row in table.to_dict("records"):
        expected = rates_with_intervals(held_out, row["threshold"], 300)
        for name in ("far", "frr"):
            assert row[name] == expected[name]
            assert [row[f"{name}_low"], row[f"{name}_high"]] == pytest.approx(
                list(expected[f"{name}_interval"].values())
            )
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
    assert table["far_high"].iloc[-1] > 0.5, "nobody got in, and it is not certain that nobody will"


@pytest.mark.parametrize(
    ("f1", "best"),
    [
        ([0, 0.5, 1, 1, 1, 1, 1, 0.5, 0.2, 0.1, 0], 0.4),  # the middle of a plateau
        ([1, 1, 1, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0, 0], 0.1),  # at the start
        ([0, 0, 0, 0, 0, 0.1, 0.2, 0.5, 1, 1, 1], 0.9),  # at the end
        ([0, 0.1, 0.2, 0.9, 0.2, 0.1, 0, 0, 0, 0, 0], 0.3),  # one point
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 1.0),  # the last one
        ([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.0),  # the first one
        ([0.5] * 11, 0.5),  # everywhere
        ([0, 0.8, 0.1, 0, 0, 0.8, 0.8, 0.8, 0, 0, 0], 0.1),  # the first of several
        ([0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0], 0.2),  # an even number: the lower of the two in the middle
        ([0, 0, 1 - 1e-15, 1, 1 - 1e-15, 0, 0, 0, 0, 0, 0], 0.3),  # equal but for rounding
    ],
)
def test_the_best_threshold_is_the_middle_of_the_best(f1: list[float], best: float) -> None:
    assert thresholds.best_threshold(table_of(f1), "f1") == pytest.approx(best)


@pytest.mark.parametrize(
    ("labels", "scores", "eer"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], 0.0),
        ([0, 0, 0, 0, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.25, 0.7, 0.9, 0.95], 0.25),
        ([0, 0, 1, 1], [0.8, 0.9, 0.1, 0.2], 1.0),
        ([0, 0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.4, 0.5, 0.9], (1 / 4 + 1 / 3) / 2),  # between the two
    ],
)
def test_equal_error_rate_by_hand(labels: list[int], scores: list[float], eer: float) -> None:
    found = thresholds.equal_error_rate(np.array(labels), np.array(scores))
    assert found["eer"] == pytest.approx(eer)
    rates = error_rates(np.array(labels), np.array(scores), found["threshold"])
    assert (rates["far"] + rates["frr"]) / 2 == pytest.approx(eer)
    assert 0 <= found["threshold"] <= 1


def test_where_no_threshold_is_better_than_refusing_all_it_is_1() -> None:
    """scikit-learn's is infinite there, which nobody can set."""
    found = thresholds.equal_error_rate(np.array([0, 0, 1]), np.array([0.9, 0.9, 0.1]))
    assert found == {"threshold": pytest.approx(0.9), "eer": pytest.approx(1.0)}
    alike = thresholds.equal_error_rate(np.array([0, 1]), np.array([0.5, 0.5]))
    assert alike["threshold"] == 1.0
    assert alike["eer"] == pytest.approx(0.5)


def test_each_threshold_worth_knowing_stands_under_its_own_name() -> None:
    """Four thresholds, no two of them alike, and figures that differ."""
    generator = np.random.default_rng(0)
    labels = np.array([0] * 200 + [1] * 40)
    scores = np.concatenate([generator.beta(2, 5, 200), generator.beta(4, 3, 40)])
    chooser = HeldOutScores(np.arange(240), labels, scores, np.arange(240))
    params = replace(load_params(ROOT / "params.yaml").evaluate, threshold=0.75, bootstrap=150)
    table = thresholds.threshold_table(chooser, 101, 50)
    analysis = thresholds.analyse_thresholds(chooser, table, params, 0.9, lambda threshold: threshold / 100)
    best = thresholds.best_threshold(table, "f1")
    equal = thresholds.equal_error_rate(labels, scores)
    assert best != pytest.approx(thresholds.best_threshold(table, "accuracy"), abs=0.02)
    assert len({0.75, best, round(equal["threshold"], 2), 0.9}) == 4
    wanted = {
        "at_default": 0.75, "at_optimal_f1": best, "at_equal_error_rate": equal["threshold"], "at_target_far": 0.9,
    }  # fmt: skip
    assert analysis == {
        "optimal_threshold_f1": best,
        "equal_error_rate": equal,
        **{
            name: {**rates_with_intervals(chooser, threshold, 150), "far_estimated": threshold / 100}
            for name, threshold in wanted.items()
        },
    }


def test_of_me_alone_only_what_needs_nobody_else_is_known() -> None:
    """Two of four photos are refused at 0.75."""
    chooser = HeldOutScores(np.arange(4), np.ones(4, int), np.array([0.5, 0.6, 0.8, 0.9]), np.arange(4))
    params = replace(load_params(ROOT / "params.yaml").evaluate, threshold=0.75, bootstrap=150)
    table = thresholds.threshold_table(chooser, 5, 50)
    assert list(table["frr"]) == pytest.approx([0, 0, 0, 0.5, 1])
    unknown = ["far", "far_low", "far_high", "precision", "f1", "accuracy"]
    assert table[unknown].isna().all(axis=None)
    analysis = thresholds.analyse_thresholds(chooser, table, params, 0.7, lambda _: 0.01)
    assert np.isnan(analysis["optimal_threshold_f1"]) and np.isnan(analysis["equal_error_rate"]["threshold"])
    assert analysis["at_optimal_f1"] is analysis["at_equal_error_rate"] is None
    at = analysis["at_target_far"]
    assert (at["frr"], at["recall"], at["far_estimated"]) == (0.5, 0.5, 0.01)
    assert np.isnan(at["far"]) and np.isnan(at["far_interval"]["high"])
