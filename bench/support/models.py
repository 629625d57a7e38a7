"""Models to measure speed with: real networks, and a verifier of random embeddings, at a real one's cost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from msgspec.structs import replace

from bench.support.servers import ROOT
from faces.backbones import WeightsUnavailableError, get_backbone
from faces.backbones.facenet import VARIABLE
from faces.files import sha256_of
from faces.recognition.networks import Manifest
from faces.verifier_arrays import RECIPE_ATTRIBUTE
from stages.estimation.fit import fit
from stages.estimation.population import population_for
from stages.export.export import export_networks
from stages.files.dataset import Dataset
from stages.params import Params, load_params


def make_models(folder: Path, backbone: str, flip: bool = True) -> Params:
    """Write networks/, model.joblib and scaler.joblib into a folder.

    Args:
        folder: new, or with networks of the same backbone, which are used again.
        backbone: as in params.yaml. FaceNet's weights are the real ones where this machine has them, else random.
        flip: whether embeddings are averaged with those of the mirrored face.

    Returns:
        The parameters they were made with.
    """
    params = load_params(ROOT / "params.yaml")
    params = replace(
        params,
        backbone=replace(params.backbone, name=backbone, offline=None),
        embed=replace(params.embed, flip=flip),
    )
    networks = folder / "networks"
    if not networks.is_dir():
        with weights(params, folder) as params:
            export_networks(params, networks)
    manifest = Manifest.read(networks)
    random = np.random.default_rng(0)
    embeddings = random.normal(size=(60, manifest.embedding_size)).astype(np.float32)
    embeddings[:20] += 0.5
    population = population_for(params.train, manifest.recipe(flip))
    verifier = fit(Dataset(embeddings, (np.arange(60) < 20).astype(int), np.arange(60)), params.train, population)
    setattr(verifier.model, RECIPE_ATTRIBUTE, manifest.recipe(flip))
    verifier.save(folder)
    return params


@contextmanager
def weights(params: Params, folder: Path) -> Iterator[Params]:
    """Parameters with which the backbone's weights are found: random ones where FaceNet's are not here.

    Args:
        params: as shipped, or as `make_models` returned them for that folder.
        folder: keeps the random ones.
    """
    path = folder / "random.pt"
    backbone = get_backbone(params.backbone.name, params.backbone.weights_url, params.backbone.weights_sha256)
    if not path.is_file():
        try:
            backbone.locate_weights()
        except WeightsUnavailableError:
            folder.mkdir(parents=True, exist_ok=True)
            torch.manual_seed(0)
            torch.save(InceptionResnetV1(pretrained=None).state_dict(), path)
        else:
            yield params
            return
    os.environ[VARIABLE] = str(path)
    try:
        yield replace(params, backbone=replace(params.backbone, weights_sha256=sha256_of(path)))
    finally:
        del os.environ[VARIABLE]
