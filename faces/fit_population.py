"""Fit a population to the embeddings of many people: see `faces.population`.

    python -m faces.fit_population FOLDER [--networks models/networks] [--source TEXT] [--to FILE]

FOLDER holds a folder of photos for each person (a level of folders above them, such as LFW's images/, does not matter).
The population is of the embeddings that the networks in use make, each averaged with that of the mirrored face. The
parameter `train.population` names the file.

One photo of a person goes into the mixture, so that nobody counts twice. What a likeness means is then measured: people
with several photos are enrolled, and everybody else, a photo each, is a stranger to them. The people are halved for
that, and each half is measured with a mixture that was fitted to the other half: strangers whom a mixture knows would
look too much like strangers.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from tqdm import tqdm

from faces.detection.face import Face
from faces.errors import UserError
from faces.population import Mixture, Population, Vector, likeness, relevant
from faces.recognition.image import ImageError
from faces.recognition.image_kinds import SUFFIXES
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.scoring import unit_length
from faces.threads import available_cores

GAUSSIANS, DIRECTIONS = 8, 16
_RIDGE = 1e-5  # added to the variances
LEAST_PEOPLE = 400
"""With fewer people, too few are left of each Gaussian to say how it is spread."""

_ENROLLED = (3, 5, 12)  # photos of a person
_FARS = (0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
_DRAWS = 4  # enrolments of each person and number of photos

Choice = Callable[[Recognizer, Path], Face | None]
"""Which face of a photo counts; None where there is none."""


def fit_population(
    people: Mapping[str, NDArray[np.floating[Any]]], recipe: Mapping[str, Any], source: str, seed: int = 0
) -> Population:
    """Fit a population.

    Args:
        people: embeddings by person, [n, D] each, n ≥ 1.
        recipe: how they were made, `faces.recognition.networks.Manifest.recipe`.
        source: whose photos they are, for people to read.
        seed: of the choice of photos and of halves.

    Raises:
        ValueError: fewer than `LEAST_PEOPLE`, or too few of them with several photos.
    """
    if len(people) < LEAST_PEOPLE:
        raise ValueError(f"expected {LEAST_PEOPLE} people or more; given {len(people)}")
    random = np.random.default_rng(seed)
    names = random.permutation(sorted(people)).tolist()
    unit = {name: unit_length(np.asarray(people[name], np.float64)) for name in names}
    one = {name: own[random.integers(len(own))] for name, own in unit.items()}
    halves = (names[::2], names[1::2])
    genuine, strangers = [], []
    for fitted, judged in (halves, halves[::-1]):
        mixture = fit_mixture(np.stack([one[name] for name in fitted]), seed)
        for own, others in _enrolments(mixture, [unit[name] for name in judged], random):
            genuine.append(own)
            strangers.append(others)
    if len(genuine) < 2 * _DRAWS:
        raise ValueError(f"expected several people with {min(_ENROLLED) + 1} photos or more; given too few")
    likenesses, fars = _table(np.concatenate(strangers))
    return Population(
        fit_mixture(np.stack([one[name] for name in names]), seed),
        likenesses, fars, _slope(genuine, strangers), relevant(recipe), source, len(people),
    )  # fmt: skip


def fit_mixture(embeddings: Vector, seed: int = 0) -> Mixture:
    """Fit the mixture alone.

    Args:
        embeddings: float64 [N, D] of length 1, one for each person.
        seed: of the beginning of the search.
    """
    mean = embeddings.mean(axis=0)
    covariance = np.cov(embeddings.T, bias=True)
    variances, directions = np.linalg.eigh(covariance)
    count = min(DIRECTIONS, len(mean))
    basis = directions[:, ::-1][:, :count]
    residual = covariance - (basis * variances[::-1][:count]) @ basis.T
    fitted = GaussianMixture(GAUSSIANS, reg_covar=_RIDGE, random_state=seed, max_iter=500)
    fitted.fit((embeddings - mean) @ basis)
    return Mixture(mean, basis, residual, fitted.weights_, fitted.means_, fitted.covariances_)


def _enrolments(mixture: Mixture, people: list[Vector], random: np.random.Generator) -> list[tuple[Vector, Vector]]:
    """Likenesses of further photos of enrolled people, and of everybody else, a photo each; for each enrolment."""
    log_weights = np.log(mixture.weights)
    everybody = np.stack([own[random.integers(len(own))] for own in people])
    spread = mixture.spread(everybody)
    found = []
    for number, own in enumerate(people):
        for count in _ENROLLED:
            for _ in range(_DRAWS if len(own) > count else 0):
                order = random.permutation(len(own))
                template = unit_length(own[order[:count]].sum(axis=0))
                of_template = mixture.spread(template[None])
                further = own[order[count:]]
                mine = likeness(of_template, mixture.spread(further), further @ template, log_weights)
                theirs = likeness(of_template, spread, everybody @ template, log_weights)
                found.append((mine, np.delete(theirs, number)))
    return found


def _table(strangers: Vector) -> tuple[Vector, Vector]:
    """Likenesses that some shares of strangers reach, and the shares; those that two dozen or more reach."""
    fars = np.array([far for far in _FARS if far * len(strangers) >= 24])
    return np.quantile(strangers, 1 - fars), fars


def _slope(genuine: list[Vector], strangers: list[Vector]) -> float:
    """Of the log odds over the likeness; each enrolment counts the same, and both classes do."""
    values, labels, weights = [], [], []
    for label, lists in ((0, strangers), (1, genuine)):
        for own in lists:
            values.append(own)
            labels.append(np.full(len(own), label))
            weights.append(np.full(len(own), 0.5 / len(lists) / len(own)))
    regression = LogisticRegression(C=1e6, max_iter=1000)
    regression.fit(np.concatenate(values)[:, None], np.concatenate(labels), np.concatenate(weights) * 1e4)
    return float(regression.coef_[0, 0])


def photos_by_person(folder: Path) -> dict[str, list[Path]]:
    """The photos of a folder by the name of the folder that each lies in, both sorted.

    Raises:
        UserError: it is not there.
    """
    if not folder.is_dir():
        raise UserError("{folder} was given; expected a folder with a folder of photos for each person", folder=folder)
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.parent != folder:
            found[path.parent.name].append(path)
    return dict(found)


def embed_photos(recognizer: Recognizer, photos: Sequence[Path], choose: Choice) -> dict[Path, NDArray[np.float32]]:
    """Embedding of a face of each photo, float32 [D], on all cores; where there is none, the photo is left out.

    Args:
        recognizer: opened in this process.
        photos: the photos.
        choose: which face of a photo is meant, None where there is none.
    """

    def embed(photo: Path) -> NDArray[np.float32] | None:
        try:
            face = choose(recognizer, photo)
        except (ImageError, OSError):
            return None
        if face is None:
            return None
        recognizer.embed([face])
        return face.embedding

    with ThreadPoolExecutor(available_cores()) as pool:
        embeddings = tqdm(pool.map(embed, photos), "embedding", len(photos), unit="photo")
        return {photo: value for photo, value in zip(photos, embeddings, strict=True) if value is not None}


def embed_people(people: Mapping[str, list[Path]], recognizer: Recognizer) -> dict[str, NDArray[np.float32]]:
    """Embeddings of the largest face of each photo, [n, D] by person; who has no photo with a face is left out.

    Args:
        people: photos by person.
        recognizer: opened in this process.
    """
    photos = [photo for own in people.values() for photo in own]
    found = embed_photos(recognizer, photos, lambda recognizer, photo: recognizer.largest_face(photo))
    faces = {name: [found[photo] for photo in own if photo in found] for name, own in people.items()}
    return {name: np.stack(own) for name, own in faces.items() if own}


def main(arguments: list[str] | None = None) -> None:
    """Fit a population to a folder of people and write it."""
    parser = argparse.ArgumentParser("python -m faces.fit_population", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="with a folder of photos for each person")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--source", default=None, help="whose photos they are; default: the folder's name")
    parser.add_argument("--to", type=Path, default=Path("models/population.npz"), help="file to write")
    args = parser.parse_args(arguments)
    try:
        people = photos_by_person(args.folder)
        recognizer = Recognizer(Networks.load(args.networks))
        recognizer.open()
        embeddings = embed_people(people, recognizer)
        recipe = recognizer.networks.manifest.recipe(recognizer.flip)
        population = fit_population(embeddings, recipe, args.source or args.folder.resolve().name)
        args.to.parent.mkdir(parents=True, exist_ok=True)
        population.write(args.to)
    except (UserError, ValueError, OSError) as error:
        sys.exit(f"fit_population: error: {error}")
    photos, faces = (sum(map(len, given.values())) for given in (people, embeddings))
    left_out = f"; {photos - faces} photos have no face or cannot be read" if faces < photos else ""
    print(f"fit_population: {faces} faces of {population.people} people ({recipe['backbone']}) → {args.to}{left_out}")


if __name__ == "__main__":
    main()
