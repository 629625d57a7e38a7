"""Stage embed: one embedding for each crop.

Writes data/embeddings.npy (float32 [N, D]), data/labels.npy (int64 [N], 1 = me) and data/index.csv, which says for each
row which photo, face and person it is of. Crops that have not changed since the last run keep their embedding.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from faces.backbones import get_backbone
from faces.embedder import Embedder
from faces.files import write_bytes
from faces.networks import Networks
from faces.progress import progress
from faces.threads import available_cores, read_ahead
from stages.errors import StageError, run_stage
from stages.inputs import read_array
from stages.params import Params, load_params
from stages.paths import CROP_REPORT, CROPPED, EMBEDDINGS, INDEX, LABELS, NETWORKS
from stages.photos import SourcePhoto
from stages.records import Record, read_records, write_records

_INDEX_COLUMNS = (
    "row", "label", "photo", "sha256", "face", "person", "crop", "crop_sha256", "recipe", "embedding_sha256",
)  # fmt: skip
logger = logging.getLogger(__name__)


def read_crop_report() -> list[Record]:
    """The faces that were kept, in the report's order, as `stages.crop_report.CropRow` describes them.

    Raises:
        StageError: the report is missing or damaged, or no face was kept.
    """
    rows = read_records(CROP_REPORT, "crop", ["photo", "sha256", "face", "kept", "crop", "crop_sha256"])
    kept = [row for row in rows if row["kept"] == "True"]
    if not kept:
        raise StageError(f"{CROP_REPORT} names no crop: run 'dvc repro --force crop'")
    return kept


def open_embedder(networks: Networks, params: Params) -> tuple[Embedder, str]:
    """The embedder for the device asked for, and what it runs on, for people to read.

    Raises:
        StageError: cuda was asked for, and there is none.
    """
    device = params.embed.device
    if device != "cpu" and _cuda_is_there():
        return _torch_embedder(networks, params), "torch on the GPU"
    if device == "cuda":
        raise StageError("embed.device is cuda, but torch finds no GPU here; expected auto or cpu on this machine")
    threads = available_cores()
    return networks.open_embedder(params.embed.flip, threads), f"ONNX Runtime on the CPU, {threads} threads"


def _cuda_is_there() -> bool:
    """Whether torch can use a GPU; asked only where one may be, since importing torch takes seconds."""
    if not any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/dxg")) and os.name != "nt":
        return False
    import torch

    return torch.cuda.is_available()


def _torch_embedder(networks: Networks, params: Params) -> Embedder:
    """The torch original on the GPU: there large batches are faster than ONNX Runtime on the CPU."""
    import torch

    manifest = networks.manifest
    backbone = get_backbone(manifest.backbone, params.backbone.weights_url, params.backbone.weights_sha256)
    module = backbone.build(backbone.locate_weights(), manifest.crop.image_size).to("cuda")

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            output: NDArray[np.float32] = module(torch.from_numpy(crops).to("cuda")).float().cpu().numpy()
            return output

    return Embedder(run, params.embed.flip, manifest.unit_length)


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


def _batches(rows: list[Record], image_size: int, size: int) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Crops in batches: their SHA-256 and pixels, uint8 [n, S, S, 3]."""
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        crops = [_read_crop(CROPPED / row["crop"], row["crop_sha256"], image_size) for row in part]
        yield [row["crop_sha256"] for row in part], np.stack(crops)


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
    new = list({row["crop_sha256"]: row for row in rows if row["crop_sha256"] not in known}.values())
    if new:
        embedder, where = open_embedder(networks, params)
        logger.info("%d of %d crops are new: %s, %s", len(new), len(rows), networks.backbone_name, where)
        size = params.embed.batch_size
        batches = _batches(new, networks.manifest.crop.image_size, size)
        for digests, pixels in progress(read_ahead(batches), -(-len(new) // size), "embedding", "batch"):
            known.update(zip(digests, _embed(embedder, pixels, size), strict=True))
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


def _write_array(path: Path, array: NDArray[Any]) -> None:
    file = io.BytesIO()  # numpy's own writing hides why it fails where the disk is full
    np.save(file, array)
    write_bytes(path, file.getvalue())


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    rows = read_crop_report()
    networks = Networks.load(NETWORKS)
    embeddings = embed_all(rows, networks, params)
    sources = _sources(rows)
    index = _index(rows, sources, embeddings, embedding_recipe(networks, params))
    _write_array(EMBEDDINGS, embeddings)
    _write_array(LABELS, np.array([source.label for source in sources], np.int64))
    write_records(INDEX, _INDEX_COLUMNS, index)
    print(f"embed: {embeddings.shape[0]} faces, {embeddings.shape[1]} dimensions ({networks.backbone_name})")


if __name__ == "__main__":
    run_stage("embed", main, [EMBEDDINGS, LABELS, INDEX])
