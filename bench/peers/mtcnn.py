"""facenet-pytorch's MTCNN over many photos, as somebody who knows it well would run it on a GPU.

Photos are decoded ahead, on all cores; only finding and cutting the largest face is left to wait for. Crops stay in
memory, where the stage `crop` writes them, and other faces are not cut.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from facenet_pytorch import MTCNN
from PIL import Image

_AHEAD = 2  # batches that are decoded before they are asked for


class BatchedMtcnn:
    """Finds and cuts the largest face of each photo.

    Args:
        device: "cuda" or "cpu".
        batch: photos that are looked at together; such are of equal size, as MTCNN demands.
        max_side: photos are reduced to this many pixels first, as `crop` does (`detector.max_side`); None: they stay
            as they are.
        threads: that decode.
    """

    def __init__(self, device: str, batch: int, max_side: int | None, threads: int) -> None:
        self._mtcnn = MTCNN(image_size=160, margin=0, device=device)
        self._batch = batch
        self._max_side = max_side
        self._threads = threads

    def crop(self, photos: list[Path]) -> int:
        """On how many of the photos a face was found and cut."""
        found = 0
        for images in self.batches(photos):
            faces = self._mtcnn(images) if len(images) > 1 else [self._mtcnn(images[0])]
            found += sum(face is not None for face in faces)
        return found

    def batches(self, photos: list[Path]) -> Iterator[list[Image.Image]]:
        """The photos, decoded, in batches of equal size."""
        by_size: defaultdict[tuple[int, int], list[Path]] = defaultdict(list)
        for photo in photos:
            with Image.open(photo) as image:  # reads the header alone
                by_size[image.size].append(photo)
        parts = [
            own[start : start + self._batch] for own in by_size.values() for start in range(0, len(own), self._batch)
        ]
        coming: deque[list[Future[Image.Image]]] = deque()
        with ThreadPoolExecutor(self._threads, thread_name_prefix="decode") as pool:
            for part in parts:
                coming.append([pool.submit(self._decode, photo) for photo in part])
                if len(coming) > _AHEAD:
                    yield [image.result() for image in coming.popleft()]
            while coming:
                yield [image.result() for image in coming.popleft()]

    def _decode(self, photo: Path) -> Image.Image:
        with Image.open(photo) as image:
            if self._max_side is not None:
                image.thumbnail((self._max_side, self._max_side))  # decodes a JPEG at a reduced scale where it can
            return image.convert("RGB")
