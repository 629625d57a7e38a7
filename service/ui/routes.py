"""The routes of the page, and the headers that let it do what it has to and nothing else."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from service.access.keys import KeyRing
from service.config import Settings
from service.threshold import Threshold
from service.ui.files import PAGE, File, read_files

HTML = "text/html"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",  # the photos that were chosen
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no text ever becomes HTML
    )
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_blueprint(settings: Settings, threshold: Threshold, keys: KeyRing, *, has_card: bool) -> Blueprint:
    """The page of a service with these settings.

    Args:
        settings: the limits of a photo.
        threshold: from which score on a photo counts as "me".
        keys: those that are asked for.
        has_card: whether the service has a card of its model.
    """
    ui = Blueprint("ui", __name__)
    files = read_files()

    @ui.get("/ui")
    def page() -> Response:
        """The page."""
        return _answer(files[PAGE])

    @ui.get("/ui/")
    def page_with_slash() -> AnyResponse:
        """The page's addresses are relative, so there is one address for it."""
        return redirect("../ui", 308)

    @ui.get("/ui/<name>")
    def file(name: str) -> Response:
        """A file of the page."""
        return _answer(files[name] if name in files else abort(404))

    @ui.get("/ui/settings.json")
    def tell_settings() -> Response:
        """What a client has to know before it asks for more: limits, types, and whether a key is needed."""
        return jsonify(
            max_bytes=settings.max_image_bytes,
            max_megapixels=settings.max_megapixels,
            accepted_types=settings.accepted_types,
            key_needed=keys.needed,
            threshold=threshold.value,
            threshold_basis=threshold.basis,
            has_card=has_card,
        )

    @ui.after_request
    def restrict(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

    return ui


def wants_page() -> bool:
    """Whether the request comes from a browser that is to show something: it would rather have HTML than JSON."""
    return request.accept_mimetypes.best_match(["application/json", HTML]) == HTML


def _answer(file: File) -> Response:
    """A file; nothing of it where the browser has it already. It asks each time: a new version counts at once."""
    known = request.if_none_match.contains(file.etag)
    response = Response(b"" if known else file.content, 304 if known else 200, content_type=file.content_type)
    response.set_etag(file.etag)
    response.headers["Cache-Control"] = "no-cache"
    return response
