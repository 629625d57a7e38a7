"""API keys: how they are made, kept as hashes in a file, and checked.

A key is `fv_<id>_<secret>`; the secret has 256 random bits, so a plain SHA-256 of the key is as safe to keep as a slow
hash would be: nobody can try so many. The file is JSON and holds no secret. It is written by `python -m service keys`
and read by the service, which looks at it with each request (one `stat`), so a change counts at once.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

import msgspec
from filelock import FileLock, Timeout

from faces.files import write_bytes

Role = Literal["verify", "metrics", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

MAX_NAME_LENGTH = 80
_KEY = re.compile(r"fv_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_LOCK_SECONDS = 10
_NOBODYS_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()

log = logging.getLogger("service.access")


class KeysError(Exception):
    """The file of keys cannot be used, or a key cannot be made or revoked.

    The message is for whoever administers the service, in English, as its log is.
    """


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a key. Times are UTC, in ISO 8601.

    Attributes:
        id: 8 hexadecimal digits, part of the key itself; audit records and logs name it.
        name: whose key it is, as the administrator wrote.
        roles: what it may do.
        sha256: of the whole key.
        created: when.
        expires: from when on it does not count any more; None for never.
        revoked: since when it does not count any more; None if it does.
    """

    id: str
    name: str
    roles: tuple[Role, ...]
    sha256: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def problem(self, now: datetime) -> str | None:
        """Why it does not count: "revoked" or "expired"; None if it does."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: Literal[1]
    keys: tuple[ApiKey, ...]


@dataclass(frozen=True)
class Keys:
    """The keys of one state of the file, by their id."""

    by_id: dict[str, ApiKey]

    def find(self, given: str) -> ApiKey | None:
        """The key that a client has sent, where it counts. It takes as long for a wrong one as for a right one."""
        match = _KEY.fullmatch(given)
        known = self.by_id.get(match[1]) if match else None
        kept = known.sha256 if known else _NOBODYS_HASH
        right = hmac.compare_digest(kept, hashlib.sha256(given.encode("utf-8", "replace")).hexdigest())
        return known if right and known is not None and known.problem(datetime.now(UTC)) is None else None


class KeyRing:
    """The keys as the file has them now. Safe to use from several threads at once.

    Once a key has been made, the loss or damage of the file does not open the service: nobody's key counts then.
    A file beside it, which `create_key` makes, says so to processes that start later.

    Args:
        path: the file; it need not exist.
        required: whether a key is needed even if none has ever been made.
    """

    def __init__(self, path: Path, required: bool) -> None:
        self._path = path
        self._required = required
        self._seen: tuple[int, ...] | str | None = None
        self._now: Keys | KeysError | None = None
        self._look()

    @property
    def needed(self) -> bool:
        """Whether a key is needed: from the first one on, or as the setting says."""
        return self._look() is not None or self._required

    def find(self, given: str) -> ApiKey | None:
        """The key that a client has sent, where it is one that counts.

        Raises:
            KeysError: the file cannot be read.
        """
        now = self._look()
        if isinstance(now, KeysError):
            raise now
        return now.find(given) if now else None

    def _look(self) -> Keys | KeysError | None:
        """The keys, read again if the file has changed; why there are none; or None if there has never been a file."""
        seen = _state_of(self._path)
        if seen != self._seen:
            try:
                keys = read_keys_once_made(self._path)
                if keys is None and self._now is not None:
                    raise _gone(self._path)
                self._now = keys
            except KeysError as error:
                log.error("No API key can be checked, so all are refused: %s", error)
                self._now = error
            self._seen = seen
        return self._now


def _state_of(path: Path) -> tuple[int, ...] | str:
    """What changes when the file does."""
    try:
        status = path.stat()
    except OSError as error:
        return f"{error.errno}"
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode


def marker(path: Path) -> Path:
    """The file that says that there have been keys. Without it and the file of keys, the service is open again."""
    return path.with_name(f"{path.name}.made")


def _mode_of(path: Path) -> int:
    """The permissions that the file has, or is to get: an administrator may have let a group read it."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600


