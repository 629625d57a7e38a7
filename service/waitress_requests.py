"""What waitress keeps of a request before the application sees it, and of answers that are not read: little.

waitress reads a whole request first, and then asks the application. Here a request's head decides what of its body is
kept meanwhile. Nothing is kept where the application will not look at the body: it answers 401 where a key is needed
and none that counts was sent, and 413 where the body is too long. Both it knows by the head.

What is not kept is read all the same. Otherwise the system would reset the connection while the client still sends,
and the client would lose its answer. Above `MOST_DISCARDED`, and where the client asks before it sends (Expect), the
answer is given at once.

A client that sends request after request and reads no answer would hold a thread: waitress lets the thread wait,
without limit, until the client reads. With as many such clients as there are threads, nobody else is answered. Here
they are hung up on.

This module imports waitress, which is installed on Windows alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask

from service.access.guard import HEADER
from service.error_kinds import of_server
from service.language import best_of
from service.monitoring import request_ids

MOST_DISCARDED = 32 * 2**20
"""How much of a body is read that is not kept, as in `service.worker`."""

MOST_UNREAD = 2**20
"""How many bytes of answers a client may leave unread before it gets another one; no answer is so long."""

NO_LIMIT = 2**62
"""For waitress's own limit of a body, whose answer is no JSON."""


class _Body:
    """A body in memory; of one that is longer than it may be nothing is kept. Its length is what has arrived.

    Args:
        most: bytes that it may have.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._arrived = 0
        self._file = io.BytesIO()

    @property
    def kept(self) -> bool:
        """Whether all that has arrived is here."""
        return self._arrived <= self._most

    def append(self, data: bytes) -> None:
        """Take in the next bytes."""
        self._arrived += len(data)
        if self.kept:
            self._file.write(data)
        else:
            self._file = io.BytesIO()

    def __len__(self) -> int:
        return self._arrived

    def getfile(self) -> io.BytesIO:
        """To read it from its beginning."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Give the memory back."""
        self._file.close()


class _Request(HTTPRequestParser):
    """See the module.

    Args:
        most_kept: how much of a body is worth keeping, in bytes, by the key that was sent, or "".
        adj: waitress's settings.
    """

    completed: bool
    expect_continue: bool

    def __init__(self, most_kept: Callable[[str], int], adj: Any) -> None:
        super().__init__(adj)
        self._most_kept = most_kept

    def parse_header(self, header_plus: bytes) -> None:
        """As waitress's."""
        super().parse_header(header_plus)
        if self.body_rcv is not None:
            most = self._most_kept(self.headers.get(HEADER.upper().replace("-", "_"), ""))
            self.body_rcv.buf = _Body(most if self.content_length <= most else -1)

    def received(self, data: bytes) -> int:
        """As waitress's: take in bytes; how many of them are of this request."""
        consumed: int = super().received(data)
        if self.completed or self.body_rcv is None or self.body_rcv.buf.kept:
            return consumed
        size = max(self.content_length, len(self.body_rcv))
        if size <= MOST_DISCARDED and not self.expect_continue:
            return consumed
        self.completed, self.expect_continue, self.connection_close = True, False, True
        self.headers |= {"CONTENT_LENGTH": str(size), "CONNECTION": "close"}
        return len(data)


class _JsonError(ErrorTask):
    """waitress's own answer to what is not even HTTP: JSON, as the application's errors are."""

    def execute(self) -> None:
        """As waitress's: answer."""
        error = self.request.error
        language = best_of(self.request.headers.get("ACCEPT_LANGUAGE", ""))
        body = json.dumps(of_server(error.code, error.body, language), ensure_ascii=False).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "application/json"),
            ("Content-Language", language),
            (request_ids.HEADER, request_ids.begin_outside()),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


def make_channel_class(most_kept: Callable[[str], int]) -> type[HTTPChannel]:
    """The connections of a server of waitress.

    Args:
        most_kept: as `_Request` takes it. It is asked in the thread that all connections share.
    """

    class Channel(HTTPChannel):
        parser_class = staticmethod(partial(_Request, most_kept))
        error_task_class = _JsonError

        def _flush_outbufs_below_high_watermark(self) -> None:
            """waitress calls it, in a thread, before it keeps more of an answer; its own waits for the client there."""
            if self.total_outbufs_len <= MOST_UNREAD:
                return
            with self.outbuf_lock:
                self._flush_exception(self._flush_some, do_close=False)
                if self.total_outbufs_len > MOST_UNREAD:
                    self.connected, self.will_close = False, True  # `SlowClients` closes it

    return Channel
