"""The files of the page, read once, each with what a browser has to know of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static"
PAGE = "index.html"

# Not `mimetypes`: on Windows it reads the registry, which may call a script plain text, and browsers then refuse it.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class File:
    """A file of the page.

    Attributes:
        content: its bytes.
        content_type: as the header names it.
        etag: another one as soon as the content is another one.
    """

    content: bytes
    content_type: str
    etag: str


def read_files(folder: Path = FOLDER) -> dict[str, File]:
    """Every file of the page by its name. Only these are served, so no path leads out of the folder."""
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in _TYPES}


def _read(path: Path) -> File:
    content = path.read_bytes()
    return File(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])
