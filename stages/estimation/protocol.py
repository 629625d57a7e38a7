"""How faces for training and faces for testing are kept apart: by cross-validation, or by one held-out part.

What belongs together (photos of one stranger, near-duplicates) is on the same side of every split. So a model is never
tested with a stranger from its training.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from faces.message import Message
from stages.errors import StageError
from stages.files.dataset import RECOMMENDED, Dataset, Groups, Labels
from stages.files.least_photos import LEAST_ME, least_groups
from stages.files.photos import CLASSES
from stages.params import TrainParams

Rows = NDArray[np.int64]


def _none() -> Rows:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class Split:
    """Row numbers of one split.

    Attributes:
        repeat: the round of cross-validation that it belongs to. In each round, every row is tested once.
        train: int64 [n], to fit.
        test: int64 [m], to measure.
        validation: int64 [k], to choose a threshold on; empty unless `train.validation_size` asks for some.
    """

    repeat: int
    train: Rows
    test: Rows
    validation: Rows = field(default_factory=_none)


def make_splits(data: Dataset, params: TrainParams, without_others: bool) -> list[Split]:
    """The splits that `train.protocol` asks for.

    Args:
        data: all faces.
        params: the protocol.
        without_others: whether a model can be trained with few faces of not_me or none, as with a population.

    Raises:
        StageError: too few faces, or too few that differ, of a class.
    """
    _check_counts(data, params, without_others)
    if params.protocol == "holdout":
        return [split_holdout(data.labels, data.groups, params)]
    folds = count_folds(data, params, without_others)
    return [
        split for repeat in range(params.repeats) for split in split_folds(data, folds, repeat, params, without_others)
    ]


def count_folds(data: Dataset, params: TrainParams, without_others: bool) -> int:
    """How many folds there can be: each holds somebody of every class, or of me alone where others are not needed."""
    needed = (1,) if without_others else (0, 1)
    return min(params.folds, *(data.count_groups(label) for label in needed))


def split_folds(data: Dataset, folds: int, repeat: int, params: TrainParams, without_others: bool) -> list[Split]:
    """One round of cross-validation: every row is tested once, by a model that was trained without its group."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=params.random_state + repeat)
    splits = []
    with warnings.catch_warnings():  # with a population, others may be fewer than folds
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = list(splitter.split(data.embeddings, data.labels, data.groups))
    for train, test in parts:
        missing = _lacking(data.rows(train), params, without_others)
        if missing:
            raise StageError(
                "the rest of the photos holds too few of {missing} once near-duplicates and persons stay "
                "together: {counts}. Add photos taken at other times, or of other people",
                missing=missing,
                counts=_counts(data),
            )
        splits.append(Split(repeat, train, test))
    return splits


def _lacking(data: Dataset, params: TrainParams, without_others: bool) -> str:
    """The class that has too few groups to fit a model, or "" if none has."""
    least = {1: LEAST_ME[params.verifier] - 1, 0: 0 if without_others else 1}
    return next((CLASSES[label] for label, count in least.items() if data.count_groups(label) < count), "")


def split_holdout(labels: Labels, groups: Groups, params: TrainParams) -> Split:
    """One split with every class in each part, stratified: `test_size`, `validation_size` and `random_state`.

    Args:
        labels: int64 [N].
        groups: int64 [N].
        params: sizes and seed.

    Raises:
        StageError: some part would lack a class.
    """
    rows = np.arange(len(labels))
    try:
        rest, test = _take(rows, labels, groups, params.test_size, params)
        validation = _none()
        if params.validation_size:
            share = params.validation_size * len(rows) / len(rest)  # both sizes are shares of all rows
            rest, validation = _take(rest, labels, groups, share, params)
    except ValueError as error:
        raise StageError(_too_few(labels, params)) from error
    for part in (rest, test, validation):
        if len(part) and len(np.unique(labels[part])) < len(np.unique(labels)):
            raise StageError(_too_few(labels, params))
    return Split(0, np.sort(rest), np.sort(test), np.sort(validation))


def _take(rows: Rows, labels: Labels, groups: Groups, share: float, params: TrainParams) -> tuple[Rows, Rows]:
    """Split `rows` into the rest and a share of each class; groups stay whole."""
    own = groups[rows]
    if len(np.unique(own)) == len(own):  # every row is a group of its own: the split that the contract asks for
        count = math.ceil(round(share * len(rows), 6))
        rest, taken = train_test_split(rows, test_size=count, random_state=params.random_state, stratify=labels[rows])
        return rest, taken
    return _take_groups(rows, labels[rows], own, share, params.random_state)


def _take_groups(rows: Rows, labels: Labels, groups: Groups, share: float, seed: int) -> tuple[Rows, Rows]:
    """The same for groups of several rows: as near to the share as whole groups allow, but one or more of each class.

    Args:
        rows: int64 [n], row numbers.
        labels: int64 [n], of these rows.
        groups: int64 [n], of these rows.
        share: of each class, 0 to 1.
        seed: decides the order in which groups are tried.
    """
    names, member = np.unique(groups, return_inverse=True)
    sizes = np.stack([np.bincount(member[labels == label], minlength=len(names)) for label in range(len(CLASSES))])
    wanted = [max(1, round(share * int(size.sum()))) for size in sizes]
    chosen = np.zeros(len(names), bool)
    # The rarer class comes first, since it has fewer groups to choose from.
    for label in np.argsort(wanted, kind="stable"):
        for group in np.random.default_rng(seed).permutation(np.flatnonzero(sizes[label])):
            has = int(sizes[label][chosen].sum())
            if not chosen[group] and (has == 0 or has + sizes[label][group] <= wanted[label]):
                chosen[group] = True
    taken = chosen[member]
    return rows[~taken], rows[taken]


def _check_counts(data: Dataset, params: TrainParams, without_others: bool) -> None:
    """Raise a StageError if a class has too few groups for any split."""
    least = least_groups(params)
    if without_others and (params.protocol != "holdout" or not data.count_groups(0)):
        least[0] = 0
    for label, count in least.items():
        faces, different = int((data.labels == label).sum()), data.count_groups(label)
        if different >= count:
            continue
        name = CLASSES[label]
        text = ", of only {different:# shot|# shots}" if label else ", of {different:# person|# different people}"
        kind = "" if label and different == faces else Message(text, different=different)
        raise StageError(
            "{name} has {faces:# usable face|# usable faces}{kind}; at least {count} are needed to train and to "
            "test, {recommended} to 30 are recommended. Add photos to data/{name}",
            name=name,
            faces=faces,
            kind=kind,
            count=count,
            recommended=RECOMMENDED,
        )


def _counts(data: Dataset) -> Message:
    not_me, me = (int((data.labels == label).sum()) for label in range(len(CLASSES)))
    groups = {"groups_not_me": data.count_groups(0), "groups_me": data.count_groups(1)}
    return Message(
        "not_me {not_me:# face|# faces} in {groups_not_me:# group|# groups}, me {me:# face|# faces} in {groups_me:# "
        "group|# groups}",
        not_me=not_me, me=me, **groups,
    )  # fmt: skip


def _too_few(labels: Labels, params: TrainParams) -> Message:
    counts = ", ".join(f"{name} {int((labels == label).sum())}" for label, name in enumerate(CLASSES))
    return Message(
        "faces: {counts}. With train.test_size {test_size} and train.validation_size {validation_size} some part would "
        "lack a class. Add photos, or change the sizes in params.yaml",
        counts=counts, test_size=params.test_size, validation_size=params.validation_size,
    )  # fmt: skip
