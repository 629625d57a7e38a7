"""Development server: `python -m service`. In production, `service/run_gunicorn.sh`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace

from werkzeug.serving import is_running_from_reloader, run_simple

from service import create_app
from service.address import check_address, parse_no_arguments
from service.config import Settings, SettingsError
from service.monitoring.logs import QuietRequestHandler, log_accesses


def main() -> None:
    """Serve with Flask's own server; each request in a thread of its own."""
    parse_no_arguments("python -m service", "Serves POST /verify, for development.")
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    if not is_running_from_reloader():
        check_address(settings.host, settings.port)
    # The debugger is off, even with FLASK_DEBUG: every error is to be JSON, and the debugger's console would let
    # anybody who reaches the port run code. Flask does not read .env, since Settings has done that. There is one
    # process, so it may use all cores.
    app = create_app(replace(settings, workers=1))
    if settings.log_format == "json":  # Flask's `run` prints lines of its own
        log_accesses(app)
        run_simple(
            settings.host,
            settings.port,
            app,
            use_reloader=settings.debug,
            threaded=True,
            request_handler=QuietRequestHandler,
        )
        return
    app.run(
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
