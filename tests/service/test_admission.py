"""Requests wait their turn, and are told so at once where that would take too long."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from service import deadline as deadline_module
from service.admission import MAX_WAITING, THREADS, Admission, SaturatedError
from service.config import Settings
from service.deadline import deadline
from tests.service.support import posix_only, post_photo, shipped_gunicorn

SATURATED = "Servicio saturado. Inténtalo de nuevo en unos segundos"


def refused(admission: Admission) -> SaturatedError:
    with pytest.raises(SaturatedError) as caught, admission.reserve_slot():
        pass
    return caught.value


def test_a_place_is_held_until_it_is_left() -> None:
    admission = Admission(slots=1, max_wait_seconds=60)
    with ExitStack() as stack:
        for _ in range(MAX_WAITING):
            stack.enter_context(admission.reserve_slot())
        assert refused(admission).retry_after_seconds >= 1
    with admission.reserve_slot():
        pass


def test_whoever_fails_leaves_too() -> None:
    admission = Admission(slots=1, max_wait_seconds=60)
    for _ in range(2 * MAX_WAITING):
        with pytest.raises(ZeroDivisionError), admission.reserve_slot():
            admission.run(lambda: 1 // 0)


def test_the_wait_is_estimated_from_what_came_before() -> None:
    admission = Admission(slots=1, max_wait_seconds=0.1)
    for _ in range(3):
        admission.run(lambda: time.sleep(0.3))
    begun, go_on = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool, admission.reserve_slot():
        running = pool.submit(admission.run, lambda: (begun.set(), go_on.wait(30)))
        assert begun.wait(10)
        assert refused(admission).retry_after_seconds == 1
        go_on.set()
        running.result()
    with admission.reserve_slot():  # nobody waits while a slot is free, however long it takes
        pass


def test_photos_on_their_way_keep_nobody_waiting() -> None:
    admission = Admission(slots=1, max_wait_seconds=0.01)
    with ExitStack() as stack:
        for _ in range(MAX_WAITING):
            stack.enter_context(admission.reserve_slot())


def test_no_more_at_once_than_there_are_slots() -> None:
    admission = Admission(slots=2, max_wait_seconds=60)
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(admission.run, work) for _ in range(20)]:
            done.result()
    assert most == 2


def test_a_full_service_says_so_before_it_reads_the_photo(client: FlaskClient, me_photo: bytes) -> None:
    engine = client.application.extensions["engine"]
    with ExitStack() as stack:
        for _ in range(MAX_WAITING):
            stack.enter_context(engine.reserve_slot())
        answer = post_photo(client, me_photo)
        assert (answer.status_code, answer.json) == (503, {"error": SATURATED})
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/healthz").status_code == 200
    assert post_photo(client, me_photo).status_code == 200


@posix_only
def test_a_photo_that_takes_too_long_is_given_up() -> None:
    """Byte by byte, so that no silence is long."""
    environ: dict[str, Any] = {}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        environ["gunicorn.socket"] = ours
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                theirs.send(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        started = time.monotonic()
        received = 0
        with deadline(environ, 0.5, socket.SHUT_RD):
            while data := ours.recv(1000):
                received += len(data)
        assert 0.4 < time.monotonic() - started < 10
        assert received > 2
        ours.send(b"the answer")  # can still be sent
        stop.set()
        dripping.join()
        assert theirs.recv(100) == b"the answer"


def test_a_connection_used_in_time_is_never_shut_down() -> None:
    """Two at once, and again after a pause; later the connections are other requests' business."""
    for _ in range(2):
        pairs = [socket.socketpair() for _ in range(2)]
        with ExitStack() as stack:
            for ours, _ in pairs:
                stack.enter_context(deadline({"gunicorn.socket": ours}, 0.3, socket.SHUT_RDWR))
        time.sleep(0.8)
        for ours, theirs in pairs:
            theirs.send(b"the next request")
            assert ours.recv(100) == b"the next request"
            ours.close()
            theirs.close()


def test_a_thread_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline_module, "_watch", deadline_module._Watch())
    ours, theirs = socket.socketpair()
    with monkeypatch.context() as without, pytest.raises(RuntimeError):
        without.setattr(threading.Thread, "start", refuse)
        with deadline({"gunicorn.socket": ours}, 0.1, socket.SHUT_RD):
            pass
    with deadline({"gunicorn.socket": ours}, 0.1, socket.SHUT_RD):
        assert ours.recv(100) == b""
    ours.close()
    theirs.close()


def refuse(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@posix_only
@pytest.mark.timeout(180)
def test_an_overload_is_answered_and_passes(settings: Settings, tmp_path: Path, me_photo: bytes) -> None:
    """Sixty at once, at a real gunicorn of one worker in which nobody is to wait for long."""
    hurried = replace(settings, max_wait_seconds=0.2)
    with shipped_gunicorn(hurried, tmp_path, workers=1) as server:
        alone: dict[str, Any] = server.verify(me_photo).json()
        with ThreadPoolExecutor(60) as pool:
            answers = list(pool.map(lambda _: server.verify(me_photo), range(120)))
        status = Counter(answer.status_code for answer in answers)
        assert set(status) == {200, 503}
        for answer in answers:
            if answer.status_code == 503:
                assert answer.json() == {"error": SATURATED}
                assert int(answer.headers["Retry-After"]) >= 1
            else:
                assert answer.json()["score"] == pytest.approx(alone["score"], abs=1e-4)
        assert server.verify(me_photo).status_code == 200
        assert requests.get(f"{server.url}/healthz", timeout=5).json() == {"status": "ok"}


def test_there_are_threads_left_to_say_no() -> None:
    assert THREADS > MAX_WAITING
