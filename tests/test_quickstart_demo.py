"""The demo in quickstart.py: put where there are no photos, replaced by --photos, never in the way of a user's own."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_quickstart import SCRIPT, tree, write


@pytest.fixture
def quick(tmp_path: Path) -> ModuleType:
    """A copy of the script, as a module, in a project with a demo and no photos."""
    root = tmp_path / "project"
    for name in ("me/1.jpg", "me/2.PNG", "not_me/person_01/1.jpg", "ask/me_1.jpg", "ask/stranger_1.jpg"):
        write(root / "demo" / name, f"drawn {name}".encode())
    shutil.copy(SCRIPT, root)
    spec = importlib.util.spec_from_file_location("quickstart_with_demo", root / "quickstart.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A user's photos, as --photos wants them."""
    write(tmp_path / "mine" / "me" / "uno.jpg", b"me")
    write(tmp_path / "mine" / "not_me" / "ana" / "1.jpg", b"ana")
    return tmp_path / "mine"


def test_the_demo_is_put_where_both_classes_are_empty(quick: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    quick.ensure_photos(None)
    for name in quick.CLASSES:
        assert tree(quick.ROOT / "data" / name) == tree(quick.DEMO / name)
    assert "the demo's drawn portraits" in capsys.readouterr().out
    quick.ensure_photos(None)
    assert "demo" not in capsys.readouterr().out  # they are there already


@pytest.mark.parametrize("name", ["me", "not_me"])
def test_the_demo_never_fills_up_one_class_of_a_users(quick: ModuleType, name: str) -> None:
    write(quick.ROOT / "data" / name / "own.jpg", b"own")
    with pytest.raises(quick.Problem, match="There are no photos in"):
        quick.ensure_photos(None)
    assert tree(quick.ROOT / "data") == {f"{name}/own.jpg": b"own"}


def test_given_photos_replace_the_demo_and_nothing_else(quick: ModuleType, photos: Path) -> None:
    quick.ensure_photos(None)
    write(quick.ROOT / "data" / "me" / "notes.txt", b"notes")
    quick.ensure_photos(photos)
    assert tree(quick.ROOT / "data") == {"me/uno.jpg": b"me", "me/notes.txt": b"notes", "not_me/ana/1.jpg": b"ana"}
    with pytest.raises(quick.Problem, match="nothing was changed"):
        quick.ensure_photos(quick.DEMO)  # a user's own are there now


def test_a_demo_with_a_photo_of_the_user_among_it_is_the_users(quick: ModuleType, photos: Path) -> None:
    quick.ensure_photos(None)
    write(quick.ROOT / "data" / "me" / "own.jpg", b"own")
    before = tree(quick.ROOT / "data")
    with pytest.raises(quick.Problem, match="nothing was changed"):
        quick.ensure_photos(photos)
    assert tree(quick.ROOT / "data") == before


def test_half_a_demo_is_spoken_of(quick: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    quick.ensure_photos(None)
    shutil.rmtree(quick.ROOT / "data" / "me")
    write(quick.ROOT / "data" / "me" / "own.jpg", b"own")
    quick.ensure_photos(None)
    assert "data/not_me still holds the demo's drawn portraits" in capsys.readouterr().out


def test_the_demo_is_asked_about_with_photos_kept_for_that(quick: ModuleType, photos: Path) -> None:
    quick.ensure_photos(None)
    assert quick.probes("me") == ([quick.DEMO / "ask" / "me_1.jpg"], False)
    assert quick.probes("not_me") == ([quick.DEMO / "ask" / "stranger_1.jpg"], False)
    quick.ensure_photos(photos)
    assert quick.probes("me") == ([quick.ROOT / "data" / "me" / "uno.jpg"], True)


def test_the_backbone_is_explained(quick: ModuleType) -> None:
    assert quick.explain_backbone("dlib-resnet") == "dlib-resnet"
    path = quick.ROOT / "models" / "networks" / "networks.json"
    write(path, json.dumps({"requested": "facenet-vggface2"}).encode())
    assert "could not be had" in quick.explain_backbone("dlib-resnet")
    assert quick.explain_backbone("facenet-vggface2") == "facenet-vggface2, as params.yaml says"


@pytest.mark.parametrize(("sizes", "limit"), [((3.0, 2.0, 0.1), {}), ((3.5, 2.1, 0.1), {"MAX_CONTENT_MB": "4"})])
def test_photos_that_are_all_too_large_for_the_service_raise_its_limit(
    quick: ModuleType, capsys: pytest.CaptureFixture[str], sizes: tuple[float, ...], limit: dict[str, str]
) -> None:
    """A phone's, say: one that the service takes as it is suffices."""
    for number, (name, size) in enumerate(zip(("me", "me", "not_me"), sizes, strict=True)):
        write(quick.ROOT / "data" / name / f"{number}.jpg", bytes(int(size * 2**20)))
    assert quick.raised_limit() == limit
    assert ("started with MAX_CONTENT_MB=4. Put that line into a file .env" in capsys.readouterr().out) == bool(limit)


@pytest.mark.parametrize("line", ["MAX_CONTENT_MB=1", "  export MAX_CONTENT_MB = 1"])
def test_a_limit_that_the_user_has_set_is_theirs(quick: ModuleType, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    for name in quick.CLASSES:
        write(quick.ROOT / "data" / name / "1.jpg", bytes(3 * 2**20))
    assert quick.raised_limit() == {"MAX_CONTENT_MB": "3"}
    (quick.ROOT / ".env").write_text(f"# MAX\n{line}\n", encoding="utf-8")
    assert quick.raised_limit() == {}
    (quick.ROOT / ".env").write_text(f"#{line}\n", encoding="utf-8")
    assert quick.raised_limit() == {"MAX_CONTENT_MB": "3"}
    monkeypatch.setenv("MAX_CONTENT_MB", "1")
    assert quick.raised_limit() == {}


def test_demo_photos_need_no_other_limit(quick: ModuleType) -> None:
    quick.ensure_photos(None)
    assert quick.raised_limit() == {}
