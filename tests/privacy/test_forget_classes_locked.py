"""What is special where photos are locked: the last of a class, one that lies in both, one that is plain as well."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.privacy.locked_support import build, privacy, still_in, stored
from tests.privacy.support import Project, load, picture

pytestmark = pytest.mark.security


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_the_last_photos_of_me(locked: Project) -> None:
    """One after the other: there is a model until the last goes; then locked photos of others stay as they are."""
    cache = locked.root / ".dvc/cache"
    others = stored(locked, "data/not_me/ben/0.png.locked", "data/cropped/not_me/ben/0.png-0.png")
    mine = stored(locked, *(f"data/me/{number}.png.locked" for number in range(3)))
    said = locked.forget("data/me/0.png", "data/me/1.png", "--yes")
    assert "No photo of me" not in said
    assert (locked.root / "models/model.joblib").exists()
    said = locked.forget("data/me/2.png", "--yes")
    assert "No photo of me is left: there will be no model" in said
    assert "There is no model now: no photo of me is left" in said
    assert not (locked.root / "models/model.joblib").exists()
    assert (locked.root / "models/forgotten").exists()
    assert still_in(mine, cache) == set()
    assert still_in(others, cache) == others
    picture(77).save(locked.root / "data/me/new.png")
    build(locked, "Somebody else is me")
    assert (locked.root / "models/model.joblib").exists()


@pytest.mark.long
def test_me_as_a_whole_and_the_last_of_the_others(locked_photos: Project) -> None:
    for name in ("ana", "eva"):
        said = locked_photos.forget(name, "--yes")
        assert "No photo of" not in said
    said = locked_photos.forget("ben", "--yes")
    assert "No photo of not_me is left: 'dvc repro' says whether a model can be made without" in said
    assert load(locked_photos.root / "reports/metrics.json") == {"accuracy": 3.0}
    assert "No photo of me is left" in locked_photos.forget("me", "--yes")
    assert list((locked_photos.root / "data/me").iterdir()) == []


@pytest.mark.parametrize(
    "key", [pytest.param("with the key", marks=pytest.mark.long), pytest.param("without it", marks=pytest.mark.slow)]
)
def test_a_photo_in_both_classes(locked_photos: Project, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Locked in both it is one object; where one of them is plain still, tables know it by its content."""
    data = locked_photos.root / "data"
    shutil.copy(data / "not_me/ana/0.png.locked", data / "me/ana.png.locked")
    picture(101).save(data / "me/other.png")  # as not_me/ana/1.png was before it was locked
    locked_photos.dvc("add", "--quiet", "data/me")
    locked_photos.dvc("repro")
    locked_photos.commit("In both")
    (data / "not_me/attributes.csv.locked").unlink()
    going = stored(locked_photos, "data/me/ana.png.locked", "data/me/other.png", "data/not_me/ana/1.png.locked")
    if key != "with the key":
        monkeypatch.delenv("PRIVACY_KEY_FILE")
    said = locked_photos.forget("ana", "--yes", status=0 if key == "with the key" else 1)
    assert "The same photo lies in both classes, and goes from both:\n  me/ana.png, not_me/ana/0.png" in said
    assert "\n  me/other.png" in said
    assert names_in(data / "me") == ["0.png.locked", "1.png.locked", "2.png.locked"]
    assert still_in(going, locked_photos.root / ".dvc/cache") == set()


@pytest.mark.slow
def test_a_photo_that_is_there_plain_and_locked(locked: Project) -> None:
    """A `lock` that was killed leaves both."""
    data = locked.root / "data/not_me"
    picture(100).save(data / "ana/0.png")
    locked.forget("ana", "--yes")
    assert names_in(data) == ["attributes.csv.locked", "ben", "eva"]
    assert "1 file locked" not in privacy(locked, "lock")
