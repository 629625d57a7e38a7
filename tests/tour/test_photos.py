"""Photos put into data/: a user's own once and never overwritten, the demo's where there are none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from quickstart import CLASSES, Problem
from tests.tour.support import tree, write
from tour.photos import complaints_of_photos, ensure_photos, passed_over, photos_to_ask_about


def test_photos_are_copied_once_and_then_left_alone(root: Path, photos: Path) -> None:
    write(root / "data" / "me" / ".gitkeep", b"")
    write(photos / "me" / "notes.txt")
    ensure_photos(photos)
    expected = {
        "me/.gitkeep": b"",
        "me/uno.JPG": b"mine 1",
        "me/verano/dos.Png": b"mine 2",
        "not_me/ana/1.jpeg": b"other",
    }
    assert tree(root / "data") == expected
    assert sorted(path.name for path in (root / "data").iterdir()) == ["me", "not_me"]  # no temporary folder

    before = (root / "data" / "me" / "uno.JPG").stat()
    (photos / "me" / "uno.JPG").touch()
    ensure_photos(photos)
    assert (root / "data" / "me" / "uno.JPG").stat() == before
    ensure_photos(None)
    assert tree(root / "data") == expected


def test_what_is_passed_over_is_counted_and_phones_photos_are_copied(
    root: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.HEIC", "b.webp", "c.avif", "d.mp4", "e.MP4", "f.cr2", ".g.mp4"):
        write(photos / "me" / name)
    ensure_photos(photos)
    assert {"me/a.HEIC", "me/b.webp", "me/c.avif"} <= tree(root / "data").keys()
    told = capsys.readouterr().out
    assert "2 files are not used: .mp4. They are videos: save single pictures of them as JPEG" in told
    assert "1 file is not used: .cr2. It is a raw photo of a camera: export it as JPEG" in told


def test_locked_photos_are_photos(root: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demo's are not put beside them, none is removed or copied over, and none is told as of no use."""
    for name in ("me/uno.JPG.locked", "not_me/ana/1.jpeg.locked"):
        write(root / "data" / name, b"FACELOCK")
    before = tree(root / "data")
    ensure_photos(None)
    assert tree(root / "data") == before
    with pytest.raises(Problem, match="already holds"):
        ensure_photos(photos)
    assert tree(root / "data") == before
    write(root / "data" / "me" / "film.mp4.locked", b"FACELOCK")
    assert passed_over(root / "data" / "me") == {".mp4": 1}
    assert "not used" not in capsys.readouterr().out


