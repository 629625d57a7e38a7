"""What the tests of quickstart.py and of the tour share: files, and a service that answers without a model."""

from __future__ import annotations

import os
from pathlib import Path

import tour.parameters
import tour.photos
import tour.pipeline
import tour.questions
import tour.service
import tour.tour
from tests.conftest import ROOT

MODULES = (tour.parameters, tour.photos, tour.pipeline, tour.questions, tour.service, tour.tour)

SERVICE = """
import http.server, json, os, sys, time
from pathlib import Path
if os.environ.get("STUB") == "dies":
    sys.exit("models are missing")
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        if os.environ.get("STUB") == "unhealthy":
            return self.answer(503, {"status": "unhealthy", "reason": "Models not loaded"})
        self.answer(200, {"status": "ok"})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"no face" in body:
            return self.answer(400, {"error": "No se detectó un rostro en la imagen"})
        if os.environ.get("STUB") == "html":
            return self.answer(200, b"<html>")
        mine = b"mine" in body
        score = 0.9 if mine else 0.1
        self.answer(200, {"is_me": mine, "score": score, "threshold": 0.75, "backbone": "stub-net"})
Path("service.pid").write_text(str(os.getpid()))
http.server.HTTPServer((os.environ["FLASK_HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


SCRIPT = ("quickstart.py", "tour/__init__.py", "tour/language.py", "tour/spanish.py")
"""quickstart.py and what it imports."""


def copy_script(folder: Path) -> None:
    """Put quickstart.py, and what it imports, into a folder."""
    for name in SCRIPT:
        write(folder / name, (ROOT / name).read_bytes())


def write(path: Path, content: bytes = b"photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def gone(root: Path) -> bool:
    """Whether the service that had started in this project has ended."""
    try:
        os.kill(int((root / "service.pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False
