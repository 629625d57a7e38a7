"""dlib's face recognition ResNet-29 (King 2017), rebuilt in torch from dlib's own file.

The weights come with the PyPI package `face_recognition_models` (CC0), so this backbone needs no download. The
module agrees with dlib itself to 5e-7 and runs many times as fast.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from faces.backbones import WeightsDamagedError, WeightsUnavailableError
from faces.files import sha256_of
from faces.recognition.align import CropGeometry

_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_CHIP = 150
_BORDER = 5
_DESIGN_SIZE = _CHIP + 2 * _BORDER
# Where MTCNN finds eyes, nose and mouth corners in the 150 × 150 chips that dlib cuts, on average.
_CHIP_LANDMARKS = ((49.39, 47.44), (103.33, 47.39), (75.71, 79.11), (52.78, 106.04), (99.80, 106.36))
_MEAN_RGB = (122.782, 117.001, 104.298)
# (channels, residual blocks, whether the first block halves the resolution), beginning at the input
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))


class DlibResNet:
    """The embedded backbone; see `faces.backbones.Backbone`."""

    name = "dlib-resnet"
    embedding_size = 128
    # dlib compares by Euclidean distance. Lengths are 1.3 to 1.6; if all were 1, 0.2 % fewer of LFW's pairs would be
    # right.
    unit_length = False
    input_size = _CHIP
    normalisation = f"(RGB - {list(_MEAN_RGB)}) / 256"
    weights_sha256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
    weights_origin = f"PyPI face_recognition_models 0.3.0, {_FILE} (CC0)"

    def geometry(self, image_size: int, margin: int) -> CropGeometry:  # noqa: ARG002  alignment leaves no margin to choose
        """The chip with a border of 5 pixels in 160: the network sees the middle 150, without resizing."""
        scale = image_size / _DESIGN_SIZE
        points = tuple((round((x + _BORDER) * scale, 4), round((y + _BORDER) * scale, 4)) for x, y in _CHIP_LANDMARKS)
        return CropGeometry("similarity", image_size, 0, points)

    def locate_weights(self) -> Path:
        """The file in the installed package. The package is not imported, since its import needs pkg_resources."""
        package = importlib.util.find_spec("face_recognition_models")
        if package is None or package.origin is None:
            raise WeightsUnavailableError(
                "the package face_recognition_models is not installed: pip install -r requirements.txt"
            )
        path = Path(package.origin).parent / "models" / _FILE
        if not path.is_file():
            raise WeightsUnavailableError("{path} is missing: reinstall face_recognition_models==0.3.0", path=path)
        digest = sha256_of(path)
        if digest != self.weights_sha256:
            raise WeightsDamagedError(
                "{path} has SHA-256 {digest}; expected {weights_sha256}",
                path=path,
                digest=digest,
                weights_sha256=self.weights_sha256,
            )
        return path

    def build(self, weights: Path, image_size: int) -> nn.Module:
        """The network in torch, filled from dlib's file."""
        network = _ResNet29(image_size)
        network.load(weights.read_bytes())
        return network.eval()


class _ConvAffine(nn.Module):
    """A convolution and dlib's `affine`: a fixed scale and shift per channel (batch normalisation, frozen)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0)
        self.gamma = nn.Parameter(torch.ones(outputs, 1, 1))
        self.beta = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x) * self.gamma + self.beta
        return result


class _Residual(nn.Module):
    """dlib's residual block. One that halves the resolution pools its skip and fills missing channels with zeros."""

    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.first = _ConvAffine(inputs, outputs, 3, 2 if down else 1)
        self.second = _ConvAffine(outputs, outputs, 3, 1)
        self.extra_channels = outputs - inputs
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(functional.relu(self.first(x)))
        if self.down:
            x = functional.avg_pool2d(x, 2)
            # Sizes are plain numbers (the input's size is fixed), so tracing for ONNX writes constants.
            rows, columns = int(y.shape[2]), int(y.shape[3])
            short_rows, short_columns = max(int(x.shape[2]) - rows, 0), max(int(x.shape[3]) - columns, 0)
            y = functional.pad(y, (0, short_columns, 0, short_rows))
            grow = (0, int(y.shape[3]) - int(x.shape[3]), 0, int(y.shape[2]) - int(x.shape[2]))
            x = functional.pad(x, (*grow, 0, self.extra_channels))
        return functional.relu(x + y)


