"""Who may ask: the page that was opened with the address from the terminal, and no other page of the browser.

The secret stands behind the # of the address, so it reaches no server, no log and no `Referer`. The page takes it from
there and sends it as a header with every request; a header of our own also keeps forms of other pages away. A cookie
would not do: browsers send it to every port of this machine.

The browser is started with a ticket in its place, which counts once: other users of this machine may read the
command line of a program that runs.
"""

from __future__ import annotations

import secrets
import threading

from werkzeug.datastructures import Headers

HEADER = "X-Enrol-Token"


class Secret:
    """The token of one run of the program, and its tickets. Safe to use from several threads at once."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._tickets: set[str] = set()
        self._lock = threading.Lock()

    def new_ticket(self) -> str:
        """A text that may be exchanged for the token, once."""
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            self._tickets.add(ticket)
        return ticket

    def is_token(self, given: str) -> bool:
        """Whether a text is the token; how long that takes says nothing of it."""
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())

    def enter(self, given: str) -> str | None:
        """The token, for whoever has it or a ticket; None for others."""
        if self.is_token(given):
            return self.token
        with self._lock:
            for ticket in self._tickets:
                if secrets.compare_digest(given.encode("utf-8", "replace"), ticket.encode()):
                    self._tickets.discard(ticket)
                    return self.token
        return None


def from_this_machine(headers: Headers, port: int, changes: bool) -> bool:
    """Whether a request names this machine, and was not made by a page of somewhere else.

    Another name that leads to 127.0.0.1 would let a page of that name read all answers (DNS rebinding).

    Args:
        headers: of the request: `Host`, `Origin`, `Sec-Fetch-Site`.
        port: where this program listens.
        changes: whether the request changes something, so that it must not come from a page of another origin.
    """
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    if port == 80:
        hosts |= {"127.0.0.1", "localhost"}
    host = headers.get("Host", "").lower()
    if host not in hosts:
        return False
    if not changes:
        return True
    origin = headers.get("Origin")
    if origin is not None:
        return origin.lower() == f"http://{host}"
    return headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
