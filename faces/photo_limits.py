"""From where a photo is too poor: the limits that say what is wrong with a face.

The stage `quality` finds poor photos with the limits of params.yaml. `train` writes the same limits beside the model,
so that the service can tell somebody who is refused what to do better.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from faces.errors import MessageError

HINTS = ("small", "blurred", "dark", "bright", "turned_away", "cut_off")
"""What may be wrong with a face."""


class PhotoLimitsError(MessageError, ValueError):
    """The file of limits cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class FaceQuality:
    """How good a face is to recognise.

    Attributes:
        size: side of the square that has the box's area, in pixels of the photo.
        sharpness, brightness, turned_away: see `faces.recognition.quality`.
        visible: which part of the box lies on the photo, 0 to 1.
    """

    size: float
    sharpness: float
    brightness: float
    turned_away: float
    visible: float

    def as_json(self) -> dict[str, float]:
        """Rounded, as reports and answers show them."""
        return {
            "size": round(self.size, 1),
            "sharpness": round(self.sharpness, 5),
            "brightness": round(self.brightness, 1),
            "turned_away": round(self.turned_away, 3),
            "visible": round(self.visible, 3),
        }


@dataclass(frozen=True)
class PhotoLimits:
    """The limits, as the section `quality` of params.yaml has them.

    Attributes:
        min_face: pixels; a smaller face is tiny.
        min_sharpness: below it, a face is blurred, unless it is tiny: a crop that was enlarged always is.
        min_brightness, max_brightness: outside, a face is too dark or too bright; 0 to 255.
        max_turned_away: above it, a face does not look at the camera.
        min_visible: below it, the border cuts the face off.
    """

    min_face: float
    min_sharpness: float
    min_brightness: float
    max_brightness: float
    max_turned_away: float
    min_visible: float

    def hints(self, quality: FaceQuality) -> list[str]:
        """Which of `HINTS` are true of a face, in their order."""
        small = quality.size < self.min_face
        wrong = {
            "small": small,
            "blurred": not small and quality.sharpness < self.min_sharpness,
            "dark": quality.brightness < self.min_brightness,
            "bright": quality.brightness > self.max_brightness,
            "turned_away": quality.turned_away > self.max_turned_away,
            "cut_off": quality.visible < self.min_visible,
        }
        return [name for name in HINTS if wrong[name]]

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def read(cls, path: Path, check: Callable[[Path, bytes], None] | None = None) -> PhotoLimits:
        """Read the file.

        Args:
            path: the file.
            check: looks at its content before it is used, and raises an error where it is not to be used.

        Raises:
            PhotoLimitsError: it is missing or damaged.
            Exception: what `check` raises.
        """
        try:
            data = path.read_bytes()
            if check is not None:
                check(path, data)
            values: dict[str, Any] = json.loads(data)
            return cls(**{name: float(values[name]) for name in cls.__dataclass_fields__})
        except FileNotFoundError:
            raise PhotoLimitsError("there is no {name} beside the model: run 'dvc repro'", name=path.name) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            text = "{name} is damaged: run 'dvc repro --force {stage}'"
            raise PhotoLimitsError(text, name=path.name, stage="train") from error
