"""Requests wait their turn, and are told so at once where that would take too long."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from service import admission as admission_module
from service.admission import MAX_COSTLY, MAX_WAITING, Admission, Costly, SaturatedError
from service.config import Settings
from tests.service.support import posix_only, post_photo, shipped_gunicorn

_TOLD = "Servicio saturado. Inténtalo de nuevo en unos segundos"
SATURATED = {"error": _TOLD, "code": "saturated", "message": _TOLD}


def nothing() -> None:
    pass


def refused(admission: Admission) -> SaturatedError:
    with pytest.raises(SaturatedError) as caught:
        admission.run(nothing)
    with pytest.raises(SaturatedError):
        admission.check()
    return caught.value


class Held:
    """Work that lasts until it is told to end; costly, if that is said."""

    def __init__(
        self, admission: Admission, count: int = 1, wait: bool = True, costly: bool = False, client: str = ""
    ) -> None:
        self.go_on = threading.Event()
        self._begun = threading.Semaphore(0)
        self._pool = ThreadPoolExecutor(count)
        work = (lambda: Costly(self._work)) if costly else self._work
        self.running = [self._pool.submit(admission.run, work, client) for _ in range(count)]
        for _ in range(count if wait else 0):
            assert self._begun.acquire(timeout=10)

    def _work(self) -> None:
        self._begun.release()
        assert self.go_on.wait(30)

    def end(self) -> None:
        self.go_on.set()
        for running in self.running:
            running.result()


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_the_work_gives_and_raises_comes_back() -> None:
    admission = Admission(slots=1, max_wait_seconds=60)
    for _ in range(2 * MAX_WAITING):  # whoever fails leaves, too
        assert admission.run(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            admission.run(lambda: 1 // 0)
    assert admission.problem is None


def test_a_timeout_of_the_works_own_is_the_works() -> None:
    def late() -> None:
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        Admission(slots=1, max_wait_seconds=60).run(late)


def test_a_queue_that_is_full_takes_nobody_however_short_the_work() -> None:
    admission = Admission(slots=1, max_wait_seconds=600)
    held = Held(admission, MAX_WAITING, wait=False)
    until(lambda: admission._usual.waiting == MAX_WAITING - 1)
    assert refused(admission).retry_after_seconds >= 1
    assert admission.problem == "The queue is full"
    held.end()
    admission.check()
    assert admission.problem is None


def test_the_wait_is_estimated_from_what_came_before() -> None:
    """Photos took 0.3 s and more: whoever would wait for two of them is refused where 0.5 s are too long."""
    admission = Admission(slots=1, max_wait_seconds=0.5)
    for _ in range(20):
        admission.run(lambda: time.sleep(0.3))
    assert admission._usual.expected_wait() == 0
    first = Held(admission)
    second = Held(admission, wait=False)
    until(lambda: admission._usual.waiting == 1)
    assert 0.2 < admission._usual.expected_wait() < 0.7
    third = Held(admission, wait=False)
    with pytest.raises(SaturatedError) as caught:
        third.running[0].result()
    assert caught.value.retry_after_seconds == 1
    first.end()
    second.end()


def test_work_that_lasts_is_expected_to_last() -> None:
    """Nothing waits and all before was short. Still, a new photo may have to wait for as long as that one lasts."""
    admission = Admission(slots=1, max_wait_seconds=0.3)
    admission.run(nothing)
    held = Held(admission)
    admission.check()
    time.sleep(0.6)
    assert refused(admission).retry_after_seconds == 1
    assert admission.problem == "The queue is full"
    held.end()
    admission.check()
    assert admission.problem is None


def test_retry_after_says_how_long_it_takes() -> None:
    admission = Admission(slots=1, max_wait_seconds=0.01)
    admission._usual.seconds = 3.0
    held = Held(admission)
    assert refused(admission).retry_after_seconds == 3
    held.end()


def test_with_two_slots_a_wait_ends_with_the_shorter_work() -> None:
    admission = Admission(slots=2, max_wait_seconds=60)
    admission._usual.seconds = 2.0
    one = Held(admission)
    assert admission._usual.expected_wait() == 0
    assert not admission.busy
    two = Held(admission)
    assert admission.busy
    assert 1.5 < admission._usual.expected_wait() < 2
    one.end()
    assert admission._usual.expected_wait() == 0
    two.end()


def test_whoever_has_waited_for_too_long_is_given_up() -> None:
    """The estimate was wrong: it said that there was hardly a wait."""
    admission = Admission(slots=1, max_wait_seconds=0.3)
    held = Held(admission)
    done: list[int] = []
    started = time.monotonic()
    with pytest.raises(SaturatedError):
        admission.run(lambda: done.append(1))
    assert 0.25 < time.monotonic() - started < 5
    held.end()
    assert admission.run(lambda: 7) == 7
    assert done == []


def test_work_that_has_begun_is_not_given_up_however_long_it_takes() -> None:
    admission = Admission(slots=1, max_wait_seconds=0.1)
    assert admission.run(lambda: (time.sleep(0.4), 7)[1]) == 7


def test_a_process_in_which_nothing_is_finished_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "STUCK_SECONDS", 0.2)
    admission = Admission(slots=1, max_wait_seconds=600)
    time.sleep(0.3)
    working = Held(admission)
    waiting = Held(admission, wait=False)
    until(lambda: admission._usual.waiting == 1)
    assert admission.problem is None  # the pause before does not count
    until(lambda: admission.problem is not None)
    assert admission.problem == "Photos wait, and none has been finished for 0 seconds"
    working.end()
    waiting.end()
    assert admission.problem is None


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


@pytest.mark.parametrize("slots", [1, 2])
def test_usual_photos_wait_for_no_costly_one(slots: int) -> None:
    admission = Admission(slots, max_wait_seconds=60)
    costly = Held(admission, MAX_COSTLY, wait=False, costly=True)
    until(lambda: len(admission._costly.working) == slots and admission._costly.held == MAX_COSTLY)
    assert admission.busy
    with pytest.raises(SaturatedError) as caught:
        admission.run(lambda: Costly(nothing))
    assert caught.value.retry_after_seconds >= 1
    usual = Held(admission, slots)
    usual.end()
    admission.check()
    assert admission.problem is None
    assert len(admission._costly.working) == slots, "no more at once than there are slots"
    with pytest.raises(SaturatedError):
        admission.run_costly(nothing)
    costly.end()
    assert admission.run(lambda: Costly(lambda: 7)) == admission.run_costly(lambda: 7) == 7


def test_costly_photos_wait_for_no_usual_one() -> None:
    admission = Admission(slots=1, max_wait_seconds=60)
    costly = Held(admission, costly=True)
    usual = Held(admission, MAX_WAITING, wait=False)
    until(lambda: admission._usual.held == MAX_WAITING)
    costly.end()
    assert not costly.running[0].exception()
    usual.end()


def test_what_costly_work_raises_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        Admission(slots=1, max_wait_seconds=60).run(lambda: Costly(lambda: 1 // 0))


def test_a_costly_photo_waits_no_longer_in_both_lines_than_another_in_one() -> None:
    admission = Admission(slots=1, max_wait_seconds=1)
    admission._usual.seconds = admission._costly.seconds = 0.01
    costly, usual = Held(admission, costly=True), Held(admission)
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        refused = pool.submit(admission.run, lambda: Costly(nothing))
        time.sleep(0.6)
        usual.end()
        with pytest.raises(SaturatedError):
            refused.result()
        assert time.monotonic() - started < 1.3
    costly.end()


def test_a_costly_photo_in_which_nothing_is_finished_makes_a_process_unready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "STUCK_SECONDS", 0.2)
    admission = Admission(slots=1, max_wait_seconds=600)
    costly = Held(admission, 2, wait=False, costly=True)
    until(lambda: admission.problem is not None)
    costly.end()
    assert admission.problem is None


class Turns:
    """Photos of one slot, each of which writes down whose it is when its turn comes."""

    def __init__(self, admission: Admission) -> None:
        self.order: list[str] = []
        self._admission = admission
        self._pool = ThreadPoolExecutor(MAX_WAITING)

    def send(self, clients: str) -> list[Future[None]]:
        """A photo for each letter, in this order."""
        sent = []
        for client in clients:
            count = self._admission._usual._waiting_of(client) + 1
            sent.append(self._pool.submit(self._admission.run, partial(self.order.append, client), client))
            until(partial(self._wait, client, count))
        return sent

    def _wait(self, client: str, count: int) -> bool:
        return self._admission._usual._waiting_of(client) == count


def test_clients_take_turns() -> None:
    """Whoever has more photos waits for the others; between turns, the order is that of coming."""
    admission = Admission(slots=1, max_wait_seconds=60)
    held, turns = Held(admission), Turns(admission)
    sent = turns.send("aaaabbcab")
    held.end()
    for one in sent:
        one.result()
    assert "".join(turns.order) == "abcababaa"
    assert admission._usual._of_clients == {}, "nothing is kept of a client that has gone"


def test_where_no_place_is_free_the_client_with_most_photos_gives_one() -> None:
    """Its newest; and it is told so at once."""
    admission = Admission(slots=1, max_wait_seconds=600)
    held, turns = Held(admission), Turns(admission)
    sent = turns.send("a" * (MAX_WAITING - 2) + "b")
    assert admission._usual.held == MAX_WAITING
    admission.check("b")
    admission.check("c")
    with pytest.raises(SaturatedError):
        admission.check("a")
    assert admission.problem == "The queue is full"
    sent += turns.send("cb")
    for newest in sent[MAX_WAITING - 3], sent[MAX_WAITING - 4]:
        with pytest.raises(SaturatedError) as caught:
            newest.result(timeout=10)
        assert caught.value.retry_after_seconds >= 1
    assert admission._usual.held == MAX_WAITING
    held.end()
    assert [type(one.exception()) for one in sent].count(type(None)) == len(sent) - 2
    assert "".join(turns.order) == "abcab" + "a" * (MAX_WAITING - 6)


def test_nobody_takes_a_place_from_a_client_that_has_no_more() -> None:
    admission = Admission(slots=1, max_wait_seconds=600)
    held, turns = Held(admission), Turns(admission)
    clients = "".join(map(chr, range(ord("A"), ord("A") + MAX_WAITING - 1)))
    sent = turns.send(clients)
    for client in ("A", "new"):
        with pytest.raises(SaturatedError):
            admission.check(client)
    held.end()
    for one in sent:
        one.result()
    assert "".join(turns.order) == clients


def test_the_wait_is_estimated_from_those_who_come_first() -> None:
    """Of each other client, as many photos as one's own."""
    admission = Admission(slots=1, max_wait_seconds=600)
    held, turns = Held(admission), Turns(admission)
    sent = turns.send("aaaaaabb")
    admission._usual.seconds = 100.0
    for client, photos in {"c": 2, "b": 3 + 2, "a": 6 + 2}.items():
        assert admission._usual.expected_wait(client) == pytest.approx(100 * (photos + 1), abs=20), client
    assert admission._usual.expected_wait() == pytest.approx(900, abs=20)
    held.end()
    for one in sent:
        one.result()


