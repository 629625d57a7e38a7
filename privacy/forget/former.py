"""Remotes that DVC's configuration named once: what was pushed there is there still."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from privacy.forget.git import blobs_of, git

_REMOTE = re.compile(r"""'?remote "(.+)"'?\Z""")


def former_remotes(root: Path) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of every remote that some commit's .dvc/config names, paths as of now."""
    changes = git(
        root, "log", "--all", "--reflog", "-m", "--raw", "--no-abbrev", "--format=", "--", ".dvc/config"
    ).splitlines()
    blobs = sorted({word.decode() for line in changes for word in line.split()[2:4] if set(word) != {ord("0")}})
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for _, data in blobs_of(root, blobs):
        for section, settings in _sections(data):
            name = _REMOTE.match(section)
            url = str(settings.get("url", ""))
            if name and url:
                if "://" not in url:
                    settings["url"] = os.path.normpath(root / ".dvc" / url)
                found[repr((name[1], sorted(settings.items())))] = (name[1], settings)
    return [found[key] for key in sorted(found)]


def _sections(data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections of a configuration of DVC's; none where it cannot be read."""
    from configobj import ConfigObj, ConfigObjError

    try:
        content = ConfigObj(data.decode("utf-8").splitlines())
    except (ConfigObjError, UnicodeDecodeError):
        return
    yield from ((name, dict(values)) for name, values in content.items() if isinstance(values, dict))
