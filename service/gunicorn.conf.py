"""gunicorn's settings: `gunicorn -c service/gunicorn.conf.py "service:create_app()"`, from anywhere.

The master reads code and models once and forks the workers, which share that memory. Each worker then opens its own
ONNX sessions (service/engine.py says why). gunicorn's command line overrides every value here.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import gevent.ssl
import gunicorn.util
from gunicorn.http.wsgi import Response
from gunicorn.workers.ggevent import GeventWorker

chdir = str(Path(__file__).resolve().parent.parent)
sys.path.insert(0, chdir)  # gunicorn does that too, but after it has read this file

from service import core_dumps  # noqa: E402  found by the line above
from service.address import check_address  # noqa: E402  as above
from service.config import SettingsError  # noqa: E402  as above
from service.engine import OPEN_AFTER_FORK_VARIABLE  # noqa: E402  as above
from service.error_kinds import of_server  # noqa: E402  as above
from service.language import LANGUAGES  # noqa: E402  as above
from service.listening import stop_without_loss  # noqa: E402  as above
from service.memory import before_forks, give_back  # noqa: E402  as above
from service.monitoring import logs, metrics, shared_folder  # noqa: E402  as above
from service.monitoring.gunicorn_logger import JsonLogger, TextLogger  # noqa: E402  as above
from service.monitoring.request_ids import HEADER, begin_outside, request_id  # noqa: E402  as above
from service.monitoring.routes import refresh  # noqa: E402  as above
from service.reload import WorkerReloader, settings_in_force, take_over, tls_in_force  # noqa: E402  as above

# A reload (SIGHUP) reads this file again: then this builds and tries out a new application, too.
os.environ[OPEN_AFTER_FORK_VARIABLE] = "1"
try:
    settings = settings_in_force((ssl.SSLContext, gevent.ssl.SSLContext))
except SettingsError as error:
    sys.exit(f"Wrong settings:\n{error}")

bind = f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"
workers = settings.workers
worker_class = "service.worker.Worker"
worker_connections = 2000
# A request's head has to arrive within so many seconds, and the next one on a connection that stays open.
keepalive = settings.header_seconds
# What a head may hold. Each of 2,000 connections may make a worker keep so much.
limit_request_fields = 50
limit_request_field_size = 4094
# How long a worker that is to end may take for the photos that it has.
graceful_timeout = 30
# No client decides at which path it asks, even if it comes from this machine.
forwarder_headers = ""
timeout = 120

if settings.tls_cert_path:
    # That there is TLS. gunicorn would end, at a reload, where the files are away for a moment; `ssl_context` has them.
    certfile = keyfile = os.devnull

preload_app = True

# The workers' heartbeats are files, and so are their metrics. In memory, they never wait for a disk, and a read-only
# container can write nowhere else.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK) else None
try:
    metrics.share(shared_folder.make(Path(worker_tmp_dir or tempfile.gettempdir())))
except OSError:  # gunicorn would end with a traceback
    sys.exit(
        "No folder can be written to, and gunicorn needs one for its workers' heartbeats, which are empty files, and "
        "for their metrics: mount a writable /dev/shm or /tmp, or set TMPDIR to a folder that can be written to."
    )
# The socket for `gunicornc` would be shared by every server of this user, and nothing here uses it.
control_socket_disable = True

# The log gets method, path, status, duration and the request's id, but no address, no query, and nothing of a photo or
# a score. With %(U)r, a path with a line break in it cannot write a line of its own.
accesslog = "-"
access_log_format = f"%(t)s %(m)s %(U)r %(s)s %(M)s ms %({{{HEADER.lower()}}}o)s"
logger_class = JsonLogger if settings.log_format == "json" else TextLogger
logs.configure(settings.log_format)


def on_starting(arbiter: Any) -> None:
    """In the master, before it listens. gunicorn would try for five seconds, and then not say what to do."""
    core_dumps.forbid()  # the workers inherit it
    if arbiter.cfg.reuse_port or {"GUNICORN_FD", "LISTEN_FDS"} & os.environ.keys():
        return  # sockets may be shared, or are those of the master that it replaces, or systemd's
    for address in arbiter.cfg.address:
        if isinstance(address, tuple):
            check_address(*address[:2])


def when_ready(arbiter: Any) -> None:
    """In the master, before it forks the first worker."""
    stop_without_loss(arbiter)
    before_forks()


def pre_fork(arbiter: Any, worker: Any) -> None:
    """In the master, before each fork."""
    metrics.choose_slot(worker, list(arbiter.WORKERS.values()))


def post_fork(_: Any, worker: Any) -> None:
    """In each worker, first of all."""
    metrics.use_slot(worker)


def child_exit(_: Any, worker: Any) -> None:
    """In the master, after a worker has ended, however it did."""
    metrics.free_slot(worker)


def on_reload(arbiter: Any) -> None:
    """In the master, after SIGHUP, before it forks new workers."""
    take_over(arbiter.app)
    before_forks()


def post_worker_init(worker: Any) -> None:
    """In each worker, after the fork and before its first request."""
    make_signal = getattr(worker, "make_signal", Event)
    worker.wsgi.extensions["engine"].open(worker.cfg.workers, make_signal)
    worker.wsgi.extensions["recorder"].wait_with(make_signal)
    worker.wsgi.extensions["reloader"] = WorkerReloader(settings, worker.ppid, make_signal)
    give_back()
    refresh(worker.wsgi)
    worker.log.info("Worker ready (pid: %s)", worker.pid)


def ssl_context(config: Any, default_factory: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """In each worker: what it serves HTTPS with. Those files alone are read here that gunicorn's command line names."""
    kind = gevent.ssl.SSLContext if issubclass(config.worker_class, GeventWorker) else ssl.SSLContext
    if config.certfile == os.devnull:
        return tls_in_force(kind)
    if kind is ssl.SSLContext:
        return default_factory()
    context: ssl.SSLContext = kind(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.certfile, config.keyfile)
    return context


def worker_exit(_: Any, worker: Any) -> None:
    """In each worker, at its end."""
    if getattr(worker, "wsgi", None) is not None:  # else it ended before it had begun
        worker.wsgi.extensions["recorder"].close()


def _write_json_error(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """gunicorn's own answer to what is not even HTTP: JSON, as the application's errors are."""
    body = json.dumps(of_server(status_int, mesg or reason), ensure_ascii=False).encode()
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\n"
        f"{HEADER}: {request_id() or begin_outside()}\r\n"
        f"Content-Language: {LANGUAGES[0]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    gunicorn.util.write_nonblock(sock, head.encode("latin-1") + body)


gunicorn.util.write_error = _write_json_error


def _without_banner(response: Any) -> list[str]:
    """What gunicorn adds to each answer, save the name of the server."""
    return [header for header in _default_headers(response) if not header.startswith("Server:")]


if not hasattr(Response, "with_banner"):  # else this file is read again, after SIGHUP
    Response.with_banner = Response.default_headers
_default_headers = Response.with_banner
Response.default_headers = _without_banner