def test_costly_photos_take_turns_too() -> None:
    admission = Admission(slots=1, max_wait_seconds=60)
    admission._costly.seconds = 0.01
    many = Held(admission, MAX_COSTLY, wait=False, costly=True, client="many")
    until(lambda: admission._costly.held == MAX_COSTLY)
    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(admission.run_costly, lambda: 7, "one")
        until(lambda: admission._costly._waiting_of("one") == 1)
        assert admission._costly.held == MAX_COSTLY
        many.go_on.set()
        assert one.result() == 7
    assert sum(isinstance(sent.exception(), SaturatedError) for sent in many.running) == 1


def test_who_has_all_places_keeps_nobody_else_from_an_answer(client: FlaskClient, me_photo: bytes) -> None:
    admission = client.application.extensions["engine"]._in_this_process().admission
    held = Held(admission, MAX_WAITING, wait=False, client="127.0.0.1")
    until(lambda: admission._usual.held == MAX_WAITING)
    assert post_photo(client, me_photo).status_code == 503
    with ThreadPoolExecutor(1) as pool:
        other = client.application.test_client()
        answer = pool.submit(post_photo, other, me_photo, environ_base={"REMOTE_ADDR": "192.0.2.7"})
        until(lambda: admission._usual._waiting_of("192.0.2.7") == 1)
        held.go_on.set()
        assert answer.result().status_code == 200
    assert sum(running.exception() is not None for running in held.running) == 1


