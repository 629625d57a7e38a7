"""How strangers are spread: the sums against a computation by other means, and the file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_ndtr

from faces.fit_population import fit_mixture, fit_population
from faces.population import (
    Mixture,
    Population,
    PopulationError,
    far_of,
    likeness,
    log_sum_exp,
    log_tail,
    log_upper_tail,
)
from tests.faces.populations import RECIPE, people


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return fit_mixture(np.concatenate(people(600)))


@pytest.fixture(scope="module")
def population() -> Population:
    made = people(400, seed=1) + people(60, photos=8, seed=2)
    return fit_population({f"person {number}": own for number, own in enumerate(made)}, RECIPE, "nobody")


def test_tails_are_those_of_scipy_however_far_out() -> None:
    values = np.concatenate([np.linspace(-8, 29.9, 200), np.linspace(30, 60, 50), [29.999999, 30.000001, 500.0]])
    assert log_upper_tail(values) == pytest.approx(log_ndtr(-values), rel=1e-9, abs=1e-15)


def test_sums_of_exponentials_do_not_overflow() -> None:
    assert log_sum_exp(np.array([[-1000.0, -1000.0], [1000.0, 0.0]])) == pytest.approx([-1000 + np.log(2), 1000])


def test_the_share_of_strangers_is_that_of_a_drawn_crowd(mixture: Mixture) -> None:
    """The mixture's own strangers, 200,000 of them, counted."""
    random = np.random.default_rng(3)
    count = 200_000
    kind = random.choice(len(mixture.weights), count, p=mixture.weights)
    inside = np.empty((count, mixture.basis.shape[1]))
    for number, (centre, covariance) in enumerate(zip(mixture.centres, mixture.covariances, strict=True)):
        own = kind == number
        inside[own] = random.multivariate_normal(centre, covariance, own.sum())
    rest = random.multivariate_normal(np.zeros(len(mixture.mean)), mixture.residual, count)
    crowd = mixture.mean + inside @ mixture.basis.T + rest
    for template in np.concatenate(people(3, seed=11)):
        for share in (0.2, 0.01, 0.001):
            cosine = np.quantile(crowd @ template, 1 - share)
            estimated = np.exp(log_tail(mixture.spread(template[None]), np.array([cosine]), np.log(mixture.weights)))
            assert estimated[0] == pytest.approx(share, abs=5 * np.sqrt(share / count))


def test_a_likeness_rises_with_the_cosine_and_falls_with_how_common_a_face_is(mixture: Mixture) -> None:
    log_weights, probes = np.log(mixture.weights), np.concatenate(people(5, seed=4))
    of_probes = mixture.spread(probes)
    template = mixture.spread(np.concatenate(people(1, seed=5)))
    low, high = (likeness(template, of_probes, np.full(5, cosine), log_weights) for cosine in (0.7, 0.9))
    assert (high > low).all()
    common = mixture.spread((mixture.mean / np.linalg.norm(mixture.mean))[None])
    assert (likeness(common, of_probes, np.full(5, 0.9), log_weights) < high).all()
    assert (likeness(template, common, np.array([0.9]), log_weights) < high).all(), "the probe's side counts, too"


def test_weights_follow_own_strangers(mixture: Mixture) -> None:
    assert np.exp(mixture.adapted(np.empty((0, len(mixture.mean))))) == pytest.approx(mixture.weights)
    of_one_kind = np.concatenate(people(200, seed=6, kind=1))
    before = mixture.responsibilities(of_one_kind).mean(axis=0)
    after = np.exp(mixture.adapted(of_one_kind))
    assert after.sum() == pytest.approx(1)
    assert after @ before > mixture.weights @ before + 0.1
    few = np.exp(mixture.adapted(of_one_kind[:3]))
    assert np.abs(few - mixture.weights).sum() < np.abs(after - mixture.weights).sum() / 3


class TestFar:
    """The table of likeness and FAR."""

    LIKENESSES, FARS = np.array([2.0, 4.0, 8.0]), np.array([0.1, 0.01, 0.0001])

    def test_by_hand(self) -> None:
        found = far_of(np.array([2.0, 3.0, 4.0, 6.0, 8.0, 10.0, -50.0]), self.LIKENESSES, self.FARS)
        assert found == pytest.approx([0.1, 10**-1.5, 0.01, 0.001, 0.0001, 0.00001, 1.0])

    def test_a_likeness_for_each_far(self, population: Population) -> None:
        for far in (0.5, 0.1, 0.02, 0.001, 5e-4, 1e-6):
            assert population.far(np.array([population.likeness_at(far)])) == pytest.approx([far])


class TestFile:
    """models/population.npz, or the one beside a backbone."""

    def test_round_trip(self, population: Population, tmp_path: Path) -> None:
        population.write(tmp_path / "population.npz")
        read = Population.read(tmp_path / "population.npz")
        assert (read.slope, read.recipe, read.source, read.people) == (
            population.slope, population.recipe, "nobody", 460,
        )  # fmt: skip
        for name, values in vars(population.mixture).items():
            assert getattr(read.mixture, name) == pytest.approx(values, rel=1e-5, abs=1e-6), name
        assert read.likenesses == pytest.approx(population.likenesses, rel=1e-5)
        assert read.fars == pytest.approx(population.fars, rel=1e-5)

    def test_it_holds_no_embedding(self, population: Population, tmp_path: Path) -> None:
        """It is as large for many people as for few."""
        population.write(tmp_path / "population.npz")
        with np.load(tmp_path / "population.npz") as stored:
            shapes = {name: stored[name].shape for name in stored.files}
        assert all(population.people not in shape for shape in shapes.values()), shapes
        assert (tmp_path / "population.npz").stat().st_size < 30_000

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(PopulationError, match=r"there is no .*none\.npz"):
            Population.read(tmp_path / "none.npz")

    def test_damaged(self, population: Population, tmp_path: Path) -> None:
        path = tmp_path / "population.npz"
        population.write(path)
        whole = path.read_bytes()
        for content in (b"", b"text", whole[:1000], whole[:-200]):
            path.write_bytes(content)
            with pytest.raises(PopulationError, match="is no population, or damaged"):
                Population.read(path)

    def test_another_format(self, population: Population, tmp_path: Path) -> None:
        path = tmp_path / "population.npz"
        population.write(path)
        with np.load(path) as stored:
            values = dict(stored)
        about = json.loads(str(values["about"]))
        np.savez(path, **values | {"about": np.array(json.dumps(about | {"format": 2}))})
        with pytest.raises(PopulationError, match="fit it again"):
            Population.read(path)

    @pytest.mark.parametrize("other", [{"backbone": "another"}, {"weights": {"embedder": "x"}}, {"flip": False}])
    def test_of_which_embeddings_it_is(self, population: Population, other: dict[str, object]) -> None:
        assert population.describes({**RECIPE, "detector": "whatever"})
        assert not population.describes({**RECIPE, **other})
