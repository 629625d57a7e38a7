"""The end of listening: nobody connects whom no worker will accept.

The system makes connections by itself, and keeps them until a program accepts them. Where it closes the listening
socket, it resets those that came after a look at what waits there: a right client would lose its request.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

_SO_ATTACH_FILTER = 26  # of Linux, which Python does not name
# BPF, see Linux's Documentation/networking/filter.rst: code, steps where true, steps where false, operand.
_NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of a TCP header that holds the flags
    (0x45, 0, 1, 0x02),  # is SYN among them?
    (0x06, 0, 0, 0),  # yes: nothing of it is kept
    (0x06, 0, 0, 0xFFFFFFFF),  # no: all of it
)


def let_nobody_connect(listener: socket.socket) -> None:
    """Drop what asks for a new connection, in every process that listens on this socket; what has begun goes on.

    Who asks then tries again after a second, and finds that nobody listens, or the next service.

    Args:
        listener: of TCP; others are left as they are, and so are all where the system is not Linux.
    """
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    program = b"".join(struct.pack("HBBI", *step) for step in _NO_SYN)
    held = ctypes.create_string_buffer(program, len(program))
    with contextlib.suppress(OSError):  # a sandbox may forbid it: then a few may be reset, as they would be without it
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_NO_SYN), ctypes.addressof(held))
        )


def stop_without_loss(arbiter: Any) -> None:
    """Make gunicorn's master call `let_nobody_connect` before it tells its workers to end.

    Sockets that go on with another master, or were given to this one (by systemd, say), are left as they are.

    Args:
        arbiter: the master.
    """
    stop: Callable[[bool], None] = arbiter.stop

    def stop_listening_first(graceful: bool = True) -> None:
        given = arbiter.systemd or any(isinstance(address, int) for address in arbiter.cfg.address)
        alone = arbiter.reexec_pid == arbiter.master_pid == 0
        if graceful and alone and not given:
            for listener in arbiter.LISTENERS:
                let_nobody_connect(listener.sock)
        stop(graceful)

    arbiter.stop = stop_listening_first
