"""The card of the model that is served, and its charts: read once, with the model, and given from memory.

Nothing of it is needed to verify a photo, so whatever is wrong with it is no reason not to serve. It is told to
whoever asks for the card.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify
from msgspec import to_builtins

from faces import model_card
from faces.message import Message
from faces.model_card import CardFiles, ModelCardError
from service.config import Settings
from service.engine import Engine
from service.error_kinds import NO_CARD, NO_PLOT
from service.errors import ApiError
from service.threshold import Threshold

_UNFORESEEN = Message(
    "{name} is damaged: run 'dvc repro --force {stage}'", name=model_card.NAME, stage=model_card.STAGE
)

log = logging.getLogger("service.model_card")


@dataclass(frozen=True)
class ServedCard:
    """The card of the model that is served; or why there is none, without a path: anybody with a key may read it."""

    files: CardFiles | None
    problem: Message | None

    @classmethod
    def load(cls, settings: Settings, engine: Engine) -> ServedCard:
        """Read the card that lies beside the model.

        Args:
            settings: where the model is, and what is believed.
            engine: with the model that was loaded.
        """
        model = engine.model_sha256
        if model is None:
            return cls(None, Message("no model is loaded; /healthz says why"))
        folder = settings.model_path.parent
        try:
            return cls(model_card.read(folder, model, settings.trust), None)
        except ModelCardError as error:
            reason: Message = error.args[0]
            cause = error.__cause__ or error  # which has the path
            level = logging.WARNING if (folder / model_card.FOLDER).exists() else logging.INFO
            log.log(level, "/model/card will answer 404: %s", cause)
        except Exception:  # what a damaged file says can break any rule, and the service must start all the same
            log.exception("/model/card will answer 404: %s", _UNFORESEEN)
            reason = _UNFORESEEN
        return cls(None, Message("{reason}; then let the service reload it or start it again", reason=reason))

    def get(self) -> CardFiles:
        """The card and its charts.

        Raises:
            ApiError: 404, there is none.
        """
        if self.files is None:
            raise ApiError(NO_CARD, self.problem or _UNFORESEEN)
        return self.files


def create_blueprint(served: ServedCard, threshold: Threshold) -> Blueprint:
    """The endpoints of the card.

    Args:
        served: the card.
        threshold: of the service, at which the figures are given.
    """
    api = Blueprint("model_card", __name__)

    @api.get("/model/card")
    def card() -> Response:
        """What the model was trained on and how often it is wrong, at the threshold that is served."""
        own = served.get().card
        told: dict[str, Any] = to_builtins(own)
        del told["rates"]
        figures = own.figures_at(threshold.value)
        return jsonify(told | {"threshold": threshold.value, "figures": to_builtins(figures)})

    @api.get("/model/plots/<name>.png")
    def plot(name: str) -> Response:
        """A chart that the card names, as PNG."""
        picture = served.get().plots.get(name)
        if picture is None:
            raise ApiError(NO_PLOT, Message("GET /model/card says which there are, in 'plots'"))
        return Response(picture, mimetype="image/png")

    return api
