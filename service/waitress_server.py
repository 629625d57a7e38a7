"""Production server for Windows, where gunicorn does not run: `python -m service.waitress_server`."""

from __future__ import annotations

import importlib
import itertools
import select
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from flask import Flask

from service import core_dumps
from service.access.keys import KeyRing, KeysError
from service.address import check_address, parse_no_arguments
from service.admission import MAX_WAITING
from service.config import Settings, SettingsError
from service.reload import ProcessReloader

THREADS = 4 * MAX_WAITING
"""Threads that wait while some of them verify, and that say no where it would take too long."""

UPLOAD_SECONDS = 60.0
"""From the first byte of a request to its last."""

CONNECTIONS = 1000 if hasattr(select, "poll") else 400
"""Most connections at once. On Windows, `select` takes 512 sockets."""


class _Channel(Protocol):
    """Of waitress's connections, what is used here."""

    requests: list[Any]  # they have arrived and are not answered yet; an answer may be unread
    request: Any  # the one that is arriving, or None
    last_activity: float  # when something was last received or sent
    will_close: bool  # set to close it
    server: Any  # its server

    def handle_close(self) -> None:
        """Close it now."""


class SlowClients:
    """Closes connections that let the server wait for a request.

    waitress has a limit for silence alone, which begins anew with every byte. And it closes a connection when something
    can be sent to it, which is never so where the client does not read.

    Args:
        header_seconds: from when a request is awaited until its head has arrived.
        connections: above nine tenths of so many, those that wait longest are closed whatever time has passed.
    """

    def __init__(self, header_seconds: float, connections: int = CONNECTIONS) -> None:
        self._header_seconds = header_seconds
        self._most_waiting = connections * 9 // 10
        self._arriving: dict[Any, float] = {}  # requests, and since when they have been arriving

    def close_them(self, channels: Iterable[_Channel], now: float) -> None:
        """To be called about once a second.

        Args:
            channels: all that are open.
            now: seconds, as `time.time` gives them.
        """
        every = list(channels)
        waiting = [channel for channel in every if not channel.requests]
        arriving = [channel.request for channel in waiting if channel.request is not None]
        self._arriving = {request: self._arriving.get(request, now) for request in arriving}
        longest_first = sorted(waiting, key=self._since)
        for channel in longest_first:
            head_is_there = getattr(channel.request, "headers_finished", False)
            limit = UPLOAD_SECONDS if head_is_there else self._header_seconds
            channel.will_close |= now - self._since(channel) > limit
        for channel in longest_first[: max(0, len(every) - self._most_waiting)]:
            channel.will_close = True
        for channel in every:
            if channel.will_close:
                # Not from within: the loop goes over its connections just now.
                channel.server.trigger.pull_trigger(channel.handle_close)

    def _since(self, channel: _Channel) -> float:
        """Since when the server has been waiting for this client."""
        return self._arriving.get(channel.request, channel.last_activity)


def main() -> None:
    """Serve with waitress, one process; its threads wait while some of them verify (service/admission.py)."""
    parse_no_arguments("python -m service.waitress_server", "Serves POST /verify, for production.")
    try:
        waitress = importlib.import_module("waitress")
    except ModuleNotFoundError:
        sys.exit("waitress is not installed here: pip install waitress, or use service/run_gunicorn.sh instead.")
    try:
        settings = Settings.load()
    except SettingsError as error:
        sys.exit(f"Wrong settings:\n{error}")
    if settings.tls_cert_path:
        sys.exit("TLS_CERT_PATH: waitress has no TLS; put a proxy in front that has (docs/deployment.md).")
    core_dumps.forbid()
    check_address(settings.host, settings.port)
    app = ProcessReloader.start(settings)
    reloader: ProcessReloader = app.extensions["reloader"]
    requests = importlib.import_module("service.waitress_requests")  # here, since it imports waitress
    server = waitress.create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=THREADS,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=hasattr(select, "poll"),
        cleanup_interval=1,
        max_request_body_size=requests.NO_LIMIT,
        outbuf_high_watermark=requests.MOST_UNREAD,
        ident=None,
    )
    slow = SlowClients(settings.header_seconds)
    # A name such as localhost can have two addresses, and each has a server of its own then.
    every = server.map.values() if hasattr(server, "map") else [server]
    servers = [one for one in every if hasattr(one, "channel_class")]
    for one in servers:
        one.channel_class = requests.make_channel_class(lambda key: most_kept(reloader.app, key))
        one.maintenance = lambda now: slow.close_them(
            itertools.chain.from_iterable(own.active_channels.values() for own in servers), now
        )
    server.run()


def most_kept(app: Flask, key: str) -> int:
    """How much of a request's body an application would read, in bytes.

    Args:
        app: it.
        key: that was sent; "" for none.
    """
    keys: KeyRing = app.extensions["keys"]
    try:
        welcome = not keys.needed or keys.find(key) is not None
    except KeysError:  # the application says so
        welcome = False
    return int(app.config["MAX_CONTENT_LENGTH"]) if welcome else 0


if __name__ == "__main__":
    main()
