"""Asks each request for its key before anything of its body is read."""

from __future__ import annotations

import logging
from typing import Literal

from flask import Flask, Response, g, request

from service.access.keys import ApiKey, KeyRing, KeysError, Role
from service.access.limits import limit_requests
from service.config import Settings

HEADER = "X-API-Key"

log = logging.getLogger("service.access")

NO_KEYS = (
    "There is no API key, so everybody who reaches this service may use it. To change that: "
    "python -m service keys create NAME --role verify (or REQUIRE_KEYS=true)"
)

OPEN_PATHS = ("/", "/healthz", "/livez", "/readyz", "/ui", "/ui/", "/ui/settings.json", "/ui/<name>")
"""The routes that are answered without a key: these say nothing of a person, and of the model only its threshold."""

_PAGE_FILES = "/ui/"

ROLE_OF_PATH: dict[str, Role | Literal["any"]] = {
    "/verify": "verify",
    "/metrics": "metrics",
    "/admin/reload": "admin",
    "/model/card": "verify",
    "/model/plots/<name>.png": "verify",
    "/version": "any",
    "/openapi.json": "any",
}
"""What a key must be allowed to do: by path, or by Flask's rule where a part of the path varies. Any path that is not
here needs a key, too, whatever it may do."""


class KeyMissingError(Exception):
    """A request needs a key, and has none that counts: none at all, a wrong, an expired or a revoked one.

    Attributes:
        given: whether it has one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given = HEADER in request.headers


class RoleMissingError(Exception):
    """A key does not have the role that the path needs.

    Attributes:
        role: it.
    """

    def __init__(self, role: Role) -> None:
        super().__init__(role)
        self.role = role


class Guard:
    """The key that each request needs.

    Args:
        keys: those that count.

    Attributes:
        keys: as given.
    """

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys

    def identify(self) -> None:
        """Find out whose request it is, before it is counted and before it is refused.

        What an administrator may do needs a key even where nothing else does.
        """
        open_ = request.path in OPEN_PATHS or request.path.startswith(_PAGE_FILES)
        g.for_all = open_ or request.method == "OPTIONS"
        g.key_needed = not g.for_all and (self.keys.needed or ROLE_OF_PATH.get(request.path) == "admin")
        g.key = self._find() if g.key_needed else None
        g.key_id = g.key.id if g.key else None

    def authorize(self) -> None:
        """Let the request in, or not.

        Raises:
            KeyMissingError: there is no key that counts.
            RoleMissingError: its role is another one.
        """
        if g.key_needed:
            if g.key is None:
                raise KeyMissingError
            role = _wanted_role()
            if role != "any" and role not in g.key.roles:
                raise RoleMissingError(role)
        g.let_in = not g.for_all

    def authorize_again(self) -> None:
        """Look once more, before the answer leaves: the key may have been revoked while the request ran.

        Raises:
            KeyMissingError: it has been; or keys are needed since then.
            KeysError: the file of keys cannot be read any more.
        """
        if g.get("let_in") and self.keys.needed and self._find() is None:
            raise KeyMissingError

    def _find(self) -> ApiKey | None:
        return self.keys.find(request.headers.get(HEADER, ""))


def _wanted_role() -> Role | Literal["any"]:
    """What the key of a request must be allowed to do."""
    rule = request.url_rule.rule if request.url_rule else ""  # none for a wrong method, too
    return ROLE_OF_PATH.get(request.path) or ROLE_OF_PATH.get(rule, "any")


def register(app: Flask, settings: Settings) -> Guard:
    """Make an application ask for keys and count requests.

    Args:
        app: the application; no route need be there yet.
        settings: where the keys are, the limits, which pages may ask.
    """
    keys = KeyRing(settings.keys_path, settings.require_keys)
    guard = Guard(keys)
    app.before_request(guard.identify)
    app.extensions["rate_limits"] = limit_requests(app, settings)
    app.before_request(guard.authorize)

    def close_to_other_pages(response: Response) -> Response:
        """Pages of other origins may ask while no key exists, as in the contract; then only those that are named."""
        if settings.cors_origins is None and keys.needed:
            for name in {name for name, _ in response.headers if name.startswith("Access-Control-")}:
                del response.headers[name]
        return response

    app.after_request(close_to_other_pages)
    if not keys.needed:
        log.warning(NO_KEYS)
    return guard


def register_last_look(app: Flask, guard: Guard) -> None:
    """Let no answer of any kind leave whose key counts no more. To be registered last: it then sees an answer first.

    So what the audit log and the metrics count is the refusal.

    Args:
        app: the application.
        guard: of `register`.
    """

    def look_again(response: Response) -> Response:
        try:
            guard.authorize_again()
        except (KeyMissingError, KeysError) as error:
            return app.make_response(app.handle_user_exception(error))
        return response

    app.after_request(look_again)


__all__ = ["Guard", "KeyMissingError", "KeysError", "RoleMissingError", "register", "register_last_look"]