def test_a_full_service_says_so_before_it_reads_the_photo(client: FlaskClient, me_photo: bytes) -> None:
    """Each of its threads has something to do, and all places in its queue are taken."""
    admission = client.application.extensions["engine"]._in_this_process().admission
    held = Held(admission, MAX_WAITING, wait=False, client="127.0.0.1")
    until(lambda: admission._usual.held == MAX_WAITING)
    answer = post_photo(client, me_photo)
    assert (answer.status_code, answer.json) == (503, SATURATED)
    assert int(answer.headers["Retry-After"]) >= 1
    no_photo = client.post("/verify", data=b"", content_type="text/plain")
    assert no_photo.status_code == 503
    assert client.get("/healthz").status_code == client.get("/livez").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json) == (503, {"status": "unready", "reason": "La cola está llena"})
    held.end()
    assert post_photo(client, me_photo).status_code == 200
    assert client.get("/readyz").json == {"status": "ok"}


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
                assert answer.json() == SATURATED
                assert int(answer.headers["Retry-After"]) >= 1
            else:
                assert answer.json()["score"] == pytest.approx(alone["score"], abs=1e-4)
        assert server.verify(me_photo).status_code == 200
        assert requests.get(f"{server.url}/healthz", timeout=5).json() == {"status": "ok"}
