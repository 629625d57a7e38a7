"""The sums that turn an embedding into a score."""

from __future__ import annotations

import warnings

import numpy as np

from faces import scoring


def test_probability_has_no_overflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scoring.probability(np.array([-1e4, -800.0, 0.0, 800.0, 1e4])).tolist() == [0, 0, 0.5, 1, 1]
    odds = np.linspace(-30, 30, 1001)
    np.testing.assert_allclose(scoring.probability(odds), 1 / (1 + np.exp(-odds)), rtol=1e-15, atol=0)
    assert (np.diff(scoring.probability(odds)) >= 0).all()
