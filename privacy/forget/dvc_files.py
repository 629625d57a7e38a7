"""DVC's own files of a working tree. DVC writes them in place, so where it is killed, half of one may be left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from faces.files import write_text
from privacy.forget.plan import Tree
from privacy.forget.versions import dvc_files


def read_dvc_files(root: Path) -> dict[str, str]:
    """The dvc.lock and .dvc files that DVC can read, by path: their content.

    Args:
        root: of the working tree.
    """
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in dvc_files(root)
        if _is_readable(path)
    }


def find_unreadable(root: Path) -> Iterator[Path]:
    """The dvc.lock and .dvc files that DVC cannot read: any one of them stops all of its commands."""
    yield from (path for path in dvc_files(root) if not _is_readable(path))


def mend(trees: Iterable[Tree]) -> None:
    """Put back what DVC can read instead of what it had half written when it was killed.

    Args:
        trees: with what there was before DVC began.

    Raises:
        OSError: a file cannot be written.
    """
    for tree in trees:
        root = Path(tree.root)
        for path in find_unreadable(root):
            before = tree.dvc_files.get(path.relative_to(root).as_posix())
            if before is not None:
                write_text(path, before)
            elif path.name == "dvc.lock":  # the first run was killed: the next one makes everything anew
                path.unlink()
        _mend_lock(root / ".dvc" / "tmp" / "rwlock")


def _mend_lock(path: Path) -> None:
    """Delete DVC's note on who reads and writes what, where half of it was written. Nobody does: that was asked."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        path.unlink()


def _is_readable(path: Path) -> bool:
    """Whether DVC can read one of its files; an empty .dvc file tracks nothing any more."""
    from dvc.dvcfile import Lockfile, SingleStageFile
    from dvc.exceptions import DvcException
    from dvc.utils.serialize import parse_yaml

    kind = Lockfile if path.name == "dvc.lock" else SingleStageFile
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
        kind.validate(content, str(path))
    except (UnicodeDecodeError, DvcException):
        return False
    return bool(content) or kind is Lockfile
