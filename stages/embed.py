"""Stage embed: one embedding for each crop.

Writes data/embeddings.npy (float32 [N, D]), data/labels.npy (int64 [N], 1 = me) and data/index.csv, which says for each
row which photo, face and person it is of. Crops that have not changed since the last run keep their embedding.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from faces.backbones import get_backbone
from faces.embedder import Embedder
from faces.files import write_bytes, write_text
from faces.networks import Networks
from faces.progress import progress
from faces.threads import available_cores, read_ahead
from stages.errors import StageError, run_stage
from stages.inputs import read_array, read_table
from stages.params import Params, load_params
from stages.paths import CROP_REPORT, CROPPED, EMBEDDINGS, INDEX, LABELS, NETWORKS
from stages.photos import SourcePhoto

logger = logging.getLogger(__name__)


def read_crop_report() -> pd.DataFrame:
    """The faces that were kept, in the report's order, as columns of `stages.crop.CropRow`, all text.

    Raises:
        StageError: the report is missing or damaged, or no face was kept.
    """
    table = read_table(CROP_REPORT, "crop", ["photo", "sha256", "face", "kept", "crop", "crop_sha256"])
    kept = table[table["kept"] == "True"].reset_index(drop=True)
    if kept.empty:
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
        index = read_table(INDEX, "embed", ["crop_sha256", "recipe", "embedding_sha256"])
        embeddings = read_array(EMBEDDINGS, "embed")
    except (OSError, StageError):
        return {}
    rows = zip(index["crop_sha256"], index["recipe"], index["embedding_sha256"], embeddings, strict=False)
    return {crop: row for crop, made, digest, row in rows if made == recipe and _digest(row) == digest}


def _digest(embedding: NDArray[np.float32]) -> str:
    return hashlib.sha256(embedding.tobytes()).hexdigest()


def _batches(table: pd.DataFrame, image_size: int, size: int) -> Iterator[tuple[list[str], NDArray[np.uint8]]]:
    """Crops in batches: their SHA-256 and pixels, uint8 [n, S, S, 3]."""
    for start in range(0, len(table), size):
        part = table.iloc[start : start + size]
        named = zip(part["crop"], part["crop_sha256"], strict=True)
        yield list(part["crop_sha256"]), np.stack([_read_crop(CROPPED / crop, sha, image_size) for crop, sha in named])


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


def embed_all(table: pd.DataFrame, networks: Networks, params: Params) -> NDArray[np.float32]:
    """Embeddings of the crops in a table, float32 [N, D]; each different crop is computed once.

    Args:
        table: rows of the crop report that were kept.
        networks: the networks.
        params: the parameters.

    Raises:
        StageError: a crop cannot be read, or the GPU has too little memory for the batch.
    """
    recipe = embedding_recipe(networks, params)
    known = _remembered(recipe)
    new = table[~table["crop_sha256"].isin(known.keys())].drop_duplicates("crop_sha256")
    if len(new):
        embedder, where = open_embedder(networks, params)
        logger.info("%d of %d crops are new: %s, %s", len(new), len(table), networks.backbone_name, where)
        size = params.embed.batch_size
        batches = _batches(new, networks.manifest.crop.image_size, size)
        for digests, pixels in progress(read_ahead(batches), -(-len(new) // size), "embedding", "batch"):
            known.update(zip(digests, _embed(embedder, pixels, size), strict=True))
    return np.stack([known[digest] for digest in table["crop_sha256"]]).astype(np.float32)


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


def build_index(table: pd.DataFrame, embeddings: NDArray[np.float32], recipe: str) -> pd.DataFrame:
    """The map from rows of embeddings.npy to photos: row, label, photo, sha256, face, person, crop, …"""
    class_names = table["photo"].str.partition("/")[0]
    names = table["photo"].str.partition("/")[2]
    labels = (class_names == "me").astype(int)
    people = [SourcePhoto(Path(), name, label).person for name, label in zip(names, labels, strict=True)]
    return pd.DataFrame(
        {
            "row": np.arange(len(table)),
            "label": labels,
            "photo": table["photo"],
            "sha256": table["sha256"],
            "face": table["face"].astype(int),
            "person": people,
            "crop": table["crop"],
            "crop_sha256": table["crop_sha256"],
            "recipe": recipe,
            "embedding_sha256": [_digest(embedding) for embedding in embeddings],
        }
    )


def _write_array(path: Path, array: NDArray[Any]) -> None:
    file = io.BytesIO()  # numpy's own writing hides why it fails where the disk is full
    np.save(file, array)
    write_bytes(path, file.getvalue())


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    table = read_crop_report()
    networks = Networks.load(NETWORKS)
    embeddings = embed_all(table, networks, params)
    index = build_index(table, embeddings, embedding_recipe(networks, params))
    _write_array(EMBEDDINGS, embeddings)
    _write_array(LABELS, index["label"].to_numpy(np.int64))
    write_text(INDEX, index.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n"))
    print(f"embed: {embeddings.shape[0]} faces, {embeddings.shape[1]} dimensions ({networks.backbone_name})")


if __name__ == "__main__":
    run_stage("embed", main, [EMBEDDINGS, LABELS, INDEX])
