"""Ports for the servers of tests that run beside each other."""

from __future__ import annotations

import random
import socket

_SYSTEMS_OWN = 32_768
"""From here on up, Linux gives ports to clients: one that is free now may be taken when the server starts."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on; another each time, so that no two workers have the same."""
    chosen = random.SystemRandom()  # tests seed the other one
    for _ in range(100):
        port = chosen.randrange(10_000, _SYSTEMS_OWN)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port found on 127.0.0.1 in 100 tries")
