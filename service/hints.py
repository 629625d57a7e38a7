"""What the person on a photo may do better, in their words: a code for programs and a sentence for people."""

from __future__ import annotations

NO_FACE_FOUND = "no_face"

SENTENCES = {
    "blurred": "La cara sale borrosa. Haz una foto más nítida",
    "dark": "La cara está muy oscura. Haz la foto con más luz",
    "bright": "La cara tiene demasiada luz. Haz la foto con menos luz",
    "small": "La cara es muy pequeña. Acércate a la cámara, o recorta la foto alrededor de la cara",
    "turned_away": "La cara no mira de frente. Mira a la cámara",
    "cut_off": "El borde de la foto corta la cara. Haz la foto con la cara entera",
    NO_FACE_FOUND: "No se ve ninguna cara. Haz la foto de frente, con la cara entera y bien iluminada",
}
"""By code; those of a face are `faces.photo_limits.HINTS`."""


def describe(code: str) -> dict[str, str]:
    """A hint as answers show it."""
    return {"code": code, "text": SENTENCES[code]}
