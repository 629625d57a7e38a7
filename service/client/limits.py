"""How large a photo may be, and of which type: what the service says of itself, or of a photo that it refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

BYTES_PER_MB = 2**20
GUESSED_BYTES = 2**20 - 64 * 1024
"""What is tried where a photo was too large and nobody says for what: proxies often take a request of 1 MB."""


@dataclass(frozen=True)
class Limits:
    """What a photo must keep to; None is not known.

    Attributes:
        max_bytes: of the file.
        max_pixels: of the photo.
        types: such as "image/jpeg".
    """

    max_bytes: int | None = None
    max_pixels: int | None = None
    types: tuple[str, ...] | None = None

    @classmethod
    def of_settings(cls, values: object) -> Limits:
        """What /ui/settings.json says; what is missing or makes no sense is not known.

        Args:
            values: its JSON.
        """
        given: dict[str, Any] = values if isinstance(values, dict) else {}
        size, pixels, types = (given.get(name) for name in ("max_bytes", "max_megapixels", "accepted_types"))
        return cls(
            size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None,
            int(pixels * 1e6) if isinstance(pixels, int | float) and 0 < pixels < 1e6 else None,
            tuple(map(str, types)) if isinstance(types, list) and types else None,
        )


def bytes_named(answer: object) -> int:
    """The limit that the answer to a photo that was too large names, in bytes; a guess where it names none.

    Args:
        answer: its JSON, where `error` is the contract's "Archivo demasiado grande. Límite: 2 MB".
    """
    error = answer.get("error") if isinstance(answer, dict) else None
    found = re.search(r"(\d+(?:[.,]\d+)?) ?MB", error) if isinstance(error, str) else None
    limit = int(float(found[1].replace(",", ".")) * BYTES_PER_MB) if found else 0
    return limit or GUESSED_BYTES
