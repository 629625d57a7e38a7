"""Files that break decoders or cost them much, though they are small; and files that look damaged and are not."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from faces.recognition.image import Photo

SIDE = 8000
"""Pixels of a side of what has 64 megapixels."""

_MAGIC = b"\x89PNG\r\n\x1a\n"
_END = b"\xff\xd9"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class HostileFile:
    """A file, and what is right to do with it.

    Attributes:
        name: of the file.
        data: its bytes.
        same: whether it shows the plain photo, and so must have the same pixels, up to what its format loses.
        accepted: whether it is an ordinary photo that must be taken, however large; else it may be refused.
    """

    name: str
    data: bytes
    same: bool = False
    accepted: bool = False


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with a right checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(size: tuple[int, int], bits: int, colour: int, extra: bytes = b"", interlaced: bool = False) -> bytes:
    """A PNG of one colour, of any kind.

    Args:
        size: width and height.
        bits: of a channel.
        colour: PNG's colour type.
        extra: chunks between header and pixels.
        interlaced: by Adam7; the rows are then not told apart, since all are alike.
    """
    width, height = size
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    packer = zlib.compressobj(9)
    row = b"\4" + bytes(-(-width * bits * _CHANNELS[colour] // 8))
    rows = [packer.compress(row) for _ in range(height + interlaced * height // 50)]
    pixels = chunk(b"IDAT", b"".join([*rows, packer.flush()]))
    return _MAGIC + chunk(b"IHDR", header) + extra + pixels + chunk(b"IEND", b"")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def exif(*entries: bytes, order: str = "<") -> bytes:
    """An EXIF block, after its prefix, with some entries of 12 bytes in its first directory."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries) + bytes(4)


def entry(tag: int, kind: int, count: int, value: int, order: str = "<") -> bytes:
    """An entry of an EXIF directory. A short value stands in the first half of its four bytes."""
    if kind == 3 and count == 1:
        return struct.pack(f"{order}HHIHH", tag, kind, count, value, 0)
    return struct.pack(f"{order}HHII", tag, kind, count, value)


def split(jpeg: bytes) -> tuple[bytes, list[bytes]]:
    """A JPEG's head, up to its first scan, and its scans, each with the tables before it; without the end marker."""
    starts, place = [], 2
    while jpeg[place + 1] != 0xD9:
        is_scan = jpeg[place + 1] == 0xDA
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if is_scan:
            starts.append((place, end))
            while jpeg[end] != 0xFF or jpeg[end + 1] == 0 or 0xD0 <= jpeg[end + 1] <= 0xD7:
                end += 1
        place = end
    first = starts[0][0]
    ends = [start for start, _ in starts[1:]] + [place]
    return jpeg[:first], [jpeg[start:end] for (start, _), end in zip(starts, ends, strict=True)]


