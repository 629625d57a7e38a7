"""The endpoints: each reads a request, asks the engine, writes JSON."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Blueprint, Response, current_app, g, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from faces.message import Message
from service.access.limits import client_of_request
from service.config import Settings
from service.engine import Engine
from service.error_kinds import BAD_REQUEST, CANNOT_RELOAD, NO_FACE
from service.errors import ApiError
from service.hints import NO_FACE_FOUND
from service.language import asked, tell
from service.monitoring.request_ids import request_id
from service.origin import Origin
from service.recording import Recorder
from service.reload import Outcome
from service.threshold import Threshold
from service.ui.routes import wants_page
from service.uploads import read_upload
from service.verdict import Judge

DESCRIPTION = (
    "API para reconocimiento facial... Envía una foto a /verify (POST, multipart/form-data, campo 'image') "
    "y responde si el rostro es el de la persona con la que se entrenó el modelo."
)


def _wants_all_faces(given: str) -> bool:
    """The meaning of the field `faces`.

    Raises:
        ApiError: 400, it is neither of its two values.
    """
    if given not in ("largest", "all"):
        text = "'faces' must be 'largest' (the largest face) or 'all'; it is {given!r}"
        raise ApiError(BAD_REQUEST, Message(text, given=given))
    return given == "all"


def create_blueprint(
    settings: Settings, engine: Engine, threshold: Threshold, origin: Origin, recorder: Recorder
) -> Blueprint:
    """The endpoints of a service with these settings and models.

    Args:
        settings: limits, and what answers call the model.
        engine: verifies photos.
        threshold: from which score on a photo counts as "me".
        origin: of the model and the code.
        recorder: writes down what administrators do.
    """
    api = Blueprint("api", __name__)
    judge = Judge(settings.model_version, engine, threshold)

    @api.get("/")
    def index() -> AnyResponse:
        """What this service is and where its endpoints are. A browser is sent to the page at /ui."""
        answer: AnyResponse
        if wants_page():
            answer = redirect("ui", 303)
        else:
            answer = jsonify(
                name="Face Recognition API",
                version="1.0.0",
                description=DESCRIPTION,
                endpoints={"health": "/healthz", "verify": "/verify"},
            )
        answer.vary.add("Accept")
        return answer

    @api.get("/healthz")
    def health() -> tuple[Response, int]:
        """200 if photos can be verified, else 503 and the reason."""
        if engine.problem is None:
            return jsonify(status="ok"), 200
        detail = tell(engine.problem.detail, asked())
        return jsonify(status="unhealthy", reason="Models not loaded", detail=detail), 503

    @api.get("/livez")
    def live() -> Response:
        """200: the process answers. Where it does not, starting it again helps."""
        return jsonify(status="ok")

    @api.get("/readyz")
    def ready() -> tuple[Response, int]:
        """200 if a photo sent now would be verified in time, else 503 and the reason: photos should go elsewhere.

        It also says what came of the last reload.
        """
        reason = engine.delay if engine.problem is None else engine.problem.detail
        outcome: Outcome | None = current_app.extensions.get("reload_outcome")
        reloaded = {} if outcome is None else {"reload": outcome.as_json(asked())}
        if reason is None:
            return jsonify(status="ok", **reloaded), 200
        return jsonify(status="unready", reason=tell(reason, asked()), **reloaded), 503

    @api.get("/version")
    def version() -> Response:
        """Which model answers, and which code and run it comes from."""
        return jsonify(
            model_version=settings.model_version, backbone=engine.backbone, **(engine.digests | origin.as_json())
        )

    @api.post("/verify")
    def verify() -> Response:
        """Whether the largest face on the photo sent in the field `image` is "me"."""
        started = time.perf_counter()
        client = client_of_request()
        engine.check_queue(client)
        upload = read_upload(request, "image", settings.max_image_bytes, texts=["faces"])
        g.image = upload.image  # for the audit log
        all_faces = _wants_all_faces(upload.texts.get("faces", request.args.get("faces", "largest")))
        verification = engine.verify(upload.image, all_faces, client)
        if verification is None:
            raise ApiError(NO_FACE, hints=[NO_FACE_FOUND])
        g.decision = judge.decide(verification.score) | {"threshold": judge.threshold.value}
        if all_faces:
            g.decision["faces"] = [judge.decide(scored.score) for scored in verification.scored]
        timing_ms = round((time.perf_counter() - started) * 1000, 2)
        return jsonify(judge.verdict(verification, asked(), all_faces, timing_ms))

    @api.post("/admin/reload")
    def reload() -> tuple[Response, int]:
        """Take over model, networks and settings as they are now: 200 or 202; 409 where they cannot serve."""
        reloader: Callable[[], Outcome] | None = current_app.extensions.get("reloader")
        if reloader is None:
            raise ApiError(CANNOT_RELOAD)
        recorder.record("reload", request_id=request_id(), key_id=g.key_id)
        outcome = reloader()
        return jsonify(outcome.as_json(asked())), 202 if outcome.status == "begun" else 200

    return api
