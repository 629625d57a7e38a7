"""HEIC and AVIF: how many pixels there are to decode, read from the boxes of a file before a decoder sees it.

The picture shown may be put together from others: tiles of a grid, layers, a picture of what is transparent. A file of
some kilobytes can name thousands, each much larger than what is seen of it, and the frames of an AVIF may be larger
than the file says. So what is to be decoded is added up here: of each coded picture, the larger of the size that the
file gives and the size that its frames have.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

_AV1 = b"av01"
_CODED = (b"hvc1", _AV1)
_SEQUENCE_HEADER = 1  # the type of an AV1 unit that has the size of frames
_MOST_UNITS = 50_000  # of all pictures; each has some three


@dataclass(frozen=True)
class Decoding:
    """What there is to decode, in pixels.

    Attributes:
        pixels: of all coded pictures together, each as often as it is used.
        largest: of the largest one.
    """

    pixels: int
    largest: int


def read_decoding(data: bytes) -> Decoding | None:
    """What a decoder has to decode for the picture that a file shows.

    Args:
        data: the bytes of a HEIC or AVIF.

    Returns:
        None where there is no list of pictures, as in some animations: then the first frame is all that is decoded.

    Raises:
        EOFError, ValueError, RecursionError, struct.error: the file is damaged.
    """
    for kind, inside in _Reader(data, 0, len(data)).boxes():
        if kind == b"meta":
            items = _Items(data)
            items.read(inside)
            return items.decoding()
    return None


class _Reader:
    """Reads a part of a file from its beginning; an EOFError says that it is too short."""

    def __init__(self, data: bytes, place: int, end: int) -> None:
        self._data, self._place, self._end = data, place, end

    def take(self, count: int) -> bytes:
        """The next bytes."""
        start, self._place = self._place, self._place + count
        if self._place > self._end:
            raise EOFError
        return self._data[start : self._place]

    def number(self, count: int) -> int:
        """The next bytes as a whole number; 0 of no bytes."""
        return int.from_bytes(self.take(count), "big")

    def boxes(self) -> Iterator[tuple[bytes, _Reader]]:
        """Kind and content of the boxes that follow, the last of them perhaps cut off."""
        while self._place + 8 <= self._end:
            start = self._place
            length, kind = self.number(4), self.take(4)
            if length == 1:
                length = self.number(8)
            elif length == 0:  # to the end
                length = self._end - start
            if start + length < self._place:
                raise ValueError("a box shorter than its head")
            yield kind, _Reader(self._data, self._place, min(start + length, self._end))
            self._place = start + length

    @property
    def place(self) -> int:
        """Where in the file it stands."""
        return self._place


@dataclass
class _Items:
    """The pictures of a file, by their numbers, and what else it lists beside them."""

    data: bytes
    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)  # pixels, as the file gives them
    parts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # of those put together
    further: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # transparency, depth, …
    places: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)  # first byte and number of bytes
    stored_within: int = 0  # where the content of the box idat begins

    def read(self, meta: _Reader) -> None:
        """Read the box meta."""
        readers = {
            b"pitm": self._read_primary, b"iinf": self._read_kinds, b"iref": self._read_references,
            b"iprp": self._read_properties,
        }  # fmt: skip
        meta.number(4)
        locations: _Reader | None = None
        for kind, inside in meta.boxes():
            if kind == b"idat":
                self.stored_within = inside.place
            elif kind == b"iloc":
                locations = inside
            elif kind in readers:
                readers[kind](inside)
        if locations is not None:  # last, since it speaks of idat
            self._read_places(locations)

    def _read_primary(self, box: _Reader) -> None:
        version = box.number(4) >> 24
        self.primary = box.number(4 if version else 2)

    def _read_kinds(self, box: _Reader) -> None:
        version = box.number(4) >> 24
        box.number(4 if version else 2)
        for _, entry in box.boxes():
            version = entry.number(4) >> 24
            if version >= 2:
                number = entry.number(4 if version > 2 else 2)
                entry.number(2)
                self.kinds[number] = entry.take(4)

    def _read_references(self, box: _Reader) -> None:
        width = 4 if box.number(4) >> 24 else 2
        for kind, entry in box.boxes():
            source, count = entry.number(width), entry.number(2)
            targets = struct.unpack(f">{count}{'H' if width == 2 else 'I'}", entry.take(count * width))
            if kind == b"dimg":
                self.parts[source] += targets
            elif kind == b"auxl":
                for target in targets:
                    self.further[target].append(source)

    def _read_properties(self, box: _Reader) -> None:
        """The sizes of items, each given by its place in a list of properties."""
        properties = [0]  # they are numbered from 1 on
        for kind, inside in box.boxes():
            if kind == b"ipco":
                properties += [_pixels(each) if name == b"ispe" else 0 for name, each in inside.boxes()]
            elif kind == b"ipma":
                head = inside.number(4)
                most = 0x7FFF if head & 1 else 0x7F  # the bit above says whether a property is essential
                for _ in range(inside.number(4)):
                    number = inside.number(4 if head >> 24 else 2)
                    count = inside.number(1)
                    places = struct.unpack(f">{count}H", inside.take(2 * count)) if head & 1 else inside.take(count)
                    given = [properties[place] for each in places if 0 < (place := each & most) < len(properties)]
                    self.sizes[number] = max(given, default=0)

    def _read_places(self, box: _Reader) -> None:
        version = box.number(4) >> 24
        widths = box.number(2)
        offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
        index_width = widths & 15 if version else 0
        if not {offset_width, length_width, base_width, index_width} <= {0, 4, 8}:
            raise ValueError("numbers of a length that there is not")
        for _ in range(box.number(4 if version > 1 else 2)):
            number = box.number(4 if version > 1 else 2)
            method = box.number(2) & 15 if version else 0
            box.number(2)
            base = box.number(base_width) + (self.stored_within if method == 1 else 0)
            count, extents = box.number(2), []
            if count > 1 and not offset_width + length_width:
                raise ValueError("extents that are all the same")
            for _ in range(count):
                box.number(index_width)
                offset = base + box.number(offset_width)
                extents.append((offset, box.number(length_width)))
            if method < 2:  # else within another item, which no decoder of AVIF can do
                self.places[number] = tuple(extents)

    def decoding(self) -> Decoding:
        """What has to be decoded for the primary item."""
        frames = _Frames(self.data)
        known: dict[int, Decoding] = {}

        def of(number: int, above: frozenset[int]) -> Decoding:
            """Of an item and all that it is made of; each is looked at once, however often it is used."""
            if number in above:
                raise ValueError("a picture made of itself")
            if number not in known:
                inside, found = above | {number}, []
                kind = self.kinds.get(number, b"")
                if kind in _CODED:
                    size = self.sizes.get(number, 0)
                    if kind == _AV1:
                        size = max(size, frames.largest(self.places.get(number, ())))
                    found.append(Decoding(size, size))
                else:
                    found += [of(part, inside) for part in self.parts[number]]
                # Of several further pictures one is decoded: that of transparency.
                more = [of(each, inside) for each in self.further[number]]
                found += [max(more, key=lambda each: each.pixels)] if more else []
                known[number] = Decoding(
                    sum(each.pixels for each in found), max((each.largest for each in found), default=0)
                )
            return known[number]

        return of(self.primary, frozenset())


def _pixels(size: _Reader) -> int:
    """Of a box ispe."""
    size.number(4)
    return size.number(4) * size.number(4)


class _Frames:
    """The size of the frames of AV1 pictures, which may be another than the file gives.

    Args:
        data: the file's bytes.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._known: dict[tuple[tuple[int, int], ...], int] = {}
        self._units_left = _MOST_UNITS
        self._bytes_left = 2 * len(data)

    def largest(self, extents: tuple[tuple[int, int], ...]) -> int:
        """Pixels of the largest frame that a picture announces.

        Args:
            extents: first byte and number of bytes of each part of the picture in the file; 0 is all that follows.

        Raises:
            ValueError: nothing says how large they are, or the picture is in too many parts.
        """
        if extents not in self._known:
            parts = []
            for first, count in extents:
                parts.append(self._data[first : first + count if count else None])
                self._bytes_left -= len(parts[-1])
                if self._bytes_left < 0:  # pictures share their data, so that a small file has much of it
                    raise ValueError("more data than the file has")
            self._known[extents] = max(self._sizes(b"".join(parts)), default=0)
        if not self._known[extents]:
            raise ValueError("a picture without a size of its frames")
        return self._known[extents]

    def _sizes(self, data: bytes) -> Iterator[int]:
        """Of each header of a sequence: pixels of its frames."""
        place = 0
        while place < len(data):
            self._units_left -= 1
            if self._units_left < 0:
                raise ValueError("too many units")
            head = data[place]
            place += 2 if head & 4 else 1
            length = len(data) - place
            if head & 2:
                length, shift = 0, 0
                while place < len(data) and shift < 56:
                    byte = data[place]
                    place += 1
                    length |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
            if head >> 3 & 15 == _SEQUENCE_HEADER:
                yield _frame_pixels(data[place : place + min(length, 256)])
            place += length