def like_the_plain_photo(plain: bytes) -> Iterator[HostileFile]:
    """Files that show a photo, with damaged or strange metadata; they must be read as the photo itself.

    Args:
        plain: a JPEG whose EXIF, if it has some, asks for no turn.
    """
    image = Photo.open(plain).decode()
    bare = encoded(image, "PNG")
    head, rest = bare[:33], bare[33:]  # magic and header; what follows
    packed = zlib.compress(bytes(20_000_000))
    chunks = {
        "text_too_large": chunk(b"zTXt", b"Comment\0\0" + packed),
        "itxt_too_large": chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed),
        "text_of_unknown_method": chunk(b"zTXt", b"Comment\0\7abc"),
        "icc_too_large": chunk(b"iCCP", b"profile\0\0" + packed),
        "icc_short": chunk(b"iCCP", b"profile\0"),
        "phys_short": chunk(b"pHYs", b"\0\0"),
        "phys_long": chunk(b"pHYs", bytes(100)),
        "gama_short": chunk(b"gAMA", b"\0"),
        "chrm_short": chunk(b"cHRM", bytes(5)),
        "srgb_empty": chunk(b"sRGB", b""),
        "trns_short": chunk(b"tRNS", b"\0"),
        "apng_short": chunk(b"acTL", b"\0") + chunk(b"fcTL", b"\0"),
        "text_wrong_checksum": chunk(b"tEXt", b"Comment\0a")[:-1] + b"\xee",
        "phys_wrong_checksum": chunk(b"pHYs", bytes(9))[:-1] + b"\xee",
        "exif_cut": chunk(b"eXIf", b"II*\0\xff\xff"),
    }
    for name, extra in chunks.items():
        yield HostileFile(f"png_{name}.png", head + extra + rest, same=True)
    yield HostileFile("png_empty_idats.png", head + chunk(b"IDAT", b"") * 100_000 + rest, same=True)
    yield HostileFile("png_without_end.png", bare[:-12], same=True)
    jpeg = encoded(image, "JPEG", quality=95, subsampling=0)
    start, body = jpeg[:2], jpeg[2:]
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation="6"/>'
    segments = {
        "icc_cut": segment(0xE2, b"ICC_PROFILE\0"),
        "icc_numbers_wrong": segment(0xE2, b"ICC_PROFILE\0\7\2abc"),
        "photoshop_cut": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed"),
        "photoshop_length_wrong": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x03\xed\0\0\0\0\xff\xff"),
        "jfif_empty": segment(0xE0, b"JFIF"),
        "adobe_empty": segment(0xEE, b"Adobe"),
        "mpf_cut": segment(0xE2, b"MPF\0II"),
        "xmp_orientation": segment(0xE1, xmp),
        "comment_large": segment(0xFE, bytes(65_533)),
        "bytes_before_a_marker": segment(0xFE, b"") + b"\1\2\3\4",
    }
    for name, extra in segments.items():
        yield HostileFile(f"jpeg_{name}.jpg", start + extra + body, same=True)
    yield HostileFile("jpeg_without_end.jpg", jpeg[:-2], same=True)
    progressive = encoded(image, "JPEG", quality=95, subsampling=0, progressive=True)
    yield HostileFile("jpeg_progressive_without_end.jpg", progressive[:-2], same=True)
    sideways = encoded(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95, subsampling=0)
    for order in "<>":
        orientation = entry(0x0112, 3, 1, 6, order)
        blocks = {
            "unreadable_before": exif(entry(0x010F, 2, 500, 2**31, order), orientation, order=order),
            "unknown_type_before": exif(entry(0x010F, 99, 7, 3, order), orientation, order=order),
            "too_many_entries": exif(orientation, order=order).replace(
                struct.pack(f"{order}IH", 8, 1), struct.pack(f"{order}IH", 8, 60_000)
            ),
        }
        for name, block in blocks.items():
            end = "little" if order == "<" else "big"
            data = sideways[:2] + segment(0xE1, block) + sideways[2:]
            yield HostileFile(f"exif_{name}_{end}_endian.jpg", data, same=True)


