"""Embeddings of many labelled photos, for measurements that need thousands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faces.detection.face import Face
from faces.recognition.image import Photo
from faces.recognition.recognizer import Recognizer
from faces.threads import available_cores
from stages.progress import progress

Choice = Callable[[Recognizer, Path], Face | None]
"""Which face of a photo counts; None where there is none."""


def product_face(recognizer: Recognizer, photo: Path) -> Face | None:
    """The face that `faces.verification.verify` takes, so the service too."""
    return recognizer.largest_face(photo)


def central_face(recognizer: Recognizer, photo: Path) -> Face | None:
    """The face nearest the centre: LFW's photos are centred on the person they are named after."""
    centre = np.array(Photo.open(photo).stored_size) / 2

    def distance(face: Face) -> float:
        return float(np.linalg.norm((face.box[:2] + face.box[2:]) / 2 - centre))

    return min(recognizer.faces(photo), key=distance, default=None)


def embed_all(
    recognizer: Recognizer, photos: list[Path], choose: Choice = central_face
) -> dict[Path, NDArray[np.float32]]:
    """Embedding of each photo's face, float32 [D], on all cores; photos without a face are left out.

    Args:
        recognizer: opened in this process.
        photos: the photos.
        choose: which face of a photo is meant.
    """

    def embed(photo: Path) -> NDArray[np.float32] | None:
        face = choose(recognizer, photo)
        if face is None:
            return None
        recognizer.embed([face])
        return face.embedding

    with ThreadPoolExecutor(available_cores()) as pool:
        embeddings = progress(pool.map(embed, photos), len(photos), "embedding", "photo")
        return {photo: value for photo, value in zip(photos, embeddings, strict=True) if value is not None}


def embed_all_cached(recognizer: Recognizer, photos: list[Path], cache: Path | None) -> dict[Path, NDArray[np.float32]]:
    """The same of the central faces, kept in a file (.npz) so that several measurements embed once.

    The file holds embeddings of faces: put it where such data may be, and delete it afterwards. It is made anew where
    the networks differ or a photo is missing in it.
    """
    if cache is None:
        return embed_all(recognizer, photos)
    recipe = repr(recognizer.networks.manifest.recipe(recognizer.flip))
    if cache.is_file():
        with np.load(cache) as stored:
            if str(stored["recipe"]) == recipe and {str(photo) for photo in photos} <= set(stored["asked"].tolist()):
                known = dict(zip(stored["found"].tolist(), stored["embeddings"], strict=True))
                return {photo: known[str(photo)] for photo in photos if str(photo) in known}
    found = embed_all(recognizer, photos)
    np.savez(
        cache,
        recipe=np.array(recipe),
        asked=np.array([str(photo) for photo in photos]),
        found=np.array([str(photo) for photo in found]),
        embeddings=np.stack(list(found.values())),
    )
    return found
