"""Stage export: write MTCNN's three networks and the embedder as ONNX, each checked against its torch original.

Writes models/networks/{pnet,rnet,onet,embedder}.onnx and networks.json, and models/records/export.json, which names
them; nothing is replaced until all are right.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import logging
import tempfile
import warnings
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch.models import mtcnn
from msgspec.structs import asdict, replace
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from faces.backbones import Backbone, WeightsUnavailableError, get_backbone
from faces.detection.settings import DetectorSettings
from faces.files import sha256_of
from faces.recognition.networks import MANIFEST, NETWORK_NAMES, Manifest
from faces.recognition.sessions import open_session
from faces.records import MadeFrom, write_recorded
from faces.threads import available_cores
from stages.errors import StageError
from stages.files.making import made_from
from stages.files.paths import EXPORT_RECORD, NETWORKS
from stages.files.photos import what_dvc_cannot_do
from stages.language.telling import tell
from stages.params import Params, load_params

OUTPUTS = (NETWORKS, NETWORKS / MANIFEST, *(NETWORKS / f"{network}.onnx" for network in NETWORK_NAMES), EXPORT_RECORD)

TOLERANCE = 1e-4
"""Largest difference allowed between the outputs of torch and of ONNX Runtime; about 1e-6 is usual."""

_OPSET = 17
_BLOCK = 16  # channels that ONNX Runtime keeps together, on processors with AVX-512; 8 on others
logger = logging.getLogger(__name__)


class _FromPixels(nn.Module):
    """One of MTCNN's nets that takes pixels as numpy has them: float [N, H, W, 3] RGB, 0 to 255."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = self.network((pixels.permute(0, 3, 1, 2) - 127.5) * 0.0078125)
        return outputs


class _PReLUOfArithmetic(nn.Module):
    """A PReLU that ONNX Runtime vectorises, equal to the last bit: its own takes half the time of MTCNN's nets."""

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.slopes = nn.Parameter(slopes)

    def forward(self, x: Tensor) -> Tensor:
        positive = torch.relu(x)
        slopes = self.slopes.reshape(-1, 1, 1) if x.dim() == 4 else self.slopes  # [N, C, H, W] or [N, C]
        return positive + slopes * (x - positive)


