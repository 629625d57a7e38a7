"""Real photographs through the whole path: one face, one embedding, however its photo is stored or read."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.detection.detector import Detector
from faces.detection.face import Face, intersection_over_union
from faces.recognition.image import ImageTooLargeError, Photo, UnknownKindError
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer, reduce_for_detection
from faces.threads import ThreadedMap
from tests.faces.support import as_stored, cosine, encode, oriented

PORTRAITS = ["angelina_jolie", "kate_siegel", "paul_rudd", "shea_whigham"]  # 1.8 to 4 megapixels


@pytest.fixture(scope="module", params=["recognizer", "facenet_recognizer"])
def either(request: pytest.FixtureRequest) -> Recognizer:
    """With a crop by landmarks, and with one by box."""
    recognizer: Recognizer = request.getfixturevalue(request.param)
    return recognizer


@pytest.fixture(scope="module")
def found(recognizer: Recognizer, photos: list[Path]) -> dict[Path, list[Face]]:
    """All faces of each photo."""
    return {path: recognizer.faces(path) for path in photos}


def embedding_of(recognizer: Recognizer, source: bytes | Path) -> np.ndarray:
    face = recognizer.largest_face(source)
    assert face is not None
    recognizer.embed([face])
    return face.embedding


def as_png(image: Image.Image, **options: object) -> bytes:
    return encode(image, "PNG", compress_level=1, **options)


def pasted(photos_dir: Path, places: dict[str, tuple[int, int, int]]) -> Image.Image:
    """Twelve megapixels with portraits on it: name to left, top and longer side."""
    canvas = Image.new("RGB", (4000, 3000), (90, 110, 130))
    for name, (left, top, side) in places.items():
        portrait = Photo.open(photos_dir / f"{name}.jpg").decode()
        portrait.thumbnail((side, side))
        canvas.paste(portrait, (left, top))
    return canvas


class TestLargestFace:
    """What is learnt from all faces of a photo and what is asked of its largest one are the same crop."""

    def test_is_the_first_of_all(self, recognizer: Recognizer, found: dict[Path, list[Face]]) -> None:
        for path, faces in found.items():
            largest = recognizer.largest_face(path)
            assert (largest is None) == (faces == []), path.name
            if largest is not None:
                assert np.array_equal(faces[0].crop, largest.crop), path.name
                assert np.array_equal(faces[0].box, largest.box), path.name
        counts = [len(faces) for faces in found.values()]
        assert min(counts) == 0
        assert max(counts) >= 20

    def test_also_where_others_need_finer_pixels(self, either: Recognizer, photos_dir: Path) -> None:
        canvas = pasted(photos_dir, {"paul_rudd": (0, 0, 2900), "kate_siegel": (2600, 1000, 700)})
        data = encode(canvas, "JPEG")
        faces, largest = either.faces(data), either.largest_face(data)
        assert len(faces) == 2
        assert np.array_equal(faces[0].crop, largest.crop)

    def test_no_face_twice_and_none_lost(self, recognizer: Recognizer, found: dict[Path, list[Face]]) -> None:
        detector = recognizer.networks.open_detector()
        for path, faces in found.items():
            boxes = [face.box for face in faces]
            pairs = itertools.combinations(boxes, 2)
            assert all(intersection_over_union(*pair) < 0.5 for pair in pairs), path.name
            photo = Photo.open(path)
            reduced = reduce_for_detection(photo.decode(640), 640)
            scale = max(photo.stored_size) / max(reduced.size)
            for face in detector.detect_all(np.asarray(reduced)):
                assert any(intersection_over_union(face.box * scale, box) >= 0.5 for box in boxes), path.name

    def test_places_are_those_of_the_full_photo(self, recognizer: Recognizer, photos_dir: Path) -> None:
        canvas = pasted(photos_dir, {"kate_siegel": (2500, 1500, 700)})
        face = recognizer.largest_face(encode(canvas, "JPEG"))
        alone = recognizer.largest_face(as_png(canvas.crop((2500, 1500, 3200, 2200))))
        assert intersection_over_union(face.box - [2500, 1500, 2500, 1500], alone.box) > 0.8
        eyes = np.linalg.norm(alone.landmarks[0] - alone.landmarks[1])
        assert np.abs(face.landmarks - [2500, 1500] - alone.landmarks).max() < 0.1 * eyes

    def test_no_face(self, recognizer: Recognizer, photos_dir: Path) -> None:
        assert recognizer.largest_face(photos_dir / "dogs.jpg") is None
        assert recognizer.faces(photos_dir / "dogs.jpg") == []
        recognizer.embed([])


class TestResolution:
    """Less work in decoding does not change whose face it is."""

    @pytest.mark.parametrize("name", PORTRAITS)
    def test_reduced_decoding(self, recognizer: Recognizer, photos_dir: Path, name: str) -> None:
        photo = Photo.open(photos_dir / f"{name}.jpg")
        assert max(photo.decode(640).size) < max(photo.stored_size)
        everything = embedding_of(recognizer, as_png(photo.decode()))
        assert cosine(embedding_of(recognizer, photo.data), everything) >= 0.99

    @pytest.mark.parametrize("name", ["angelina_jolie", "kate_siegel", "shea_whigham"])
    def test_small_face_in_a_large_photo_is_cut_from_fine_pixels(
        self, recognizer: Recognizer, photos_dir: Path, name: str
    ) -> None:
        canvas = pasted(photos_dir, {name: (1500, 1000, 700)})
        everything = embedding_of(recognizer, as_png(canvas))
        coarse = embedding_of(recognizer, as_png(reduce_for_detection(canvas, 640)))
        given = embedding_of(recognizer, encode(canvas, "JPEG"))
        assert cosine(given, everything) >= 0.995
        assert cosine(coarse, everything) < 0.985  # what it would be, cut where the detector looked

    @pytest.mark.parametrize("side", [2900, 2000, 1300, 700])
    def test_a_crop_has_a_pixel_of_the_photo_for_each_of_its_own(
        self, either: Recognizer, photos_dir: Path, side: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = encode(pasted(photos_dir, {"kate_siegel": (0, 0, side)}), "JPEG")
        decoded: list[int] = []
        original = Photo.decode

        def decode(photo: Photo, long_side: int | None = None) -> Image.Image:
            image = original(photo, long_side)
            decoded.append(max(image.size))
            return image

        monkeypatch.setattr(Photo, "decode", decode)
        face = either.largest_face(data)
        there = either.networks.manifest.crop.source_pixels(face)  # pixels of the photo along one of the crop
        assert max(decoded) / 4000 * there >= 1 or max(decoded) == 4000
        assert len(decoded) <= 2

    @pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (1, 1), (20, 2000)])
    def test_strange_shapes(self, either: Recognizer, size: tuple[int, int]) -> None:
        for kind in ("JPEG", "PNG"):
            assert either.faces(encode(Image.new("RGB", size), kind)) == []


class TestDetectorsImage:
    """`detector.max_side`: how many pixels the detector sees."""

    @pytest.mark.parametrize("max_side", [320, 1500])
    def test_it_is_decoded_and_reduced_to_so_many(
        self, networks_dir: Path, photos_dir: Path, max_side: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        networks = Networks.load(networks_dir)
        detector = replace(networks.manifest.detector, max_side=max_side)
        networks.manifest = replace(networks.manifest, detector=detector)
        recognizer = Recognizer(networks)
        recognizer.open()
        seen: list[int] = []
        original = Detector.detect_largest
        monkeypatch.setattr(
            Detector, "detect_largest", lambda own, pixels: seen.append(max(pixels.shape)) or original(own, pixels)
        )
        canvas = pasted(photos_dir, {"paul_rudd": (0, 0, 2900)})
        assert recognizer.largest_face(encode(canvas, "JPEG")) is not None
        assert seen == [max_side]


class TestOrientation:
    """A photo held on its side shows the same face."""

    @pytest.mark.parametrize("orientation", range(2, 9))
    def test_png_is_the_same_to_the_last_digit(
        self, recognizer: Recognizer, photos_dir: Path, orientation: int
    ) -> None:
        upright = Photo.open(photos_dir / "2009_004587.jpg").decode()
        stored = Image.fromarray(np.ascontiguousarray(as_stored(np.asarray(upright), orientation)))
        turned = embedding_of(recognizer, as_png(stored, exif=oriented(orientation)))
        assert np.array_equal(turned, embedding_of(recognizer, as_png(upright)))

    @pytest.mark.parametrize(("name", "orientation"), list(zip(PORTRAITS, (3, 6, 8, 5), strict=True)))
    def test_jpeg_is_nearly(self, recognizer: Recognizer, photos_dir: Path, name: str, orientation: int) -> None:
        path = photos_dir / f"{name}.jpg"
        stored = Image.fromarray(np.ascontiguousarray(as_stored(np.asarray(Photo.open(path).decode()), orientation)))
        turned = embedding_of(recognizer, encode(stored, "JPEG", exif=oriented(orientation)))
        assert cosine(turned, embedding_of(recognizer, path)) >= 0.99


class TestProcess:
    """One recognizer for all threads of a process, opened in it."""

    def test_eight_threads(self, recognizer: Recognizer, photos: list[Path]) -> None:
        small = [path for path in photos if path.stat().st_size < 200_000 and path.name != "dogs.jpg"]
        expected = [embedding_of(recognizer, path) for path in small]
        with ThreadPoolExecutor(8) as pool:
            given = list(pool.map(lambda path: embedding_of(recognizer, path), small * 3))
        assert len(given) >= 24
        for index, embedding in enumerate(given):
            assert np.array_equal(embedding, expected[index % len(small)])

    def test_not_opened(self, networks_dir: Path) -> None:
        closed = Recognizer(Networks.load(networks_dir))
        for ask in (lambda: closed.faces(b""), lambda: closed.largest_face(b""), lambda: closed.embed([])):
            with pytest.raises(RuntimeError, match=r"Recognizer\.open must be called in this process first"):
                ask()

    def test_flip_is_passed_on(self, networks_dir: Path, recognizer: Recognizer, photos_dir: Path) -> None:
        plain = Recognizer(Networks.load(networks_dir), flip=False)
        plain.open(threads=2)
        path = photos_dir / "2009_004587.jpg"
        alike = cosine(embedding_of(plain, path), embedding_of(recognizer, path))
        assert 0.9 < alike < 0.99999

    def test_limit_is_passed_on(self, networks_dir: Path, photos_dir: Path) -> None:
        narrow = Recognizer(Networks.load(networks_dir), max_pixels=100_000)
        narrow.open()
        with pytest.raises(ImageTooLargeError, match=r"the limit is 0\.1"):
            narrow.largest_face(photos_dir / "2009_004587.jpg")

    def test_other_content(self, recognizer: Recognizer) -> None:
        with pytest.raises(UnknownKindError):
            recognizer.faces(b"GIF89a")


@pytest.mark.parametrize("size", [(1000, 1300), (1300, 1000), (700, 30), (641, 2), (400, 300)])
def test_a_photo_is_reduced_the_same_by_any_number_of_threads(size: tuple[int, int]) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    alone = reduce_for_detection(image, 640)
    assert max(alone.size) == min(max(size), 640)
    expected = np.asarray(image.resize(alone.size, Image.Resampling.BILINEAR), np.int16)
    assert np.abs(np.asarray(alone, np.int16) - expected).max() <= 1  # in which order the directions come rounds
    for threads in (2, 3):
        assert (np.asarray(reduce_for_detection(image, 640, ThreadedMap(threads))) == np.asarray(alone)).all()


@pytest.mark.filterwarnings("error")
def test_pillow_warns_of_no_photo_that_is_within_our_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow warns above its own smaller limit, where an image is cropped."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000 * 700)
    assert reduce_for_detection(Image.new("RGB", (1000, 1000)), 640).size == (640, 640)
