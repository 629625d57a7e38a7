"""Arrays in files: those of NumPy, and those that pickles and joblib's files hold. Nothing of a pickle is run."""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from codecs import encode
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from typing import Any

import numpy as np
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]

_MOST_BYTES = 512 * 2**20
_MOST_VALUES = 2_000_000
"""Values of a pickle that are looked at."""
_MOST_PICTURES = 50_000
"""Of one array."""
_NPY = b"\x93NUMPY"
_LEAST_SIDE, _LONGEST_SIDE = 16, 10_000
_DAMAGED = (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile, zlib.error, MemoryError)


def arrays_in(data: bytes) -> Iterator[Array]:
    """The arrays of a file of NumPy (.npy, .npz), a pickle or a file of joblib; none where it is none, or damaged."""
    if len(data) > _MOST_BYTES:
        return
    if data.startswith(b"PK"):
        yield from _zipped(data)
    elif data.startswith(_NPY):
        try:
            yield np.load(io.BytesIO(data), allow_pickle=False)
        except _DAMAGED:  # also an array of objects: a pickle follows its heading
            start = data.find(b"\n") + 1
            yield from (value for value in _values(data[start:]) if isinstance(value, np.ndarray))
    else:
        yield from (value for value in _values(data) if isinstance(value, np.ndarray))


def bytes_in(data: bytes) -> Iterator[bytes]:
    """The bytes, and the texts, that a pickle holds: those of old protocols are written otherwise than they are."""
    yield from (value for value in _values(data) if isinstance(value, bytes))


def pictures_of(array: Array) -> Iterator[Image.Image]:
    """The pictures that an array is, as far as its shape allows: [H, W], [H, W, C], [C, H, W], each also several of
    them, or lying flat in rows. Their values are stretched from black to white."""
    if array.dtype.kind not in "fiub" or not array.size:
        return
    for image in islice(_pixels(array), _MOST_PICTURES):
        height, width = image.shape[:2]
        if min(height, width) < _LEAST_SIDE or max(height, width) > _LONGEST_SIDE:
            continue
        pixels = np.nan_to_num(np.asarray(image, np.float32))
        low, high = float(pixels.min()), float(pixels.max())
        if high > low:
            yield Image.fromarray(((pixels - low) * (255 / (high - low))).astype(np.uint8)).convert("RGB")


def _pixels(array: Array) -> Iterator[Array]:
    """Single pictures, [H, W] or [H, W, 3 or 4]."""
    if array.ndim == 2:
        yield array
        side = int(np.sqrt(array.shape[1])), int(np.sqrt(array.shape[1] // 3))
        if side[0] >= 2 * _LEAST_SIDE and side[0] ** 2 == array.shape[1]:
            yield from array.reshape(-1, side[0], side[0])
        if side[1] >= 2 * _LEAST_SIDE and 3 * side[1] ** 2 == array.shape[1]:
            yield from array.reshape(-1, side[1], side[1], 3)
            yield from np.moveaxis(array.reshape(-1, 3, side[1], side[1]), 1, -1)
    elif array.ndim == 3 and array.shape[-1] in (1, 3, 4):
        yield array[..., 0] if array.shape[-1] == 1 else array
    elif array.ndim == 3:
        if array.shape[0] in (3, 4):  # colours, or so many pictures
            yield np.moveaxis(array, 0, -1)
        yield from array
    elif array.ndim in (4, 5):
        for inner in array:
            yield from _pixels(inner)


def _zipped(data: bytes) -> Iterator[Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            names = [name for name in file.namelist() if name.endswith(".npy")]
            for name in names:
                yield from arrays_in(file.read(name))
    except (*_DAMAGED, RuntimeError):  # a password is needed
        return


# Pickles --------------------------------------------------------------------------------------------------------------


class _StandIn:
    """Takes the place of everything in a pickle that is no array and no plain value."""

    def __init__(self, *values: Any, **more: Any) -> None:
        self.held: list[Any] = [*values, *more.values()]

    def __setstate__(self, state: Any) -> None:
        self._held().append(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._held().extend((key, value))

    def append(self, value: Any) -> None:
        self._held().append(value)

    def extend(self, values: Any) -> None:
        self._held().extend(values)

    def _held(self) -> list[Any]:
        return self.__dict__.setdefault("held", [])  # an object may be made without `__init__`


class _Wrapper(NumpyArrayWrapper):
    def read(self, *arguments: Any) -> Any:
        if self.dtype.hasobject:  # an array of objects: joblib would run a pickle
            raise ValueError
        return super().read(*arguments)


_KNOWN = {"_reconstruct", "_frombuffer", "ndarray", "dtype", "scalar"}
_PLAIN = {kind.__name__: kind for kind in (list, dict, set, frozenset, tuple, bytearray)}


def _known(module: str, name: str) -> Any:
    """What a pickle may have made: arrays and plain values; all else is a stand-in."""
    if module.partition(".")[0] == "numpy" and name in _KNOWN:
        if name in ("ndarray", "dtype"):
            return getattr(np, name)
        return getattr(
            import_module("numpy._core.numeric" if name == "_frombuffer" else "numpy._core.multiarray"), name
        )
    if (module, name) == ("_codecs", "encode"):
        return encode
    if module in ("builtins", "__builtin__") and name in _PLAIN:
        return _PLAIN[name]
    return _Wrapper if (module, name) == ("joblib.numpy_pickle", "NumpyArrayWrapper") else _StandIn


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _known(module, name)

    def persistent_load(self, _: Any) -> Any:
        return None


class _JoblibReader(NumpyUnpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _known(module, name)


def _values(data: bytes) -> Iterator[Any]:
    """The arrays, bytes and texts of a pickle; lists of numbers are arrays. None where the bytes are no pickle."""
    if not (data[:1] == b"\x80" or (data[-1:] == b"." and data[:1] in b"(]})cl")) or len(data) > _MOST_BYTES:
        return
    try:
        if b"NumpyArrayWrapper" in data:
            held = _JoblibReader("", io.BytesIO(data), ensure_native_byte_order=True).load()
        else:
            held = _Reader(io.BytesIO(data), encoding="latin1").load()
    except Exception:  # whatever bytes that are no pickle make of the machine that reads pickles
        return
    waiting, seen = [held], set[int]()
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            yield value
        elif isinstance(value, bytes | bytearray):
            yield bytes(value)
        elif isinstance(value, str):
            yield value.encode("utf-8", "surrogatepass")
            yield value.encode("latin1", "ignore")
        elif id(value) not in seen:
            seen.add(id(value))
            inner = _inside(value)
            numbers = _numbers(inner)
            if numbers is not None:
                yield numbers
            else:
                waiting.extend(inner)


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, np.ndarray):
        return list(value.ravel())
    return list(value.__dict__.values()) if isinstance(value, _StandIn) else []


def _numbers(values: list[Any]) -> Array | None:
    """A list of numbers, or of lists of them, as an array; None where it is none."""
    first = values[0] if values else None
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if not isinstance(first, int | float | np.number) or len(values) < _LEAST_SIDE:
        return None
    try:
        array = np.array(values, np.float64)
    except (ValueError, TypeError, OverflowError):
        return None
    return array
