"""Places and histories that hold somebody where nobody would look: tracked by hand, former caches, leftovers."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.support.remains import Remains
from tests.privacy.support import Project, load, picture
from tests.privacy.test_histories import ignore, know, left
from tests.stages.support import posix_only

pytestmark = [pytest.mark.slow, pytest.mark.security]


def database(photos: list[Path], path: Path) -> None:
    """Photos as large values, each of several pages."""
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE photos (photo BLOB)")
        for photo in photos:
            large = io.BytesIO()
            Image.open(photo).resize((256, 256)).save(large, "png")
            made.execute("INSERT INTO photos VALUES (?)", [large.getvalue()])
        made.commit()


def test_what_is_tracked_by_hand(project: Project, tmp_path: Path) -> None:
    """Databases, arrays of crops and rows, notes and tables that name them, a folder of their name: in old versions."""
    root, remote = project.root, tmp_path / "remote"
    remains, photos = know(Remains(["not_me/ana"]), project), [root / f"data/not_me/ana/{n}.png" for n in (0, 1)]
    rows = np.load(root / "data/embeddings.npy")
    crops = sorted((root / "data/cropped/not_me").rglob("*.png"))
    kept = root / "kept"
    kept.mkdir()
    database(photos, kept / "photos.db")
    np.save(kept / "crops.npy", np.stack([np.asarray(Image.open(crop).convert("RGB")) for crop in crops]))
    np.save(kept / "rows.npy", rows.T)
    (kept / "rows.pkl").write_bytes(pickle.dumps(np.asfortranarray(rows), protocol=2))
    (kept / "notes.csv").write_text("photo,why\nnot_me/ana/0.png,dark\n", encoding="utf-8")
    (kept / "scores.json.gz").write_bytes(gzip.compress(hashlib.sha256(photos[0].read_bytes()).hexdigest().encode()))
    for person, seed in (("ana", 777), ("ben", 778)):
        (root / "holdout" / person).mkdir(parents=True)
        picture(seed).save(root / "holdout" / person / "1.png")
    remains.add_file((root / "holdout/ana/1.png").read_bytes())
    (root / "data/consent.csv").write_text("who,given\nana,2026-01-01\nben,2026-01-02\n", encoding="utf-8")
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("add", "--quiet", "kept", "holdout", "data/consent.csv")
    project.commit("By hand")
    project.dvc("push", "--quiet")
    (kept / "notes.csv").write_text("photo,why\nnot_me/ben/0.png,dark\n", encoding="utf-8")
    project.dvc("add", "--quiet", "kept")
    project.commit("Other notes")
    said = project.forget("ana", "--yes")
    assert "kept/scores.json.gz is your own and names them" in said
    assert sorted(path.name for path in kept.iterdir()) == ["notes.csv", "scores.json.gz"]
    (kept / "scores.json.gz").unlink()
    assert left(remains, root, remote) == {}
    assert not any(b"ana" in path.read_bytes() for place in (root / ".dvc/cache", remote) for path in files(place))
    assert [path.relative_to(root).as_posix() for path in root.glob("holdout/*/*.png")] == ["holdout/ben/1.png"]


def files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]


def test_caches_and_remotes_hold_other_things(project: Project, tmp_path: Path) -> None:
    """A cache that the configuration does not name any more, what a killed push left, files that are none of DVC's; and
    an old commit of which git has pruned a part."""
    root, remote = project.root, tmp_path / "remote"
    project.git("checkout", "--quiet", "-b", "lost")
    project.put("not_me/ana/9.png", 109)
    project.build()
    project.commit("Lost")
    remains, photo = know(Remains(["not_me/ana"]), project), (root / "data/not_me/ana/0.png").read_bytes()
    tree = project.git("rev-parse", "HEAD^{tree}").strip()
    project.git("checkout", "--quiet", "main")
    project.git("branch", "--quiet", "-D", "lost")
    (root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    project.dvc("checkout", "--quiet")
    ignore(project, "/store")
    project.dvc("cache", "dir", "store")
    project.dvc("remote", "add", "-d", "away", str(remote))
    project.commit("Another cache")
    shutil.copytree(root / ".dvc/cache", root / "store")
    digest = hashlib.md5(photo).hexdigest()
    half = remote / "files/md5" / digest[:2] / "tmpabc.tmp"
    for path in (half, remote / "copy.png", root / ".dvc/tmp/copy.png", root / ".dvc/cache/copy.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo[:-9])
    (root / ".dvc/tmp/notes.txt").write_text("not_me/ana/0.png", encoding="utf-8")
    other = remote / "files/md5/00/tmpabc.tmp"
    other.parent.mkdir()
    other.write_bytes(b"another's")
    project.forget("ana", "--yes")
    assert left(remains, root, remote) == {}
    assert other.exists() and not half.exists()


@posix_only
def test_files_that_are_no_photos_stay_with_others(project: Project) -> None:
    """An empty file and a licence are the same for everybody. Names need be no UTF-8, links need lead nowhere."""
    root = project.root
    remains = know(Remains(["not_me/ana"]), project)
    (root / "LICENCE").write_text("free\n", encoding="utf-8")
    (root / "empty.py").touch()
    for person in ("ana", "ben"):
        shutil.copy(root / "LICENCE", root / "data/not_me" / person)
        (root / "data/not_me" / person / ".keep").touch()
    (root / "data/not_me/ana/own.txt").write_text("of ana alone\n", encoding="utf-8")
    project.build()
    project.commit("Licences")
    own = hashlib.md5(b"of ana alone\n").hexdigest()
    assert (root / ".dvc/cache/files/md5" / own[:2] / own[2:]).exists()
    ignore(project, "/lying")
    (root / "lying").mkdir()
    shutil.copy(root / "data/not_me/ana/0.png", os.fsencode(root) + b"/lying/\xff.png")
    Path(os.fsdecode(os.fsencode(root) + b"/lying/\xfe.txt")).write_text("not_me/ana/0.png", encoding="utf-8")
    (root / "lying/folder").symlink_to("../data/not_me/ana")
    (root / "lying/gone.png").symlink_to("../data/not_me/ana/7.png")
    copy = root / "lying/cropped/not_me/ana/8.png"  # of a photo of which nothing else is kept
    copy.parent.mkdir(parents=True)
    picture(108).save(copy)
    (root / "lying/model.joblib").write_bytes(b"\x80\x04 sklearn.linear_model of an old run")
    (root / "lying/all.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    said = project.forget("ana", "--yes", status=1)
    assert "lying/\\udcfe.txt is your own and names them" in said
    assert f"{root / 'lying/all.7z'} could not be looked into" in said
    certificate = load(project.certificates()[0])
    assert certificate["not_done"]["files_that_nobody_could_look_into"] == 2  # type: ignore[index]
    assert sorted(os.fsencode(path.name) for path in (root / "lying").iterdir()) == [
        b"all.7z",
        b"model.joblib",
        b"\xfe.txt",
    ]
    assert set(left(remains, root)) == {str(Path(os.fsdecode(os.fsencode(root) + b"/lying/\xfe.txt")))}
    assert sorted(path.name for path in (root / "data/not_me/ben").iterdir()) == [".keep", "0.png", "1.png", "LICENCE"]
    assert (root / "LICENCE").exists() and (root / "empty.py").exists()
    assert not (root / "data/not_me/ana").exists()
    assert not (root / ".dvc/cache/files/md5" / own[:2] / own[2:]).exists()


def test_a_run_that_fails_at_the_end_leaves_nothing_half_done(project: Project) -> None:
    """What the stage wrote before it failed has, by chance, the bytes of a file that went with the person."""
    making = project.root / "making.py"
    text = making.read_text(encoding="utf-8")
    embed = "    pathlib.Path('data/embedding_recipe.json').write_text('{}')\n    sys.exit('no space')\n"
    making.write_text(text.replace("def embed():\n", f"def embed():\n{embed}"), encoding="utf-8")
    said = project.forget("ana", "--yes", status=1)
    assert "There is no model now: 'dvc repro' failed" in said and "not all is gone" not in said
    assert not (project.root / "data/embedding_recipe.json").exists()
    making.write_text(text, encoding="utf-8")
    project.dvc("repro")
    assert load(project.root / "reports/metrics.json") == {"accuracy": 7.0}


def test_a_folder_with_signs_that_git_reads_otherwise(project: Project) -> None:
    """DVC writes its name in .gitignore with backslashes."""
    root, name = project.root, "[ana] #1!"
    folder = root / "data/not_me"
    (root / ".gitignore").write_text("/private/\n/data/cropped\n/data/*.npy\n/data/*.csv\n/data/*.json\n*.png\n")
    (folder / "ana").rename(folder / name)
    project.dvc("remove", "--quiet", "data/not_me.dvc")
    project.dvc("add", "--quiet", *(f"data/not_me/{each}" for each in (name, "ben", "eva")))
    project.dvc("repro")
    project.commit("By person")
    assert "ana" in (folder / ".gitignore").read_text(encoding="utf-8")
    project.forget(name, "--yes")
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "ben", "ben.dvc", "eva", "eva.dvc"]
    assert (folder / ".gitignore").read_text(encoding="utf-8") == "/ben\n/eva\n"
