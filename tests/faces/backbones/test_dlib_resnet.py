"""The rebuilt network is dlib's own, and is filled from dlib's file or not at all."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from faces.backbones import WeightsDamagedError, WeightsUnavailableError
from faces.backbones.dlib_resnet import DlibResNet
from faces.detection.face import intersection_over_union
from faces.recognition.recognizer import Recognizer
from tests.faces.support import modules_after

BORDER = 5  # of a 160-pixel crop around dlib's 150-pixel chip


@pytest.fixture(scope="module")
def weights() -> Path:
    return DlibResNet().locate_weights()


@pytest.fixture(scope="module")
def network(weights: Path) -> torch.nn.Module:
    return DlibResNet().build(weights, 160)


@pytest.fixture(scope="module")
def data(weights: Path) -> bytes:
    return weights.read_bytes()


def test_agrees_with_dlib(weights: Path, network: torch.nn.Module, crops: np.ndarray) -> None:
    dlib = pytest.importorskip("dlib", reason="dlib-bin, the reference, has no wheel for this machine")
    theirs = dlib.face_recognition_model_v1(str(weights))
    chips = np.ascontiguousarray(crops[:12, BORDER:-BORDER, BORDER:-BORDER])
    expected = np.array([theirs.compute_face_descriptor(chip) for chip in chips])
    with torch.no_grad():
        ours = network(torch.from_numpy(crops[:12])).numpy()
    assert np.abs(ours - expected).max() <= 1e-5
    assert np.abs(expected[0] - expected[1]).max() > 0.05  # they do tell faces apart


@pytest.mark.parametrize("image_size", [128, 320])
def test_crops_of_other_sizes_have_nearly_the_same_embedding(
    weights: Path, network: torch.nn.Module, crops: np.ndarray, image_size: int
) -> None:
    faces = torch.from_numpy(crops[:4])
    resized = torch.nn.functional.interpolate(
        faces.permute(0, 3, 1, 2).float(), size=(image_size, image_size), mode="bilinear", antialias=True
    )
    with torch.no_grad():
        given = DlibResNet().build(weights, image_size)(resized.permute(0, 2, 3, 1))
        expected = network(faces)
    assert (given - expected).norm(dim=1).max() < 0.25  # dlib takes 0.6 for another person


def test_faces_are_cut_where_dlib_cuts_them(weights: Path, recognizer: Recognizer, lfw_photos: list[Path]) -> None:
    """What MTCNN takes for eyes, nose and mouth lies in dlib's chips where the geometry wants it, on average."""
    dlib = pytest.importorskip("dlib", reason="dlib-bin, the reference, has no wheel for this machine")
    find = dlib.get_frontal_face_detector()
    points = dlib.shape_predictor(str(weights.parent / "shape_predictor_5_face_landmarks.dat"))
    y, x = np.mgrid[:250, :250].astype(np.uint8)
    coordinates = np.dstack([x, y, np.zeros_like(x)])  # cut as the photo is, it tells where each pixel comes from
    found = []
    for path in lfw_photos:
        pixels, face = np.asarray(Image.open(path)), recognizer.largest_face(path)
        boxes = find(pixels)
        if face is None or len(boxes) != 1 or intersection_over_union(face.box, corners(boxes[0])) < 0.5:
            continue
        origin = dlib.get_face_chip(coordinates, points(pixels, boxes[0]), size=150)[:, :, :2].astype(float)
        distances = [np.linalg.norm(origin - landmark, axis=2) for landmark in face.landmarks]
        found.append([np.unravel_index(distance.argmin(), distance.shape)[::-1] for distance in distances])
    assert len(found) >= 30
    wanted = np.asarray(DlibResNet().geometry(160, 0).landmarks)
    assert np.abs(np.mean(found, axis=0) + BORDER - wanted).max() < 2
    assert np.allclose(DlibResNet().geometry(320, 0).landmarks, wanted * 2, atol=1e-3)


def corners(box: Any) -> np.ndarray:
    """A rectangle of dlib's as left, top, right, bottom."""
    return np.array([box.left(), box.top(), box.right(), box.bottom()], float)


class TestFile:
    """The package's file is found without importing the package, and checked."""

    def test_package_is_not_imported(self) -> None:
        code = "from faces.backbones import get_backbone; print(get_backbone('dlib-resnet').locate_weights())"
        assert "face_recognition_models" not in modules_after(code)

    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Another package of that name, which comes first and cannot be imported; returns its weights file."""
        folder = tmp_path / "face_recognition_models"
        (folder / "models").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise ImportError('as the real one does without pkg_resources')\n")
        monkeypatch.syspath_prepend(tmp_path)
        return folder / "models" / "dlib_face_recognition_resnet_model_v1.dat"

    def test_right_file(self, package: Path, weights: Path) -> None:
        shutil.copyfile(weights, package)
        assert DlibResNet().locate_weights() == package

    def test_wrong_checksum(self, package: Path, weights: Path) -> None:
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        package.write_bytes(data)
        with pytest.raises(WeightsDamagedError, match=DlibResNet.weights_sha256):
            DlibResNet().locate_weights()

    @pytest.mark.usefixtures("package")
    def test_missing_file(self) -> None:
        with pytest.raises(WeightsUnavailableError, match="reinstall face_recognition_models"):
            DlibResNet().locate_weights()

    def test_missing_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "face_recognition_models", None)
        with pytest.raises(WeightsUnavailableError, match=r"pip install -r requirements\.txt"):
            DlibResNet().locate_weights()


class TestDamaged:
    """Content that is not the network is refused, even if its checksum were right."""

    def build(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        DlibResNet().build(path, 160)

    @pytest.mark.parametrize("part", [0, 0.001, 0.3, 0.999])
    def test_truncated(self, tmp_path: Path, data: bytes, part: float) -> None:
        with pytest.raises(WeightsDamagedError, match=r"not dlib's face recognition network|expected 29 convolutions"):
            self.build(tmp_path / "weights.dat", data[: int(part * len(data))])

    @pytest.mark.parametrize("tag", [b"con_4", b"affine_", b"fc_2"])
    def test_layer_is_not_there(self, tmp_path: Path, data: bytes, tag: bytes) -> None:
        with pytest.raises(WeightsDamagedError):
            self.build(tmp_path / "weights.dat", data.replace(tag, b"x" * len(tag), 1))

    def test_other_content(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsDamagedError):
            self.build(tmp_path / "weights.dat", b"<html>not found</html>")

    @pytest.mark.parametrize("tag", [b"con_4", b"affine_", b"fc_2"])
    def test_header_of_a_tensor_changed_at_random(self, tmp_path: Path, data: bytes, tag: bytes) -> None:
        rng = random.Random(0)
        start = data.index(tag) + len(tag)
        refused = 0
        for _ in range(15):
            damaged = bytearray(data)
            damaged[start + rng.randrange(14)] = rng.randrange(256)
            try:
                self.build(tmp_path / "weights.dat", bytes(damaged))
            except WeightsDamagedError:
                refused += 1
        assert refused >= 5
