"""The routes of the page, under /enrol: its files are open, all else takes the token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from flask import Flask, Response, abort, jsonify, redirect, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from enrolment.errors import RefusedError
from enrolment.language import tell
from enrolment.refusals import PHOTO_MEGABYTES
from enrolment.secret import HEADER, Secret
from enrolment.session import Session
from faces.errors import MessageError
from faces.message import Message
from service.language import Language, best_of
from service.ui.files import read_files
from service.ui.routes import CONTENT_SECURITY_POLICY, answer_file
from stages.files.paths import INFORME_HTML

STATIC = Path(__file__).resolve().parent / "static"
PAGE = "enrol.html"
_LONGEST_NAME = 120
_USED = Message("This address was used already, or is of an earlier run: open the one that the terminal shows")
_REPORT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",  # it is one file, to be read anywhere
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def create_app(session: Session, secret: Secret) -> Flask:
    """The page's own application.

    Args:
        session: what it shows and changes.
        secret: what a request must know.
    """
    app = Flask("enrolment", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = PHOTO_MEGABYTES * 2**20
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it: accents stay
    _add_files(app)
    _add_api(app, session, secret)
    _add_report(app, secret)

    @app.before_request
    def ask_for_token() -> tuple[Response, int] | None:
        """Nothing but the page's files is for whoever does not know the token."""
        if not request.path.startswith("/enrol/api/") or request.path == "/enrol/api/enter":
            return None
        if secret.is_token(request.headers.get(HEADER, "")):
            return None
        return _error("token", Message("Open the address that the terminal shows: it has a token in it"), 403)

    @app.after_request
    def restrict(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)  # the report has a policy of its own
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.errorhandler(MessageError)
    def refuse(error: MessageError) -> tuple[Response, int]:
        code = error.code if isinstance(error, RefusedError) else "refused"
        return _error(code, error, 409)

    @app.errorhandler(OSError)
    def say_what_the_system_says(error: OSError) -> tuple[Response, int]:
        text = "The photos could not be written: {reason}. Nothing has been lost, and they wait here"
        return _error("system", Message(text, reason=error.strerror or str(error)), 500)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> tuple[Response, int]:
        if isinstance(error, RequestEntityTooLarge):
            text = "The photo has more than {most} MB. Save it smaller"
            return _error("too_large", Message(text, most=PHOTO_MEGABYTES), 413)
        return _error("http", Message(error.name), error.code or 500)

    return app


def _add_files(app: Flask) -> None:
    """The page, and its modules: those of /ui, and its own, which come in their places where a name is the same."""
    own = read_files(STATIC)
    files = {**read_files(), **own}

    @app.get("/enrol")
    def without_slash() -> AnyResponse:
        """The page's addresses are relative, so there is one address for it; what stands behind a # goes along."""
        return redirect("/enrol/", 308)

    @app.get("/enrol/")
    def page() -> Response:
        """The page."""
        return answer_file(own[PAGE])

    @app.get("/enrol/ui/<name>")
    def file(name: str) -> Response:
        """A file of the page."""
        return answer_file(files[name] if name in files else abort(404))


def _add_api(app: Flask, session: Session, secret: Secret) -> None:
    @app.post("/enrol/api/enter")
    def enter() -> tuple[Response, int] | Response:
        """The token, for what stood behind the # of the address."""
        token = secret.enter(request.headers.get(HEADER, ""))
        if token is None:
            return _error("token", _USED, 403)
        return jsonify(token=token)

    @app.get("/enrol/api/state")
    def state() -> Response:
        """All that the page shows."""
        return jsonify(session.state(_language()))

    @app.post("/enrol/api/prepare")
    def prepare() -> Response:
        """Build the networks once more, where that has failed."""
        session.prepare()
        return state()

    @app.post("/enrol/api/photos")
    def add() -> Response:
        """A photo: its bytes are the body, its name is in a header."""
        name = unquote(request.headers.get("X-Photo-Name", "")).strip()[:_LONGEST_NAME]
        key = session.add(name or "photo", request.get_data())
        return jsonify(id=key, state=session.state(_language()))

    @app.put("/enrol/api/photos/<key>")
    def choose(key: str) -> Response:
        """Take a photo, or leave it out."""
        given = request.get_json(silent=True)
        session.choose(key, isinstance(given, dict) and given.get("taken") is True)
        return state()

    @app.delete("/enrol/api/photos/<key>")
    def remove(key: str) -> Response:
        """Forget a photo."""
        session.remove([key])
        return state()

    @app.get("/enrol/api/photos/<key>/face")
    def face(key: str) -> Response:
        """The face on it."""
        thumbnail = session.thumbnail(key)
        return Response(thumbnail, content_type="image/jpeg") if thumbnail else abort(404)

    @app.post("/enrol/api/run")
    def run() -> Response:
        """Accept the photos that are taken, and run the pipeline."""
        given = request.get_json(silent=True)
        session.start(isinstance(given, dict) and given.get("agreed") is True, _language())
        return state()

    @app.delete("/enrol/api/run")
    def stop() -> Response:
        """End the run."""
        session.stop()
        return state()


def _add_report(app: Flask, secret: Secret) -> None:
    """The report of the last run. A link cannot send the token, so its address has a ticket, which counts once."""

    @app.post("/enrol/api/report")
    def report_address() -> Response:
        """Where the report can be read, once."""
        return jsonify(address=f"report/{secret.new_ticket()}")

    @app.get("/enrol/report/<ticket>")
    def report(ticket: str) -> tuple[Response, int] | Response:
        """The report, for whoever has a ticket."""
        if secret.enter(ticket) is None:
            return _error("token", _USED, 403)
        if not INFORME_HTML.is_file():
            text = "There is no report yet ({path}): the pipeline writes it at its end"
            return _error("no_report", Message(text, path=INFORME_HTML.as_posix()), 404)
        response = Response(INFORME_HTML.read_bytes(), content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _REPORT_POLICY
        return response


def _language() -> Language:
    return best_of(request.headers.get("Accept-Language", ""))


def _error(code: str, text: Message | MessageError, status: int) -> tuple[Response, int]:
    return jsonify(code=code, message=tell(text, _language())), status
