"""How long does a photo take to decode, and how long does the service think so when it has read the header?

    python -m bench.decoding [PHOTO_OR_FOLDER …] [--megapixels 1 4 12] [--rounds 3] [--quick]

Pictures are made in each kind of file: noise, which fills as many bytes as there can be, one colour, which makes small
files of large pictures, and soft noise, which is more like a photo. Each is decoded as if its face were small: reduced
for detection, and then at full size, where that is another picture. In the table: seconds of a core that it took, the
least of the rounds; what `Photo.decode_seconds` said before, and the ratio of the two; seconds that reading the header
took; and in which line of the service's queue it waits (`COSTLY_SECONDS`). Photos that are given come after those.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.support.hostile import chunk, encoded, entry, exif, png, split
from bench.support.photos import find_photos
from faces.recognition.image import Photo
from faces.recognition.recognizer import reduce_for_detection
from service.photo_work import COSTLY_SECONDS
from stages.progress import progress
from stages.report.machine import describe_machine

_SIDE = 640  # pixels: detector.max_side of params.yaml
_TURNED = exif(entry(0x0112, 3, 1, 6))
_SCANS_MORE = 20


@dataclass(frozen=True)
class Row:
    """What came of a file.

    Attributes:
        name: of it.
        megapixels: 10^6 pixels.
        megabytes: 10^6 bytes.
        header_seconds: of a core, to read its header.
        took_seconds: of a core, to decode it.
        said_seconds: that were expected.
    """

    name: str
    megapixels: float
    megabytes: float
    header_seconds: float
    took_seconds: float
    said_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long as expected it took."""
        return self.took_seconds / self.said_seconds


def _progressive_of_many_scans(image: Image.Image) -> bytes:
    head, scans = split(encoded(image, "JPEG", progressive=True))
    return head + b"".join(scans) + scans[-1] * _SCANS_MORE + b"\xff\xd9"


def _deep_png(image: Image.Image) -> bytes:
    """With 16 bits a channel and transparency. Pillow does not write such files."""
    rows = np.asarray(image.convert("RGBA")).repeat(2, axis=2).reshape(image.height, -1)
    plain = png(image.size, 16, 6)  # its header is right
    pixels = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes(), 1)  # a byte before each row: no filter
    return plain[:33] + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _fading(image: Image.Image) -> Image.Image:
    """The image with transparency that is as busy as it."""
    image = image.copy()
    image.putalpha(image.getchannel(0))
    return image


KINDS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG, quality 75": lambda image: encoded(image, "JPEG"),
    "JPEG, quality 95, colours in full": lambda image: encoded(image, "JPEG", quality=95, subsampling=0),
    "JPEG, turned": lambda image: encoded(image, "JPEG", exif=_TURNED),
    "JPEG, grey": lambda image: encoded(image.convert("L"), "JPEG", quality=95),
    "JPEG, CMYK": lambda image: encoded(image.convert("CMYK"), "JPEG"),
    "JPEG, progressive": lambda image: encoded(image, "JPEG", progressive=True),
    "JPEG, progressive, 30 scans": _progressive_of_many_scans,
    "JPEG, no end marker": lambda image: encoded(image, "JPEG")[:-2],
    "PNG": lambda image: encoded(image, "PNG", compress_level=1),
    "PNG, turned": lambda image: encoded(image, "PNG", compress_level=1, exif=_TURNED),
    "PNG, transparent": lambda image: encoded(_fading(image), "PNG", compress_level=1),
    "PNG, transparent, 16 bits": _deep_png,
    "PNG, rows predicted": lambda image: png(image.size, 8, 2),
    "PNG, 16 bits, rows predicted": lambda image: png(image.size, 16, 6),
    "PNG, grey": lambda image: encoded(image.convert("L"), "PNG", compress_level=1),
    "PNG, palette": lambda image: encoded(image.quantize(256), "PNG", compress_level=1),
    "WebP": lambda image: encoded(image, "WEBP", quality=95, method=0),
    "WebP, lossless": lambda image: encoded(image, "WEBP", lossless=True, quality=0, method=0),
    "WebP, transparent": lambda image: encoded(_fading(image), "WEBP", quality=95, method=0),
    "AVIF": lambda image: encoded(image, "AVIF", speed=10),
    "AVIF, transparent": lambda image: encoded(_fading(image), "AVIF", speed=10),
    "HEIC": lambda image: encoded(image, "HEIF"),
    "HEIC, transparent": lambda image: encoded(_fading(image), "HEIF"),
}
"""How a picture is saved, by what the table calls it."""


