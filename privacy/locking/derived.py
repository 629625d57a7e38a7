"""What was made of photos and is in DVC's cache or on a remote in another form than the key gives it.

Crops, embeddings and contact sheets: DVC stores a version of each run. With `privacy.encrypt_derived`, those that were
stored plain, or under an earlier key, are to go; `dvc repro` makes them anew from photos that are still there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from privacy.dvc.objects import DIR, Objects
from stages.files.encryption import HEADER_BYTES, Key, is_as
from stages.files.paths import CONTACT_SHEET, CROPPED, EMBEDDINGS

DERIVED = tuple(path.as_posix() for path in (CROPPED, EMBEDDINGS, CONTACT_SHEET))
_NAMED = re.compile(
    rf"path: ['\"]?(?:{'|'.join(map(re.escape, DERIVED))})['\"]?\s+hash: md5\s+md5: ([0-9a-f]{{32}}(?:\.dir)?)\b"
)


def other_forms(root: Path, held: Objects, key: Key) -> tuple[set[str], set[str]]:
    """Objects made of photos that `key` has not locked, and the lists of folders that name them.

    Args:
        root: of the project.
        held: what the cache and the remotes hold.
        key: that what is made of photos is locked with.

    Returns:
        The objects that are to go, lists included; and every list of crops that there ever was.
    """
    named = {name for text in _texts(root, held) for name in _NAMED.findall(text)}
    lists = {name for name in named if name.endswith(DIR)}
    entries = {name: {oid for _, oid in held.manifests[name]} for name in lists if name in held.manifests}
    files = {name for name in named if not name.endswith(DIR)}.union(*entries.values())
    heads = {name: held.read(name, HEADER_BYTES) for name in files}
    gone = {name for name, head in heads.items() if head is not None and not is_as(head, key)}
    return gone | {name for name, inside in entries.items() if not gone.isdisjoint(inside)}, lists


def _texts(root: Path, held: Objects) -> Iterator[str]:
    """Everything that says what a stage read and made: dvc.lock, as it is and was, and the run cache."""
    if (root / "dvc.lock").is_file():
        yield (root / "dvc.lock").read_text(encoding="utf-8", errors="replace")
    yield text_in_git(root, "dvc.lock")
    for store, entry in held.runs():
        if not store.remote:
            yield entry.decode("utf-8", "replace")


def text_in_git(root: Path, *paths: str) -> str:
    """The content of every version of some files that git has, on whatever branch; nothing where there is no git."""

    def git(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=root, input=given, capture_output=True, text=True, encoding="utf-8",
            errors="replace", check=False,
        )  # fmt: skip
        return done.stdout if done.returncode == 0 else ""

    try:
        listed = git("rev-list", "--all", "--objects", "--", *paths)
        blobs = [name for name, _, path in (line.partition(" ") for line in listed.splitlines()) if path in paths]
        return git("cat-file", "--batch", given="\n".join(blobs) + "\n") if blobs else ""
    except OSError:
        return ""
