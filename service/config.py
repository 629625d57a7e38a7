"""Settings of the service: environment, else `.env` at the project's root, else the defaults below."""

from __future__ import annotations

import logging
import math
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_type_hints

from dotenv import dotenv_values
from limits import parse
from msgspec import Meta, convert

from faces.operating_point import DEFAULT_THRESHOLD
from faces.recognition.image_kinds import JPEG, KINDS, PNG, Kind
from faces.records import Trust
from faces.threads import CoresError, available_cores
from service import tls
from service.setting_types import (
    BYTES_PER_MB,
    FALSE,
    TRUE,
    TYPES,
    Days,
    FilePath,
    LogFormat,
    Megabytes,
    Megapixels,
    OptionalFile,
    OptionalPath,
    OptionalText,
    Origins,
    Port,
    Proxies,
    RateLimit,
    Seconds,
    Secret,
    SegmentMegabytes,
    SigningKey,
    Switch,
    Text,
    Threshold,
    Types,
    WholeSeconds,
    Workers,
)

PROJECT_ROOT = Path(__file__).resolve().parent.parent

MULTIPART_FRAME_BYTES = 64 * 1024
"""What a request may hold beside its image: boundaries, part headers, other small fields."""

# How a variable's text is read. A ValueError says that the text cannot be read. The type of its field says which values
# are allowed.


def _path(text: str) -> Path:
    if not text:
        raise ValueError
    return PROJECT_ROOT / Path(text).expanduser()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


def _optional_text(text: str) -> str | None:
    return text or None


def _number(text: str) -> float:
    """A finite number in plain notation; Python's own 1_000 is refused."""
    value = float(text)
    if "_" in text or not text.isascii() or not math.isfinite(value):
        raise ValueError
    return value


def _number_or_auto(text: str) -> float | None:
    return None if text.lower() == "auto" else _number(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError
    return int(text)


def _limit(text: str) -> str | None:
    if text.lower() == "off":
        return None
    if parse(text).amount < 1:
        raise ValueError
    return text


def _switch(text: str) -> bool:
    if text.lower() not in TRUE + FALSE:
        raise ValueError
    return text.lower() in TRUE


def _origins(text: str) -> tuple[str, ...] | None:
    if not text:
        return None
    return tuple(part.strip().rstrip("/") for part in text.split(",") if part.strip())


def _types(text: str) -> tuple[str, ...]:
    named = {part.strip().lower() for part in text.split(",") if part.strip()}
    # In the order of the table, whatever the order given: the error message names them.
    return tuple(sorted(named, key=lambda name: TYPES.index(name) if name in TYPES else len(TYPES)))


VARIABLES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "MODEL_PATH": ("model_path", _path),
    "SCALER_PATH": ("scaler_path", _path),
    "NETWORKS_PATH": ("networks_path", _path),
    "OPERATING_POINT_PATH": ("operating_point_path", _path),
    "PHOTO_LIMITS_PATH": ("photo_limits_path", _path),
    "ALLOW_UNRECORDED_MODEL": ("allow_unrecorded_model", _switch),
    "MODEL_SIGNING_KEY": ("model_signing_key", _optional_text),
    "VERIFY_THRESHOLD": ("threshold", _number_or_auto),
    "MAX_CONTENT_MB": ("max_content_mb", _number),
    "MAX_MEGAPIXELS": ("max_megapixels", _number),
    "ACCEPTED_TYPES": ("accepted_types", _types),
    "MODEL_VERSION": ("model_version", str),
    "FLASK_HOST": ("host", str),
    "PORT": ("port", _whole),
    "FLASK_DEBUG": ("debug", _switch),
    "CORS_ORIGINS": ("cors_origins", _origins),
    "WEB_CONCURRENCY": ("workers", _whole),
    "MAX_WAIT_SECONDS": ("max_wait_seconds", _number),
    "HEADER_SECONDS": ("header_seconds", _whole),
    "TRUSTED_PROXIES": ("trusted_proxies", _whole),
    "TLS_CERT_PATH": ("tls_cert_path", _optional_path),
    "TLS_KEY_PATH": ("tls_key_path", _optional_path),
    "KEYS_PATH": ("keys_path", _path),
    "REQUIRE_KEYS": ("require_keys", _switch),
    "KEY_LIMIT": ("key_limit", _limit),
    "ADDRESS_LIMIT": ("address_limit", _limit),
    "FAILED_KEY_LIMIT": ("failed_key_limit", _limit),
    "LIMITS_STORAGE": ("limits_storage", str),
    "AUDIT_PATH": ("audit_path", _optional_path),
    "AUDIT_HEAD_PATH": ("audit_head_path", _path),
    "AUDIT_SALTS_PATH": ("audit_salts_path", _path),
    "AUDIT_KEY": ("audit_key", str),
    "AUDIT_KEY_FILE": ("audit_key_file", _optional_path),
    "AUDIT_MAX_MB": ("audit_max_mb", _number),
    "AUDIT_KEEP_DAYS": ("audit_keep_days", _whole),
    "AUDIT_SYNC": ("audit_sync", _switch),
    "LOG_FORMAT": ("log_format", str.lower),
}
"""For each variable, the field of `Settings` that it sets, and how its text is read."""

