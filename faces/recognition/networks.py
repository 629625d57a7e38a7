"""The exported networks: `networks.json`, the ONNX files beside it, and what runs them.

`networks.json` holds everything that decides how a photo becomes an embedding, so that training and serving cannot
differ. Only the mirroring is missing in it: the trained model records that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faces.detection.detector import Detector
from faces.detection.settings import DetectorSettings
from faces.errors import UserError
from faces.message import Message
from faces.recognition.align import CropGeometry
from faces.recognition.embedder import Embedder
from faces.recognition.sessions import open_session

MANIFEST = "networks.json"
FORMAT = 2
DETECTOR_NAMES = ("pnet", "rnet", "onet")
NETWORK_NAMES = (*DETECTOR_NAMES, "embedder")
Check = Callable[[Path, bytes], None]
"""Raises an error where a file, with this content, is not to be used."""

_EXPORT_HINT = Message("run 'dvc repro export' (or 'python -m stages.export') to write them")


class NetworksError(UserError):
    """The exported networks cannot be used; the message says why and what to do."""


class NetworksNotFoundError(NetworksError):
    """There are no exported networks in the folder."""


@dataclass(frozen=True)
class Manifest:
    """The content of networks.json.

    Attributes:
        backbone: name of the embedder used.
        requested: name of the embedder that the parameters asked for.
        embedding_size: D.
        unit_length: whether embeddings are scaled to length 1.
        input_size: side in pixels of what the embedder sees of a crop.
        normalisation: what is done to pixel values, inside the ONNX file.
        weights: SHA-256 of each network's source weights, by network name.
        origin: where the embedder's weights come from.
        crop: how faces are cut.
        detector: what decides which faces are found.
        files: SHA-256 of each ONNX file, by network name.
        versions: versions of the packages that exported them.
    """

    backbone: str
    requested: str
    embedding_size: int
    unit_length: bool
    input_size: int
    normalisation: str
    weights: dict[str, str]
    origin: str
    crop: CropGeometry
    detector: DetectorSettings
    files: dict[str, str]
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of networks.json."""
        values = {
            "format": FORMAT,
            "backbone": self.backbone,
            "requested": self.requested,
            "embedding_size": self.embedding_size,
            "unit_length": self.unit_length,
            "input_size": self.input_size,
            "normalisation": self.normalisation,
            "weights": self.weights,
            "origin": self.origin,
            "crop": self.crop.as_json(),
            "detector": self.detector.as_json(),
            "files": self.files,
            "versions": self.versions,
        }
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def read(cls, folder: Path, check: Check | None = None) -> Manifest:
        """Read `networks.json` in a folder.

        Args:
            folder: holds it.
            check: looks at the file's content before it is used.

        Raises:
            NetworksNotFoundError: it is not there.
            NetworksError: it is damaged, or of another format.
            Exception: what `check` raises.
        """
        path = folder / MANIFEST
        try:
            data = path.read_bytes()
            if check is not None:
                check(path, data)
            values = json.loads(data.decode("utf-8"))
        except FileNotFoundError as error:
            raise NetworksNotFoundError("there is no {path}: {hint}", path=path, hint=_EXPORT_HINT) from error
        except (OSError, ValueError, RecursionError) as error:  # the last one where it is nested without end
            raise NetworksError(
                "{path} cannot be read ({reason}): {hint} again", path=path, reason=_reason(error), hint=_EXPORT_HINT
            ) from error
        try:
            if values["format"] != FORMAT:
                raise NetworksError(
                    "{path} has format {given!r}; this version reads {format}: {hint} again",
                    path=path,
                    given=values["format"],
                    format=FORMAT,
                    hint=_EXPORT_HINT,
                )
            return cls(
                backbone=values["backbone"],
                requested=values["requested"],
                embedding_size=int(values["embedding_size"]),
                unit_length=bool(values["unit_length"]),
                input_size=int(values["input_size"]),
                normalisation=values["normalisation"],
                weights={name: values["weights"][name] for name in NETWORK_NAMES},
                origin=values["origin"],
                crop=CropGeometry.from_json(values["crop"]),
                detector=DetectorSettings.from_json(values["detector"]),
                files={name: values["files"][name] for name in NETWORK_NAMES},
                versions=dict(values["versions"]),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            if isinstance(error, KeyError):
                lack = Message("it lacks {name}", name=error.args[0])
            else:
                lack = Message("a value is of the wrong kind")
            raise NetworksError(
                "{path} is damaged ({lack}): {hint} again", path=path, lack=lack, hint=_EXPORT_HINT
            ) from error

    def recipe(self, flip: bool) -> dict[str, Any]:
        """How embeddings are made. Two embeddings can be compared if and only if this is equal for both.

        Args:
            flip: whether embeddings are averaged with those of the mirrored face.
        """
        return {
            "backbone": self.backbone,
            "embedding_size": self.embedding_size,
            "weights": self.weights,
            "crop": json.loads(json.dumps(self.crop.as_json())),
            "detector": json.loads(json.dumps(self.detector.as_json())),
            "flip": flip,
        }


def _reason(error: OSError | ValueError | RecursionError) -> str:
    """Why a file cannot be read."""
    if isinstance(error, OSError):
        return error.strerror or Message("unknown")
    return Message("it is not JSON")


class Networks:
    """The checked bytes of the exported networks, without sessions: a session belongs to one process.

    Attributes:
        manifest: what networks.json says.
        manifest_sha256: of the file networks.json, which names each network by its SHA-256; None if not read from one.
    """

    def __init__(self, manifest: Manifest, models: dict[str, bytes], manifest_sha256: str | None = None) -> None:
        self.manifest = manifest
        self.manifest_sha256 = manifest_sha256
        self._models = models

    @classmethod
    def load(cls, folder: Path, names: Iterable[str] = NETWORK_NAMES, check: Check | None = None) -> Networks:
        """Read networks of a folder and check each file against networks.json.

        Args:
            folder: holds networks.json.
            names: those that will be opened.
            check: looks at networks.json, as `Manifest.read` takes it.

        Raises:
            NetworksNotFoundError: networks.json or an ONNX file is missing.
            NetworksError: a file is not the one that networks.json names.
            Exception: what `check` raises.
        """
        digests: list[str] = []

        def look(path: Path, data: bytes) -> None:
            digests.append(hashlib.sha256(data).hexdigest())
            if check is not None:
                check(path, data)

        manifest = Manifest.read(folder, look)
        models: dict[str, bytes] = {}
        for name in names:
            path = folder / f"{name}.onnx"
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise NetworksNotFoundError("there is no {path}: {hint} again", path=path, hint=_EXPORT_HINT) from error
            except OSError as error:
                raise NetworksError("{path} cannot be read ({reason})", path=path, reason=_reason(error)) from error
            if hashlib.sha256(data).hexdigest() != manifest.files[name]:
                raise NetworksError(
                    "{path} is not the file that {manifest} names: {hint} again",
                    path=path,
                    manifest=MANIFEST,
                    hint=_EXPORT_HINT,
                )
            models[name] = data
        return cls(manifest, models, digests[0])

    @property
    def backbone_name(self) -> str:
        """Name of the embedder, such as "dlib-resnet"."""
        return self.manifest.backbone

    @property
    def embedding_size(self) -> int:
        """D, the number of values of an embedding."""
        return self.manifest.embedding_size

    def open_detector(self, threads: int = 1) -> Detector:
        """A detector with sessions of its own, in this process.

        Args:
            threads: how many parts of one photo's work run at once.
        """
        pnet, rnet, onet = (open_session(self._models[name]) for name in DETECTOR_NAMES)
        return Detector(pnet, rnet, onet, self.manifest.detector, threads)

    def open_embedder(self, flip: bool, threads: int = 1) -> Embedder:
        """An embedder with a session of its own, in this process.

        Args:
            flip: average with the mirrored face.
            threads: how many parts of a batch run at once.
        """
        session = open_session(self._models["embedder"])

        def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            embeddings: NDArray[np.float32] = session.run(None, {"pixels": crops})[0]
            return embeddings

        return Embedder(run, flip, self.manifest.unit_length, threads)
