"""The client as a program, and a server whose answers a test decides: busy, redirecting, breaking off."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import string
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.conftest import ROOT
from tests.terminal import run

VERDICT = {"is_me": True, "score": 0.9, "threshold": 0.75, "hints": []}


@dataclass
class Answer:
    """What a request gets; None as the status: the connection is closed without a word."""

    status: int | None = 200
    values: Any = field(default_factory=lambda: dict(VERDICT))
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Scripted:
    """A server on loopback.

    Attributes:
        url: its address.
        requests: method, path, headers and body of each request so far.
    """

    url: str
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def to(self, path: str) -> list[bytes]:
        """The bodies sent to a path."""
        return [body for _, target, _, body in self.requests if target == path]


@contextlib.contextmanager
def scripted(answer: Callable[[str, int, bytes], Answer]) -> Iterator[Scripted]:
    """A server that answers a request by its path, how many came to that path before, and its body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            with lock:
                before = len(server.to(self.path))
                server.requests.append((self.command, self.path, dict(self.headers), body))
            given = answer(self.path, before, body)
            if given.status is None:
                self.close_connection = True
                return
            content = given.values if isinstance(given.values, bytes) else json.dumps(given.values).encode()
            self.send_response(given.status)
            for name, value in {**given.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    lock = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server = Scripted(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def usual(path: str) -> Answer:
    """What a healthy service of today says at the paths that are asked first."""
    return Answer(200, {"status": "ok"}) if path == "/healthz" else Answer(404, {"error": "Ruta no encontrada"})


def environment(**more: str) -> dict[str, str]:
    """Of the program; no key, in English."""
    kept = {name: value for name, value in os.environ.items() if name != "FACE_API_KEY"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8", **more}


def client(cwd: Path, *arguments: str | Path, **more: str) -> CompletedProcess[str]:
    """Run `python -m service.client` with arguments."""
    return run(["-m", "service.client", *map(str, arguments)], cwd, environment(**more))


def texts_in(folder: Path) -> set[str]:
    """Every English text that the files of a folder say: given to `say`, to a `Message` or to an error.

    Where a name is given, all texts count that are assigned to it: keys of a table among them, which are one word.
    """
    found: set[str] = set()
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                named = call.args and isinstance(call.args[0], ast.Name)
                whole_file = isinstance(function, ast.Module)  # in which a name may be several functions' own
                if call.args and isinstance(call.func, ast.Name) and _says(call.func.id) and not (named and whole_file):
                    found |= set(_constants(call.args[0], function))
    return found


def _says(function: str) -> bool:
    return function in ("say", "Message") or (function.endswith("Error") and function != "ServiceError")


def _constants(node: ast.expr, function: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name):
        for assigned in ast.walk(function):
            if isinstance(assigned, ast.Assign | ast.For):
                targets = assigned.targets if isinstance(assigned, ast.Assign) else [assigned.target]
                given = assigned.value if isinstance(assigned, ast.Assign) else assigned.iter
                names = {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
                if node.id in names:
                    inside = (one.value for one in ast.walk(given) if isinstance(one, ast.Constant))
                    yield from (value for value in inside if isinstance(value, str) and " " in value)


def placeholders(template: str) -> set[str]:
    """Names of the values in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
