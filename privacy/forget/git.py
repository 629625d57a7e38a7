"""git, called as a program that only reads."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from faces.message import Message
from privacy.errors import PrivacyError


def has_git(root: Path) -> bool:
    """Whether a folder lies in a git repository.

    Raises:
        PrivacyError: it does, but git does not read it, or is not installed.
    """
    there = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    try:
        done = _git(root, ["rev-parse", "--git-dir"], None)
    except FileNotFoundError:
        done = None
    if done is not None and done.returncode == 0:
        return True
    if there is None:
        return False
    reason = Message("git is not installed") if done is None else done.stderr.decode(errors="replace").strip()
    raise PrivacyError(
        "git does not read {folder}, so nobody can tell which versions are kept, and nothing was deleted: {reason}",
        folder=there,
        reason=reason,
    )


def git(root: Path, *arguments: str, given: bytes | None = None, may_lack: bool = False) -> bytes:
    """What a git command printed; it writes nothing, not even its index.

    Args:
        root: a folder of the working tree.
        arguments: of the command.
        given: its input.
        may_lack: take what it printed where it failed, since git may have pruned what an old commit needs.

    Raises:
        PrivacyError: it failed.
    """
    done = _git(root, arguments, given)
    if done.returncode and not may_lack:
        said = done.stderr.decode(errors="replace").strip()
        raise PrivacyError("'git {words}' failed: {said}", words=" ".join(arguments[:2]), said=said)
    return done.stdout


def files_in_git(root: Path, *places: str) -> set[str]:
    """Files of a working tree that git tracks, by their path within it.

    Args:
        root: a folder of the working tree.
        places: files or folders in it; none: everything.
    """
    return {os.fsdecode(name) for name in git(root, "ls-files", "-z", "--", *places).split(b"\0") if name}


def commits_of(root: Path) -> list[str]:
    """Every commit in git's store, whether or not a branch leads to it."""
    kinds = git(root, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
    return [line[7:].decode() for line in kinds.splitlines() if line.startswith(b"commit ")]


def blobs_of(root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The content of blobs, by hash; one that a partial clone lacks, or that was pruned, is left out.

    Args:
        root: a folder of the working tree.
        names: hashes, or what else git knows a blob by, without blanks.
    """
    wanted = "".join(f"{name}\n" for name in names)
    if not wanted:
        return
    data = git(root, "cat-file", "--batch", given=wanted.encode())
    start = 0
    while start < len(data):
        end = data.index(b"\n", start)
        heading = data[start:end].split()
        if len(heading) != 3:  # "<name> missing"
            start = end + 1
            continue
        size = int(heading[2])
        yield heading[0].decode(), data[end + 1 : end + 1 + size]
        start = end + 1 + size + 1


def _git(root: Path, arguments: Sequence[str], given: bytes | None) -> subprocess.CompletedProcess[bytes]:
    # What `git replace` hides is kept still.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}
    return subprocess.run(
        ["git", "-c", "core.quotePath=off", *arguments], cwd=root, env=environment, input=given,
        stdin=subprocess.DEVNULL if given is None else None, capture_output=True, check=False,
    )  # fmt: skip
