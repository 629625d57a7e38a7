"""Photos that cost much wait in a line of their own, whether their header says it or detection comes to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from PIL import Image

from bench.support.hostile import crowd, encoded, segment
from faces.threads import ThreadedMap
from service.admission import MAX_COSTLY, MAX_WAITING, Admission, Costly, SaturatedError
from service.allowance import FACE_PARTS, USUAL_PARTS, Allowance, CountingMap, SlotWantedError
from service.engine import _Opened
from service.photo_work import PhotoWork
from service.timed_recognizer import StepTimes
from tests.service.support import post_photo
from tests.service.test_admission import SATURATED, Held, until

LARGE_PNG = encoded(Image.new("RGBA", (5000, 4000)), "PNG")
_JPEG = encoded(Image.new("CMYK", (5000, 4000)), "JPEG")
LARGE_HIDDEN = _JPEG[:2] + 3 * segment(0xFE, bytes(65_000)) + _JPEG[2:]


@pytest.fixture
def opened(client: FlaskClient) -> _Opened:
    found: _Opened = client.application.extensions["engine"]._in_this_process()
    return found


@pytest.fixture
def admission(opened: _Opened) -> Admission:
    return opened.admission


@pytest.fixture
def make_work(opened: _Opened) -> Callable[..., PhotoWork]:
    def make(photo: bytes, wanted: bool, all_faces: bool = False) -> PhotoWork:
        return PhotoWork(photo, all_faces, opened.recognizer, opened.verifier, StepTimes(), lambda: wanted)

    return make


@pytest.fixture
def costly_full(admission: Admission, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """All places of the costly photos are taken, by the same client."""
    monkeypatch.setattr(admission._costly, "seconds", 0.01)
    held = Held(admission, MAX_COSTLY, wait=False, costly=True, client="127.0.0.1")
    until(lambda: admission._costly.held == MAX_COSTLY)
    yield held
    held.go_on.set()


@pytest.mark.security
@pytest.mark.parametrize("photo", [LARGE_PNG, LARGE_HIDDEN], ids=["PNG", "JPEG"])
def test_a_large_photo_waits_among_the_costly(
    client: FlaskClient, me_photo: bytes, costly_full: Held, photo: bytes
) -> None:
    """Whether its beginning says it or, with some comments before its header, all of it."""
    refused = post_photo(client, photo)
    assert (refused.status_code, refused.json) == (503, SATURATED)
    assert int(refused.headers["Retry-After"]) >= 1
    assert post_photo(client, me_photo).status_code == 200
    assert client.get("/readyz").json == {"status": "ok"}
    costly_full.end()
    assert post_photo(client, photo).status_code == 400  # it has no face


@pytest.mark.security
def test_what_looks_costly_takes_no_place_of_usual_photos(client: FlaskClient, admission: Admission) -> None:
    """All of those are taken, and it is verified."""
    held = Held(admission, MAX_WAITING, wait=False)
    until(lambda: admission._usual.held == MAX_WAITING)
    engine = client.application.extensions["engine"]
    with pytest.raises(SaturatedError):
        engine.verify(LARGE_HIDDEN)
    assert engine.verify(LARGE_PNG) is None  # no face
    held.end()


def test_usual_photos_go_on_however_many_wait(
    make_work: Callable[..., PhotoWork], me_photo: bytes, stranger_photo: bytes
) -> None:
    for photo in (me_photo, stranger_photo):
        for all_faces in (False, True):
            assert not isinstance(make_work(photo, True, all_faces).begin(), Costly)


@pytest.mark.security
def test_a_crowd_leaves_its_slot_where_it_is_wanted(make_work: Callable[..., PhotoWork], me_photo: bytes) -> None:
    photo = crowd(me_photo, across=6)
    undisturbed = make_work(photo, wanted=False).begin()
    left = make_work(photo, wanted=True).begin()
    assert isinstance(left, Costly) and undisturbed is not None and not isinstance(undisturbed, Costly)
    assert left.rest().score == undisturbed.score


@pytest.mark.security
def test_many_faces_to_embed_leave_their_slot(
    make_work: Callable[..., PhotoWork], me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where detection was within the allowance."""
    assert not isinstance(make_work(me_photo, wanted=True).begin(), Costly)
    monkeypatch.setattr("service.timed_recognizer.FACE_PARTS", USUAL_PARTS)
    assert isinstance(make_work(me_photo, wanted=True).begin(), Costly)


def test_what_waits_in_the_queue_wants_a_slot(admission: Admission) -> None:
    assert not admission.wanted
    held = Held(admission, admission._slots)
    waiting = Held(admission, wait=False)
    until(lambda: admission.wanted)
    held.end()
    waiting.end()
    assert not admission.wanted


def test_waiting_among_the_costly_is_no_time_of_decoding(opened: _Opened, make_work: Callable[..., PhotoWork]) -> None:
    work = make_work(LARGE_PNG, wanted=False)
    held = Held(opened.admission, opened.admission._slots, costly=True)
    with ThreadPoolExecutor(1) as pool:
        verified = pool.submit(opened.admission.run, work.begin)
        until(lambda: opened.admission._costly.waiting == 1)
        time.sleep(1)
        assert work.times.seconds["decode"] < 0.5
        held.end()
        assert verified.result() is None
    assert work.times.seconds["queue"] > 0.9


class TestAllowance:
    """How parts are counted."""

    def test_it_is_used_up_where_another_photo_waits(self) -> None:
        allowance = Allowance(10, lambda: True)
        allowance.take(9)
        allowance.take(1)
        with pytest.raises(SlotWantedError):
            allowance.take(1)

    def test_it_has_no_end_where_none_does(self) -> None:
        wanted: list[int] = []
        allowance = Allowance(10, lambda: bool(wanted))
        allowance.take(100)
        wanted.append(1)
        with pytest.raises(SlotWantedError):
            allowance.take(1)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_parts_are_counted_before_they_are_done(self, threads: int) -> None:
        counting, done = CountingMap(ThreadedMap(threads)), list[int]()
        with counting.limited(Allowance(5, lambda: True)):
            assert counting.map(lambda part: part + 1, range(3)) == [1, 2, 3]
            with pytest.raises(SlotWantedError):
                counting.map(done.append, range(3))
        assert done == []
        counting.map(done.append, range(30))  # no allowance, no limit
        assert sorted(done) == list(range(30))

    def test_each_thread_has_its_own(self) -> None:
        counting = CountingMap(ThreadedMap())
        with counting.limited(Allowance(1, lambda: True)), ThreadPoolExecutor(1) as pool:
            assert pool.submit(counting.map, str, range(9)).result() == list("012345678")

    def test_a_face_and_its_embedding_are_within_it(self) -> None:
        assert 54 + FACE_PARTS <= USUAL_PARTS
