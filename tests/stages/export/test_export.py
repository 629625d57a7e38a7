"""The stage export writes networks that agree with torch, falls back only where that is allowed, and breaks nothing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import yaml
from facenet_pytorch.models import mtcnn
from msgspec.structs import asdict, replace

from faces.backbones import WeightsDamagedError, get_backbone
from faces.files import sha256_of
from faces.recognition.networks import NETWORK_NAMES, Manifest, Networks
from faces.recognition.recognizer import Recognizer
from stages.errors import StageError
from stages.export import export
from stages.export.export import export_networks
from stages.params import Params
from tests.faces.support import ROOT, random_checkpoint, serving, sha256, unreachable_url, with_backbone

pytestmark = pytest.mark.usefixtures("project_without_weights")


def digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir())}


def put_networks(source: Path, folder: Path, backbone: str) -> dict[str, str]:
    """Exported networks whose networks.json names a backbone; returns their digests."""
    folder.mkdir(parents=True)
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    values = json.loads((folder / "networks.json").read_text())
    (folder / "networks.json").write_text(json.dumps({**values, "backbone": backbone}))
    return digests(folder)


class TestOnnx:
    """Each file computes what its torch original does."""

    @pytest.mark.parametrize("size", [(12, 12), (13, 40), (97, 61), (300, 200)])
    def test_pnet(self, networks_dir: Path, size: tuple[int, int]) -> None:
        self.compare(networks_dir / "pnet.onnx", mtcnn.PNet(), (1, *size, 3))

    @pytest.mark.parametrize("count", [1, 2, 33])
    @pytest.mark.parametrize(("name", "side"), [("rnet", 24), ("onet", 48)])
    def test_rnet_and_onet(self, networks_dir: Path, name: str, side: int, count: int) -> None:
        network = mtcnn.RNet() if name == "rnet" else mtcnn.ONet()
        self.compare(networks_dir / f"{name}.onnx", network, (count, side, side, 3))

    def compare(self, path: Path, network: torch.nn.Module, shape: tuple[int, ...]) -> None:
        pixels = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
        standardised = (torch.from_numpy(pixels).permute(0, 3, 1, 2) - 127.5) / 128
        with torch.no_grad():
            expected = network.eval()(standardised)
        for ours, theirs in zip(self.run(path, pixels), expected, strict=True):
            assert ours.shape == theirs.shape
            assert np.abs(ours - theirs.numpy()).max() <= 1e-5

    @pytest.mark.parametrize("count", [1, 2, 33])
    def test_embedder(self, networks_dir: Path, count: int) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (count, 160, 160, 3), np.uint8)
        backbone = get_backbone("dlib-resnet")
        with torch.no_grad():
            expected = backbone.build(backbone.locate_weights(), 160)(torch.from_numpy(pixels)).numpy()
        (ours,) = self.run(networks_dir / "embedder.onnx", pixels)
        assert ours.shape == (count, 128)
        assert np.abs(ours - expected).max() <= 1e-5

    @staticmethod
    def run(path: Path, pixels: np.ndarray) -> list[np.ndarray]:
        outputs: list[np.ndarray] = onnxruntime.InferenceSession(path).run(None, {"pixels": pixels})
        return outputs


@pytest.mark.parametrize("shape", [(2, 32, 9, 7), (1, 16, 1, 1), (3, 20)])
def test_prelu_is_the_same_to_the_last_bit_however_it_is_computed(shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    values, slopes = torch.randn(shape, generator=generator), torch.randn(shape[1], generator=generator)
    values.view(-1)[0] = 0
    original = torch.nn.PReLU(shape[1])
    original.weight.data = slopes
    assert torch.equal(export._PReLUOfArithmetic(slopes)(values), original(values))
    if len(shape) == 4:
        assert torch.equal(export._PReLUOfConvolutions(slopes)(values), original(values))


@pytest.mark.parametrize(("network", "side"), [(mtcnn.PNet, 30), (mtcnn.RNet, 24), (mtcnn.ONet, 48)])
def test_networks_with_other_prelus_and_whole_blocks_are_the_same(network: type[torch.nn.Module], side: int) -> None:
    original = network().eval()
    cheap = export._with_cheap_prelu(original)
    assert not any(isinstance(layer, torch.nn.PReLU) for layer in cheap.modules())
    pixels = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for ours, theirs in zip(cheap(pixels), original(pixels), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)


def test_manifest_describes_what_is_there(networks_dir: Path, dlib_params: Params) -> None:
    manifest = Manifest.read(networks_dir)
    assert (manifest.backbone, manifest.requested) == ("dlib-resnet", "dlib-resnet")
    assert (manifest.embedding_size, manifest.unit_length, manifest.input_size) == (128, False, 150)
    assert manifest.crop.alignment == "similarity"
    assert manifest.files == {name: sha256_of(networks_dir / f"{name}.onnx") for name in NETWORK_NAMES}
    assert manifest.weights["embedder"] == get_backbone("dlib-resnet").weights_sha256
    for name in ("pnet", "rnet", "onet"):
        assert manifest.weights[name] == sha256_of(Path(mtcnn.__file__).parent.parent / "data" / f"{name}.pt")
    assert manifest.detector.as_json() == asdict(dlib_params.detector)
    assert manifest.versions["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert sorted(path.name for path in networks_dir.iterdir()) == sorted(
        ["networks.json", *(f"{name}.onnx" for name in NETWORK_NAMES)]
    )


@pytest.mark.parametrize("name", ["dlib-resnet", "facenet-vggface2"])
def test_other_crop_size(tmp_path: Path, dlib_params: Params, photos_dir: Path, name: str) -> None:
    params = replace(dlib_params, crop=replace(dlib_params.crop, image_size=128))
    if name == "facenet-vggface2":
        checkpoint = Path("models/weights/20180402-114759-vggface2.pt")
        checkpoint.parent.mkdir(parents=True)
        random_checkpoint(checkpoint)
        params = with_backbone(params, name, unreachable_url(), sha256_of(checkpoint))
    manifest = export_networks(params, tmp_path / "networks")
    recognizer = Recognizer(Networks.load(tmp_path / "networks"), flip=False)
    recognizer.open()
    face = recognizer.largest_face(photos_dir / "kate_siegel.jpg")
    recognizer.embed([face])
    assert face.crop.shape == (128, 128, 3)
    backbone = get_backbone(name, params.backbone.weights_url, params.backbone.weights_sha256)
    with torch.no_grad():
        expected = backbone.build(backbone.locate_weights(), 128)(torch.tensor(face.crop[None]))[0].numpy()
    assert face.embedding.shape == (manifest.embedding_size,)
    assert np.abs(face.embedding - expected).max() <= 1e-5


def test_parameters_are_in_the_manifest(tmp_path: Path, dlib_params: Params) -> None:
    """None of them at the value that params.yaml has."""
    detector = replace(
        dlib_params.detector, min_face=31, factor=0.6, thresholds=(0.5, 0.6, 0.8), min_probability=0.95, max_side=800
    )
    checkpoint = Path("models/weights/20180402-114759-vggface2.pt")
    checkpoint.parent.mkdir(parents=True)
    random_checkpoint(checkpoint)
    params = with_backbone(dlib_params, "facenet-vggface2", unreachable_url(), sha256_of(checkpoint))
    params = replace(params, detector=detector, crop=replace(params.crop, image_size=144, margin=20))
    manifest = export_networks(params, tmp_path / "networks")
    assert manifest == Manifest.read(tmp_path / "networks")
    assert manifest.detector.as_json() == asdict(detector)
    assert (manifest.crop.alignment, manifest.crop.image_size, manifest.crop.margin) == ("box", 144, 20)


class TestStandIn:
    """Without FaceNet's weights: a warning, an error, never a silent change."""

    @pytest.fixture
    def unreachable(self, dlib_params: Params) -> Params:
        return with_backbone(dlib_params, "facenet-vggface2", unreachable_url(), "0" * 64, offline="dlib-resnet")

    def test_is_taken_with_a_warning(
        self, tmp_path: Path, unreachable: Params, caplog: pytest.LogCaptureFixture
    ) -> None:
        manifest = export_networks(unreachable, tmp_path / "networks")
        assert (manifest.backbone, manifest.requested) == ("dlib-resnet", "facenet-vggface2")
        assert Networks.load(tmp_path / "networks").manifest == manifest
        (warning,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
        assert "the embedded stand-in dlib-resnet is used instead of facenet-vggface2" in warning
        assert "cannot be downloaded" in warning
        assert "dvc repro --force export" in warning

    @pytest.mark.parametrize("answer", [404, "sign-in page"])
    def test_is_taken_where_the_server_has_no_file(
        self, tmp_path: Path, unreachable: Params, answer: int | str
    ) -> None:
        with serving(b"<html>Sign in</html>") as server:
            if answer == 404:
                server.status = 404
            else:
                server.content_type = "text/html"
            params = with_backbone(unreachable, "facenet-vggface2", server.url, "0" * 64, offline="dlib-resnet")
            backbone, _ = export.choose_backbone(params, tmp_path / "networks")
        assert backbone.name == "dlib-resnet"

    def test_is_not_taken_where_there_is_none(self, tmp_path: Path, unreachable: Params) -> None:
        params = with_backbone(unreachable, "facenet-vggface2", unreachable_url(), "0" * 64, offline=None)
        with pytest.raises(StageError, match="Connect to the internet, or put the file into models/weights/"):
            export_networks(params, tmp_path / "networks")
        assert not (tmp_path / "networks").exists()

    def test_is_not_taken_for_a_damaged_file(self, tmp_path: Path, unreachable: Params) -> None:
        with serving(b"another file") as server:
            params = with_backbone(unreachable, "facenet-vggface2", server.url, "0" * 64, offline="dlib-resnet")
            with pytest.raises(WeightsDamagedError, match=f"{sha256(b'another file')}; expected 0000"):
                export_networks(params, tmp_path / "networks")
        assert not (tmp_path / "networks").exists()

    def test_never_takes_the_place_of_facenet(self, tmp_path: Path, unreachable: Params, networks_dir: Path) -> None:
        folder = tmp_path / "networks"
        before = put_networks(networks_dir, folder, "facenet-vggface2")
        told = r"last built with facenet-vggface2, .*models/weights/.*, or set backbone\.name: dlib-resnet"
        with pytest.raises(StageError, match=told):
            export_networks(unreachable, folder)
        assert digests(folder) == before

    def test_stays_where_it_was_before(self, tmp_path: Path, unreachable: Params, networks_dir: Path) -> None:
        put_networks(networks_dir, tmp_path / "networks", "dlib-resnet")
        assert export.choose_backbone(unreachable, tmp_path / "networks")[0].name == "dlib-resnet"

    @pytest.mark.parametrize("text", ["{", "", '{"backbone": "facenet-vggf'])
    def test_unknown_past_is_an_error(self, tmp_path: Path, unreachable: Params, text: str) -> None:
        (tmp_path / "networks").mkdir()
        (tmp_path / "networks" / "networks.json").write_text(text)
        with pytest.raises(StageError, match=r"networks\.json is damaged. Delete it if the project may change"):
            export_networks(unreachable, tmp_path / "networks")

    def test_facenet_of_an_older_format_counts(self, tmp_path: Path, unreachable: Params) -> None:
        (tmp_path / "networks").mkdir()
        (tmp_path / "networks" / "networks.json").write_text('{"format": 0, "backbone": "facenet-vggface2"}')
        with pytest.raises(StageError, match="last built with facenet-vggface2"):
            export_networks(unreachable, tmp_path / "networks")


def test_chosen_by_name_dlib_replaces_facenet(tmp_path: Path, dlib_params: Params, networks_dir: Path) -> None:
    put_networks(networks_dir, tmp_path / "networks", "facenet-vggface2")
    assert export_networks(dlib_params, tmp_path / "networks").backbone == "dlib-resnet"
    assert Networks.load(tmp_path / "networks").backbone_name == "dlib-resnet"


class _Spoilt(torch.nn.Module):
    """Twice the pixels' mean, but for what is done to it: the exported module of a pair that should agree."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        result = 2 * pixels.mean(dim=(1, 2))
        if self.what == "NaN":
            return result + torch.sqrt(result.abs() * 0 - 1)
        if self.what == "infinite":
            return result / (result * 0)
        if self.what == "one output":
            return result + 0.01 * torch.tensor([1.0, 0.0, 0.0])
        if self.what == "no batch":  # a single image alone is wrong; the batch that is compared last is not
            return result + 0.01 * (result.shape[0] == 1)
        if self.what == "one image":  # the first of several alone: a batch of one agrees
            return result - 0.01 * (torch.arange(result.shape[0]) == 1).float()[:, None]
        return result


@pytest.mark.parametrize(
    ("what", "agrees"),
    [("", True), ("NaN", False), ("infinite", False), ("one output", False), ("one image", False), ("no batch", False)],
)
def test_outputs_that_differ_anywhere_or_are_no_numbers_do_not_agree(tmp_path: Path, what: str, agrees: bool) -> None:
    """A network of which one output, one image of a batch or a number is wrong must not be served."""
    spoilt, original = _Spoilt(what).eval(), _Spoilt("").eval()
    worst = export._write_onnx(spoilt, original, torch.ones(2, 6, 6, 3), tmp_path / "a.onnx", {0: "faces"})
    assert (worst <= export.TOLERANCE) is agrees, worst
    assert agrees or not worst <= 5e-3


def test_a_network_whose_outputs_are_no_numbers_replaces_nothing(
    tmp_path: Path, dlib_params: Params, networks_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = put_networks(networks_dir, tmp_path / "networks", "dlib-resnet")
    original = export._with_cheap_prelu

    def damaged(network: torch.nn.Module) -> torch.nn.Module:
        changed = original(network)
        if isinstance(network, mtcnn.RNet):
            next(changed.parameters()).data[0] = float("nan")
        return changed

    monkeypatch.setattr(export, "_with_cheap_prelu", damaged)
    with pytest.raises(StageError, match="rnet in ONNX differs from torch by nan"):
        export_networks(dlib_params, tmp_path / "networks")
    assert digests(tmp_path / "networks") == before


def test_networks_that_disagree_replace_nothing(
    tmp_path: Path, dlib_params: Params, networks_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = put_networks(networks_dir, tmp_path / "networks", "dlib-resnet")
    monkeypatch.setattr(export, "TOLERANCE", -1.0)  # no difference is small enough
    with pytest.raises(StageError, match=r"pnet in ONNX differs from torch by .+Install the versions of requirements"):
        export_networks(dlib_params, tmp_path / "networks")
    assert digests(tmp_path / "networks") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["networks", "project"]  # nothing temporary


@pytest.mark.parametrize("offline", ["dlib-resnet", None])
def test_as_a_program(project_without_weights: Path, offline: str | None) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["backbone"] |= {"weights_url": unreachable_url(), "weights_sha256": "0" * 64, "offline": offline}
    values["language"] = "en"
    (project_without_weights / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "stages.export"],
        cwd=project_without_weights,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr
    if offline is None:
        assert done.returncode == 1
        assert "export: error: FaceNet's weights are neither in FACENET_WEIGHTS" in done.stderr
        assert not (project_without_weights / "models" / "networks").exists()
    else:
        assert done.returncode == 0
        assert "export: dlib-resnet (stand-in for facenet-vggface2), 128 dimensions" in done.stdout
        assert "WARNING: FaceNet's weights" in done.stderr
        assert Networks.load(project_without_weights / "models" / "networks").backbone_name == "dlib-resnet"
