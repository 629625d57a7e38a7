"""The embedder in torch: what the ONNX one gives, from the same weights; and a GPU that is none, or does not work.

Where there is a GPU, the tests of the stage embed compute on it too.
"""

from __future__ import annotations

import logging
from dataclasses import replace as replaced
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from faces.recognition.networks import Networks
from stages.embed.embed import open_embedder
from stages.embed.torch_embedder import (
    NO_GPU,
    PRECISIONS,
    OtherWeightsError,
    build_module,
    open_torch_embedder,
    run_on,
    why_no_gpu,
)
from stages.errors import StageError
from stages.params import Params

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


@pytest.fixture(scope="module")
def networks(networks_dir: Path) -> Networks:
    return Networks.load(networks_dir)


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), np.uint8)


def on(params: Params, device: str) -> Params:
    return replace(params, embed=replace(params.embed, device=device))


@pytest.mark.parametrize("flip", [True, False])
def test_it_gives_what_onnx_gives(networks: Networks, dlib_params: Params, crops: np.ndarray, flip: bool) -> None:
    params = replace(dlib_params, embed=replace(dlib_params.embed, flip=flip))
    device = "cuda" if why_no_gpu() is None else "cpu"
    got = open_torch_embedder(networks, params, device).embed(crops)
    wanted = networks.open_embedder(flip).embed(crops)
    assert (got.dtype, got.shape) == (np.float32, (3, 128))
    assert np.abs(got - wanted).max() < 5e-6


def test_less_precision_is_less_precise(networks: Networks, dlib_params: Params, crops: np.ndarray) -> None:
    """So bench.gpu measures what it says: only half precision changes anything on a CPU."""
    module = build_module(networks, dlib_params, "cpu")
    pixels = torch.from_numpy(crops)
    results = {precision: run_on(module, "cpu", precision)(pixels) for precision in PRECISIONS}
    errors = {name: float((result - results["float32"]).abs().max()) for name, result in results.items()}
    assert errors["float32"] == errors["tfloat32"] == 0
    assert 0 < errors["float16"] < errors["bfloat16"] < 0.1


def test_other_weights_than_the_networks_were_made_of_are_refused(networks: Networks, dlib_params: Params) -> None:
    manifest = networks.manifest
    other = Networks(replaced(manifest, weights={**manifest.weights, "embedder": "0" * 64}), {})
    with pytest.raises(OtherWeightsError, match=r"names weights with SHA-256 55533b28.*those with 0000.*dvc repro"):
        open_torch_embedder(other, dlib_params)


@without_gpu
def test_without_a_gpu_auto_takes_the_cpu_and_cuda_is_an_error(
    networks: Networks, dlib_params: Params, caplog: pytest.LogCaptureFixture
) -> None:
    assert why_no_gpu() == NO_GPU
    assert "ONNX Runtime on the CPU" in open_embedder(networks, on(dlib_params, "auto"), few=False)[1]
    assert not caplog.records
    with pytest.raises(StageError, match=f"embed.device is cuda, but {NO_GPU}; expected auto or cpu"):
        open_embedder(networks, on(dlib_params, "cuda"), few=False)


@without_gpu
def test_a_gpu_that_torch_cannot_compute_on(
    networks: Networks,
    dlib_params: Params,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One too old for this torch is "available"; here none is, which torch too finds out when it computes."""
    monkeypatch.setattr("pathlib.Path.exists", lambda _: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    reason = why_no_gpu()
    assert reason is not None
    assert reason.startswith("torch cannot compute on the GPU here (")
    with caplog.at_level(logging.WARNING):
        assert "ONNX Runtime on the CPU" in open_embedder(networks, on(dlib_params, "auto"), few=False)[1]
    assert caplog.messages == [f"{reason}: the CPU is used"]
    with pytest.raises(StageError, match=r"embed\.device is cuda, but torch cannot compute"):
        open_embedder(networks, on(dlib_params, "cuda"), few=True)


def test_few_crops_are_embedded_before_torch_is_there(
    networks: Networks, dlib_params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.embed.embed.why_no_gpu", lambda: pytest.fail("torch was asked"))
    assert "ONNX Runtime on the CPU" in open_embedder(networks, on(dlib_params, "auto"), few=True)[1]
