"""FaceNet's weights are found, downloaded and checked; the network built from them is facenet-pytorch's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from facenet_pytorch import InceptionResnetV1, fixed_image_standardization

from faces.backbones import WeightsDamagedError, WeightsUnavailableError, get_backbone
from faces.backbones.facenet import FILE_NAME, FaceNet
from faces.files import sha256_of
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from tests.faces.conftest import FaceNetBuild
from tests.faces.support import FileServer, cosine, serving, sha256, unreachable_url

CONTENT = np.random.default_rng(0).bytes(100_000)  # finding and checking do not look inside
OTHER = CONTENT[:-1]

pytestmark = pytest.mark.usefixtures("project_without_weights")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CONTENT) as files:
        yield files


@pytest.fixture
def offline() -> FaceNet:
    """FaceNet where nothing can be downloaded."""
    return FaceNet(unreachable_url(), sha256(CONTENT))


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


class TestOnThisMachine:
    """What is here is taken without a network, after its checksum."""

    def test_named_file(self, offline: FaceNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = put(tmp_path / "elsewhere" / "my weights.pt")
        monkeypatch.setenv("FACENET_WEIGHTS", str(path))
        put(Path("models/weights") / FILE_NAME, OTHER)  # what is named comes first
        assert offline.locate_weights() == path

    def test_named_file_is_missing(self, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FACENET_WEIGHTS", "nowhere.pt")
        with pytest.raises(WeightsDamagedError, match=r"FACENET_WEIGHTS names nowhere\.pt, which is not a file"):
            FaceNet(server.url, sha256(CONTENT)).locate_weights()
        assert server.asked == []

    def test_named_file_is_another(self, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FACENET_WEIGHTS", str(put(tmp_path / "other.pt", OTHER)))
        with pytest.raises(WeightsDamagedError, match=f"{sha256(OTHER)}; expected {sha256(CONTENT)}: correct or unset"):
            FaceNet(server.url, sha256(CONTENT)).locate_weights()
        assert server.asked == []

    @pytest.mark.parametrize("folder", ["project/models/weights", "torch/checkpoints"])
    def test_usual_places(self, offline: FaceNet, tmp_path: Path, folder: str) -> None:
        path = put(tmp_path / folder / FILE_NAME)
        assert offline.locate_weights().resolve() == path

    @pytest.mark.parametrize("folder", ["project/models/weights", "torch/checkpoints"])
    def test_wrong_file_in_a_usual_place(self, server: FileServer, tmp_path: Path, folder: str) -> None:
        path = put(tmp_path / folder / FILE_NAME, OTHER)
        with pytest.raises(WeightsDamagedError, match=f"{sha256(OTHER)}; expected {sha256(CONTENT)}: delete it"):
            FaceNet(server.url, sha256(CONTENT)).locate_weights()
        assert path.read_bytes() == OTHER
        assert server.asked == []

    def test_checksum_in_capitals(self, tmp_path: Path) -> None:
        put(tmp_path / "torch/checkpoints" / FILE_NAME)
        FaceNet(unreachable_url(), sha256(CONTENT).upper()).locate_weights()


class TestDownload:
    """What is not here is downloaded once, into models/weights."""

    def test_then_it_is_here(self, server: FileServer) -> None:
        backbone = FaceNet(server.url, sha256(CONTENT))
        first = backbone.locate_weights()
        assert first == Path("models/weights") / FILE_NAME
        assert first.read_bytes() == CONTENT
        assert backbone.locate_weights() == first
        assert len(server.asked) == 1

    def test_no_network(self, offline: FaceNet) -> None:
        with pytest.raises(WeightsUnavailableError, match="neither in FACENET_WEIGHTS, models/weights nor torch's"):
            offline.locate_weights()

    def test_page_not_found(self, server: FileServer) -> None:
        server.status = 404
        with pytest.raises(WeightsUnavailableError, match="404"):
            FaceNet(server.url, sha256(CONTENT)).locate_weights()

    def test_wrong_checksum(self, server: FileServer) -> None:
        with pytest.raises(WeightsDamagedError, match=f"{sha256(CONTENT)}; expected {sha256(OTHER)}"):
            FaceNet(server.url, sha256(OTHER)).locate_weights()
        assert list(Path("models/weights").iterdir()) == []


class _Trap:
    """Unpickled without care, it makes a file."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("sprung",)