class _Bits:
    """Reads bits from the highest on; a ValueError says that there are not as many."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def number(self, count: int) -> int:
        """The next bits as a whole number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("a header that is cut off")
        return self._value >> self._left & ((1 << count) - 1)


def _frame_pixels(header: bytes) -> int:
    """Of an AV1 sequence header: the largest width × the largest height of a frame (AV1 specification, 5.5.1)."""
    bits = _Bits(header)
    bits.number(4)  # profile, still_picture
    if bits.number(1):  # reduced_still_picture_header
        bits.number(5)
    else:
        delay_bits = _skip_timing(bits)
        has_delay = bits.number(1)
        for _ in range(bits.number(5) + 1):  # operating points
            bits.number(12)
            if bits.number(5) > 7:
                bits.number(1)
            if delay_bits is not None and bits.number(1):
                bits.number(2 * delay_bits + 1)
            if has_delay and bits.number(1):
                bits.number(4)
    across, down = bits.number(4) + 1, bits.number(4) + 1
    return (bits.number(across) + 1) * (bits.number(down) + 1)


def _skip_timing(bits: _Bits) -> int | None:
    """Bits of a delay, None where the header has no model of the decoder (AV1 specification, 5.5.1, 5.5.3, 5.5.4)."""
    if not bits.number(1):  # timing_info_present_flag
        return None
    bits.number(64)
    if bits.number(1):  # equal_picture_interval, then a number as long as there are zeros before its first one
        zeros = 0
        while not bits.number(1):
            zeros += 1
        bits.number(zeros if zeros < 32 else 0)
    if not bits.number(1):  # decoder_model_info_present_flag
        return None
    delay_bits = bits.number(5) + 1
    bits.number(42)
    return delay_bits
