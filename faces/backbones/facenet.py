"""FaceNet: facenet-pytorch's InceptionResnetV1 (Szegedy et al. 2016), pretrained on VGGFace2 by T. Esler.

512 dimensions, 160 × 160 input. The weights are a file of facenet-pytorch's release v2.2.9 (MIT licence). It is looked
for on this machine, then downloaded, and never loaded before its SHA-256 is checked.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn
from torch.nn import functional

from faces.backbones import WeightsDamagedError, WeightsUnavailableError
from faces.backbones.download import DownloadError, download
from faces.files import sha256_of
from faces.message import Message
from faces.recognition.align import CropGeometry

FILE_NAME = "20180402-114759-vggface2.pt"
URL = f"https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/{FILE_NAME}"
SHA256 = "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b"
VARIABLE = "FACENET_WEIGHTS"
WEIGHTS_FOLDER = Path("models/weights")
_INPUT_SIZE = 160


class FaceNet:
    """The default backbone; see `faces.backbones.Backbone`.

    Args:
        url, sha256: another place for the weights, and their checksum; None for the release's.
    """

    name = "facenet-vggface2"
    embedding_size = 512
    unit_length = True
    input_size = _INPUT_SIZE
    normalisation = "(RGB - 127.5) / 128"

    def __init__(self, url: str | None = None, sha256: str | None = None) -> None:
        self._url = url or URL
        self.weights_sha256 = (sha256 or SHA256).lower()
        self.weights_origin = f"facenet-pytorch v2.2.9, {FILE_NAME} (MIT)" if sha256 is None else self._url

    def geometry(self, image_size: int, margin: int) -> CropGeometry:
        """The detector's box plus margin, as facenet-pytorch cuts it."""
        return CropGeometry("box", image_size, margin)

    def locate_weights(self) -> Path:
        """Look in `FACENET_WEIGHTS`, models/weights/ and torch's cache; download to models/weights/ otherwise."""
        named = os.environ.get(VARIABLE)
        if named:
            path = Path(named).expanduser()
            if not path.is_file():
                raise WeightsDamagedError(
                    "{variable} names {path}, which is not a file: correct or unset it", variable=VARIABLE, path=path
                )
            return self._checked(path, Message("correct or unset {variable}", variable=VARIABLE))
        for path in (WEIGHTS_FOLDER / FILE_NAME, _torch_home() / "checkpoints" / FILE_NAME):
            if path.is_file():
                return self._checked(path, Message("delete it, and it is downloaded again"))
        target = WEIGHTS_FOLDER / FILE_NAME
        try:
            download(self._url, target, self.weights_sha256)
        except DownloadError as error:
            raise WeightsUnavailableError(
                "FaceNet's weights are neither in {variable}, {weights_folder} nor torch's cache, and {error}",
                variable=VARIABLE,
                weights_folder=WEIGHTS_FOLDER,
                error=error,
            ) from error
        except ValueError as error:
            raise WeightsDamagedError(error.args[0]) from error
        return target

    def _checked(self, path: Path, remedy: Message) -> Path:
        self._check(path, sha256_of(path), remedy)
        return path

    def _check(self, path: Path, digest: str, remedy: Message) -> None:
        if digest != self.weights_sha256:
            raise WeightsDamagedError(
                "{path} has SHA-256 {digest}; expected {weights_sha256}: {remedy}",
                path=path,
                digest=digest,
                weights_sha256=self.weights_sha256,
                remedy=remedy,
            )

    def build(self, weights: Path, image_size: int) -> nn.Module:
        """The network in torch, filled from the checkpoint.

        A checkpoint is a pickle. Its bytes are read once, so those that were checked are those that are loaded.
        """
        network = InceptionResnetV1(pretrained=None, classify=False)
        data = weights.read_bytes()
        self._check(weights, hashlib.sha256(data).hexdigest(), Message("delete it, and it is downloaded again"))
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            # The checkpoint also holds the classifier of its training, which embeddings do not use.
            network.load_state_dict({name: value for name, value in state.items() if not name.startswith("logits.")})
        except Exception as error:  # torch raises many kinds for a file that is no checkpoint of this network
            raise WeightsDamagedError(
                "{weights} is no checkpoint of InceptionResnetV1: delete it, and it is fetched again", weights=weights
            ) from error
        return _FromPixels(network, image_size).eval()


class _FromPixels(nn.Module):
    """InceptionResnetV1 that takes crops as they are stored: [N, S, S, 3] RGB, 0 to 255."""

    def __init__(self, network: nn.Module, image_size: int) -> None:
        super().__init__()
        self.network = network
        self.image_size = image_size

    def forward(self, crops: Tensor) -> Tensor:
        x = crops.permute(0, 3, 1, 2).float()
        if self.image_size != _INPUT_SIZE:
            x = functional.interpolate(x, size=(_INPUT_SIZE, _INPUT_SIZE), mode="bilinear", align_corners=False)
        result: Tensor = self.network((x - 127.5) / 128.0)
        return result


def _torch_home() -> Path:
    """Torch's cache folder, where facenet-pytorch keeps its downloads."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache}/torch")).expanduser()
