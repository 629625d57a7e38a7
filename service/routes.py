"""The endpoints: each reads a request, asks the engine, writes JSON."""

from __future__ import annotations

import socket
import time

from flask import Blueprint, Response, jsonify, request

from service.config import Settings
from service.deadline import deadline
from service.engine import Engine
from service.errors import NO_FACE, ApiError
from service.threshold import Threshold
from service.uploads import read_image

UPLOAD_SECONDS = 60.0
"""A photo that takes longer to arrive is given up, because it holds a place in the queue."""

DESCRIPTION = (
    "API para reconocimiento facial... Envía una foto a /verify (POST, multipart/form-data, campo 'image') "
    "y responde si el rostro es el de la persona con la que se entrenó el modelo."
)


def create_blueprint(settings: Settings, engine: Engine, threshold: Threshold) -> Blueprint:
    """The endpoints of a service with these settings and models.

    Args:
        settings: limits, and what answers call the model.
        engine: verifies photos.
        threshold: from which score on a photo counts as "me".
    """
    api = Blueprint("api", __name__)

    @api.get("/")
    def index() -> Response:
        """What this service is and where its endpoints are."""
        return jsonify(
            name="Face Recognition API",
            version="1.0.0",
            description=DESCRIPTION,
            endpoints={"health": "/healthz", "verify": "/verify"},
        )

    @api.get("/healthz")
    def health() -> tuple[Response, int]:
        """200 if photos can be verified, else 503 and the reason."""
        if engine.problem is None:
            return jsonify(status="ok"), 200
        return jsonify(status="unhealthy", reason="Models not loaded", detail=engine.problem.detail), 503

    @api.post("/verify")
    def verify() -> Response:
        """Whether the largest face on the photo sent in the field `image` is "me"."""
        started = time.perf_counter()
        with engine.reserve_slot():
            with deadline(request.environ, UPLOAD_SECONDS, socket.SHUT_RD):
                photo = read_image(request, "image", settings.max_image_bytes)
            verification = engine.verify(photo)
        if verification is None:
            raise ApiError(400, NO_FACE)
        score = round(verification.score, 6)
        return jsonify(
            model_version=settings.model_version,
            is_me=score >= threshold.value,  # the rounded score, as the client reads it
            score=score,
            threshold=threshold.value,
            timing_ms=round((time.perf_counter() - started) * 1000, 2),
            **threshold.as_json(),
            backbone=engine.backbone,
            face=verification.face.as_json(),
        )

    return api
