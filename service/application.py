"""Builds the application: what looks at each request, the models, the routes and the errors."""

from __future__ import annotations

import logging

from flask import Flask, Response
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from service import errors, language, model_card, recording, routes
from service.access import guard
from service.config import Settings
from service.engine import Engine, opens_after_fork
from service.model_card import ServedCard
from service.monitoring import logs, request_ids
from service.monitoring import routes as monitoring_routes
from service.origin import Origin
from service.recording import Recorder
from service.threshold import Threshold
from service.ui import routes as ui_routes


def create_app(settings: Settings | None = None, *, trial: bool = False) -> Flask:
    """Build the application and load the models, once, for every request that follows.

    Args:
        settings: what to run with; None reads the environment and the project's `.env`.
        trial: leave the audit log alone, since it is not known yet whether the application will serve.

    Returns:
        The application. It is built even where models are missing. It says so then in the log and, with
        status 503, at /healthz and in every answer of /verify.

    Raises:
        SettingsError: a setting has a value that cannot be used; the message names each one.
    """
    settings = settings or Settings.load()
    logs.configure(settings.log_format)
    app = Flask("service", static_folder=None)
    app.debug = settings.debug
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it: accents stay
    app.json.sort_keys = False  # type: ignore[attr-defined]  # as above: fields stay in the contract's order
    if app.logger.level == logging.NOTSET:
        app.logger.setLevel(logging.INFO)

    app.extensions["settings"] = settings
    engine = Engine.load(settings)
    if not opens_after_fork():
        engine.open()
    app.extensions["engine"] = engine  # gunicorn's workers open it after the fork

    # What is registered first looks at a request first, and at its answer last.
    request_ids.register(app)
    language.register(app)
    logs.register(app)
    monitoring_routes.register(app)
    app.after_request(_protect)
    access = guard.register(app, settings)
    app.extensions["keys"] = access.keys
    model = engine.model_sha256 or settings.model_path  # the file may have changed since it was loaded
    origin = Origin.read(model)
    app.extensions["origin"] = origin
    threshold = Threshold.resolve(settings, model)
    app.extensions["threshold"] = threshold
    recorder = Recorder(settings, access.keys)
    app.extensions["recorder"] = recorder
    app.register_blueprint(routes.create_blueprint(settings, engine, threshold, origin, recorder))
    card = ServedCard.load(settings, engine)
    app.register_blueprint(model_card.create_blueprint(card, threshold))
    app.register_blueprint(
        ui_routes.create_blueprint(settings, threshold, access.keys, has_card=card.files is not None)
    )
    errors.register(app, settings)
    if settings.trusted_proxies:
        trusted = settings.trusted_proxies
        proxied = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=trusted)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # where Flask's documentation puts middleware
    CORS(app, origins=list(settings.cors_origins or ("*",)), send_wildcard=True)
    recording.register(app, settings, recorder, errors.not_recorded)
    guard.register_last_look(app, access)
    if not trial:
        recorder.check()
    return app


def _protect(response: Response) -> Response:
    """Answers are nobody else's business: no cache keeps them, and no browser takes them for another type.

    The page's own files may be kept.
    """
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