class TestCheckpoint:
    """The file becomes facenet-pytorch's network, or an error."""

    @pytest.mark.parametrize("flavour", ["bytes", "no dict", "other network", "layer missing", "code"])
    def test_other_content(self, flavour: str) -> None:
        state = {name: torch.zeros(1) for name in ("conv.weight", "conv.bias")}
        path = Path("checkpoint.pt")
        if flavour == "bytes":
            path.write_bytes(CONTENT)
        elif flavour == "code":
            torch.save(_Trap(), path)
        elif flavour == "layer missing":
            state = InceptionResnetV1(pretrained=None).state_dict()
            del state["block8.conv2d.weight"]
            torch.save(state, path)
        else:
            torch.save([1, 2] if flavour == "no dict" else state, path)
        with pytest.raises(WeightsDamagedError, match=r"checkpoint\.pt is no checkpoint of InceptionResnetV1"):
            FaceNet(sha256=sha256_of(path)).build(path, 160)
        assert not Path("sprung").exists()

    @pytest.mark.security
    def test_a_file_that_was_swapped_after_the_check_is_not_loaded(self) -> None:
        path = Path("checkpoint.pt")
        path.write_bytes(CONTENT)
        facenet = FaceNet(sha256=sha256(CONTENT))
        torch.save(_Trap(), path)
        with pytest.raises(WeightsDamagedError, match=f"expected {sha256(CONTENT)}"):
            facenet.build(path, 160)
        assert not Path("sprung").exists()

    def test_is_facenet_pytorchs_own(self, facenet: FaceNetBuild, crops: np.ndarray) -> None:
        state = torch.load(facenet.checkpoint, weights_only=True)
        assert {"logits.weight", "logits.bias"} <= set(state)  # as the real file has, and embeddings do not need
        theirs = InceptionResnetV1(pretrained=None, classify=True, num_classes=len(state["logits.bias"])).eval()
        theirs.load_state_dict(state)
        theirs.classify = False
        faces = torch.from_numpy(crops[:2])
        with torch.no_grad():
            expected = theirs(fixed_image_standardization(faces.permute(0, 3, 1, 2).float()))
            ours = FaceNet(sha256=sha256_of(facenet.checkpoint)).build(facenet.checkpoint, 160)(faces)
        assert (ours - expected).abs().max() <= 1e-6


def test_crop_has_the_size_and_margin_asked_for() -> None:
    geometry = FaceNet().geometry(128, 20)
    assert (geometry.alignment, geometry.image_size, geometry.margin) == ("box", 128, 20)


class TestExported:
    """What the stage export makes of it."""

    def test_manifest(self, facenet: FaceNetBuild) -> None:
        manifest = Networks.load(facenet.networks).manifest
        assert (manifest.backbone, manifest.requested) == ("facenet-vggface2", "facenet-vggface2")
        assert (manifest.embedding_size, manifest.unit_length, manifest.input_size) == (512, True, 160)
        assert (manifest.crop.alignment, manifest.crop.image_size, manifest.crop.margin) == ("box", 160, 0)
        assert manifest.weights["embedder"] == sha256_of(facenet.checkpoint)
        assert manifest.origin == facenet.params.backbone.weights_url

    def test_weights_were_kept(self, facenet: FaceNetBuild) -> None:
        kept = facenet.project / "models" / "weights"
        assert [path.name for path in kept.iterdir()] == [FILE_NAME]
        assert sha256_of(kept / FILE_NAME) == sha256_of(facenet.checkpoint)

    @pytest.mark.parametrize("count", [1, 2, 33])
    def test_onnx_agrees_with_torch(self, facenet: FaceNetBuild, crops: np.ndarray, count: int) -> None:
        session = onnxruntime.InferenceSession(facenet.networks / "embedder.onnx")
        with torch.no_grad():
            backbone = get_backbone("facenet-vggface2", weights_sha256=sha256_of(facenet.checkpoint))
            expected = backbone.build(facenet.checkpoint, 160)(torch.from_numpy(crops[:count]))
        (ours,) = session.run(None, {"pixels": crops[:count]})
        assert ours.shape == (count, 512)
        assert np.abs(ours - expected.numpy()).max() <= 1e-5

    def test_real_photo_is_embedded(self, facenet_recognizer: Recognizer, photos_dir: Path) -> None:
        faces = [facenet_recognizer.largest_face(photos_dir / f"{name}.jpg") for name in ("kate_siegel", "paul_rudd")]
        facenet_recognizer.embed(faces)
        for face in faces:
            assert face.crop.shape == (160, 160, 3)
            assert face.embedding.shape == (512,)
            assert face.embedding.dtype == np.float32
            assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
        assert cosine(faces[0].embedding, faces[1].embedding) < 0.999  # random weights, but not blind ones
