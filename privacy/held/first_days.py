"""Since when photos are here, remembered: `lock` and `forget` delete the lists of DVC that would tell it.

Without it, every photo would be as young as the last `lock`, and none would ever be too old for `expire`. Names stand
in the file as hashes with a salt of its own; those of photos that are gone are left out whenever it is written.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path

from faces.files import write_bytes

PATH = Path("private/privacy/first_days.json")
_SALT_BYTES = 16


def remembered(names: Collection[str], root: Path = Path()) -> dict[str, date]:
    """The days that were remembered; nothing where there is no file, or it is damaged.

    Args:
        names: paths of photos within data/.
        root: of the project.
    """
    salt, days = _read(root)
    return {name: days[hashed] for name in names if (hashed := _hash(salt, name)) in days}


def remember(days: Mapping[str, date], root: Path = Path()) -> None:
    """Remember the first day of photos; one that is remembered already stays where it is earlier.

    Args:
        days: by path within data/, of all photos that are there; others are forgotten.
        root: of the project.

    Raises:
        OSError: the file cannot be written.
    """
    if not days and not (root / PATH).exists():
        return
    before = remembered(days, root)
    salt = os.urandom(_SALT_BYTES)
    content = {_hash(salt, name): min(day, before.get(name, day)).isoformat() for name, day in sorted(days.items())}
    path = root / PATH
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bytes(path, json.dumps({"salt": salt.hex(), "days": content}).encode("ascii"), 0o600)


def _read(root: Path) -> tuple[bytes, dict[str, date]]:
    try:
        content = json.loads((root / PATH).read_bytes())
        days = {name: date.fromisoformat(day) for name, day in content["days"].items()}
        return bytes.fromhex(content["salt"]), days
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return secrets.token_bytes(_SALT_BYTES), {}


def _hash(salt: bytes, name: str) -> str:
    return hmac.new(salt, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