class _ResNet29(nn.Module):
    mean: Tensor

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self.image_size = image_size
        self.stem = _ConvAffine(3, 32, 7, 2)
        blocks: list[nn.Module] = []
        channels = 32
        for outputs, count, down in _LEVELS:
            for index in range(count):
                blocks.append(_Residual(channels, outputs, down and index == 0))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(channels, DlibResNet.embedding_size, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN_RGB).reshape(1, 3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        x = crops.permute(0, 3, 1, 2).float()
        if self.image_size != _DESIGN_SIZE:
            x = functional.interpolate(x, size=(_DESIGN_SIZE, _DESIGN_SIZE), mode="bilinear", align_corners=False)
        x = x[:, :, _BORDER : _BORDER + _CHIP, _BORDER : _BORDER + _CHIP]
        x = (x - self.mean) / 256.0
        x = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        x = self.blocks(x).mean(dim=(2, 3))
        result: Tensor = self.fc(x)
        return result

    def load(self, data: bytes) -> None:
        """Fill all parameters from the content of dlib's file.

        Raises:
            WeightsDamagedError: the content is not the network expected.
        """
        layers = [module for module in self.modules() if isinstance(module, _ConvAffine)]
        try:
            convolutions = list(_tensors(data, b"con_4"))
            affines = list(_tensors(data, b"affine_"))
            dense = _dense(data)
        except (IndexError, ValueError, OverflowError) as error:
            raise WeightsDamagedError("not dlib's face recognition network: {error}", error=error) from error
        if len(convolutions) != len(layers) or len(affines) != len(layers):
            raise WeightsDamagedError(
                "expected {layers:# convolution|# convolutions} with their affines, found {convolutions}, {affines}",
                layers=len(layers),
                convolutions=len(convolutions),
                affines=len(affines),
            )
        with torch.no_grad():
            for layer, convolution, affine in zip(layers, convolutions, affines, strict=True):
                filters, channels = layer.conv.weight.numel(), layer.gamma.numel()
                if convolution.size != filters + channels or affine.size != 2 * channels:
                    raise WeightsDamagedError(
                        "expected {weights} and {affines} values of a convolution and its affine, found {found} and "
                        "{found_affines}",
                        weights=filters + channels,
                        affines=2 * channels,
                        found=convolution.size,
                        found_affines=affine.size,
                    )
                layer.conv.weight.copy_(torch.from_numpy(convolution[:filters]).view_as(layer.conv.weight))
                assert layer.conv.bias is not None  # nn.Conv2d has one by default
                layer.conv.bias.copy_(torch.from_numpy(convolution[filters:]))
                gamma, beta = np.split(affine, 2)
                layer.gamma.copy_(torch.from_numpy(gamma).view_as(layer.gamma))
                layer.beta.copy_(torch.from_numpy(beta).view_as(layer.beta))
            self.fc.weight.copy_(torch.from_numpy(dense).T)


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """dlib's integer: a byte (low nibble: how many bytes follow; high bit: sign), then little-endian bytes."""
    count = data[at] & 0x0F
    value = int.from_bytes(data[at + 1 : at + 1 + count], "little")
    return (-value if data[at] & 0x80 else value), at + 1 + count


def _tensor(data: bytes, at: int) -> NDArray[np.float32]:
    """dlib's tensor: version 2, four dimensions, then raw little-endian float32, returned flat."""
    version, at = _integer(data, at)
    if version != 2:
        raise ValueError(f"a tensor of version {version}")
    size = 1
    for _ in range(4):
        dimension, at = _integer(data, at)
        size *= dimension
    return np.frombuffer(data, "<f4", size, at).astype(np.float32)


def _tensors(data: bytes, tag: bytes) -> Iterator[NDArray[np.float32]]:
    """The tensor after each occurrence of a layer's tag."""
    at = data.find(tag)
    while at >= 0:
        at += len(tag)
        yield _tensor(data, at)
        at = data.find(tag, at)


def _dense(data: bytes) -> NDArray[np.float32]:
    """The last layer: 256 × 128 after the tag and two integers."""
    at = data.index(b"fc_2") + len(b"fc_2")
    for _ in range(2):
        _, at = _integer(data, at)
    return _tensor(data, at).reshape(256, DlibResNet.embedding_size)
