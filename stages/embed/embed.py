"""Stage embed: one embedding for each crop.

Writes data/embeddings.npy (float32 [N, D]), data/labels.npy (int64 [N], 1 = me) and data/index.csv, which says for each
row which photo, face and person it is of. Crops that have not changed since the last run keep their embedding.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks
from faces.threads import available_cores, read_ahead
from stages.embed.torch_embedder import NO_GPU, gpu_name, open_torch_embedder, why_no_gpu
from stages.errors import StageError
from stages.files.paths import CROP_REPORT, CROPPED, EMBEDDINGS, INDEX, LABELS, NETWORKS
from stages.files.photos import SourcePhoto
from stages.files.tables import Record, read_array, read_records, write_array, write_records
from stages.params import Params, load_params
from stages.progress import progress

OUTPUTS = (EMBEDDINGS, LABELS, INDEX)

_INDEX_COLUMNS = (
    "row", "label", "photo", "sha256", "face", "person", "crop", "crop_sha256", "recipe", "embedding_sha256",
)  # fmt: skip
# New crops, for each core, from which on an update is sooner done on a GPU: torch takes 3 to 8 s longer to be ready, in
# which a core embeds 110 (facenet-vggface2) to 180 (dlib-resnet). bench.gpu measures it.
_WORTH_A_GPU = 100
logger = logging.getLogger(__name__)


def read_crop_report() -> list[Record]:
    """The faces that were kept, in the report's order, as `stages.crop.memory.CropRow` describes them.

    Raises:
        StageError: the report is missing or damaged, or no face was kept.
    """
    rows = read_records(CROP_REPORT, "crop", ["photo", "sha256", "face", "kept", "crop", "crop_sha256"])
    kept = [row for row in rows if row["kept"] == "True"]
    if not kept:
        raise StageError(f"{CROP_REPORT} names no crop: run 'dvc repro --force crop'")
    return kept


def open_embedder(networks: Networks, params: Params, few: bool) -> tuple[Embedder, str]:
    """The embedder for the device asked for, and what it runs on, for people to read.

    Args:
        networks: the networks.
        params: the parameters.
        few: what is to be embedded is done on the CPU before torch has found the GPU.

    Raises:
        StageError: cuda was asked for, and there is none that works.
    """
    device = params.embed.device
    if device == "cuda" or (device == "auto" and not few):
        reason = why_no_gpu()
        if reason is None:
            return open_torch_embedder(networks, params), f"torch on the GPU ({gpu_name()})"
        if device == "cuda":
            raise StageError(f"embed.device is cuda, but {reason}; expected auto or cpu on this machine")
        if reason != NO_GPU:
            logger.warning("%s: the CPU is used", reason)
    threads = available_cores()
    return networks.open_embedder(params.embed.flip, threads), f"ONNX Runtime on the CPU, {threads} threads"


def embedding_recipe(networks: Networks, params: Params) -> str:
    """Short hash of everything but the crop that decides its embedding."""
    recipe = networks.manifest.recipe(params.embed.flip)
    parts = {
        "weights": recipe["weights"]["embedder"],
        "size": recipe["crop"]["image_size"],
        "flip": recipe["flip"],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _remembered(recipe: str) -> dict[str, NDArray[np.float32]]:
    """Embeddings of the last run by their crop's SHA-256, where they were made by the same recipe.

    A run that was killed may have left new embeddings beside an old index: each row says which embedding it means.
    """
    try:
        index = read_records(INDEX, "embed", ["crop_sha256", "recipe", "embedding_sha256"])
        embeddings = read_array(EMBEDDINGS, "embed")
    except (OSError, StageError):
        return {}
    return {
        row["crop_sha256"]: embedding
        for row, embedding in zip(index, embeddings, strict=False)
        if row["recipe"] == recipe and row["embedding_sha256"] == _digest(embedding)
    }


def _digest(embedding: NDArray[np.float32]) -> str:
    return hashlib.sha256(embedding.tobytes()).hexdigest()


def _batches(new: dict[str, str], image_size: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """Crops, given as SHA-256 and name, in batches of their pixels, uint8 [n, S, S, 3]."""
    crops = iter(new.items())

    def read(crop: tuple[str, str]) -> NDArray[np.uint8]:
        return _read_crop(CROPPED / crop[1], crop[0], image_size)

    with ThreadPoolExecutor(available_cores(), thread_name_prefix="read") as readers:
        while part := list(islice(crops, size)):
            yield np.stack(list(readers.map(read, part)))


def _read_crop(path: Path, sha256: str, image_size: int) -> NDArray[np.uint8]:
    """Pixels of a crop, uint8 [S, S, 3], once it is certain that it is the one the report speaks of."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StageError(f"the crop {path} cannot be read ({error.strerror}): run 'dvc repro --force crop'") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StageError(f"{path} is not the crop that {CROP_REPORT} names: run 'dvc repro --force crop'")
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))
    if pixels.shape[:2] != (image_size, image_size):
        raise StageError(
            f"{path} is {pixels.shape[1]} × {pixels.shape[0]} pixels, the networks take {image_size} × {image_size}: "
            f"run 'dvc repro' (or 'python -m stages.crop') first"
        )
    return pixels


