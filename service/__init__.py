"""The HTTP service. `create_app` builds it; `python -m service` runs it in development, gunicorn otherwise.

It imports no torch, no pandas and no DVC: its own `requirements.txt` is all it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from service.config import Settings


def create_app(settings: Settings | None = None, *, trial: bool = False) -> Flask:
    """Build the application: see `service.application.create_app`."""
    # Not above: Python imports this file before `service/__main__.py`, which tells in a sentence which package is
    # missing.
    from service.application import create_app as build

    return build(settings, trial=trial)
