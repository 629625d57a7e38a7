"""The endpoints for whoever watches the service, and the counting of every answer."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from service.monitoring import metrics
from service.monitoring.metrics import UNKNOWN_ENDPOINT, Model

monitoring = Blueprint("monitoring", __name__)


@monitoring.get("/metrics")
def tell_metrics() -> Response:
    """Figures of all workers, for Prometheus."""
    refresh(current_app)
    text, content_type = metrics.exposition(request.headers.get("Accept", ""))
    return Response(text, content_type=content_type)


@monitoring.get("/openapi.json")
def describe() -> Response:
    """This document: every endpoint, what it takes and what it answers."""
    from service.openapi import document  # here: whoever does not ask for it need not wait for its import at the start

    settings = current_app.extensions["settings"]
    made_for, made = current_app.extensions.get("openapi", (None, None))
    if made_for != settings:  # 10 ms in which no other connection is answered
        made = document(current_app, settings)
        current_app.extensions["openapi"] = settings, made
    return jsonify(made)


def register(app: Flask) -> None:
    """Count every answer of the application, errors among them, and add the endpoints."""
    app.before_request(_begin)
    app.after_request(_count)
    app.register_blueprint(monitoring)


def refresh(app: Flask) -> None:
    """Note what this process serves with and whether it is ready; cheap enough for several times a second."""
    engine, settings = app.extensions["engine"], app.extensions["settings"]
    sha256 = app.extensions["origin"].model_sha256 or ""
    metrics.show_state(
        engine.problem is None and engine.delay is None,
        Model(sha256, engine.backbone or "", settings.model_version),
        app.extensions["threshold"].value,
    )


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    endpoint = request.url_rule.rule if request.url_rule else UNKNOWN_ENDPOINT
    seconds = time.perf_counter() - g.began if "began" in g else None
    metrics.count_answer(endpoint, response.status_code, seconds)
    return response
