"""Faces are cut where their landmarks say, from averaged pixels, or exactly as facenet-pytorch cuts boxes."""

from __future__ import annotations

import numpy as np
import pytest
from facenet_pytorch import extract_face
from PIL import Image

from faces.backbones import get_backbone
from faces.detection.face import Face
from faces.recognition.align import CropGeometry, similarity_transform

TEMPLATE = get_backbone("dlib-resnet").geometry(160, 0)
TARGET = np.asarray(TEMPLATE.landmarks)


def transform(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * points @ turn.T + shift


def face_at(landmarks: np.ndarray, box: tuple[float, float, float, float] | None = None) -> Face:
    corners = np.array(box) if box else np.hstack([landmarks.min(axis=0), landmarks.max(axis=0)])
    return Face(corners, 1.0, landmarks)


class TestSimilarityTransform:
    """Rotation, scale and shift, by least squares."""

    @pytest.mark.parametrize("degrees", [0, 30, -90, 179])
    @pytest.mark.parametrize("scale", [0.02, 1, 7])
    def test_known_one_is_recovered(self, degrees: float, scale: float) -> None:
        source = transform(TARGET, degrees, scale, (300, -20))
        matrix = similarity_transform(source, TARGET)
        assert np.allclose(source @ matrix[:, :2].T + matrix[:, 2], TARGET, atol=1e-6)
        assert np.hypot(*matrix[:, 0]) == pytest.approx(1 / scale)
        assert np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0])) == pytest.approx(-degrees)

    def test_least_squares(self) -> None:
        rng = np.random.default_rng(0)
        source = transform(TARGET, 10, 2, (5, 5)) + rng.normal(0, 5, TARGET.shape)
        best = similarity_transform(source, TARGET)

        def error(matrix: np.ndarray) -> float:
            return float(((source @ matrix[:, :2].T + matrix[:, 2] - TARGET) ** 2).sum())

        for _ in range(200):
            a, b, x, y = rng.normal(0, 0.01, 4)
            assert error(best + np.array([[a, -b, x], [b, a, y]])) > error(best)

    def test_never_mirrors(self) -> None:
        matrix = similarity_transform(TARGET * [-1, 1], TARGET)
        assert np.linalg.det(matrix[:, :2]) > 0

    def test_all_points_in_one_place(self) -> None:
        matrix = similarity_transform(np.full((5, 2), 7.0), TARGET)
        assert np.allclose(matrix, np.column_stack([np.zeros((2, 2)), TARGET.mean(axis=0)]))


def spot(side: int, point: np.ndarray, radius: float) -> Image.Image:
    """A black square picture with a soft white spot around a point; a pixel's middle is at .5."""
    x, y = (np.exp(-0.5 * ((np.arange(side) + 0.5 - at) / radius) ** 2) for at in point)
    return Image.fromarray((255 * np.outer(y, x)).round().astype(np.uint8)).convert("RGB")


def centre_of(crop: np.ndarray) -> np.ndarray:
    """Where that spot is."""
    weight = crop[:, :, 0].astype(float)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]] + 0.5
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


class TestSimilarityCrop:
    """The five points land on the template."""

    @pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (25, 1), (-160, 1.3), (40, 3.6), (0, 6), (10, 0.6)])
    @pytest.mark.parametrize("size", [160, 64])
    def test_landmarks_land_on_the_template(self, degrees: float, scale: float, size: int) -> None:
        geometry = get_backbone("dlib-resnet").geometry(size, 0)
        points = transform(TARGET - 80, degrees, scale, (500, 520))
        for index, target in enumerate(TARGET * size / 160):
            crop = geometry.cut(spot(1000, points[index], 4 * scale), face_at(points))
            assert crop.shape == (size, size, 3)
            assert crop.dtype == np.uint8
            assert np.abs(centre_of(crop) - target).max() < 0.1

    @pytest.mark.parametrize("scale", [4, 4.4, 6, 9.7])
    def test_large_face_is_averaged(self, scale: float) -> None:
        """A checkerboard finer than the crop's pixels becomes grey; without averaging it would become stripes."""
        board = (np.indices((1800, 1800)).sum(axis=0) % 2 * 255).astype(np.uint8)
        points = transform(TARGET - 80, 20, scale, (900, 900))
        crop = TEMPLATE.cut(Image.fromarray(board).convert("RGB"), face_at(points))
        assert np.abs(crop[40:120, 40:120].astype(int) - 127).max() <= 20

    @pytest.mark.parametrize("scale", [2, 4, 7])
    def test_what_the_crop_can_show_is_not_averaged_away(self, scale: int) -> None:
        """Stripes as wide as three of the crop's pixels stay nearly black and white."""
        stripes = np.repeat(np.tile([0, 255], 200), 3 * scale).astype(np.uint8)[: 300 * scale]
        points = transform(TARGET - 80, 0, scale, (150 * scale, 150 * scale))
        crop = TEMPLATE.cut(Image.fromarray(np.tile(stripes, (300 * scale, 1))).convert("RGB"), face_at(points))
        assert crop[40:120, 40:120].std() > 80

    def test_outside_of_the_photo_is_black(self) -> None:
        points = transform(TARGET - 80, 0, 1, (0, 80))  # the left half of the crop lies outside
        crop = TEMPLATE.cut(Image.new("RGB", (400, 400), "white"), face_at(points))
        assert (crop[:, :78] == 0).all()
        assert (crop[:, 82:] == 255).all()

    @pytest.mark.parametrize(
        "points",
        [
            np.full((5, 2), 50.0),
            transform(TARGET, 0, 1, (5000, 5000)),
            transform(TARGET, 0, 1, (-5000, 20)),
        ],
        ids=["in one place", "beyond the end", "before the start"],
    )
    def test_nothing_to_cut_is_black(self, points: np.ndarray) -> None:
        assert not TEMPLATE.cut(Image.new("RGB", (300, 300), "white"), face_at(points)).any()

    def test_points_nearly_in_one_place(self) -> None:
        points = transform(TARGET - 80, 0, 1e-4, (150, 150))
        crop = TEMPLATE.cut(Image.new("RGB", (300, 300), (10, 200, 30)), face_at(points))
        assert (crop == (10, 200, 30)).all()


