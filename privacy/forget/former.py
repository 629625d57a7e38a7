"""Remotes and caches that DVC's configuration named once: what was stored there is there still."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from privacy.forget.git import blobs_of, commits_of

_REMOTE = re.compile(r"""'?remote "(.+)"'?\Z""")


def former_remotes(root: Path) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of every remote that some commit's .dvc/config names, paths as of now."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for section, settings in _sections(root):
        name = _REMOTE.match(section)
        url = str(settings.get("url", ""))
        if name and url:
            if "://" not in url:
                settings["url"] = os.path.normpath(root / ".dvc" / url)
            found[repr((name[1], sorted(settings.items())))] = (name[1], settings)
    return [found[key] for key in sorted(found)]


def former_caches(root: Path) -> list[Path]:
    """The folders of the caches that some commit's .dvc/config names, paths as of now."""
    named = {str(settings["dir"]) for section, settings in _sections(root) if section == "cache" and "dir" in settings}
    return sorted(Path(os.path.normpath(root / ".dvc" / name)) for name in named)


def _sections(root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The sections of the configurations of DVC's that git has; one that cannot be read has none."""
    from configobj import ConfigObj, ConfigObjError

    for data in dict(blobs_of(root, [f"{commit}:./.dvc/config" for commit in commits_of(root)])).values():
        try:
            content = ConfigObj(data.decode("utf-8").splitlines())
        except (ConfigObjError, UnicodeDecodeError):
            continue
        yield from ((name, dict(values)) for name, values in content.items() if isinstance(values, dict))