def pictures(megapixels: float) -> Iterator[tuple[str, Image.Image]]:
    """Some of so many pixels, in the shape that cameras have, by what is on them."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    size = (height * 4 // 3, height)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8))
    yield "noise", noise
    yield "soft noise", noise.crop((0, 0, size[0] // 8, size[1] // 8)).resize(size, Image.Resampling.BICUBIC)
    yield "one colour", Image.new("RGB", size, (120, 90, 60))


def decode(data: bytes) -> None:
    """Decode as for a photo whose face is small."""
    photo = Photo.open(data)
    image = photo.decode(long_side=_SIDE)
    reduce_for_detection(image, _SIDE)
    if max(image.size) < photo.finest_side:
        del image
        photo.decode(long_side=photo.finest_side)


def least_seconds(work: Callable[[], object], rounds: int) -> float:
    """Seconds of a core that it takes, the least of some rounds."""
    took = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        took.append(time.process_time() - started)
    return min(took)


def measure(name: str, data: bytes, rounds: int) -> Row:
    """Read a file's header and decode it.

    Raises:
        faces.recognition.image.ImageError: it is refused.
    """
    photo = Photo.open(data)
    width, height = photo.stored_size
    return Row(
        name=name,
        megapixels=width * height / 1e6,
        megabytes=len(data) / 1e6,
        header_seconds=least_seconds(lambda: Photo.open(data), rounds),
        took_seconds=least_seconds(lambda: decode(data), rounds),
        said_seconds=photo.decode_seconds,
    )


def files(megapixels: list[float], given: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The names and bytes of what is measured."""
    for size in megapixels:
        for content, image in pictures(size):
            for kind, save in KINDS.items():
                yield f"{kind}, {content}", save(image)
    for path in find_photos(given) if given else []:
        yield path.name, path.read_bytes()


def report(rows: list[Row]) -> None:
    """Print the table and the JSON line."""
    machine = describe_machine()
    print(f"Seconds of one core; {machine}\n")
    print(f"{'file':48}{'MP':>7}{'MB':>7}{'header':>9}{'took':>8}{'said':>8}{'ratio':>7}  line")
    for row in rows:
        line = "costly" if row.said_seconds >= COSTLY_SECONDS else "usual"
        print(
            f"{row.name:48}{row.megapixels:7.1f}{row.megabytes:7.2f}{row.header_seconds:9.5f}{row.took_seconds:8.3f}"
            f"{row.said_seconds:8.3f}{row.ratio:7.2f}  {line}"
        )
    usual = [row.took_seconds for row in rows if row.said_seconds < COSTLY_SECONDS]
    longest = max(rows, key=lambda row: row.ratio)
    print(f"\nLonger than said, at most: {longest.ratio:.2f} times ({longest.name}, {longest.megapixels:.1f} MP)")
    print(f"Of those in the line of the usual ones, the longest took {max(usual, default=0.0):.3f} s")
    figures: dict[str, Any] = {
        "bench": "decoding",
        "machine": machine,
        "longest_ratio": round(longest.ratio, 2),
        "longest_usual_seconds": round(max(usual, default=0.0), 3),
        "rows": [
            {name: value if name == "name" else round(value, 5) for name, value in asdict(row).items()} for row in rows
        ],
    }
    print(json.dumps(figures))


def main() -> None:
    """Make the files, decode them and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="*", help="photos, or folders with some")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 12], help="of the pictures made")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, and pictures of 0.3 megapixels alone")
    args = parser.parse_args()
    sizes, rounds = ([0.3], 1) if args.quick else (args.megapixels, args.rounds)
    try:
        import pillow_heif  # of requirements-dev.txt: it writes HEIC
    except ImportError:
        parser.error("pillow-heif is missing, which writes HEIC: pip install -r requirements-dev.txt")
    pillow_heif.register_heif_opener()
    total = 3 * len(KINDS) * len(sizes) + (len(find_photos(args.photos)) if args.photos else 0)
    made = progress(files(sizes, args.photos), total, "decoding", "file")
    report([measure(name, data, rounds) for name, data in made])


if __name__ == "__main__":
    main()
