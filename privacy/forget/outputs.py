"""What lies in a working tree of what the stages made, and which of it comes of the photos."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from privacy.forget.kept import md5_of
from privacy.forget.versions import Version

PHOTO_FOLDERS = ("data/me", "data/not_me")


@dataclass(frozen=True)
class Stage:
    """A stage of dvc.yaml: what it reads and writes, relative to the project."""

    deps: tuple[str, ...]
    outs: tuple[str, ...]


def read_stages(root: Path) -> list[Stage]:
    """The stages of dvc.yaml; none where there is no such file, or it cannot be read."""
    try:
        content = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return []
    stages = content.get("stages") if isinstance(content, dict) else None
    found = []
    for stage in (stages or {}).values():
        body = stage.get("do", stage) if isinstance(stage, dict) else {}
        outs = [path for kind in ("outs", "metrics", "plots") for path in _paths(body.get(kind))]
        found.append(Stage(tuple(_paths(body.get("deps"))), tuple(outs)))
    return found


def _paths(entries: Any) -> Iterator[str]:
    for entry in entries or ():
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            yield from (str(name) for name in entry)


def made_of_photos(stages: Collection[Stage]) -> list[str]:
    """Everything that stages make of the photos, directly or of what others made, in no order."""
    reached = set(PHOTO_FOLDERS)
    while True:
        before = len(reached)
        for stage in stages:
            if any(touches(dep, path) for dep in stage.deps for path in reached):
                reached.update(stage.outs)
        if len(reached) == before:
            return sorted(reached - set(PHOTO_FOLDERS))


def touches(first: str, second: str) -> bool:
    """Whether two paths are one, or one lies in the other."""
    return first == second or first.startswith(f"{second}/") or second.startswith(f"{first}/")


def hold_person(
    root: Path, outputs: Collection[str], version: Version, kinds: Collection[str], in_git: Collection[str]
) -> bool:
    """Whether the outputs that lie in a working tree were made of the person, or differ from what dvc.lock says.

    Args:
        root: of the project in this working tree.
        outputs: `made_of_photos`.
        version: the working tree as dvc.lock has it.
        kinds: objects that have to go.
        in_git: files that git tracks: figures, which a checkout may have changed, and which name nobody.
    """
    if any(item.oid in kinds for item in version.items()):
        return True
    known = {item.path: item.oid for item in version.items()}
    for name in set(outputs) - set(in_git):
        path = root / name
        if path.is_file() and md5_of(path) != known.get(name):
            return True
    return False
