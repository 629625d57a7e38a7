"""How the service is started by hand: without arguments, on an address that is free."""

from __future__ import annotations

import argparse
import errno
import socket
import sys

HOW_SET = "Its settings are variables of the environment, or lines of .env, as in: PORT=5001 FLASK_HOST=127.0.0.1"


def parse_no_arguments(program: str, description: str) -> None:
    """Answer `--help`, and refuse any other argument, which would be ignored otherwise.

    Args:
        program: how it is started, such as "python -m service".
        description: what it does, for `--help`.

    Raises:
        SystemExit: `--help` was given (status 0), or anything else (2).
    """
    argparse.ArgumentParser(program, usage=f"{program} [-h]\n{HOW_SET}", description=description).parse_args()


def check_address(host: str, port: int) -> None:
    """Exit with one clear sentence if the address cannot be used."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if sys.platform != "win32":  # on Windows the option would allow to share a port in use
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken by another program: stop that program, or set PORT to a free port.")
        sys.exit(f"Cannot listen on {host}, port {port} ({error.strerror}): check FLASK_HOST and PORT.")
