"""Which photos of me a face is most like: by the embeddings that stage embed wrote, and the crops of stage crop."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.errors import UserError
from faces.message import Message
from faces.scoring import unit_length
from stages.files.encryption import HEADER_BYTES, is_sealed, reveal
from stages.files.paths import CROPPED, EMBEDDING_RECIPE, EMBEDDINGS, INDEX, LABELS
from stages.files.tables import read_array, read_json, read_records

_MOST_COMPARED = 500  # faces of each class that are compared: with more, the medians stay as they are


class NoNeighboursError(UserError):
    """The photos of me cannot be compared with a face; the message says why."""


@dataclass(frozen=True)
class Neighbour:
    """A photo of me that a face is like.

    Attributes:
        photo: its path within data/.
        similarity: cosine of the two embeddings, -1 to 1.
        crop: RGB; None where the crop cannot be read.
        same: whether it is the very photo that was asked about.
    """

    photo: str
    similarity: float
    crop: Image.Image | None
    same: bool


@dataclass(frozen=True)
class Neighbours:
    """The photos of me that a face is most like.

    Attributes:
        nearest: the most alike first.
        of_me: how many faces of me there are.
        usual: the median of the cosines between two faces of me; None where there is one alone.
        of_others: the same between one of me and one of somebody else; None where there are no others.
        encrypted: whether any of it is stored encrypted.
    """

    nearest: list[Neighbour]
    of_me: int
    usual: float | None
    of_others: float | None
    encrypted: bool


def find_nearest(embedding: NDArray[np.float32], recipe: dict[str, Any], photo: bytes, count: int) -> Neighbours:
    """Find them in data/ of the current folder. What is encrypted is decrypted in memory.

    Args:
        embedding: float32 [D], of the face.
        recipe: how it was made, as `Manifest.recipe` says.
        photo: bytes of the photo that it is on.
        count: how many are wanted.

    Raises:
        NoNeighboursError: there are no embeddings, or others than the model is asked with.
        UserError: they are damaged, or encrypted and there is no key.
    """
    if not EMBEDDINGS.exists():
        raise NoNeighboursError("{path} is not here", path=EMBEDDINGS)
    made = read_json(EMBEDDING_RECIPE, "embed").get("recipe")
    if made != recipe:
        raise NoNeighboursError(
            "{path} was made with another network or other settings than the model: run 'dvc repro'", path=EMBEDDINGS
        )
    embeddings, labels = read_array(EMBEDDINGS, "embed"), read_array(LABELS, "embed")
    rows = read_records(INDEX, "embed", ["photo", "sha256", "crop", "crop_sha256"])
    if embeddings.ndim != 2 or not len(embeddings) == len(labels) == len(rows) or embeddings.shape[1] != len(embedding):
        raise NoNeighboursError(
            "{path}, {labels} and {index} do not belong together: run 'dvc repro --force embed'",
            path=EMBEDDINGS,
            labels=LABELS,
            index=INDEX,
        )
    own = np.flatnonzero(labels == 1)
    unit = unit_length(embeddings[own].astype(np.float64))
    cosines = unit @ unit_length(embedding.astype(np.float64))
    digest = hashlib.sha256(photo).hexdigest()
    nearest = []
    for place in np.argsort(-cosines, kind="stable")[:count]:
        row = rows[int(own[place])]
        crop = _read_crop(CROPPED / row["crop"], row["crop_sha256"])
        nearest.append(Neighbour(row["photo"], float(cosines[place]), crop, row["sha256"] == digest))
    sealed = any(_is_encrypted(path) for path in (EMBEDDINGS, *(CROPPED / rows[int(row)]["crop"] for row in own[:1])))
    others = unit_length(embeddings[labels == 0][:_MOST_COMPARED].astype(np.float64))
    some = unit[:_MOST_COMPARED]
    usual, of_others = _median((some @ some.T)[np.triu_indices(len(some), 1)]), _median(some @ others.T)
    return Neighbours(nearest, len(own), usual, of_others, sealed)


def _median(cosines: NDArray[np.float64]) -> float | None:
    return float(np.median(cosines)) if cosines.size else None


def _read_crop(path: Path, sha256: str) -> Image.Image | None:
    """The crop that the index names; None where it is not there, or another one.

    Raises:
        LockedError: it is encrypted and cannot be opened.
    """
    try:
        data = reveal(path.read_bytes(), path)
        if hashlib.sha256(data).hexdigest() != sha256:
            return None
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (OSError, SyntaxError, ValueError):
        return None


def _is_encrypted(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return is_sealed(file.read(HEADER_BYTES))
    except OSError:
        return False


def why_without(error: UserError | OSError) -> Message:
    """Why a picture shows no photos of me."""
    return Message("without the nearest photos of me: {reason}", reason=error)
