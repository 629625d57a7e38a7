"""What is said of photos as they come, with the real networks: poor ones, copies, somebody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from enrolment import waiting as waiting_photos
from enrolment.errors import RefusedError
from enrolment.preparation import Prepared
from enrolment.session import Session
from enrolment.waiting import Waiting
from tests.conftest import ROOT
from tests.enrolment.conftest import MakePrepared
from tests.service.support import encode
from tests.stages.support import photos_of_me, photos_of_strangers, put
from tests.ui.support import group_photo

DEMO = sorted((ROOT / "demo/me").iterdir())


def changed(path: Path, change: Callable[[Image.Image], Image.Image]) -> bytes:
    with Image.open(path) as image:
        return encode(change(image.convert("RGB")), "JPEG", quality=92)


def add(prepared: Prepared, data: bytes, name: str = "photo.jpg") -> Waiting:
    return prepared.waiting.add(name, data, prepared.judge.look(data))


def add_all(prepared: Prepared, photos: Sequence[Path]) -> None:
    for path in photos:
        add(prepared, path.read_bytes(), path.name)


def codes(photo: Waiting) -> list[str]:
    return [note.code for note in photo.notes]


def test_a_good_photo_is_taken_and_shown(prepared: MakePrepared) -> None:
    photo = add(prepared(), DEMO[0].read_bytes(), "a.jpg")
    assert (photo.name, codes(photo), photo.taken, photo.usable) == ("a.jpg", [], True, True)
    assert photo.look.thumbnail.startswith(b"\xff\xd8\xff") and photo.data == DEMO[0].read_bytes()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("blurred", lambda image: image.filter(ImageFilter.GaussianBlur(5))),
        ("dark", lambda image: ImageEnhance.Brightness(image).enhance(0.15)),
        ("bright", lambda image: Image.blend(image, Image.new("RGB", image.size, "white"), 0.75)),
        ("small", lambda image: ImageOps.expand(image.resize((90, 90)), 150)),
        ("no_face", lambda image: Image.new("RGB", image.size, "#8a8f98")),
        ("cut_off", lambda image: image.crop((image.width // 2 - 50, 0, image.width, image.height))),
    ],
)  # fmt: skip
def test_a_poor_photo_is_named_and_left_out(
    prepared: MakePrepared, code: str, change: Callable[[Image.Image], Image.Image]
) -> None:
    photo = add(prepared(), changed(DEMO[3], change))
    assert code in codes(photo) and not photo.taken


@pytest.mark.parametrize("data", [b"", b"no photo", DEMO[0].read_bytes()[:3000], b"\xff\xd8\xff" + bytes(100)])
def test_what_is_no_photo_is_no_use_and_not_kept(prepared: MakePrepared, data: bytes) -> None:
    ready = prepared()
    photo = add(ready, data)
    assert (codes(photo), photo.usable, photo.data, photo.look.thumbnail) == (["unreadable"], False, b"", b"")
    with pytest.raises(RefusedError):
        ready.waiting.choose(photo.key, True)


def test_of_several_faces_the_largest_counts_and_that_is_said(prepared: MakePrepared) -> None:
    photo = add(prepared(), group_photo([DEMO[0], ROOT / "demo/ask/stranger_1.jpg"]))
    assert (codes(photo), photo.taken, photo.look.faces) == (["several_faces"], True, 2)


def test_copies(prepared: MakePrepared, project: Path) -> None:
    put(DEMO[0], project / "data/me/old.jpg")
    ready = prepared()
    assert codes(add(ready, DEMO[0].read_bytes(), "again.jpg")) == ["same_file"]
    near = add(ready, changed(DEMO[0], lambda image: image.resize((300, 300))), "smaller.jpg")
    assert codes(near) == ["copy"] and "me/old.jpg" in near.notes[0].text
    first = add(ready, DEMO[1].read_bytes(), "first.jpg")
    twin, mirrored = add(ready, DEMO[1].read_bytes()), add(ready, changed(DEMO[1], ImageOps.mirror))
    assert (codes(first), codes(twin), codes(mirrored)) == ([], ["same_file"], ["copy"])
    assert "first.jpg" in twin.notes[0].text and "first.jpg" in mirrored.notes[0].text
    ready.waiting.remove([first.key])
    assert codes(mirrored) == [], "what it was a copy of is gone"


def test_somebody_else_is_found_with_nobody_elses_photos(prepared: MakePrepared, lfw_dir: Path) -> None:
    ready = prepared()
    (stranger,) = photos_of_strangers(lfw_dir, 1)
    other = add(ready, stranger.read_bytes(), "other.jpg")
    assert codes(other) == [], "one photo alone is like nothing"
    add_all(ready, photos_of_me(lfw_dir)[:8])
    assert "not_me" in codes(other) and not other.taken
    assert [photo.name for photo in ready.waiting.photos if "not_me" in codes(photo)] == ["other.jpg"]
    ready.waiting.choose(other.key, True)
    assert other.taken, "the person knows better"


def test_photos_that_are_there_say_who_i_am(prepared: MakePrepared, project: Path, lfw_dir: Path) -> None:
    for photo in photos_of_me(lfw_dir)[:6]:
        put(photo, project / "data/me" / photo.name)
    for photo in photos_of_strangers(lfw_dir, 8)[:6]:
        put(photo, project / "data/not_me" / photo.stem / photo.name)
    ready = prepared()
    assert ready.waiting.checks_others
    stranger = photos_of_strangers(lfw_dir, 8)[7]
    assert "not_me" in codes(add(ready, stranger.read_bytes()))
    assert codes(add(ready, photos_of_me(lfw_dir)[7].read_bytes())) == []


def test_photos_are_shown_in_the_order_of_their_names(session: Session) -> None:
    for name in ("selfie_14.jpg", "selfie_2.jpg", "Selfie_10.jpg", "2.jpg", "selfie_1.jpg", "a.jpg"):
        session.add(name, name.encode())
    shown = [photo["name"] for photo in session.state("en")["photos"]]
    assert shown == ["2.jpg", "a.jpg", "selfie_1.jpg", "selfie_2.jpg", "Selfie_10.jpg", "selfie_14.jpg"]


def test_no_more_wait_than_there_is_room_for(prepared: MakePrepared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_photos, "MOST_PHOTOS", 2)
    ready = prepared()
    first = add(ready, b"one")
    add(ready, b"two")
    with pytest.raises(RefusedError, match="2 photos wait already"):
        add(ready, b"three")
    ready.waiting.remove([first.key])
    monkeypatch.setattr(waiting_photos, "MOST_BYTES", 2 * 2**20)
    with pytest.raises(RefusedError, match="have 2 MB together"):
        ready.waiting.check_room(3 * 2**20)
