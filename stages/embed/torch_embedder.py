"""The embedder in torch, on a GPU: the module that `export` wrote as ONNX, filled from the same weights."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from faces.backbones import get_backbone
from faces.errors import UserError
from faces.message import Message
from faces.recognition.embedder import Embedder
from faces.recognition.networks import MANIFEST, Networks

if TYPE_CHECKING:
    import torch

    from stages.params import Params

PRECISIONS = ("float32", "tfloat32", "float16", "bfloat16")
"""What numbers the network is computed in: float32, or the same with products in TF32 (10 bits), or autocast."""

NO_GPU = Message("torch finds no GPU here")


class OtherWeightsError(UserError):
    """params.yaml names other weights than the networks were made of."""


def why_no_gpu() -> Message | None:
    """Why torch cannot compute on a GPU here, or None where it can; importing torch takes seconds."""
    if not any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/dxg")) and os.name != "nt":
        return NO_GPU
    import torch

    if not torch.cuda.is_available():
        return NO_GPU
    try:
        torch.zeros(1, device="cuda").add(1).item()  # a GPU may be too old for this torch, which only computing shows
    except RuntimeError as error:
        return Message("torch cannot compute on the GPU here ({reason})", reason=str(error).splitlines()[0])
    return None


def gpu_name() -> str:
    """Name of the GPU that torch uses, such as "NVIDIA H200"."""
    import torch

    return torch.cuda.get_device_name()


def build_module(networks: Networks, params: Params, device: str) -> torch.nn.Module:
    """The torch original of the networks' embedder, on a device ("cuda" or "cpu").

    Raises:
        OtherWeightsError: params.yaml names other weights than the networks were made of.
        WeightsUnavailableError, WeightsDamagedError: the weights are not here any more, or not what they were.
    """
    manifest = networks.manifest
    backbone = get_backbone(manifest.backbone, params.backbone.weights_url, params.backbone.weights_sha256)
    if backbone.weights_sha256 != manifest.weights["embedder"]:
        raise OtherWeightsError(
            "params.yaml names weights with SHA-256 {weights_sha256}, {manifest} those with {expected}: run 'dvc "
            "repro' (or 'python -m stages.export') first",
            weights_sha256=backbone.weights_sha256,
            manifest=MANIFEST,
            expected=manifest.weights["embedder"],
        )
    return backbone.build(backbone.locate_weights(), manifest.crop.image_size).to(device)


def run_on(module: torch.nn.Module, device: str, precision: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """The module as a function of pixels on its device: uint8 [N, S, S, 3] to float32 [N, D].

    Args:
        module: from `build_module`.
        device: where it is.
        precision: one of `PRECISIONS`.
    """
    import torch

    half = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(precision)

    def run(pixels: torch.Tensor) -> torch.Tensor:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tfloat32"
        with torch.inference_mode(), torch.autocast(device, half, enabled=half is not None):
            result: torch.Tensor = module(pixels)
            return result.float()

    return run


def open_torch_embedder(networks: Networks, params: Params, device: str = "cuda") -> Embedder:
    """An embedder that gives what the ONNX one gives, to 1e-6.

    In float32, also where torch would take TF32 by itself: that moves values by up to 3e-4, and an H200 embeds as fast
    as crops are read anyway (bench.gpu: of the 13 s that 4,606 crops take with facenet-vggface2, it would save one).

    Raises:
        OtherWeightsError, WeightsUnavailableError, WeightsDamagedError: as `build_module`.
    """
    import torch

    compute = run_on(build_module(networks, params, device), device, "float32")

    def run(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = compute(torch.from_numpy(crops).to(device)).cpu().numpy()
        return embeddings

    return Embedder(run, params.embed.flip, networks.manifest.unit_length)
