"""data/remembered/embeddings: embeddings of earlier runs, by the crop's content and the recipe.

A file for each recipe (npz) holds crops and photos by their SHA-256, and the embeddings. What belongs to photos that
are in data/ no more is left out when the file is written anew, and recipes that were not used for long are deleted.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faces.files import write_bytes
from faces.fingerprint import code_hash, package_versions
from faces.recognition.networks import Manifest
from stages.files.encryption import HEADER_BYTES, Key, LockedError, is_as
from stages.files.locked_files import reveal, sealed

RECIPES_KEPT = 4
"""Recipes remembered: those used last."""

PACKAGES = ("numpy", "onnxruntime", "pillow", "torch")
"""Those that compute an embedding, on the processor or on a GPU."""

_MODULES = (
    "faces.recognition.embedder",
    "faces.recognition.networks",
    "stages.embed.pixels",
    "stages.embed.torch_embedder",
)


def embedding_recipe(manifest: Manifest, flip: bool) -> str:
    """Short hash of everything but the crop that decides its embedding.

    The processor and the GPU have one recipe: what they make of a crop is equal to 1e-6, as tests hold.

    Args:
        manifest: of the network.
        flip: whether embeddings are averaged with those of the mirrored face.
    """
    parts = {
        "code": code_hash(*_MODULES),
        "packages": package_versions(PACKAGES),
        "network": manifest.files["embedder"],
        "unit_length": manifest.unit_length,
        "flip": flip,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Remembered:
    """An embedding, float32 [D], and the SHA-256 of the photo that its crop was cut from."""

    photo: str
    embedding: NDArray[np.float32]


class EmbeddingMemory:
    """Embeddings of one recipe.

    Args:
        folder: of all recipes.
        recipe: from `embedding_recipe`.
        key: locks what is written; None leaves it plain.
    """

    def __init__(self, folder: Path, recipe: str, key: Key | None = None) -> None:
        self._key = key
        self._path = folder / f"{recipe}.npz"
        self._by_crop = _read(self._path)

    def __len__(self) -> int:
        return len(self._by_crop)

    def __contains__(self, crop: str) -> bool:
        return crop in self._by_crop

    def __getitem__(self, crop: str) -> NDArray[np.float32]:
        """The embedding, float32 [D], of the crop with this SHA-256."""
        return self._by_crop[crop].embedding

    def add(self, crop: str, photo: str, embedding: NDArray[np.float32]) -> None:
        """Remember the embedding, float32 [D], of a crop; crop and photo are given by their SHA-256."""
        self._by_crop[crop] = _Remembered(photo, embedding)

    def write(self, photos: set[str]) -> None:
        """Write what belongs to photos that are in data/ now, and forget recipes that were not used for long.

        Args:
            photos: their SHA-256.

        Raises:
            OSError: a file cannot be written (disk full) or deleted.
        """
        for leftover in self._path.parent.glob(".*.tmp"):
            leftover.unlink(missing_ok=True)  # of a run that was killed
        _write(self._path, self._by_crop, photos, self._key)
        others = sorted(self._path.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[RECIPES_KEPT:]:
            old.unlink()
        for other in others[:RECIPES_KEPT]:
            remembered = _read(other)
            if (
                not remembered
                or any(item.photo not in photos for item in remembered.values())
                or not _is_as(other, self._key)
            ):
                used = other.stat()
                _write(other, remembered, photos, self._key)
                if other.exists():
                    os.utime(other, (used.st_atime, used.st_mtime))  # to forget something is not to use it


def _is_as(path: Path, key: Key | None) -> bool:
    """Whether a file has the form in which it would be written."""
    with path.open("rb") as file:
        return is_as(file.read(HEADER_BYTES), key)


def _read(path: Path) -> dict[str, _Remembered]:
    """The content of a file by the crop's SHA-256; nothing where it is missing, damaged, or locked with another key."""
    try:
        # Not opened by numpy: it leaves a damaged file open, which Windows then lets nobody replace.
        with np.load(io.BytesIO(reveal(path.read_bytes(), path)), allow_pickle=False) as file:
            crops, photos, embeddings = (file[name] for name in ("crops", "photos", "embeddings"))
    except (OSError, LockedError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return {}
    return {
        str(crop): _Remembered(str(photo), embedding)
        for crop, photo, embedding in zip(crops, photos, embeddings, strict=True)
    }


def _write(path: Path, by_crop: Mapping[str, _Remembered], photos: set[str], key: Key | None) -> None:
    """Write what belongs to some photos, given by their SHA-256; no file where that is nothing."""
    kept = {crop: item for crop, item in by_crop.items() if item.photo in photos}
    if not kept:
        path.unlink(missing_ok=True)
        return
    file = io.BytesIO()
    np.savez(
        file,
        crops=np.array(list(kept)),
        photos=np.array([item.photo for item in kept.values()]),
        embeddings=np.stack([item.embedding for item in kept.values()]),
    )
    write_bytes(path, sealed(file.getvalue(), key))
