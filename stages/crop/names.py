"""What crops are called."""

from __future__ import annotations

import hashlib

_LONGEST_NAME = 180  # bytes; file systems allow 255, and the face's number and a temporary suffix come on top


def crop_name(photo: str, number: int) -> str:
    """Path of a crop: the photo's, suffix included (a.jpg and a.png are two photos), then the face's number."""
    folder, _, file = photo.rpartition("/")
    if len(file.encode()) > _LONGEST_NAME:
        digest = hashlib.sha256(file.encode()).hexdigest()[:12]
        file = file.encode()[: _LONGEST_NAME - 13].decode(errors="ignore") + "-" + digest
    return f"{folder}/{file}-{number}.png" if folder else f"{file}-{number}.png"