class _PReLUOfConvolutions(nn.Module):
    """The same for [N, C, H, W], as relu(x) - slope · relu(-x), with each channel's product a convolution of its own.

    ONNX Runtime keeps channels in blocks from one convolution to the next, and rearranges them before and after any
    other arithmetic: spared that, R-Net and O-Net take a quarter less time.
    """

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.channels = len(slopes)
        self.minus_one = nn.Parameter(-torch.ones(self.channels, 1, 1, 1))
        self.minus_slopes = nn.Parameter(-slopes.reshape(-1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        negative = torch.relu(functional.conv2d(x, self.minus_one, groups=self.channels))
        return functional.conv2d(negative, self.minus_slopes, groups=self.channels) + torch.relu(x)


def _with_cheap_prelu(network: nn.Module) -> nn.Module:
    """The same network with each PReLU replaced, and channels that are always 0 where some lack to a whole block."""
    network = copy.deepcopy(network)
    added = 0
    for (_, layer), (name, following) in pairwise([*network.named_children(), ("", nn.Identity())]):
        slopes = following.weight.detach() if isinstance(following, nn.PReLU) else None
        # The input of fewer channels than a block is convolved as it is, and its sums would be added in another order.
        in_blocks = isinstance(layer, nn.Conv2d) and slopes is not None and len(slopes) >= _BLOCK
        if isinstance(layer, nn.Conv2d):
            before, added = added, -layer.out_channels % _BLOCK if in_blocks else 0
            layer.weight = nn.Parameter(functional.pad(layer.weight.detach(), (0, 0, 0, 0, 0, before, 0, added)))
            if layer.bias is not None:
                layer.bias = nn.Parameter(functional.pad(layer.bias.detach(), (0, added)))
        if slopes is not None:
            slopes = functional.pad(slopes, (0, added))
            setattr(network, name, _PReLUOfConvolutions(slopes) if in_blocks else _PReLUOfArithmetic(slopes))
    return network


def choose_backbone(params: Params, folder: Path) -> tuple[Backbone, Path]:
    """The backbone that can be built here, and its weights.

    Raises:
        StageError: FaceNet's weights cannot be had, and the stand-in is not allowed, or would silently take the
            place of FaceNet in a project built with it.
    """
    wanted = get_backbone(params.backbone.name, params.backbone.weights_url, params.backbone.weights_sha256)
    try:
        return wanted, wanted.locate_weights()
    except WeightsUnavailableError as error:
        if params.backbone.offline is None or params.backbone.offline == wanted.name:
            raise StageError(
                "{error}. Connect to the internet, or put the file into models/weights/", error=error
            ) from error
        if _last_backbone(folder) == wanted.name:
            raise StageError(
                "{error}. This project was last built with {name}, so it is not moved to {offline} silently. Put "
                "the weights file into models/weights/ (or name it in FACENET_WEIGHTS), or set backbone.name: "
                "{offline} in params.yaml",
                error=error,
                name=wanted.name,
                offline=params.backbone.offline,
            ) from error
        text = (
            "{error}\nGoing on without it: the embedded stand-in {stand_in} is used instead of {wanted}, and all will "
            "work. With the weights at hand later, 'dvc repro --force export' followed by 'dvc repro' moves the "
            "project to {wanted}."
        )
        logger.warning(tell(text, error=error, stand_in=params.backbone.offline, wanted=wanted.name))
        stand_in = get_backbone(params.backbone.offline)
        return stand_in, stand_in.locate_weights()


def _last_backbone(folder: Path) -> str | None:
    """Backbone that the project was last built with, also where the rest of networks.json is of an older format."""
    path = folder / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StageError("{path} is damaged. Delete it if the project may change its backbone", path=path) from error
    return str(values.get("backbone")) if isinstance(values, dict) else None


def _write_onnx(module: nn.Module, original: nn.Module, example: Tensor, path: Path, dynamic: dict[int, str]) -> float:
    """Write a module as ONNX and compare what was written with the original, on other sizes than the example's.

    Args:
        module: takes one tensor.
        original: a module that gives the same; perhaps the module itself.
        example: an input.
        path: the file to write.
        dynamic: axes of the input that may vary, with their names.

    Returns:
        Largest absolute difference of any output; NaN where one of them is no number.
    """
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns that fixed sizes become constants, which is what is wanted.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (example,), str(path), dynamo=False, opset_version=_OPSET,
            input_names=["pixels"], dynamic_axes={"pixels": dynamic},
        )  # fmt: skip
    session = open_session(path.read_bytes())
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for count in (1, 3):
        shape = list(example.shape)
        shape[0] = count if 0 in dynamic else 1
        if 1 in dynamic:
            shape[1], shape[2] = shape[1] + 7 * count, shape[2] + 3 * count
        pixels = torch.randint(0, 256, shape, generator=generator).to(example.dtype)
        with torch.no_grad():
            expected = original(pixels)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for ours, theirs in zip(session.run(None, {"pixels": pixels.numpy()}), expected, strict=True):
            # Unlike Python's max, numpy's keeps what is no number, which no tolerance allows.
            worst = float(np.maximum(worst, np.abs(ours - theirs.numpy()).max()))
    return worst


def export_networks(params: Params, folder: Path) -> Manifest:
    """Write all networks into a folder, replacing what was there only once every file is right.

    Raises:
        StageError: see `choose_backbone`; or an ONNX file does not agree with its torch original.
    """
    backbone, weights = choose_backbone(params, folder)
    size = params.crop.image_size
    jobs: dict[str, tuple[nn.Module, Tensor, dict[int, str]]] = {
        "pnet": (mtcnn.PNet(), torch.zeros(1, 40, 50, 3), {1: "height", 2: "width"}),
        "rnet": (mtcnn.RNet(), torch.zeros(2, 24, 24, 3), {0: "faces"}),
        "onet": (mtcnn.ONet(), torch.zeros(2, 48, 48, 3), {0: "faces"}),
        "embedder": (
            backbone.build(weights, size),
            torch.zeros(2, size, size, 3, dtype=torch.uint8),
            {0: "faces"},
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp") as name:
        temporary = Path(name)
        for network, (module, example, dynamic) in tqdm(
            jobs.items(), desc=tell("exporting networks"), unit=tell("network")
        ):
            original = module if network == "embedder" else _FromPixels(module).eval()
            fast = module if network == "embedder" else _FromPixels(_with_cheap_prelu(module)).eval()
            worst = _write_onnx(fast, original, example, temporary / f"{network}.onnx", dynamic)
            if not worst <= TOLERANCE:
                raise StageError(
                    "{network} in ONNX differs from torch by {worst:.1e}; at most {tolerance:.0e} is allowed. "
                    "Install the versions of requirements.txt",
                    network=network,
                    worst=worst,
                    tolerance=TOLERANCE,
                )
            logger.info(tell("{network}: ONNX agrees with torch to {worst:.1e}", network=network, worst=worst))
        manifest = _describe(params, backbone, temporary)
        files = {f"{network}.onnx": (temporary / f"{network}.onnx").read_bytes() for network in jobs}
        # Last: files that do not match it are refused, so a stage killed before it is moved is noticed.
        files[MANIFEST] = manifest.to_json().encode()
        named = {f"{folder.name}/{name}": data for name, data in files.items()}
        write_recorded(folder.parent, "export", named, _made_from(params, manifest), backbone.name)
    return manifest


def _made_from(params: Params, manifest: Manifest) -> MadeFrom:
    """What the networks were made from: their weights come from packages, or from a file that may lie anywhere."""
    parameters = {"backbone": params.backbone, "crop": manifest.crop, "detector": params.detector}
    making = made_from("export", [], parameters, manifest.versions)
    return replace(making, inputs=manifest.weights)


def _describe(params: Params, backbone: Backbone, folder: Path) -> Manifest:
    weights = {network: sha256_of(_mtcnn_weights(network)) for network in ("pnet", "rnet", "onet")}
    return Manifest(
        backbone=backbone.name,
        requested=params.backbone.name,
        embedding_size=backbone.embedding_size,
        unit_length=backbone.unit_length,
        input_size=backbone.input_size,
        normalisation=backbone.normalisation,
        weights={**weights, "embedder": backbone.weights_sha256},
        origin=backbone.weights_origin,
        crop=backbone.geometry(params.crop.image_size, params.crop.margin),
        detector=DetectorSettings(**asdict(params.detector)),
        files={path.stem: sha256_of(path) for path in sorted(folder.glob("*.onnx"))},
        versions={name: version(name) for name in ("torch", "facenet-pytorch", "onnx")},
    )


def _mtcnn_weights(network: str) -> Path:
    package = importlib.util.find_spec("facenet_pytorch")
    if package is None or package.origin is None:
        raise StageError("the package facenet-pytorch is not installed: pip install -r requirements.txt")
    return Path(package.origin).parent / "data" / f"{network}.pt"


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params()
    if what_fails := what_dvc_cannot_do(Path.cwd()):
        logger.warning(tell(what_fails))  # here, as this stage runs first, and seldom
    torch.set_num_threads(available_cores())
    manifest = export_networks(params, NETWORKS)
    if manifest.backbone == manifest.requested:
        text = "export: {backbone}, {dimensions:# dimension|# dimensions} → {folder}"
    else:
        text = "export: {backbone} (stand-in for {requested}), {dimensions:# dimension|# dimensions} → {folder}"
    names = {"backbone": manifest.backbone, "requested": manifest.requested, "folder": NETWORKS}
    print(tell(text, dimensions=manifest.embedding_size, **names))
