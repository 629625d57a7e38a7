"""What is said of a photo with a face: in the answers of /verify, and by the commands that need no server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from faces.photo_limits import FaceQuality
from faces.verification import ScoredFace, Verification
from service.engine import Engine
from service.hints import describe
from service.language import Language
from service.threshold import Threshold


class Decision(TypedDict):
    """What follows from a score."""

    is_me: bool
    score: float


@dataclass(frozen=True)
class Judge:
    """Puts in words what an engine found.

    Attributes:
        model_version: what answers call the model.
        engine: found it.
        threshold: from which score on a photo counts as "me".
    """

    model_version: str
    engine: Engine
    threshold: Threshold

    def decide(self, score: float) -> Decision:
        """A score as answers have it, rounded, and what follows from it."""
        rounded = round(score, 6)
        return {"is_me": rounded >= self.threshold.value, "score": rounded}

    def verdict(
        self, verification: Verification, language: Language, all_faces: bool = False, timing_ms: float | None = None
    ) -> dict[str, Any]:
        """The answer, in the order of /verify.

        Args:
            verification: of a photo with a face.
            language: of hints and notes.
            all_faces: say it of every face, too.
            timing_ms: how long it took; None to leave that out.
        """
        largest = verification.largest
        return {
            "model_version": self.model_version,
            **self.decide(largest.score),
            "threshold": self.threshold.value,
            **({} if timing_ms is None else {"timing_ms": timing_ms}),
            **self.threshold.as_json(language),
            **_estimate(largest),
            "backbone": self.engine.backbone,
            "face": _measures(largest),
            "hints": self._hints(largest, language),
            **(self._everyone(verification, language) if all_faces else {}),
        }

    def _everyone(self, verification: Verification, language: Language) -> dict[str, Any]:
        faces = [
            {
                **self.decide(scored.score),
                **_estimate(scored),
                **_measures(scored),
                "hints": self._hints(scored, language),
            }
            for scored in verification.scored
        ]
        return {"faces_found": verification.faces_found, "faces": faces}

    def _hints(self, scored: ScoredFace, language: Language) -> list[dict[str, str]]:
        """What the person can do better; nothing where the model came without limits."""
        limits = self.engine.photo_limits
        return [describe(code, language) for code in limits.hints(_quality(scored))] if limits else []


def _quality(scored: ScoredFace) -> FaceQuality:
    assert scored.face.quality is not None  # faces that are embedded have been cut, and measured then
    return scored.face.quality


def _measures(scored: ScoredFace) -> dict[str, Any]:
    """Where a face is, and how good it is to recognise."""
    return {**scored.face.as_json(), **_quality(scored).as_json()}


def _estimate(scored: ScoredFace) -> dict[str, float]:
    """How many strangers score as high, with two digits that count; nothing where the model does not know."""
    share = scored.strangers_like_this
    return {} if share is None else {"strangers_like_this": float(f"{share:.2g}")}
