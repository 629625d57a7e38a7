"""Development server: `python -m service`. In production, `service/run_gunicorn.sh`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace

from werkzeug.serving import is_running_from_reloader

from service import create_app
from service.address import check_address, parse_no_arguments
from service.config import Settings, SettingsError


def main() -> None:
    """Serve with Flask's own server; each request in a thread of its own."""
    parse_no_arguments("python -m service", "Serves POST /verify, for development.")
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


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
