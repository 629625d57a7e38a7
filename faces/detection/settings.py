"""The settings of the detector, as params.yaml gives them and networks.json keeps them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DetectorSettings:
    """What decides which faces are found. There are no defaults: every value comes from params.yaml.

    Attributes:
        min_face: side in pixels of the smallest face searched for, in the image the detector is given.
        factor: ratio of one scale of the pyramid to the next finer one, between 0 and 1.
        thresholds: probabilities that a candidate must exceed at P-Net, R-Net and O-Net.
        min_probability: faces whose final probability is below are not reported.
        max_side: photos are reduced to this longer side, in pixels, before detection.
        try_turned: where no face is found for sure, the photo is turned by quarters and looked at again.
    """

    min_face: int
    factor: float
    thresholds: tuple[float, float, float]
    min_probability: float
    max_side: int
    try_turned: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values that `from_json` takes back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> DetectorSettings:
        """Rebuild from `as_json`'s values.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or of the wrong kind.
        """
        first, second, third = (float(value) for value in values["thresholds"])
        return cls(
            int(values["min_face"]),
            float(values["factor"]),
            (first, second, third),
            float(values["min_probability"]),
            int(values["max_side"]),
            bool(values["try_turned"]),
        )