SECRETS = ("AUDIT_KEY", "LIMITS_STORAGE", "MODEL_SIGNING_KEY")
"""Variables whose values no message and no log shows."""

_taken: dict[str, tuple[str, Path]] = {}  # by variable, what `take_from` has put into the environment, and its file

log = logging.getLogger("service.config")


class SettingsError(ValueError):
    """Settings that cannot be used; the message has a line for each: name, value, what is expected."""


class CertificateSettingsError(SettingsError):
    """Nothing is wrong with the settings but the certificate of HTTPS or its key."""


@dataclass(frozen=True)
class Settings:
    """What the service runs with. Paths are absolute; sizes as named; a threshold of None is "auto".

    `threshold_given` says whether somebody has set the threshold, be it to the default; so does `address_limit_given`.
    `from_file` says whether `.env` had any setting. `cors_origins` of None is the contract's `*` while there are no
    keys. A limit of None is none.
    """

    model_path: FilePath = PROJECT_ROOT / "models/model.joblib"
    scaler_path: FilePath = PROJECT_ROOT / "models/scaler.joblib"
    networks_path: FilePath = PROJECT_ROOT / "models/networks"
    operating_point_path: FilePath = PROJECT_ROOT / "models/operating_point.json"
    photo_limits_path: FilePath = PROJECT_ROOT / "models/photo_limits.json"
    allow_unrecorded_model: Switch = False
    model_signing_key: SigningKey = field(default=None, repr=False)
    threshold: Threshold = DEFAULT_THRESHOLD
    threshold_given: bool = field(default=False, compare=False)  # for what is said of it; the service is the same
    max_content_mb: Megabytes = 2.0
    max_megapixels: Megapixels = 64.0
    accepted_types: Types = (JPEG.mime, PNG.mime)
    model_version: Text = "me-verifier-v1"
    host: Text = "0.0.0.0"
    port: Port = 5000
    debug: Switch = False
    cors_origins: Origins = None
    workers: Workers = 4
    max_wait_seconds: Seconds = 5.0
    header_seconds: WholeSeconds = 10
    trusted_proxies: Proxies = 0
    tls_cert_path: OptionalPath = None
    tls_key_path: OptionalPath = None
    keys_path: FilePath = PROJECT_ROOT / "private/api_keys.json"
    require_keys: Switch = False
    key_limit: RateLimit = "1000/minute"
    address_limit: RateLimit = "1000/minute"
    address_limit_given: bool = field(default=False, compare=False)
    failed_key_limit: RateLimit = "30/minute"
    limits_storage: OptionalText = ""
    audit_path: OptionalFile = None
    audit_head_path: FilePath = PROJECT_ROOT / "private/audit_head.jsonl"
    audit_salts_path: FilePath = PROJECT_ROOT / "private/audit_salts"
    audit_key: Secret = field(default="", repr=False)  # repr goes into logs
    audit_key_file: OptionalFile = None
    audit_max_mb: SegmentMegabytes = 64.0
    audit_keep_days: Days = 0
    audit_sync: Switch = False
    log_format: LogFormat = "text"
    from_file: bool = field(default=False, compare=False)  # where they were read; they are the same

    @property
    def trust(self) -> Trust:
        """What is believed of the files in models/."""
        key = self.model_signing_key
        return Trust(key.encode() if key else None, self.allow_unrecorded_model)

    @property
    def max_image_bytes(self) -> int:
        """Largest image accepted, in bytes; exactly this many still pass."""
        return int(self.max_content_mb * BYTES_PER_MB)

    @property
    def max_body_bytes(self) -> int:
        """Largest request body accepted: the image and the multipart frame around it."""
        return self.max_image_bytes + MULTIPART_FRAME_BYTES

    @property
    def max_pixels(self) -> int:
        """Largest image accepted, in pixels; checked on its header, before it is decoded."""
        return int(self.max_megapixels * 1e6)

    @property
    def audit_max_bytes(self) -> int:
        """Size from which on a segment of the audit log is followed by the next, in bytes."""
        return int(self.audit_max_mb * BYTES_PER_MB)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of images accepted, by their content."""
        return tuple(kind for kind in KINDS if kind.mime in self.accepted_types)

    def load_certificate(
        self, kinds: Iterable[type[ssl.SSLContext]] = (ssl.SSLContext,)
    ) -> dict[type[ssl.SSLContext], ssl.SSLContext]:
        """What HTTPS is served with, as `service.tls.load` makes it; nothing where it is not served.

        Raises:
            CertificateSettingsError: the certificate or its key cannot be used.
        """
        if self.tls_cert_path is None or self.tls_key_path is None:
            return {}
        try:
            return tls.load(self.tls_cert_path, self.tls_key_path, kinds)
        except tls.CertificateError as error:
            raise CertificateSettingsError(str(error)) from error

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
        """Read the settings.

        Args:
            environment: variables that win over the file; None takes those of the process.
            env_file: file of NAME=value lines; None takes `.env` at the project's root. It need not exist.

        Raises:
            SettingsError: it names every variable whose value is not allowed.
            CertificateSettingsError: all are allowed, and HTTPS cannot be served with the files that they name.
        """
        in_file = _read_env_file(env_file or PROJECT_ROOT / ".env")
        values = {**in_file, **(os.environ if environment is None else environment)}
        types = get_type_hints(cls, include_extras=True)
        given: dict[str, Any] = {}
        problems: list[str] = []
        for variable, (name, read) in VARIABLES.items():
            if variable in values:
                text = values[variable].strip()
                try:
                    given[name] = convert(read(text), types[name])
                except ValueError:  # of read, or msgspec's ValidationError
                    shown = "a text that is not shown here" if variable in SECRETS else repr(text)
                    where = _file_of(variable, values[variable]) if environment is None else ""
                    problems.append(f"{variable} is {shown}{where}; expected {_description(types[name])}")
        for name in sorted(in_file.keys() - VARIABLES.keys()):
            log.warning(".env: there is no setting %s: a typo? .env.example lists them all", name)
        try:
            available_cores()
        except CoresError as error:
            problems.append(str(error))
        problems += _tls_pair(given.get("tls_cert_path"), given.get("tls_key_path"))
        if given.get("audit_key") and given.get("audit_key_file"):
            problems.append("AUDIT_KEY and AUDIT_KEY_FILE are both set; expected one of them, or none")
        if problems:
            raise SettingsError("\n".join(problems))
        settings = cls(
            **given,
            threshold_given="VERIFY_THRESHOLD" in values,
            address_limit_given="ADDRESS_LIMIT" in values,
            from_file=not VARIABLES.keys().isdisjoint(in_file),
        )
        settings.load_certificate()
        return settings


def _tls_pair(certificate: Path | None, key: Path | None) -> list[str]:
    """What is wrong with which files for TLS are named, a line for each."""
    if (certificate is None) == (key is None):
        return []
    given, missing = ("TLS_CERT_PATH", "TLS_KEY_PATH") if key is None else ("TLS_KEY_PATH", "TLS_CERT_PATH")
    return [f"{given} is set and {missing} is not; expected both, or none of them to serve without TLS"]


def _description(expected: Any) -> str:
    """The description of a setting's type."""
    return next(meta.description for meta in get_args(expected) if isinstance(meta, Meta) and meta.description)


def take_from(path: Path) -> None:
    """Put the settings of a file into the environment, where they win over what is there and over `.env`.

    Args:
        path: of a file of NAME=value lines, such as the EnvironmentFile of a unit of systemd. As there, `$` in a value
            means nothing.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            lines = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"--env-file is {str(path)!r}; expected a file of NAME=value lines that this user may read ({reason})"
        ) from None
    given = {name: value or "" for name, value in lines.items()}
    os.environ.update(given)
    _taken.update({name: (value, path) for name, value in given.items()})


def _file_of(variable: str, value: str) -> str:
    """Which file `take_from` has a value from, for a message; nothing where the value comes from elsewhere."""
    taken, path = _taken.get(variable, (None, None))
    return f" in {path}" if path is not None and taken == value else ""


def _read_env_file(path: Path) -> dict[str, str]:
    """NAME=value lines of a file, or nothing where it does not exist."""
    if not path.is_file():
        return {}
    try:
        lines = dotenv_values(path, encoding="utf-8-sig")  # Windows editors put a byte order mark in front
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}); let the user who runs the service read it, or remove it"
        ) from None
    return {name: value or "" for name, value in lines.items()}
