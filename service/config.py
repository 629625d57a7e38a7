"""Settings of the service: environment, else `.env` at the project's root, else the defaults below."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values

from faces.operating_point import DEFAULT_THRESHOLD
from faces.recognition.image import LARGEST_MAX_PIXELS
from faces.threads import CoresError, available_cores

PROJECT_ROOT = Path(__file__).resolve().parent.parent

MULTIPART_FRAME_BYTES = 64 * 1024
"""What a request may hold beside its image: boundaries, part headers, other small fields."""

_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_BYTES_PER_MB = 2**20

T = TypeVar("T")
log = logging.getLogger("service.config")


class SettingsError(ValueError):
    """Settings that cannot be used; the message has a line for each: name, value, what is expected."""


@dataclass(frozen=True)
class Settings:
    """What the service runs with. Paths are absolute; sizes as named; a threshold of None is "auto"."""

    model_path: Path = PROJECT_ROOT / "models/model.joblib"
    scaler_path: Path = PROJECT_ROOT / "models/scaler.joblib"
    networks_path: Path = PROJECT_ROOT / "models/networks"
    operating_point_path: Path = PROJECT_ROOT / "models/operating_point.json"
    threshold: float | None = DEFAULT_THRESHOLD
    max_content_mb: float = 2.0
    max_megapixels: float = 64.0
    model_version: str = "me-verifier-v1"
    host: str = "0.0.0.0"
    port: int = 5000
    debug: bool = False
    cors_origins: tuple[str, ...] = ("*",)
    workers: int = 4
    max_wait_seconds: float = 5.0

    @property
    def max_image_bytes(self) -> int:
        """Largest image accepted, in bytes; exactly this many still pass."""
        return int(self.max_content_mb * _BYTES_PER_MB)

    @property
    def max_body_bytes(self) -> int:
        """Largest request body accepted: the image and the multipart frame around it."""
        return self.max_image_bytes + MULTIPART_FRAME_BYTES

    @property
    def max_pixels(self) -> int:
        """Largest image accepted, in pixels; checked on its header, before it is decoded."""
        return int(self.max_megapixels * 1e6)

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
        """Read the settings.

        Args:
            environment: variables that win over the file; None takes those of the process.
            env_file: file of NAME=value lines; None takes `.env` at the project's root. It need not exist.

        Raises:
            SettingsError: names every variable that has a value it cannot have.
        """
        in_file = _read_env_file(env_file or PROJECT_ROOT / ".env")
        reader = _Reader({**in_file, **(os.environ if environment is None else environment)})
        settings = cls(
            model_path=reader.read("MODEL_PATH", _path, cls.model_path),
            scaler_path=reader.read("SCALER_PATH", _path, cls.scaler_path),
            networks_path=reader.read("NETWORKS_PATH", _path, cls.networks_path),
            operating_point_path=reader.read("OPERATING_POINT_PATH", _path, cls.operating_point_path),
            threshold=reader.read("VERIFY_THRESHOLD", _threshold, cls.threshold),
            max_content_mb=reader.read("MAX_CONTENT_MB", _megabytes, cls.max_content_mb),
            max_megapixels=reader.read("MAX_MEGAPIXELS", _megapixels, cls.max_megapixels),
            model_version=reader.read("MODEL_VERSION", _text, cls.model_version),
            host=reader.read("FLASK_HOST", _text, cls.host),
            port=reader.read("PORT", _port, cls.port),
            debug=reader.read("FLASK_DEBUG", _boolean, cls.debug),
            cors_origins=reader.read("CORS_ORIGINS", _origins, cls.cors_origins),
            workers=reader.read("WEB_CONCURRENCY", _count, cls.workers),
            max_wait_seconds=reader.read("MAX_WAIT_SECONDS", _seconds, cls.max_wait_seconds),
        )
        for name in sorted(in_file.keys() - reader.known):
            log.warning(".env: there is no setting %s: a typo? .env.example lists them all", name)
        try:
            available_cores()
        except CoresError as error:
            reader.problems.append(str(error))
        if reader.problems:
            raise SettingsError("\n".join(reader.problems))
        return settings


class _Reader:
    """Parses variables one by one and collects what is wrong, so that a start reports everything at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.known: set[str] = set()
        self.problems: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """The variable's value; the default where it is not set or, noting a problem, cannot be parsed."""
        self.known.add(name)
        if name not in self._values:
            return default
        text = self._values[name].strip()
        try:
            return parse(text)
        except ValueError as error:
            self.problems.append(f"{name} is {text!r}; expected {error}")
            return default


def _read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines of a file, or nothing where it does not exist."""
    if not path.is_file():
        return {}
    try:
        lines = dotenv_values(path, encoding="utf-8-sig")  # Windows editors put a byte order mark in front
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    return {name: value or "" for name, value in lines.items()}


# Each parser raises ValueError with what it expected: the second half of "NAME is 'x'; expected …".


def _text(text: str) -> str:
    if not text:
        raise ValueError("some text (delete the line to use the default)")
    return text


def _path(text: str) -> Path:
    if not text:
        raise ValueError("a path, absolute or relative to the project's root")
    return PROJECT_ROOT / Path(text).expanduser()


def _number(text: str, expected: str) -> float:
    """A finite number in plain notation; Python's own 1_000 is refused."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(expected) from None
    if "_" in text or not text.isascii() or not math.isfinite(value):
        raise ValueError(expected)
    return value


def _whole(text: str, expected: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(expected)
    return int(text)


def _threshold(text: str) -> float | None:
    if text.lower() == "auto":
        return None
    expected = "a number from 0 to 1, such as 0.75, or auto"
    value = _number(text, expected)
    if not 0 <= value <= 1:
        raise ValueError(expected)
    return value


def _megabytes(text: str) -> float:
    expected = "a number of megabytes (2^20 bytes) greater than 0, such as 2 or 1.5"
    value = _number(text, expected)
    if value * _BYTES_PER_MB < 1:
        raise ValueError(expected)
    return value


def _megapixels(text: str) -> float:
    largest = LARGEST_MAX_PIXELS // 1_000_000
    expected = f"a number of megapixels greater than 0, at most {largest}, such as 64"
    value = _number(text, expected)
    if value * 1e6 < 1 or value > largest:
        raise ValueError(expected)
    return value


def _seconds(text: str) -> float:
    expected = "a number of seconds greater than 0, such as 5"
    value = _number(text, expected)
    if value <= 0:
        raise ValueError(expected)
    return value


def _port(text: str) -> int:
    expected = "a port number from 1 to 65535"
    value = _whole(text, expected)
    if not 1 <= value <= 65535:
        raise ValueError(expected)
    return value


def _count(text: str) -> int:
    expected = "a whole number of worker processes, 1 or more"
    value = _whole(text, expected)
    if value < 1:
        raise ValueError(expected)
    return value


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"one of {', '.join(_TRUE + _FALSE)}")


def _origins(text: str) -> tuple[str, ...]:
    origins = tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())
    if not origins or not all(origin == "*" or origin.startswith(("http://", "https://")) for origin in origins):
        raise ValueError("* or a list of origins with commas between, such as https://example.org")
    return origins
