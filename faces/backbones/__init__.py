"""The embedders, behind one small interface: where their weights are, and their torch modules.

Importing this package is cheap; torch is imported when a module is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from faces.errors import UserError
from faces.recognition.align import CropGeometry

if TYPE_CHECKING:
    from pathlib import Path

    import torch


class WeightsUnavailableError(UserError):
    """The weights are nowhere on this machine and cannot be downloaded now; the message says what was tried."""


class WeightsDamagedError(UserError):
    """A weights file, found or downloaded, does not have the content that is expected. It is never loaded."""


class Backbone(Protocol):
    """A face embedding network.

    Attributes:
        name: as in params.yaml.
        embedding_size: D.
        unit_length: whether its embeddings are to have length 1; if not, their length has a meaning too.
        input_size: side in pixels of what the network sees of a crop.
        normalisation: what it does to pixel values, for people to read.
        weights_sha256: checksum of the weights file.
        weights_origin: where the weights come from, for people to read.
    """

    name: str
    embedding_size: int
    unit_length: bool
    input_size: int
    normalisation: str
    weights_sha256: str
    weights_origin: str

    def geometry(self, image_size: int, margin: int) -> CropGeometry:
        """How faces are cut for this network, at a crop size in pixels."""

    def locate_weights(self) -> Path:
        """The checked weights file, downloaded if need be.

        Raises:
            WeightsUnavailableError, WeightsDamagedError: see there.
        """

    def build(self, weights: Path, image_size: int) -> torch.nn.Module:
        """The network in torch, in evaluation mode: uint8 or float [N, S, S, 3] RGB 0–255 in, float [N, D] out."""


def get_backbone(name: str, weights_url: str | None = None, weights_sha256: str | None = None) -> Backbone:
    """The backbone of that name.

    Args:
        name: "facenet-vggface2" or "dlib-resnet".
        weights_url, weights_sha256: for facenet-vggface2, another place for the weights and their checksum
            (a mirror, or retrained weights of the same architecture).

    Raises:
        ValueError: no backbone of that name.
    """
    if name == "facenet-vggface2":
        from faces.backbones.facenet import FaceNet

        return FaceNet(weights_url, weights_sha256)
    if name == "dlib-resnet":
        from faces.backbones.dlib_resnet import DlibResNet

        return DlibResNet()
    raise ValueError(f"no backbone is called {name!r}; there are {', '.join(BACKBONE_NAMES)}")


BACKBONE_NAMES = ("facenet-vggface2", "dlib-resnet")
