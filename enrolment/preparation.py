"""What has to be there before a photo can be judged: the networks, the photos of data/me, strangers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from enrolment.compare import Seen, draw_strangers
from enrolment.folder import Existing
from enrolment.judge import Floats, Judge
from enrolment.waiting import WaitingPhotos
from faces.recognition.networks import Networks
from stages.errors import StageError
from stages.estimation.population import population_for
from stages.files.paths import NETWORKS
from stages.files.photos import SourcePhoto, read_photo
from stages.params import Params

_MOST_COMPARED = 60
"""Photos of data/me, and people of data/not_me, that new photos are compared with. More say nothing more, and it is
waited for them."""

_FEWEST_STRANGERS = 5


@dataclass(frozen=True)
class Prepared:
    """What judges photos.

    Attributes:
        judge: looks at one.
        waiting: keeps them, and compares them.
        backbone: the network that embeds.
    """

    judge: Judge
    waiting: WaitingPhotos
    backbone: str


def prepare(params: Params, existing: Existing) -> Prepared:
    """Open the networks, and look at the photos that are there.

    Args:
        params: of the pipeline.
        existing: the photos of data/.

    Raises:
        UserError: the networks cannot be used; the message says what to do.
    """
    networks = Networks.load(NETWORKS)
    judge = Judge(networks, params)
    mine = [] if existing.locked else [*_looked_at(judge, existing.me[:_MOST_COMPARED])]
    known = {} if existing.locked else {hashlib.sha256(read_photo(photo.path)).hexdigest(): photo.path_in_data
                                        for photo in existing.me}  # fmt: skip
    waiting = WaitingPhotos(known, mine, _strangers(judge, networks, params, existing), params.quality)
    return Prepared(judge, waiting, networks.backbone_name)


def _strangers(judge: Judge, networks: Networks, params: Params, existing: Existing) -> Floats | None:
    """Those of data/not_me, one photo of each; else drawn from the population; None where neither is there."""
    one_each = {photo.person or photo.name: photo for photo in reversed(existing.not_me)}
    chosen = sorted(one_each.values(), key=lambda photo: photo.name)[:_MOST_COMPARED]
    found = [] if existing.locked else [seen.embedding for seen in _looked_at(judge, chosen)]
    if len(found) >= _FEWEST_STRANGERS:
        return np.stack(found)
    try:
        population = population_for(params.train, networks.manifest.recipe(params.embed.flip))
    except StageError:  # stage train says so
        return None
    return draw_strangers(population.mixture) if population is not None else None


def _looked_at(judge: Judge, photos: Sequence[SourcePhoto]) -> Iterator[Seen]:
    for photo in photos:
        look = judge.look(read_photo(photo.path))
        if look.embedding is not None:
            yield Seen(photo.path_in_data, look.embedding, look.photo_hash)
