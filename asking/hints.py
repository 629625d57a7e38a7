"""What the person on a photo may do better, in the language of the terminal; codes are those of the service."""

from __future__ import annotations

from faces.message import Message
from service.client.language import say

NO_FACE_FOUND = "no_face"

SENTENCES = {
    "small": Message("The face is very small. Move closer to the camera, or crop the photo around the face"),
    "blurred": Message("The face is blurred. Take a sharper photo"),
    "dark": Message("The face is very dark. Take the photo in more light"),
    "bright": Message("The face has too much light. Take the photo in less light"),
    "turned_away": Message("The face is turned away. Look at the camera"),
    "cut_off": Message("The edge of the photo cuts the face off. Take the photo with the whole face in it"),
    NO_FACE_FOUND: Message(
        "No face can be seen. Take the photo from the front, with the whole face in it and in good light"
    ),
}
"""By code; those of a face are `faces.photo_limits.HINTS`."""


def hint(code: str) -> dict[str, str]:
    """A hint as answers show it."""
    return {"code": code, "text": say(SENTENCES[code])}
