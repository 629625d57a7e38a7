"""Stage embed: one embedding for each crop.

Writes data/embeddings.npy (float32 [N, D]), data/labels.npy (int64 [N], 1 = me), data/index.csv, which says for each
row which photo, face and person it is of, and data/embedding_recipe.json, which says how embeddings were made. Those
that an earlier run made in the same way are taken over (stages/embed/memory.py). Of several faces on a photo of me, it
takes the one that agrees with the other photos (stages/embed/choice.py); the others have no row.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.files import write_bytes
from faces.fingerprint import embedding_fingerprint
from faces.message import Message
from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks
from faces.threads import available_cores, read_ahead
from stages.embed.choice import choose_faces
from stages.embed.memory import EmbeddingMemory, embedding_recipe
from stages.embed.picture import draw_people
from stages.embed.pixels import decode_crop
from stages.embed.torch_embedder import NO_GPU, gpu_name, open_torch_embedder, why_no_gpu
from stages.errors import StageError
from stages.files.encryption import Key
from stages.files.locked_files import key_like, reveal, sealed
from stages.files.paths import (
    CROP_REPORT,
    CROPPED,
    EMBEDDING_RECIPE,
    EMBEDDINGS,
    INDEX,
    LABELS,
    NETWORKS,
    REMEMBERED_EMBEDDINGS,
    TWO_PEOPLE,
)
from stages.files.photos import SourcePhoto
from stages.files.tables import Record, read_records, write_array, write_json, write_records
from stages.language.telling import tell
from stages.params import EmbedParams, Params, load_params
from stages.progress import progress

OUTPUTS = (EMBEDDINGS, LABELS, INDEX, EMBEDDING_RECIPE)

_INDEX_COLUMNS = ("row", "label", "photo", "sha256", "face", "person", "crop", "crop_sha256")
# New crops, for each core, from which on an update is sooner done on a GPU: torch takes 3 to 8 s longer to be ready, in
# which a core embeds 110 (facenet-vggface2) to 180 (dlib-resnet). bench.gpu measures it.
_WORTH_A_GPU = 100
logger = logging.getLogger(__name__)


def read_crop_report() -> tuple[list[Record], set[str]]:
    """The faces that were kept, as `stages.files.crop_row.CropRow` describes them, and the SHA-256 of every photo.

    Raises:
        StageError: the report is missing or damaged, or no face was kept.
    """
    columns = ["photo", "sha256", "face", "kept", "candidate", "crop", "crop_sha256"]
    rows = read_records(CROP_REPORT, "crop", columns)
    kept = [row for row in rows if row["kept"] == "True"]
    if not kept:
        raise StageError("{crop_report} names no crop: run 'dvc repro --force crop'", crop_report=CROP_REPORT)
    return kept, {row["sha256"] for row in rows}


def open_embedder(networks: Networks, params: Params, few: bool) -> tuple[Embedder, Message]:
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
            return open_torch_embedder(networks, params), Message("torch on the GPU ({name})", name=gpu_name())
        if device == "cuda":
            raise StageError("embed.device is cuda, but {reason}; expected auto or cpu on this machine", reason=reason)
        if reason != NO_GPU:
            logger.warning(tell("{reason}: the CPU is used", reason=reason))
    threads = available_cores()
    where = Message("ONNX Runtime on the CPU, {threads:# thread|# threads}", threads=threads)
    return networks.open_embedder(params.embed.flip, threads), where


def _batches(new: list[Record], image_size: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """The pixels of crops in batches, uint8 [n, S, S, 3]."""
    crops = iter(new)

    def read(row: Record) -> NDArray[np.uint8]:
        return _read_crop(CROPPED / row["crop"], row["crop_sha256"], image_size)

    with ThreadPoolExecutor(available_cores(), thread_name_prefix="read") as readers:
        while part := list(islice(crops, size)):
            yield np.stack(list(readers.map(read, part)))


def _read_crop(path: Path, sha256: str, image_size: int) -> NDArray[np.uint8]:
    """Pixels of a crop, uint8 [S, S, 3], once it is certain that it is the one the report speaks of."""
    try:
        data = reveal(path.read_bytes(), path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise StageError(
            "{path} is not the crop that {crop_report} names: run 'dvc repro --force crop'",
            path=path,
            crop_report=CROP_REPORT,
        )
    pixels = decode_crop(data)
    if pixels.shape[:2] != (image_size, image_size):
        raise StageError(
            "{path} is {width} × {height} pixels, the networks take {image_size} × {image_size}: run 'dvc repro' (or "
            "'python -m stages.crop') first",
            path=path,
            width=pixels.shape[1],
            height=pixels.shape[0],
            image_size=image_size,
        )
    return pixels


def _unreadable(path: Path, error: OSError) -> StageError:
    return StageError(
        "the crop {path} cannot be read ({reason}): run 'dvc repro --force crop'", path=path, reason=error.strerror
    )


def embed_all(rows: list[Record], networks: Networks, params: Params, memory: EmbeddingMemory) -> NDArray[np.float32]:
    """Embeddings of crops, float32 [N, D]; each different crop is computed once, and those remembered are not.

    Args:
        rows: of the crop report, those that were kept.
        networks: the networks.
        params: the parameters.
        memory: of their recipe; what is computed is added to it.

    Raises:
        StageError: a crop cannot be read, or the GPU has too little memory for the batch.
    """
    new = list({row["crop_sha256"]: row for row in rows if row["crop_sha256"] not in memory}.values())
    if new:
        few = len(memory) > 0 and len(new) < _WORTH_A_GPU * available_cores()
        embedder, where = open_embedder(networks, params, few)
        text = "{new} of {crops:# crop|# crops} {new:is|are} new: {backbone}, {where}"
        logger.info(tell(text, new=len(new), crops=len(rows), backbone=networks.backbone_name, where=where))
        size = params.embed.batch_size
        batches = read_ahead(_batches(new, networks.manifest.crop.image_size, size))
        embeddings = chain.from_iterable(
            _embed(embedder, pixels, size)
            for pixels in progress(batches, -(-len(new) // size), Message("embedding"), Message("batch"))
        )
        for row, embedding in zip(new, embeddings, strict=True):
            memory.add(row["crop_sha256"], row["sha256"], embedding)
    return np.stack([memory[row["crop_sha256"]] for row in rows]).astype(np.float32)


def _embed(embedder: Embedder, pixels: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
    try:
        return embedder.embed(pixels)
    except RuntimeError as error:
        if "out of memory" not in str(error):
            raise
        raise StageError(
            "the GPU has too little memory for embed.batch_size {batch_size}: lower it in params.yaml (or set "
            "embed.device: cpu)",
            batch_size=batch_size,
        ) from error


def key_of_crops(rows: list[Record]) -> Key | None:
    """The key that locked the crops, which locks what is made of them; None where they are plain.

    Raises:
        StageError: a crop cannot be read, or there is no key.
    """
    path = CROPPED / rows[0]["crop"]
    try:
        return key_like(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def choose(rows: list[Record], embeddings: NDArray[np.float32], key: Key | None = None) -> list[int]:
    """The rows that are used: of a photo of me with several faces, the one that agrees with the other photos of me.

    Args:
        rows: of the crop report, those that were kept.
        embeddings: float32 [N, D], theirs.
        key: locks the picture, where there is one.

    Returns:
        Their numbers, in order.

    Raises:
        StageError: a second person is on as many photos of me as the one who would be chosen; a picture shows both.
    """
    TWO_PEOPLE.unlink(missing_ok=True)
    if not any(row["candidate"] == "True" for row in rows):
        return list(range(len(rows)))
    photos: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row["photo"].startswith("me/"):
            photos.setdefault(row["photo"], []).append(number)
    own = list(photos.values())
    choice = choose_faces([embeddings[numbers] for numbers in own])
    if choice.rivals:
        pairs = [(own[photo][choice.chosen[photo]], own[photo][place]) for photo, place in choice.rivals]
        crops = [[CROPPED / rows[number]["crop"] for number in person] for person in zip(*pairs, strict=True)]
        write_bytes(TWO_PEOPLE, sealed(draw_people(crops), key))
        raise StageError(
            "two people are together on photos of me ({count}, such as {photo}), and the other photos do not tell "
            "which of them is me; {picture} shows both, one in each row. Add photos of me alone, or cut the other "
            "person off; or set crop.me_faces to largest in params.yaml",
            count=len(pairs),
            photo=rows[pairs[0][0]]["photo"],
            picture=TWO_PEOPLE,
        )
    chosen = {numbers[place] for numbers, place in zip(own, choice.chosen, strict=True)}
    return [number for number, row in enumerate(rows) if row["candidate"] != "True" or number in chosen]


def _sources(rows: list[Record]) -> list[SourcePhoto]:
    """The photos that the faces are of; where the files lie is not known here."""
    parts = [row["photo"].partition("/") for row in rows]
    return [SourcePhoto(Path(), name, int(class_name == "me")) for class_name, _, name in parts]


def _index(rows: list[Record], sources: list[SourcePhoto]) -> list[tuple[Any, ...]]:
    """The map from rows of embeddings.npy to photos, as `_INDEX_COLUMNS` names it.

    Raises:
        StageError: the report's number of a face is none.
    """
    try:
        faces = [int(row["face"]) for row in rows]
    except ValueError as error:
        raise StageError("{crop_report} is damaged: run 'dvc repro --force crop'", crop_report=CROP_REPORT) from error
    return [
        (number, source.label, row["photo"], row["sha256"], face, source.person, row["crop"], row["crop_sha256"])
        for number, (row, source, face) in enumerate(zip(rows, sources, faces, strict=True))
    ]


def describe_making(networks: Networks, params: EmbedParams) -> dict[str, Any]:
    """How embeddings are made, for the verifier that is trained on them: the content of embedding_recipe.json."""
    return {"recipe": networks.manifest.recipe(params.flip), "made_with": embedding_fingerprint()}


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    rows, photos = read_crop_report()
    networks = Networks.load(NETWORKS)
    key = key_of_crops(rows)
    memory = EmbeddingMemory(REMEMBERED_EMBEDDINGS, embedding_recipe(networks.manifest, params.embed.flip), key)
    try:
        embeddings = embed_all(rows, networks, params, memory)
    finally:
        memory.write(photos)  # also after Ctrl-C: what was computed is not computed again
    used = choose(rows, embeddings, key)
    rows, embeddings = [rows[number] for number in used], embeddings[used]
    sources = _sources(rows)
    index = _index(rows, sources)
    write_array(EMBEDDINGS, embeddings, key)
    write_array(LABELS, np.array([source.label for source in sources], np.int64))
    write_records(INDEX, _INDEX_COLUMNS, index)
    write_json(EMBEDDING_RECIPE, describe_making(networks, params.embed), exact=True)
    text = "embed: {faces:# face|# faces}, {dimensions:# dimension|# dimensions} ({backbone})"
    print(tell(text, faces=len(rows), dimensions=embeddings.shape[1], backbone=networks.backbone_name))
