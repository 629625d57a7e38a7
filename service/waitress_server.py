"""Production server for Windows, where gunicorn does not run: `python -m service.waitress_server`."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace

from service import create_app
from service.address import check_address, parse_no_arguments
from service.admission import THREADS
from service.config import Settings, SettingsError
from service.drain import MAX_BYTES


def main() -> None:
    """Serve with waitress, one process; its threads wait while some of them verify (service/admission.py)."""
    parse_no_arguments("python -m service.waitress_server", "Serves POST /verify, for production.")
    try:
        waitress = importlib.import_module("waitress")
    except ModuleNotFoundError:
        sys.exit("waitress, which is installed on Windows only, is not here: use service/run_gunicorn.sh instead.")
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    # waitress reads a whole request before the application sees it. By default it writes a request above 512 KB to a
    # temporary file. Uploaded photos must stay in memory, so that limit is set to the limit of a request.
    limit = max(MAX_BYTES, settings.max_body_bytes)
    check_address(settings.host, settings.port)
    waitress.serve(
        create_app(replace(settings, workers=1)),  # there is one process, so it may use all cores
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        max_request_body_size=limit,
        inbuf_overflow=limit,
        ident=None,
    )


if __name__ == "__main__":
    main()