def read_keys(path: Path) -> Keys | None:
    """What the file holds; None if there is none.

    Raises:
        KeysError: it cannot be read, or is damaged.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise KeysError(f"KEYS_PATH is {path}; expected a file, made by 'python -m service keys create'")
        content = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeysError(
            f"the API keys cannot be read: {path} ({error.strerror}); let the user who runs the service read the file"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeysError(
            f"the file of the API keys is damaged: {path} ({error}); put back a copy of it, or remove it and make new "
            "keys with 'python -m service keys create --anew'"
        ) from error
    return Keys({key.id: key for key in content.keys})


def read_keys_once_made(path: Path) -> Keys | None:
    """What the file holds; None if no key has ever been made.

    Raises:
        KeysError: there were keys and their file is gone, or it cannot be read, or is damaged.
    """
    keys = read_keys(path)
    if keys is None and marker(path).exists():
        raise _gone(path)
    return keys


def _gone(path: Path) -> KeysError:
    return KeysError(
        f"the file of the API keys is gone: {path}; put it back: until then the service answers 503 to everybody. If "
        "there is no copy, 'python -m service keys create --anew' gives up the old keys and begins a new file"
    )


def create_key(
    path: Path,
    name: str,
    roles: Sequence[Role],
    days: float | None,
    before: Callable[[ApiKey], None],
    anew: bool = False,
) -> tuple[ApiKey, str]:
    """Make a key and keep its hash.

    Args:
        path: the file, made if need be.
        name: whose key it is, 1 to 80 printable characters.
        roles: what it may do, at least one.
        days: for how long it counts, greater than 0; None for always.
        before: called before the key is kept; what it raises prevents that.
        anew: begin a new file where the one that there was is gone; the keys in it never count again.

    Returns:
        What is kept, and the key itself, which nobody can find out again.

    Raises:
        KeysError: the name or the days are not allowed; the file cannot be read or written; it is gone, and `anew` is
            not set; or it is there, and `anew` is set.
    """
    if not (0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()):
        raise KeysError(f"the name of a key is {name!r}; expected 1 to {MAX_NAME_LENGTH} printable characters")
    if days is not None and not 0 < days < 36_500:
        raise KeysError(f"the days of a key are {days:g}; expected more than 0 and less than 36,500")
    with _editing(path, anew) as keys:
        new_id = next(fresh for fresh in iter(lambda: secrets.token_hex(4), "") if fresh not in keys)
        text = f"fv_{new_id}_{secrets.token_urlsafe(32)}"
        now = datetime.now(UTC).replace(microsecond=0)
        expires = None if days is None else now + timedelta(days=days)
        key = ApiKey(
            new_id,
            name,
            tuple(role for role in ROLES if role in roles),
            hashlib.sha256(text.encode()).hexdigest(),
            now,
            expires,
        )
        before(key)
        keys[new_id] = key
    return key, text


def revoke_key(path: Path, key_id: str, before: Callable[[ApiKey], None]) -> ApiKey:
    """Let a key count no more, from the next request on. It stays in the file, so that records of its use have a name.

    Args:
        path: the file.
        key_id: of the key; the key itself is taken, too.
        before: called before it is revoked; what it raises prevents that.

    Raises:
        KeysError: there is no such key, it is revoked already, or the file is gone, or cannot be read or written.
    """
    match = _KEY.fullmatch(key_id)
    wanted = match[1] if match else key_id
    with _editing(path) as keys:
        if wanted not in keys:
            raise KeysError(f"there is no key with the id {wanted[:8]!r}; 'python -m service keys list' names them all")
        if keys[wanted].revoked is not None:
            raise KeysError(f"the key {wanted} is revoked already")
        before(keys[wanted])
        keys[wanted] = msgspec.structs.replace(keys[wanted], revoked=datetime.now(UTC).replace(microsecond=0))
    return keys[wanted]


@contextmanager
def _editing(path: Path, anew: bool = False) -> Iterator[dict[str, ApiKey]]:
    """The keys by id, to be changed; they are written when the block ends well. One administrator at a time.

    With `anew` there are none yet, and the file must not be there.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=_LOCK_SECONDS, mode=0o600):
            found = read_keys(path) if anew else read_keys_once_made(path)
            if anew and found is not None:
                raise KeysError(f"--anew is for a file of keys that is gone, and {path} is there: leave --anew out")
            keys = dict(found.by_id) if found else {}
            yield keys
            content = msgspec.json.format(msgspec.json.encode(_File(1, tuple(keys.values()))), indent=1)
            marker(path).touch(mode=0o600)
            write_bytes(path, content, _mode_of(path))
    except Timeout as error:
        raise KeysError(
            f"another program has been changing the API keys for {_LOCK_SECONDS} seconds: {path}; try again"
        ) from error
    except OSError as error:
        raise KeysError(
            f"the API keys cannot be written: {path} ({error.strerror}); check that this user may write there, and "
            "that there is room on the disk"
        ) from error
