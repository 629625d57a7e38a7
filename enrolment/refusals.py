"""Where guided enrolment does not start: it is for one person at one machine, and never for a service in use.

What it writes are photos and a model, so nobody but the person at this machine may reach it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dotenv import dotenv_values

from enrolment.errors import EnrolmentError
from faces.recognition.image_kinds import KINDS
from service.access.keys import KeyRing
from service.config import PROJECT_ROOT, Settings

HOST = "127.0.0.1"
PHOTO_MEGABYTES = 16
"""Largest photo that the page takes, as phones make them. So does the service beside it, unless a setting says else."""

_HOSTS = ("FLASK_HOST", "BIND_HOST")
_MODEL_PATHS = ("MODEL_PATH", "SCALER_PATH", "NETWORKS_PATH", "OPERATING_POINT_PATH", "PHOTO_LIMITS_PATH")


def given_settings() -> dict[str, str]:
    """What stands in `.env` and in the environment, which wins."""
    in_file = dotenv_values(PROJECT_ROOT / ".env", encoding="utf-8-sig")
    return {name: value or "" for name, value in {**in_file, **os.environ}.items()}


def check_settings(settings: Settings, given: Mapping[str, str]) -> None:
    """Refuse what belongs to a service that others use.

    Args:
        settings: as they were read.
        given: of `given_settings`.

    Raises:
        EnrolmentError: the first thing that speaks against it.
    """
    for name in _HOSTS:
        if given.get(name) and not _is_loopback(given[name]):
            raise EnrolmentError(
                "{name} is {value!r}: guided enrolment serves this machine alone, at {host}. Take the setting away "
                "for it, as in: {name}={host} python -m service --enrol",
                name=name,
                value=given[name],
                host=HOST,
            )
    for name, there in _signs_of_production(settings).items():
        if there:
            raise EnrolmentError(
                "{name} is set, so this is a service that others use: guided enrolment serves one person on their "
                "own machine. Take the setting away, or enrol in another copy of the project and copy its models/",
                name=name,
            )
    if settings.require_keys or KeyRing(settings.keys_path, settings.require_keys).needed:
        raise EnrolmentError(
            "there are API keys ({path}), or REQUIRE_KEYS asks for them, so this is a service that others use: guided "
            "enrolment serves one person on their own machine. Enrol in another copy of the project, and copy its "
            "models/",
            path=_shown(settings.keys_path),
        )
    for name in _MODEL_PATHS:
        if given.get(name):
            raise EnrolmentError(
                "{name} is {value!r}: the page would ask another model than the one that it trains. Take the setting "
                "away for it",
                name=name,
                value=given[name],
            )


def _signs_of_production(settings: Settings) -> dict[str, bool]:
    return {
        "TRUSTED_PROXIES": bool(settings.trusted_proxies),
        "TLS_CERT_PATH": settings.tls_cert_path is not None,
        "CORS_ORIGINS": settings.cors_origins is not None,
    }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(path: Path) -> Path:
    return path.relative_to(PROJECT_ROOT) if path.is_relative_to(PROJECT_ROOT) else path


def put_into_environment(port: int, given: Mapping[str, str]) -> Settings:
    """Set what the service beside the page is to run with, also after a reload, and read it.

    Args:
        port: where both listen.
        given: of `given_settings`.

    Returns:
        The settings of this process from now on.
    """
    fixed = {
        "FLASK_HOST": HOST,
        "PORT": str(port),
        "FLASK_DEBUG": "False",  # a reloader would start all of it twice
        "CORS_ORIGINS": f"http://{HOST}:{port}",  # the contract's * would let any page in the browser ask
    }
    wider = {
        "MAX_CONTENT_MB": str(PHOTO_MEGABYTES),
        "ACCEPTED_TYPES": ",".join(kind.mime for kind in KINDS),
    }
    os.environ.update({**fixed, **{name: value for name, value in wider.items() if not given.get(name)}})
    return replace(Settings.load(), workers=1)
