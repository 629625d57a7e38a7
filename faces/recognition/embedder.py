"""From aligned crops to embeddings, whatever runs the network (ONNX Runtime, or torch on a GPU)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from faces.threads import ThreadedMap

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A network: uint8 [N, S, S, 3] RGB crops in, float32 [N, D] raw embeddings out."""


_PART = 8  # images that a thread embeds at once if there are several threads; more are not faster


class Embedder:
    """Computes embeddings.

    Args:
        run: the network.
        flip: average each embedding with that of the mirrored face. Costs a second pass; on LFW's pairs it
            raises dlib-resnet from 98.7 % to 99.1 %.
        unit_length: scale each embedding to length 1, for networks trained so.
        threads: how many parts of a batch the network computes at once.
    """

    def __init__(self, run: Run, flip: bool = True, unit_length: bool = True, threads: int = 1) -> None:
        self._run = run
        self._threaded_map = ThreadedMap(threads)
        self.flip = flip
        self.unit_length = unit_length

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one batch.

        Args:
            crops: uint8 [N, S, S, 3] RGB, N ≥ 1, cut with the geometry of the network.

        Returns:
            float32 [N, D].
        """
        if self.flip:
            both = self._run_in_parts(np.concatenate([crops, crops[:, :, ::-1]]))
            raw = (both[: len(crops)] + both[len(crops) :]) / np.float32(2)
        else:
            raw = self._run_in_parts(crops)
        if self.unit_length:
            raw = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), np.float32(1e-12))
        return raw.astype(np.float32, copy=False)

    def _parts(self, count: int) -> int:
        """Into how many parts to split a batch: a large one into more than there are threads, since one may be held
        up."""
        threads = self._threaded_map.threads
        return 1 if threads == 1 else min(max(threads, -(-count // _PART)), count)

    def _run_in_parts(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = np.array_split(crops, self._parts(len(crops)))
        return np.concatenate(self._threaded_map.map(self._run, parts))
