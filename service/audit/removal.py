"""Files that retention removes: set aside under the log's lock, and removed without it.

Overwriting salts takes as long as the disk wants, and nobody could record a use meanwhile. So under the lock a file
only gets another name, which is none of the log's. What a killed process has left is removed by the next one that opens
the log.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from service.audit.files import KeptFile
from service.audit.settings import AuditSettings

_PREFIX = "removed-"
_STEP_BYTES = 2**20


def set_aside(path: Path) -> None:
    """Give a file a name by which nobody reads it any more.

    Raises:
        OSError: it cannot be renamed.
    """
    path.rename(path.with_name(f"{_PREFIX}{secrets.token_hex(4)}-{path.name}"))


def is_due(settings: AuditSettings) -> bool:
    """Whether anything has been set aside and not been removed.

    Raises:
        OSError: a folder cannot be read.
    """
    return bool(_in(settings.salts) or _in(settings.folder))


def remove_all(settings: AuditSettings) -> None:
    """Remove all that has been set aside, and overwrite the salts before. Several processes may do so at once.

    Raises:
        OSError: a file cannot be overwritten or removed.
    """
    for path in _in(settings.salts):
        with contextlib.suppress(FileNotFoundError):  # another process has removed it
            _overwrite(path)
            path.unlink()
    for path in _in(settings.folder):
        path.unlink(missing_ok=True)


def _in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(_PREFIX)]


def _overwrite(path: Path) -> None:
    with KeptFile(path) as file:
        size = file.size()
        for at in range(0, size, _STEP_BYTES):
            file.write(at, bytes(min(_STEP_BYTES, size - at)))
        file.sync()
