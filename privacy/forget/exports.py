"""Exports (`python -m privacy export`) that lie where the command puts them: those of the person go, too."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Collection
from pathlib import Path

from privacy.held.export import FOLDER, name_of, safe_name
from privacy.held.export_text import README_NAME


def find_exports(root: Path, people: Collection[str], photos: Collection[str], sha256s: Collection[str]) -> list[str]:
    """Exports that hold a photo of the person, or are called as theirs would be.

    Args:
        root: of the project.
        people: folders within data/.
        photos: paths within data/.
        sha256s: of the photos' content.

    Returns:
        Their paths within the project.
    """
    names = {name_of(who) for who in (*people, *photos)}
    return [
        path.relative_to(root).as_posix()
        for path in sorted((root / FOLDER).glob("*.zip"))
        if path.name in names or _holds(path, people, photos, sha256s)
    ]


def is_export(data: bytes) -> bool:
    """Whether a file is such a zip, wherever it lies: its tables are of one person, too."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return README_NAME in names and "models.json" in names


def _holds(path: Path, people: Collection[str], photos: Collection[str], sha256s: Collection[str]) -> bool:
    """Whether a zip has a photo under one of the names, or with the same content; or may have."""
    folders = tuple(f"photos/{safe_name(person)}/" for person in people)
    files = {f"photos/{safe_name(photo)}" for photo in photos}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not name.startswith("photos/"):
                    continue
                if name in files or name.startswith(folders):
                    return True
                if hashlib.sha256(archive.read(name)).hexdigest() in sha256s:
                    return True
    except Exception:  # damaged, or closed with a password: zipfile lets through what any of its decoders raises
        return True  # it may show them, and an export can be made again
    return False