def costly(noise: np.random.Generator) -> Iterator[HostileFile]:
    """Files of up to 2 MB that cost a decoder much time or memory.

    Args:
        noise: what is drawn from makes JPEGs large.
    """
    whole = (SIDE, SIDE)
    flat = Image.new("RGB", whole, (120, 90, 60))
    busy = Image.fromarray(noise.integers(0, 256, (1000, 1000, 3), np.uint8)).resize(whole, Image.Resampling.BICUBIC)
    yield HostileFile("jpeg_64MP.jpg", encoded(flat, "JPEG", subsampling=0), accepted=True)
    yield HostileFile("jpeg_64MP_busy.jpg", encoded(busy, "JPEG", quality=3), accepted=True)
    yield HostileFile("jpeg_64MP_without_end.jpg", encoded(busy, "JPEG", quality=3)[:-2])
    yield HostileFile("jpeg_36MP_cmyk.jpg", encoded(flat.resize((6000, 6000)).convert("CMYK"), "JPEG"))
    yield HostileFile("jpeg_64MP_progressive.jpg", encoded(busy, "JPEG", quality=4, progressive=True), accepted=True)
    yield HostileFile("jpeg_64MP_progressive_444.jpg", encoded(flat, "JPEG", progressive=True, subsampling=0))
    head, scans = split(encoded(flat, "JPEG", progressive=True))
    yield HostileFile("jpeg_64MP_12_scans.jpg", head + b"".join(scans) + scans[-1] * 2 + _END, accepted=True)
    yield HostileFile("jpeg_64MP_2000_scans.jpg", head + b"".join(scans) + scans[-1] * 2000 + _END)
    yield HostileFile("jpeg_64MP_first_scan_alone.jpg", head + scans[0] + _END)
    nothing = segment(0xDA, bytes([1, 1, 0, 255, 0, 0x10]))
    yield HostileFile(
        "jpeg_64MP_scans_of_nothing.jpg", head + b"".join(scans) + scans[-1] * 600 + nothing * 2000 + _END
    )
    small_head, small_scans = split(encoded(Image.new("RGB", (64, 64)), "JPEG"))
    tables = segment(0xC4, bytes([0, 1] + [0] * 16))
    for name, extra in {
        "tables": tables * 19_000,
        "comments": b"\xff\xfe\0\2" * 500_000,
        "fill": b"\xff" * 2 * 10**6,
    }.items():
        yield HostileFile(f"jpeg_many_{name}.jpg", small_head + extra + b"".join(small_scans) + _END)
    yield HostileFile("png_64MP_rgb.png", png(whole, 8, 2), accepted=True)
    yield HostileFile("png_64MP_rgb_interlaced.png", png(whole, 8, 2, interlaced=True))
    yield HostileFile("png_64MP_rgba.png", png(whole, 8, 6))
    yield HostileFile("png_64MP_grey_alpha.png", png(whole, 8, 4))
    yield HostileFile("png_64MP_16_bit_grey.png", png(whole, 16, 0))
    yield HostileFile("png_64MP_16_bit_rgb.png", png(whole, 16, 2))
    yield HostileFile("png_64MP_16_bit_rgba.png", png(whole, 16, 6))
    yield HostileFile("png_48MP_rgba.png", png((8000, 6000), 8, 6), accepted=True)
    yield HostileFile("png_48MP_16_bit_rgb.png", png((8000, 6000), 16, 2), accepted=True)
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(range(256)))
    yield HostileFile("png_64MP_palette.png", png(whole, 8, 3, palette))
    yield HostileFile("png_64MP_1_bit.png", png(whole, 1, 0))
    thin = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 64_000_000, 8, 0, 0, 0, 0))
    thin += chunk(b"IDAT", zlib.compress(bytes(128_000_000), 9)) + chunk(b"IEND", b"")
    yield HostileFile("png_1_x_64M.png", _MAGIC + thin)
    yield HostileFile("png_65535_x_976.png", png((65_535, 976), 8, 2))
    yield HostileFile("png_976_x_65535.png", png((976, 65_535), 8, 2))
    profile = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(300_000)))
    small = png((64, 64), 8, 2)
    yield HostileFile("png_many_profiles.png", small[:33] + profile * 5000 + small[33:])
    longer = zlib.compress(bytes(10**9), 9)
    yield HostileFile("png_longer_than_its_rows.png", small[:33] + chunk(b"IDAT", longer) + chunk(b"IEND", b""))
    yield HostileFile("png_without_palette.png", _MAGIC + png((8, 8), 8, 3)[8:])
    yield HostileFile("webp_16MP.webp", encoded(Image.new("RGBA", (4000, 4000)), "WEBP", lossless=True, method=0))
    yield HostileFile("webp_16383_x_16383.webp", _webp_that_claims(16_383))
    photo = encoded(Image.new("RGB", (5000, 4000)), "AVIF", speed=10)
    yield HostileFile("avif_20MP.avif", photo)
    yield HostileFile("avif_tiles_larger_than_said.avif", grid(photo, 16, 16, (64, 64), (1024, 1024)))