def embed_all(rows: list[Record], networks: Networks, params: Params) -> NDArray[np.float32]:
    """Embeddings of crops, float32 [N, D]; each different crop is computed once.

    Args:
        rows: of the crop report, those that were kept.
        networks: the networks.
        params: the parameters.

    Raises:
        StageError: a crop cannot be read, or the GPU has too little memory for the batch.
    """
    known = _remembered(embedding_recipe(networks, params))
    new = {row["crop_sha256"]: row["crop"] for row in rows if row["crop_sha256"] not in known}
    if new:
        embedder, where = open_embedder(networks, params, bool(known) and len(new) < _WORTH_A_GPU * available_cores())
        logger.info("%d of %d crops are new: %s, %s", len(new), len(rows), networks.backbone_name, where)
        size = params.embed.batch_size
        batches = read_ahead(_batches(new, networks.manifest.crop.image_size, size))
        embeddings = chain.from_iterable(
            _embed(embedder, pixels, size) for pixels in progress(batches, -(-len(new) // size), "embedding", "batch")
        )
        known.update(zip(new, embeddings, strict=True))
    return np.stack([known[row["crop_sha256"]] for row in rows]).astype(np.float32)


def _embed(embedder: Embedder, pixels: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    try:
        return embedder.embed(pixels)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        raise StageError(
            f"the GPU has too little memory for embed.batch_size {batch_size}: lower it in params.yaml "
            f"(or set embed.device: cpu)"
        ) from error


def _sources(rows: list[Record]) -> list[SourcePhoto]:
    """The photos that the faces are of; where the files lie is not known here."""
    parts = [row["photo"].partition("/") for row in rows]
    return [SourcePhoto(Path(), name, int(class_name == "me")) for class_name, _, name in parts]


def _index(
    rows: list[Record], sources: list[SourcePhoto], embeddings: NDArray[np.float32], recipe: str
) -> list[tuple[Any, ...]]:
    """The map from rows of embeddings.npy to photos, as `_INDEX_COLUMNS` names it.

    Raises:
        StageError: the report's number of a face is none.
    """
    try:
        faces = [int(row["face"]) for row in rows]
    except ValueError as error:
        raise StageError(f"{CROP_REPORT} is damaged ({error}): run 'dvc repro --force crop'") from error
    return [
        (
            number, source.label, row["photo"], row["sha256"], face, source.person, row["crop"], row["crop_sha256"],
            recipe, _digest(embedding),
        )
        for number, (row, source, face, embedding) in enumerate(zip(rows, sources, faces, embeddings, strict=True))
    ]  # fmt: skip


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    rows = read_crop_report()
    networks = Networks.load(NETWORKS)
    embeddings = embed_all(rows, networks, params)
    sources = _sources(rows)
    index = _index(rows, sources, embeddings, embedding_recipe(networks, params))
    write_array(EMBEDDINGS, embeddings)
    write_array(LABELS, np.array([source.label for source in sources], np.int64))
    write_records(INDEX, _INDEX_COLUMNS, index)
    print(f"embed: {embeddings.shape[0]} faces, {embeddings.shape[1]} dimensions ({networks.backbone_name})")
