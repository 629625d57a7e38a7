"""How often a key, an address, and somebody without a right key may ask; counted by Flask-Limiter.

Where `LIMITS_STORAGE` names a Redis, all workers count there together. Else each counts for itself, against its share
of the limit. That is what happens, too, while Redis does not answer.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, g, request
from flask_limiter import ApplicationLimit, Limiter
from limits import parse
from limits.storage import MemoryStorage, Storage

from service.config import Settings

_MOST_COUNTERS = 100_000
_REDIS_SECONDS = 0.2


class WorkerStorage(Storage):
    """Counts in this process, by a clock that never steps back, and with no thread of its own.

    The library's own storage in memory starts a thread every 10 ms under load, for its cleaning.
    """

    STORAGE_SCHEME = ["worker"]  # noqa: RUF012  as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **_: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._counters: dict[str, tuple[int, float]] = {}  # and when each begins anew

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What its methods may raise."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count a request; `expiry` is in seconds."""
        now = time.monotonic()
        with self._lock:
            count, end = self._counters.get(key, (0, 0.0))
            if end <= now:
                if len(self._counters) >= _MOST_COUNTERS:
                    self._clean(now)
                count, end = 0, now + expiry
            self._counters[key] = count + amount, end
            return count + amount

    def _clean(self, now: float) -> None:
        """Make room: for what has ended, else for what ends soonest, since many addresses may be one attacker's.

        There is much room then, since each time takes some ten milliseconds.
        """
        kept = {key: counter for key, counter in self._counters.items() if counter[1] > now}
        if len(kept) > _MOST_COUNTERS * 9 // 10:
            kept = dict(sorted(kept.items(), key=lambda entry: entry[1][1])[_MOST_COUNTERS // 10 :])
        self._counters = kept

    def get(self, key: str) -> int:
        """How many were counted."""
        count, end = self._counters.get(key, (0, 0.0))
        return count if end > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """When the counter begins anew, in seconds as `time.time` gives them."""
        now = time.monotonic()
        return time.time() + max(0.0, self._counters.get(key, (0, now))[1] - now)

    def check(self) -> bool:
        """Whether it works."""
        return True

    def reset(self) -> int | None:
        """Forget all counters; how many there were."""
        with self._lock:
            count = len(self._counters)
            self._counters = {}
        return count

    def clear(self, key: str) -> None:
        """Forget a counter."""
        with self._lock:
            self._counters.pop(key, None)


def client_of_request() -> str:
    """Who asks, as far as the service knows: a key or, without one, an address."""
    return f"key {g.key.id}" if g.key is not None else address_of_request()


def limit_requests(app: Flask, settings: Settings) -> Limiter:
    """Count the requests of an application, and answer 429 where there are too many.

    It relies on `g.for_all`, `g.key_needed` and `g.key`, which are set before (service/access/guard.py).

    Args:
        app: the application.
        settings: the limits, and where to count. Where no key is needed, an address is limited only if somebody has
            set its limit, or the audit log is on.
    """

    def refused() -> bool:
        return g.key_needed and g.key is None

    def limit(text: str | None, name: str, of: Callable[[], str], counts: Callable[[], bool]) -> list[ApplicationLimit]:
        if text is None:
            return []
        share = _share(text, settings.workers)
        return [
            ApplicationLimit(
                lambda: share if isinstance(limiter.limiter.storage, WorkerStorage | MemoryStorage) else text,
                scope=name, key_function=of, exempt_when=lambda: not counts(),
            )
        ]  # fmt: skip

    limiter = Limiter(
        address_of_request,
        application_limits=[
            *limit(settings.failed_key_limit, "failed", address_of_request, refused),
            *limit(settings.key_limit, "key", lambda: str(g.key.id), lambda: g.key is not None),
            *limit(settings.address_limit, "address", address_of_request, lambda: not refused()),
        ],
        storage_uri=settings.limits_storage or "worker://",
        storage_options=_redis_options(settings.limits_storage) if settings.limits_storage else {},
        in_memory_fallback_enabled=bool(settings.limits_storage),
        swallow_errors=True,  # a limit that cannot be counted does not stop the service
        request_identifier=lambda: request.endpoint or "unknown",  # paths that do not exist count, too
        key_prefix="face-verification",
    )
    # Each answer is recorded where the audit log is on: a flood of them must not fill the disk.
    limited = settings.address_limit_given or settings.audit_path is not None
    limiter.request_filter(lambda: g.for_all or not (g.key_needed or limited))
    limiter.init_app(app)
    return limiter


def _redis_options(url: str) -> dict[str, Any]:
    """A worker answers nobody while it waits for Redis, so it waits shortly, and once. (Redis's client would try for
    seconds.)"""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from service.access.redis_connection import TimedConnection, TimedTlsConnection

    once = Retry(NoBackoff(), 0)
    options = {"socket_connect_timeout": _REDIS_SECONDS, "socket_timeout": _REDIS_SECONDS, "retry": once}
    timed = {"redis": TimedConnection, "rediss": TimedTlsConnection}.get(url.partition(":")[0])
    return options | ({"connection_class": timed} if timed else {})  # a socket of the file system has no name


def retry_after(limiter: Limiter) -> int:
    """Whole seconds after which a request that was one too many may be sent again, at least 1."""
    breached = limiter.current_limit
    return max(1, int(breached.reset_at - time.time())) if breached else 60  # the library rounds up


def _share(text: str, workers: int) -> str:
    """A worker's share of a limit, at least one request."""
    whole = parse(text)
    return f"{max(1, whole.amount // workers)} per {whole.multiples} {whole.GRANULARITY.name}"


def address_of_request() -> str:
    """Whom a request is counted for: an address or, of IPv6, a network of /64, which one client usually has whole."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:  # a socket of the file system, or a proxy's own words
        return request.remote_addr or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
