"""How sure a measured error rate is: intervals that count people, not photos.

Ten photos of one stranger say less than one photo of each of ten strangers. And if cross-validation scores a photo ten
times, it is still one photo. So two intervals are computed, and the wider one is taken: an exact one (Clopper and
Pearson 1934) with as many independent trials as there are people, and a bootstrap that draws people with all their
photos (Efron 1979). If there was no error at all, the result is the rule of three (Hanley and Lippman-Hand 1983): with
0 errors among n people, the rate is below 3 / n with 95 % confidence. `python -m bench.intervals LFW` measures how
often the intervals hold the true rate.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

CONFIDENCE = 0.95
RULE_OF_THREE = 3.0
"""-ln(1 - CONFIDENCE), rounded as usual."""

_NO_BOUND = 0.9995
"""From here on a rate is shown as 100.0 %."""

_CHUNK = 200  # resamplings that are computed at once; more take more memory


@dataclass(frozen=True)
class Interval:
    """Bounds of a rate, 0 to 1, with 95 % confidence."""

    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def effective_count(groups: NDArray[np.int64]) -> float:
    """The effective number of people (Kish 1965): the number of people, or fewer if some have more rows than others.

    Args:
        groups: int64 [N], N > 0.
    """
    counts = np.unique(groups, return_counts=True)[1].astype(float)
    return float(counts.sum() ** 2 / (counts**2).sum())


def rate_interval(errors: NDArray[np.bool_], groups: NDArray[np.int64], resamplings: int, seed: int = 0) -> Interval:
    """Interval of an error rate.

    Args:
        errors: bool [N], whether a row went wrong; N > 0.
        groups: int64 [N], the person or photo of each row.
        resamplings: of the bootstrap.
        seed: of the bootstrap.
    """
    return rate_intervals(errors[:, None], groups, resamplings, seed)[0]


def rate_intervals(
    errors: NDArray[np.bool_], groups: NDArray[np.int64], resamplings: int, seed: int = 0
) -> list[Interval]:
    """The intervals of several error rates of the same rows, each as `rate_interval` has it, for little more work.

    Args:
        errors: bool [N, K], a column for each rate; N > 0.
        groups, resamplings, seed: as for `rate_interval`.
    """
    count = effective_count(groups)
    low, high = _bootstrap(errors, groups, resamplings, seed)
    exact = [exact_interval(float(rate), count) for rate in errors.mean(axis=0)]
    return [
        Interval(min(one.low, float(least)), max(one.high, float(most)))
        for one, least, most in zip(exact, low, high, strict=True)
    ]


def exact_interval(rate: float, count: float) -> Interval:
    """Clopper and Pearson's interval of a rate among `count` trials; `count` need not be a whole number."""
    tail = (1 - CONFIDENCE) / 2
    wrong, right = rate * count, (1 - rate) * count
    rule = min(RULE_OF_THREE / count, 1.0)
    low = 0.0 if wrong == 0 else 1 - rule if right == 0 else float(beta.ppf(tail, wrong, right + 1))
    high = 1.0 if right == 0 else rule if wrong == 0 else float(beta.ppf(1 - tail, wrong + 1, right))
    return Interval(low, high)


def _bootstrap(
    errors: NDArray[np.bool_], groups: NDArray[np.int64], resamplings: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """2.5 and 97.5 % quantiles of each rate when people are drawn with replacement: float64 [K] each."""
    _, member = np.unique(groups, return_inverse=True)
    rows = np.bincount(member).astype(float)
    wrong = np.zeros((len(rows), errors.shape[1]))
    np.add.at(wrong, member, errors)
    low = errors.mean(axis=0)
    high = low.copy()
    varies = ~np.isin(wrong.sum(axis=0), (0, rows.sum()))
    if not varies.any():
        return low, high
    generator = np.random.default_rng(seed)
    rates = []
    for start in range(0, resamplings, _CHUNK):
        size = min(_CHUNK, resamplings - start)
        drawn = generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=size)
        rates.append((drawn @ wrong[:, varies]) / (drawn @ rows)[:, None])
    low[varies], high[varies] = np.quantile(np.concatenate(rates), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return low, high


def is_no_bound(high: float | None) -> bool:
    """Whether the upper end of an interval, 0 to 1, says nothing, since it is 100 %; False where it is not known."""
    return high is not None and high >= _NO_BOUND


def people_needed(target: float) -> int:
    """How many strangers it takes, if none of them gets in, to promise a rate below `target`."""
    return int(np.ceil(RULE_OF_THREE / target - 1e-9))
