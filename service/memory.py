"""Keeping the memory of several workers small. service/run_gunicorn.sh and the Dockerfile do their part of it."""

from __future__ import annotations

import contextlib
import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h numbers them
_LARGE = 8 * 2**20


def before_forks() -> None:
    """In the master: hide what it holds from the garbage collector.

    The collector writes to every object that it looks at, and a page of memory that is written to is no longer shared
    with the master but copied, in each worker.

    What an earlier call has hidden is looked at again first: after a reload, the former application with its networks
    is among it, and nobody needs that any more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Return memory to the system that is free but kept: the C library keeps all that building the ONNX sessions took.

    With dlib-resnet and 4 workers, the service has 285 MB before its first request, and 490 MB without this; after 700
    requests 480 and 530 MB. Does nothing where the C library is not glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def large_blocks_go_back() -> None:
    """From now on, each block of 8 MB or more goes back to the system as soon as it is free.

    By default, glibc keeps blocks of up to 32 MB for later, and Pillow decodes into blocks of 16 MB. Anything small
    that comes to lie above them keeps them all: after photos of 64 megapixels, a process had 600 MB more for as long as
    it lived; with this, 7 MB more. What usual photos take is smaller than 8 MB, and is used again.

    Does nothing where the C library has no such setting.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE)
        library.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE)  # or else the end of the heap would go and come with each photo


def after_a_reload() -> None:
    """Where one process serves: free the former application with its networks, and give its memory back.

    Its objects refer to each other, so the garbage collector alone frees them. By itself the collector does not come
    before many reloads: it counts objects, and the large ones are few.
    """
    gc.collect()
    give_back()
