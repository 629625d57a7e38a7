"""How many photos it takes to train, so that the first stage that counts them can say that they are too few.

A photo of "me" counts once at most, however many faces are on it. So where the photos are too few, the stage train
would refuse them, whatever they show.
"""

from __future__ import annotations

from faces.message import Message
from stages.files.dataset import RECOMMENDED
from stages.files.photos import CLASSES
from stages.params import TrainParams

SHIPPED_FOR = "dlib-resnet"
"""The backbone for which a population is shipped."""

LEAST_ME = {"cosine": 3, "logistic_regression": 2}
"""How many groups of `me` it takes to train a model on some of them and to test it on another."""

_LEAST_OTHERS = 2


def least_groups(params: TrainParams) -> dict[int, int]:
    """How many groups (of not_me: people) it takes to train and to test, by label.

    Where the verifier knows how strangers are spread, fewer of not_me may do.
    """
    least = {1: LEAST_ME[params.verifier], 0: _LEAST_OTHERS}
    if params.protocol == "holdout":
        parts = 3 if params.validation_size else 2
        least = {label: max(count, parts) for label, count in least.items()}
    return least


def why_too_few_of_me(photos: int, with_face: int | None, params: TrainParams) -> Message | None:
    """Why there are too few photos of me to train, None where they may do.

    Args:
        photos: how many there are.
        with_face: on how many of them a face was found; None where that is not known yet.
        params: what is to be trained.
    """
    least = least_groups(params)[1]
    if (photos if with_face is None else with_face) >= least:
        return None
    text = "{name} has {photos:# photo|# photos}"
    if with_face is not None and with_face < photos:
        text = "{name} has {photos:# photo|# photos}, {with_face} of them with a face"
    return Message(
        "{given}; at least {count} are needed to train and to test, {recommended} to 30 are recommended. Add photos to "
        "data/{name}",
        given=Message(text, name=CLASSES[1], photos=photos, with_face=with_face),
        count=least,
        recommended=RECOMMENDED,
        name=CLASSES[1],
    )


def why_others_are_needed(backbone: str, params: TrainParams) -> Message | None:
    """Why there must be photos of others, as far as the parameters alone say; None where there may be none.

    Args:
        backbone: the network that embeds.
        params: what is to be trained.
    """
    changes = [
        *(["train.verifier: cosine"] if params.verifier != "cosine" else []),
        *(["train.population: auto"] if params.population == "none" else []),
    ]
    if not changes:
        return None
    if backbone != SHIPPED_FOR:
        changes.append(f"backbone.name: {SHIPPED_FOR}")
    return Message(
        "data/not_me has no photo with a face. Add photos of other people, or set in params.yaml: {changes}",
        changes=", ".join(changes),
    )
