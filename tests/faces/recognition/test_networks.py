"""Networks are loaded only if every file is the one that networks.json names; else the message says what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from faces.recognition.align import CropGeometry
from faces.recognition.networks import NETWORK_NAMES, Manifest, Networks, NetworksError, NetworksNotFoundError
from tests.faces.support import modules_after

REMEDY = r"run 'dvc repro export' \(or 'python -m stages\.export'\) to write them"


@pytest.fixture
def folder(networks_dir: Path, tmp_path: Path) -> Path:
    """A copy of the exported networks, to be damaged."""
    return Path(shutil.copytree(networks_dir, tmp_path / "networks"))


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "networks.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


class TestLoad:
    """What is whole is loaded, what is not is refused."""

    def test_whole(self, folder: Path) -> None:
        networks = Networks.load(folder)
        assert (networks.backbone_name, networks.embedding_size) == ("dlib-resnet", 128)
        pixels = np.zeros((50, 50, 3), np.uint8)
        assert networks.open_detector().detect_all(pixels) == []

    def test_files_may_go_once_it_is_loaded(self, folder: Path) -> None:
        networks = Networks.load(folder)
        shutil.rmtree(folder)
        embeddings = networks.open_embedder(flip=False).embed(np.zeros((1, 160, 160, 3), np.uint8))
        assert embeddings.shape == (1, 128)

    @pytest.mark.parametrize("missing", ["the folder", "networks.json", *(f"{name}.onnx" for name in NETWORK_NAMES)])
    def test_missing(self, folder: Path, missing: str) -> None:
        shutil.rmtree(folder) if missing == "the folder" else (folder / missing).unlink()
        name = "networks.json" if missing == "the folder" else missing
        with pytest.raises(NetworksNotFoundError, match=f"there is no .*{name}: {REMEDY}"):
            Networks.load(folder)

    @pytest.mark.parametrize("name", NETWORK_NAMES)
    def test_file_changed_by_one_byte(self, folder: Path, name: str) -> None:
        path = folder / f"{name}.onnx"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(
            NetworksError, match=rf"{name}\.onnx is not the file that networks\.json names: {REMEDY} again"
        ):
            Networks.load(folder)

    def test_file_is_a_folder(self, folder: Path) -> None:
        (folder / "pnet.onnx").unlink()
        (folder / "pnet.onnx").mkdir()
        with pytest.raises(NetworksError, match=r"pnet\.onnx cannot be read"):
            Networks.load(folder)

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "networks"
        path.write_text("")
        with pytest.raises(NetworksError, match=REMEDY):
            Networks.load(path)


class TestOpen:
    """What is opened does what networks.json says, not what happens to be usual."""

    def test_the_face_is_mirrored_where_that_was_asked_for(self, networks_dir: Path, crops: np.ndarray) -> None:
        networks = Networks.load(networks_dir)
        (plain,) = onnxruntime.InferenceSession(networks_dir / "embedder.onnx").run(None, {"pixels": crops[:2]})
        assert np.abs(networks.open_embedder(flip=False).embed(crops[:2]) - plain).max() <= 1e-5
        assert np.abs(networks.open_embedder(flip=True).embed(crops[:2]) - plain).max() > 0.01

    @pytest.mark.parametrize("unit_length", [False, True])
    def test_length_of_embeddings(self, folder: Path, crops: np.ndarray, unit_length: bool) -> None:
        edit(folder, lambda values: values.update(unit_length=unit_length))
        lengths = np.linalg.norm(Networks.load(folder).open_embedder(flip=True).embed(crops[:4]), axis=1)
        assert (np.abs(lengths - 1) < 1e-5).all() == unit_length

    @pytest.mark.parametrize(("min_face", "found"), [(20, 1), (240, 0)])
    def test_settings_of_the_detector(self, folder: Path, lfw_photos: list[Path], min_face: int, found: int) -> None:
        edit(folder, lambda values: values["detector"].update(min_face=min_face))
        with Image.open(lfw_photos[0]) as photo:  # 250 × 250 pixels
            pixels = np.asarray(photo)
        assert len(Networks.load(folder).open_detector().detect_all(pixels)) == found


class TestManifest:
    """networks.json is read whole or not at all."""

    @pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"not json"])
    def test_not_json(self, folder: Path, text: bytes) -> None:
        (folder / "networks.json").write_bytes(text)
        with pytest.raises(NetworksError, match=rf"networks\.json cannot be read \(.+\): {REMEDY} again"):
            Networks.load(folder)

    @pytest.mark.parametrize("text", ["[]", "null", "3", "{}", '"text"'])
    def test_json_of_something_else(self, folder: Path, text: str) -> None:
        (folder / "networks.json").write_text(text)
        with pytest.raises(NetworksError, match=rf"networks\.json is damaged \(.+\): {REMEDY} again"):
            Networks.load(folder)

    @pytest.mark.parametrize("given", [0, 1, 3, "2", None])
    def test_other_format(self, folder: Path, given: object) -> None:
        edit(folder, lambda values: values.update(format=given))
        with pytest.raises(NetworksError, match=rf"has format {given!r}; this version reads 2: {REMEDY} again"):
            Networks.load(folder)

    def test_each_value_is_needed(self, folder: Path) -> None:
        names = list(json.loads((folder / "networks.json").read_text()))
        whole = (folder / "networks.json").read_text()
        for name in names:
            (folder / "networks.json").write_text(whole)
            edit(folder, lambda values, name=name: values.pop(name))
            with pytest.raises(NetworksError, match=rf"damaged \(it lacks {name}\)"):
                Networks.load(folder)

    @pytest.mark.parametrize(
        ("section", "key", "value"),
        [
            ("crop", "alignment", "affine"),
            ("crop", "landmarks", [[1, 2]]),
            ("detector", "thresholds", [0.5]),
            ("detector", "min_face", None),
            ("files", "onet", ...),
            ("weights", "embedder", ...),
        ],
    )
    def test_wrong_value(self, folder: Path, section: str, key: str, value: object) -> None:
        edit(folder, lambda v: v[section].pop(key) if value is ... else v[section].update({key: value}))
        with pytest.raises(NetworksError, match=r"networks\.json is damaged"):
            Networks.load(folder)

    def test_survives_json(self, networks_dir: Path, tmp_path: Path) -> None:
        manifest = replace(
            Manifest.read(networks_dir),
            backbone="facenet-vggface2",
            unit_length=True,
            crop=CropGeometry("box", 128, 20),
        )
        (tmp_path / "networks.json").write_text(manifest.to_json())
        assert Manifest.read(tmp_path) == manifest


class TestRecipe:
    """Two recipes are equal where, and only where, embeddings can be compared."""

    def test_survives_a_pickle_and_json(self, networks_dir: Path) -> None:
        recipe = Manifest.read(networks_dir).recipe(flip=True)
        assert json.loads(json.dumps(recipe)) == recipe

    def test_what_does_not_matter(self, networks_dir: Path) -> None:
        manifest = Manifest.read(networks_dir)
        other = replace(manifest, requested="facenet-vggface2", versions={}, files={}, origin="elsewhere")
        assert other.recipe(flip=True) == manifest.recipe(flip=True)

    def test_what_does(self, networks_dir: Path) -> None:
        manifest = Manifest.read(networks_dir)
        others = [
            replace(manifest, backbone="facenet-vggface2"),
            replace(manifest, embedding_size=512),
            replace(manifest, weights={**manifest.weights, "pnet": "0" * 64}),
            replace(manifest, crop=replace(manifest.crop, image_size=128)),
            replace(manifest, detector=replace(manifest.detector, factor=0.7)),
        ]
        assert all(other.recipe(flip=True) != manifest.recipe(flip=True) for other in others)
        assert manifest.recipe(flip=False) != manifest.recipe(flip=True)


def test_serving_needs_no_torch() -> None:
    """What the service imports comes without the packages of the pipeline alone."""
    loaded = modules_after(
        "import faces, faces.recognition.recognizer, faces.verifier, faces.backbones\n"
        "faces.recognition.sessions.import_onnxruntime()"
    )
    assert "onnxruntime" in loaded
    assert not loaded & {"torch", "torchvision", "facenet_pytorch", "pandas", "dvc", "matplotlib", "onnx", "requests"}
