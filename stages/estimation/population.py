"""Which population the verifier is fitted with: how strangers' embeddings are spread, shipped or of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faces.population import Population, PopulationError
from stages.errors import StageError
from stages.params import TrainParams

SHIPPED = Path(__file__).resolve().parents[2] / "faces/populations"
"""Where `train.population: auto` looks: a file for each backbone and way of embedding."""


def population_for(params: TrainParams, recipe: Mapping[str, Any]) -> Population | None:
    """The population that `train.population` names, for embeddings made so.

    Args:
        params: the parameters.
        recipe: `faces.recognition.networks.Manifest.recipe`.

    Returns:
        None where none is wanted, the verifier takes none, or none of the shipped ones is of such embeddings.

    Raises:
        StageError: the file that is named cannot be used, or is of other embeddings.
    """
    if params.verifier != "cosine" or params.population == "none":
        return None
    if params.population != "auto":
        return _named(Path(params.population), recipe)
    found = (_read(path) for path in sorted(SHIPPED.glob("*.npz")))
    return next((population for population in found if population.describes(recipe)), None)


def _read(path: Path) -> Population:
    try:
        return Population.read(path)
    except PopulationError as error:
        raise StageError("train.population: {problem}", problem=error.args[0]) from error


def _named(path: Path, recipe: Mapping[str, Any]) -> Population:
    population = _read(path)
    if not population.describes(recipe):
        raise StageError(
            "train.population: {path} is of embeddings of {theirs}, made otherwise than those of {backbone} here: fit "
            "one (python -m faces.fit_population FOLDER), or set train.population to auto or none",
            path=path,
            theirs=population.recipe.get("backbone"),
            backbone=recipe["backbone"],
        )
    return population