def crowd(portrait: bytes, across: int = 16) -> bytes:
    """A small JPEG on which detection takes longer than decoding the largest photos: a portrait, many times.

    Args:
        portrait: a photo.
        across: how often it stands in a row, and in a column.
    """
    side = 640 // across
    one = Photo.open(portrait).decode().resize((side, side))
    picture = Image.new("RGB", (side * across, side * across))
    for place in range(across**2):
        picture.paste(one, (place % across * side, place // across * side))
    return encoded(picture, "JPEG")


def box(kind: bytes, content: bytes) -> bytes:
    """A box of a HEIC or AVIF."""
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    """A box that has a version."""
    return box(kind, struct.pack(">I", version << 24) + content)


def grid(
    picture: bytes, columns: int, rows: int, tile: tuple[int, int], size: tuple[int, int], kind: bytes = b"grid"
) -> bytes:
    """A HEIC or AVIF whose tiles are all the same picture, stored once.

    Args:
        picture: a file of one picture, without metadata.
        columns, rows: how many tiles.
        tile: width and height that are said of a tile, whatever is true.
        size: width and height of the whole.
        kind: b"iovl" lays the tiles one upon the other.
    """
    coded, settings = (b"av01", b"av1C") if b"av1C" in picture else (b"hvc1", b"hvcC")
    at, sample = picture.index(settings) - 4, picture[picture.index(b"mdat") + 4 :]
    numbers = range(2, 2 + columns * rows)
    whole = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)
    if kind == b"iovl":
        whole = struct.pack(">BB4H2I", 0, 1, 0, 0, 0, 65_535, *size) + bytes(8 * len(numbers))
    entries = [full_box(b"infe", struct.pack(">HH4sB", 1, 0, kind, 0), 2)]
    entries += [full_box(b"infe", struct.pack(">HH4sB", number, 0, coded, 0), 2) for number in numbers]
    properties = picture[at : at + int.from_bytes(picture[at : at + 4], "big")]
    properties += b"".join(full_box(b"ispe", struct.pack(">II", *each)) for each in (tile, size))
    owned = struct.pack(">IHBB", len(entries), 1, 1, 3) + b"".join(struct.pack(">HBBB", n, 2, 0x81, 2) for n in numbers)
    used = struct.pack(f">HH{len(numbers)}H", 1, len(numbers), *numbers)

    def meta(place: int) -> bytes:
        """The list of all, where the tiles' data stand at a place in the file."""
        places = struct.pack(">HHHHII", 1, 1, 0, 1, 0, len(whole))
        places += b"".join(struct.pack(">HHHHII", number, 0, 0, 1, place, len(sample)) for number in numbers)
        boxes = {
            b"hdlr": struct.pack(">I4s13x", 0, b"pict"),
            b"pitm": struct.pack(">H", 1),
            b"iinf": struct.pack(">H", len(entries)) + b"".join(entries),
            b"iref": box(b"dimg", used),
        }
        listed = b"".join(full_box(name, content) for name, content in boxes.items())
        listed += box(b"iprp", box(b"ipco", properties) + full_box(b"ipma", owned))
        listed += full_box(b"iloc", struct.pack(">HH", 0x4400, len(entries)) + places, 1)
        return full_box(b"meta", listed + box(b"idat", whole))

    brand = b"avif" if coded == b"av01" else b"heic"
    head = box(b"ftyp", brand + bytes(4) + b"mif1" + brand + b"miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", sample)


def _webp_that_claims(side: int) -> bytes:
    """The header of a lossless WebP."""
    content = b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes(3)
    return b"RIFF" + struct.pack("<I", len(content) + 12) + b"WEBPVP8L" + struct.pack("<I", len(content)) + content
