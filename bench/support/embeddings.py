"""Embeddings of many labelled photos, for measurements that need thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    faces = recognizer.faces(photo)
    return nearest_the_centre(faces, Photo.open(photo).stored_size) if faces else None


def nearest_the_centre(faces: Sequence[Face], size: tuple[int, int]) -> Face:
    """Of one or more faces of a photo, the one whose box's middle is nearest the middle of the photo."""
    centre = np.array(size) / 2
    return min(faces, key=lambda face: float(np.linalg.norm((face.box[:2] + face.box[2:]) / 2 - centre)))


def embed_all(
    recognizer: Recognizer, photos: list[Path], choose: Choice = product_face
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
    """The same of the faces that the product takes, kept in a file (.npz) so that several measurements embed once.

    The file holds embeddings of faces: put it where such data may be, and delete it afterwards. It is made anew where
    the networks differ or a photo is missing in it.
    """
    if cache is None:
        return embed_all(recognizer, photos)
    recipe = repr((product_face.__name__, recognizer.networks.manifest.recipe(recognizer.flip)))
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