class TestBoxCrop:
    """facenet-pytorch's `extract_face`, pixel for pixel."""

    @pytest.mark.parametrize("margin", [0, 20, 44])
    @pytest.mark.parametrize("size", [160, 128])
    @pytest.mark.parametrize(
        "box",
        [
            (50.4, 60.9, 170.2, 210.7),
            (100.0, 100.0, 110.0, 117.0),
            (-20.5, 30.2, 80.1, 160.6),
            (40.3, -31.7, 150.0, 90.0),
            (300.2, 200.1, 430.9, 320.4),
            (-30.0, -30.0, 500.0, 400.0),
        ],
        ids=["inside", "small", "left", "top", "right and bottom", "larger than the photo"],
    )
    def test_is_facenet_pytorchs(self, box: tuple[float, float, float, float], size: int, margin: int) -> None:
        image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8))
        expected = extract_face(image, np.array(box), size, margin).permute(1, 2, 0).numpy()
        assert expected.max() > 1  # 0 to 255
        crop = CropGeometry("box", size, margin).cut(image, face_at(TARGET, box))
        assert np.array_equal(crop, expected)

    @pytest.mark.parametrize("box", [(500.0, 10.0, 600.0, 90.0), (50.0, 50.0, 50.2, 50.3), (90.0, 90.0, 20.0, 20.0)])
    def test_nothing_to_cut_is_black(self, box: tuple[float, float, float, float]) -> None:
        crop = CropGeometry("box", 160).cut(Image.new("RGB", (300, 300), "white"), face_at(TARGET, box))
        assert crop.shape == (160, 160, 3)
        assert not crop.any()


class TestSourcePixels:
    """How fine a photo must be for a crop: source pixels to one of the crop's."""

    @pytest.mark.parametrize("scale", [0.3, 1, 5.5])
    def test_similarity(self, scale: float) -> None:
        assert TEMPLATE.source_pixels(face_at(transform(TARGET, 33, scale, (9, 9)))) == pytest.approx(scale)

    def test_box_with_margin(self) -> None:
        face = face_at(TARGET, (10, 10, 290, 290))
        assert CropGeometry("box", 160, 20).source_pixels(face) == pytest.approx(2)

    @pytest.mark.parametrize("geometry", [TEMPLATE, CropGeometry("box", 160)], ids=["similarity", "box"])
    def test_degenerate_face(self, geometry: CropGeometry) -> None:
        assert geometry.source_pixels(face_at(np.full((5, 2), 3.0))) > 0


class TestJson:
    """A geometry is stored in networks.json."""

    @pytest.mark.parametrize("geometry", [TEMPLATE, CropGeometry("box", 128, 20)], ids=["similarity", "box"])
    def test_round_trip(self, geometry: CropGeometry) -> None:
        assert CropGeometry.from_json(geometry.as_json()) == geometry

    @pytest.mark.parametrize(
        ("key", "value"),
        [("alignment", "affine"), ("landmarks", []), ("landmarks", [[1, 2, 3]] * 5), ("image_size", "x")],
    )
    def test_wrong_value_is_refused(self, key: str, value: object) -> None:
        with pytest.raises(ValueError, match=r".+"):
            CropGeometry.from_json({**TEMPLATE.as_json(), key: value})
