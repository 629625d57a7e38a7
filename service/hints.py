"""What the person on a photo may do better, in their words: a code for programs and a sentence for people."""

from __future__ import annotations

from faces.message import Message
from service.language import Language, tell

NO_FACE_FOUND = "no_face"

SENTENCES = {
    "blurred": Message("The face is blurred. Take a sharper photo"),
    "dark": Message("The face is very dark. Take the photo in more light"),
    "bright": Message("The face has too much light. Take the photo in less light"),
    "small": Message("The face is very small. Move closer to the camera, or crop the photo around the face"),
    "turned_away": Message("The face is turned away. Look at the camera"),
    "cut_off": Message("The edge of the photo cuts the face off. Take the photo with the whole face in it"),
    NO_FACE_FOUND: Message(
        "No face can be seen. Take the photo from the front, with the whole face in it and in good light"
    ),
}
"""By code; those of a face are `faces.photo_limits.HINTS`."""


def describe(code: str, language: Language) -> dict[str, str]:
    """A hint as answers show it."""
    return {"code": code, "text": tell(SENTENCES[code], language)}
