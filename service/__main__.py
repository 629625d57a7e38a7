"""Development server: `python -m service`. In production, `service/run_gunicorn.sh`."""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
from dataclasses import replace

from werkzeug.serving import is_running_from_reloader

from service import create_app
from service.config import Settings, SettingsError


def main() -> None:
    """Serve with Flask's own server; each request in a thread of its own."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    if not is_running_from_reloader():
        check_address(settings.host, settings.port)
    # No debugger page in a browser, not even with FLASK_DEBUG: every error is JSON, and its console would let
    # whoever reaches the port run code. Flask's own reading of .env is off, Settings has done that.
    # One process for everybody, so all cores are its own.
    create_app(replace(settings, workers=1)).run(
        settings.host,
        settings.port,
        debug=settings.debug,
        use_debugger=False,
        threaded=True,
        load_dotenv=False,
    )


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


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
