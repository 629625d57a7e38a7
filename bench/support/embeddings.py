"""Embeddings of many labelled photos, for measurements that need thousands."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support.lfw import people
from faces.detection.face import Face
from faces.fit_population import embed_photos
from faces.recognition.image import Photo
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer


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


def embed_all_cached(recognizer: Recognizer, photos: list[Path], cache: Path | None) -> dict[Path, NDArray[np.float32]]:
    """Embeddings of the faces that the product takes, kept in a file (.npz) so that several measurements embed once.

    A photo without a face is left out.

    The file holds embeddings of faces: put it where such data may be, and delete it afterwards. It is made anew where
    the networks differ or a photo is missing in it.
    """
    if cache is None:
        return embed_photos(recognizer, photos, product_face)
    recipe = repr((product_face.__name__, recognizer.networks.manifest.recipe(recognizer.flip)))
    if cache.is_file():
        with np.load(cache) as stored:
            if str(stored["recipe"]) == recipe and {str(photo) for photo in photos} <= set(stored["asked"].tolist()):
                known = dict(zip(stored["found"].tolist(), stored["embeddings"], strict=True))
                return {photo: known[str(photo)] for photo in photos if str(photo) in known}
    found = embed_photos(recognizer, photos, product_face)
    np.savez(
        cache,
        recipe=np.array(recipe),
        asked=np.array([str(photo) for photo in photos]),
        found=np.array([str(photo) for photo in found]),
        embeddings=np.stack(list(found.values())),
    )
    return found


@dataclass(frozen=True)
class Faces:
    """The face of each photo on which the product finds one.

    Attributes:
        photos: N of them.
        names: [N], who is on each.
        embeddings: float32 [N, D].
        backbone: the network's name.
        recipe: how they were made, `faces.recognition.networks.Manifest.recipe`.
    """

    photos: list[Path]
    names: NDArray[np.str_]
    embeddings: NDArray[np.float32]
    backbone: str
    recipe: dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a bench that needs all faces: those that `load_faces` reads, and a seed."""
    parser.add_argument("lfw", type=Path, help="folder with images/<person>/*.jpg")
    parser.add_argument("--networks", type=Path, default=Path("models/networks"))
    parser.add_argument("--embeddings", type=Path, default=None, help="keep embeddings in this .npz file")
    parser.add_argument("--seed", type=int, default=0, help="of every choice")


def load_faces(args: argparse.Namespace, without: Collection[str] = ()) -> Faces:
    """Embed all photos of LFW but those whose names are left out."""
    recognizer = Recognizer(Networks.load(args.networks))
    recognizer.open()
    photos = [photo for own in people(args.lfw).values() for photo in own]
    found = embed_all_cached(recognizer, photos, args.embeddings)
    found = {photo: embedding for photo, embedding in found.items() if photo.name not in without}
    names = np.array([photo.parent.name for photo in found])
    networks = recognizer.networks
    recipe = networks.manifest.recipe(recognizer.flip)
    return Faces(list(found), names, np.stack(list(found.values())), networks.backbone_name, recipe)
