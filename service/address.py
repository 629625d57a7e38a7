"""Where the service listens."""

from __future__ import annotations

import errno
import socket
import sys

HOW_SET = "Its settings are variables of the environment, or lines of .env, as in: PORT=5001 FLASK_HOST=127.0.0.1"


def check_address(host: str, port: int) -> None:
    """Exit with one clear sentence where the address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if sys.platform != "win32":  # there the option means something else: sharing a port in use
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken by another program: stop that program, or set PORT to a free port.")
        sys.exit(f"Cannot listen on {host}, port {port} ({error.strerror}): check FLASK_HOST and PORT.")
