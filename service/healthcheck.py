"""The container's health check: `python -I service/healthcheck.py` ends with 0 if photos can be verified.

It asks /healthz. /livez would call a container healthy that has no models; /readyz would call one sick that has much to
do, and an orchestrator that then stops it would make the queue longer. It imports nothing of the service, so it takes
hundredths of a second.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

SECONDS = 4.0
"""Less than the Dockerfile's timeout, so that the reason is said."""


def url(environment: Mapping[str, str]) -> str:
    """Where the service is to be asked, on this machine, by its settings."""
    scheme = "https" if environment.get("TLS_CERT_PATH") else "http"
    host = environment.get("FLASK_HOST") or "0.0.0.0"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{environment.get('PORT') or '5000'}/healthz"


def main() -> None:
    """Ask, and end with 1 and a sentence where the answer is not 200."""
    # The certificate is for the name that clients use, and this is not that name.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    asked = url(os.environ)
    # No proxy of the environment: it would be asked for its own 127.0.0.1.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(asked, timeout=SECONDS):
            pass
    except urllib.error.HTTPError as error:
        sys.exit(f"{asked} answers {error.code}: {error.read(1000).decode(errors='replace').strip()}")
    except OSError as error:
        sys.exit(f"{asked} does not answer: {error}")


if __name__ == "__main__":
    main()