def test_interrupted_copy_leaves_no_half_class(root: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[Path] = []

    def copy2(source: Path, target: Path) -> None:
        if copied:
            raise KeyboardInterrupt
        copied.append(shutil.copy(source, target))

    monkeypatch.setattr(shutil, "copy2", copy2)
    with pytest.raises(KeyboardInterrupt):
        ensure_photos(photos)
    assert copied
    assert tree(root / "data") == {}


def test_the_demo_is_put_where_both_classes_are_empty(
    root: Path, demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_photos(None)
    for name in CLASSES:
        assert tree(root / "data" / name) == tree(demo / name)
    assert "the demo's drawn portraits" in capsys.readouterr().out
    ensure_photos(None)
    assert "demo" not in capsys.readouterr().out  # they are there already


@pytest.mark.usefixtures("demo")
def test_the_demo_is_never_me_beside_a_users_photos_of_others(root: Path) -> None:
    write(root / "data" / "not_me" / "own.jpg", b"own")
    with pytest.raises(Problem, match="There are no photos in"):
        ensure_photos(None)
    assert tree(root / "data") == {"not_me/own.jpg": b"own"}


@pytest.mark.usefixtures("demo")
def test_photos_of_me_alone_are_enough(root: Path) -> None:
    write(root / "data" / "me" / "own.jpg", b"own")
    ensure_photos(None)
    assert tree(root / "data") == {"me/own.jpg": b"own"}
    assert (root / "data" / "not_me").is_dir(), "DVC can track an empty folder, and none that is missing"


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("empty", [False, True])
def test_photos_of_me_alone_are_copied_and_the_demos_others_go(
    root: Path, photos: Path, capsys: pytest.CaptureFixture[str], empty: bool
) -> None:
    ensure_photos(None)
    shutil.rmtree(photos / "not_me")
    if empty:
        write(photos / "not_me" / ".gitkeep", b"")
    ensure_photos(photos)
    assert tree(root / "data") == {"me/uno.JPG": b"mine 1", "me/verano/dos.Png": b"mine 2"}
    assert (root / "data" / "not_me").is_dir()
    told = capsys.readouterr().out
    assert "The demo's drawn portraits are taken out of data/not_me" in told
    assert "still holds the demo's" not in told


def test_photos_of_me_alone_leave_a_users_photos_of_others(root: Path, photos: Path) -> None:
    write(root / "data" / "not_me" / "own.jpg", b"own")
    shutil.rmtree(photos / "not_me")
    ensure_photos(photos)
    assert tree(root / "data") == {"me/uno.JPG": b"mine 1", "me/verano/dos.Png": b"mine 2", "not_me/own.jpg": b"own"}


def test_photos_of_others_that_dvc_keeps_elsewhere_are_asked_for(root: Path) -> None:
    write(root / "data" / "me" / "own.jpg", b"own")
    write(root / "data" / "not_me.dvc", b"outs: []")
    with pytest.raises(Problem, match=r"There are no photos in .*not_me"):
        ensure_photos(None)
    (root / "data" / "not_me").mkdir()  # emptied on purpose
    ensure_photos(None)


def test_given_photos_replace_the_demo_and_nothing_else(root: Path, demo: Path, photos: Path) -> None:
    ensure_photos(None)
    write(root / "data" / "me" / "notes.txt", b"notes")
    ensure_photos(photos)
    assert tree(root / "data") == {"me/notes.txt": b"notes", **tree(photos)}
    write(root / "data" / "me" / "own.jpg", b"own")
    with pytest.raises(Problem, match="Nothing was changed"):
        ensure_photos(demo)  # a user's own are there now


def test_photos_of_a_failed_try_make_way_for_others_while_their_originals_are_there(
    root: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_photos(photos)
    write(root / "data" / "me" / "notes.txt", b"notes")
    others = write(tmp_path / "otras" / "me" / "1.jpg", b"mine 3").parent.parent
    ensure_photos(others)
    kept = {"me/notes.txt": b"notes", "not_me/ana/1.jpeg": b"other"}
    assert tree(root / "data") == {"me/1.jpg": b"mine 3", **kept}
    assert f"data/not_me keeps its 1 photo, as {others / 'not_me'} holds none" in capsys.readouterr().out
    assert len(tree(photos)) == 3
    ensure_photos(photos)  # and back again
    assert tree(root / "data") == {"me/notes.txt": b"notes", **tree(photos)}


def test_more_photos_in_the_same_folder_are_taken(root: Path, photos: Path) -> None:
    """Also where it is not known that the first ones came from there."""
    shutil.copytree(photos, root / "data")
    write(photos / "me" / "tres.jpg", b"mine 3")
    ensure_photos(photos)
    assert tree(root / "data") == tree(photos)


@pytest.mark.parametrize("lost", ["deleted", "changed", "added", "linked"])
def test_a_photo_of_which_no_copy_is_known_is_never_overwritten(
    root: Path, photos: Path, tmp_path: Path, lost: str
) -> None:
    ensure_photos(photos)
    name = "uno.JPG"
    if lost == "deleted":
        (photos / "me" / name).unlink()
    elif lost == "changed":
        original = photos / "me" / name
        before = original.stat()
        write(original, b"MINE 1")  # as long and as old as before
        os.utime(original, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif lost == "added":
        name = "own.jpg"
        write(root / "data" / "me" / name, b"own")
    else:
        shutil.rmtree(photos / "me")
        (photos / "me").symlink_to(root / "data" / "me")
    before_all = tree(root / "data")
    others = write(tmp_path / "otras" / "me" / "1.jpg", b"mine 3").parent.parent
    with pytest.raises(Problem, match=f"Of .*{name}.* in data/me no copy is known. Nothing was changed") as caught:
        ensure_photos(others)
    assert ("verano/dos.Png" in str(caught.value)) is (lost == "linked")
    assert tree(root / "data") == before_all


def test_a_copy_may_have_another_name(root: Path, photos: Path) -> None:
    """As after guided enrolment, which names photos by their content."""
    write(root / "data" / "me" / "enrolled-1.jpg", b"mine 1")
    write(root / "data" / "me" / "enrolled-2.jpg", b"mine 2")
    ensure_photos(photos)
    assert set(tree(root / "data" / "me")) == {"uno.JPG", "verano/dos.Png"}


def test_photos_of_the_same_content_in_data_are_no_copies_of_each_other(root: Path, photos: Path) -> None:
    """The folder given leads into data/ itself, so nothing of it would be left."""
    shutil.rmtree(photos / "me")
    for name in ("1.jpg", "2.jpg"):
        write(root / "data" / "me" / name, b"mine")
    write(photos / "me" / "3.jpg", b"new")
    (photos / "me" / "linked").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (photos / "me" / "linked" / name).symlink_to(root / "data" / "me" / name)
    before = tree(root / "data")
    with pytest.raises(Problem, match=r"Of 1\.jpg, 2\.jpg in data/me no copy is known"):
        ensure_photos(photos)
    assert tree(root / "data") == before


def test_a_damaged_record_of_where_photos_came_from_is_none(root: Path, photos: Path, tmp_path: Path) -> None:
    ensure_photos(photos)
    others = write(tmp_path / "otras" / "me" / "1.jpg", b"mine 3").parent.parent
    for text in (b"", b"[]", b'{"me": 1}', b"\xff"):
        write(root / "quickstart-photos.json", text)
        with pytest.raises(Problem, match="no copy is known"):
            ensure_photos(others)
    ensure_photos(photos)


@pytest.mark.usefixtures("demo")
def test_a_demo_with_a_photo_of_the_user_among_it_is_the_users(root: Path, photos: Path) -> None:
    ensure_photos(None)
    write(root / "data" / "me" / "own.jpg", b"own")
    before = tree(root / "data")
    with pytest.raises(Problem, match="Nothing was changed"):
        ensure_photos(photos)
    assert tree(root / "data") == before


@pytest.mark.usefixtures("demo")
def test_half_a_demo_is_spoken_of(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ensure_photos(None)
    shutil.rmtree(root / "data" / "me")
    write(root / "data" / "me" / "own.jpg", b"own")
    ensure_photos(None)
    assert "data/not_me still holds the demo's drawn portraits" in capsys.readouterr().out


def test_the_demo_is_asked_about_with_photos_kept_for_that(
    root: Path, demo: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_photos(None)
    assert "what the stage quality warns of is no failure" in capsys.readouterr().out
    assert photos_to_ask_about("me") == ([demo / "ask" / "me_1.jpg"], False)
    assert photos_to_ask_about("not_me") == ([demo / "ask" / "stranger_1.jpg"], False)
    ensure_photos(photos)
    mine = [root / "data" / "me" / name for name in ("uno.JPG", "verano/dos.Png")]
    assert photos_to_ask_about("me") == (mine, True)


def test_photos_that_the_service_takes_as_they_are_come_first(root: Path) -> None:
    for name, size in (("1.jpg", 3), ("2.jpg", 1), ("3.jpg", 3)):
        write(root / "data" / "me" / name, bytes(size * 2**20))
    assert [photo.name for photo in photos_to_ask_about("me")[0]] == ["2.jpg", "1.jpg", "3.jpg"]


def test_photos_with_one_face_come_before_those_with_several(root: Path) -> None:
    for name in ("1.jpg", "2.jpg"):
        write(root / "data" / "me" / name, b"photo")
    assert [photo.name for photo in photos_to_ask_about("me")[0]] == ["1.jpg", "2.jpg"]
    report = "photo,faces_found,face\nme/1.jpg,2,0\nme/1.jpg,2,1\nme/2.jpg,1,0\n"
    write(root / "reports" / "crop_report.csv", report.encode())
    assert [photo.name for photo in photos_to_ask_about("me")[0]] == ["2.jpg", "1.jpg"]
    write(root / "reports" / "crop_report.csv", b"damaged\n1\n")
    assert [photo.name for photo in photos_to_ask_about("me")[0]] == ["1.jpg", "2.jpg"]


def test_photos_that_quality_did_not_complain_of_come_first(root: Path) -> None:
    for name in ("me/1.jpg", "me/2.jpg", "me/3.jpg", "me/4.jpg"):
        write(root / "data" / name, b"photo")
    write(root / "data" / "me" / "5.jpg", bytes(3 * 2**20))
    header = '"photo","problem","other","value","limit","message"'
    rows = ("me/1.jpg,blurred", "me/2.jpg,suspected_not_me", "me/2.jpg,dark_face", "me/3.jpg,near_duplicate")
    table = "\n".join([header, *(f"{row},,,," for row in rows), ""])
    write(root / "reports" / "data_quality.csv", table.encode())
    assert [photo.name for photo in photos_to_ask_about("me")[0]] == ["3.jpg", "4.jpg", "5.jpg", "1.jpg", "2.jpg"]
    me = root / "data" / "me"
    assert complaints_of_photos() == {me / "1.jpg": ["blurred"], me / "2.jpg": ["suspected_not_me", "dark_face"]}
    write(root / "reports" / "data_quality.csv", b"damaged\n1\n")
    assert complaints_of_photos() == {}
