"""Histories that people make by hand: renamed folders, archives, notebooks, backups, imports, former remotes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from bench.support.remains import Remains
from tests.privacy.support import Project, load, picture
from tests.stages.support import posix_only

pytestmark = pytest.mark.security

CODE = ("making.py", ".git")
"""What is not searched: the stand-in for the stages, and git's own store."""


def put(project: Project, name: str, image: Image.Image, **options: object) -> Path:
    path = project.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def know(remains: Remains, project: Project, person: str = "not_me/ana") -> Remains:
    """Take the person's photos of now, their crops and embeddings."""
    data = project.root / "data"
    for photo in sorted(path for path in (data / person).rglob("*") if path.suffix.lower() == ".png"):
        remains.add_file(photo.read_bytes())
        crop = data / "cropped" / f"{photo.relative_to(data).as_posix()}-0.png"
        if crop.is_file():
            remains.add_file(crop.read_bytes())
    index = (data / "index.csv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [number for number, line in enumerate(index) if line.split(",")[1].startswith(f"{person}/")]
    if rows:
        remains.add_rows(np.load(data / "embeddings.npy")[rows])
    return remains


def left(remains: Remains, *places: Path) -> dict[str, list[str]]:
    return remains.search(places, CODE)[0]


def ignore(project: Project, *lines: str) -> None:
    with (project.root / ".gitignore").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def archive_of(folder: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*.png")):
                archive.write(file, file.relative_to(folder.parent))
    else:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(folder, folder.name)


def notebook(photo: bytes) -> str:
    data = {"image/png": base64.encodebytes(photo).decode(), "text/plain": ["<Figure>"]}
    return json.dumps({"cells": [{"source": ["show(photo)"], "outputs": [{"data": data}]}]}, indent=1)


@pytest.mark.slow
def test_what_lies_about_in_the_folder(project: Project) -> None:
    """Copies, archives, notebooks, thumbnails, others' files of embeddings: the person goes, everybody else stays."""
    root = project.root
    remains, photo = know(Remains(["not_me/ana"]), project), root / "data/not_me/ana/0.png"
    image = Image.open(photo).convert("RGB")
    ignore(project, "/lying", "*.zip", "*.tar.gz", "*.ipynb")
    put(project, "lying/copy.bmp", image)
    put(project, "reports/manual/mirrored.jpg", ImageOps.mirror(image), quality=70)
    (root / "lying/half.png").write_bytes(photo.read_bytes()[:-200])
    thumbnail = io.BytesIO()
    image.resize((48, 48)).save(thumbnail, "jpeg", quality=80)
    (root / "data/not_me/Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + thumbnail.getvalue())
    (root / "lying/report.pdf").write_bytes(b"%PDF-1.4\0" + thumbnail.getvalue() + b"%%EOF")
    archive_of(root / "data/not_me", root / "data/all.zip")
    archive_of(root / "data/not_me", root / "lying/all.tar.gz")
    archive_of(root / "data/not_me/ana", root / "lying/ana.zip")
    (root / "a.ipynb").write_text(notebook(photo.read_bytes()), encoding="utf-8")
    rows = np.load(root / "data/embeddings.npy")
    (root / "lying/rows.pkl").write_bytes(pickle.dumps({"rows": rows * 2}))
    np.savetxt(root / "lying/rows.csv", rows, delimiter=",")
    (root / "lying/notes.txt").write_text("not_me/ana/0.png is blurred\n", encoding="utf-8")
    with tarfile.open(root / "service.tar.gz", "w:gz") as tar:
        tar.add(root / "models", "models")
    remembered = root / "data/remembered/embeddings/recipe.npz"
    remembered.parent.mkdir(parents=True)
    old = np.random.default_rng(0).normal(size=(1, 128)).astype(np.float32)
    np.savez(remembered, crops=np.array(["c" * 64]), photos=np.array(["a" * 64]), embeddings=old)
    remains.add_rows(old)

    said = project.forget("ana", "--yes", status=1)
    assert set(left(remains, root)) == {str(root / "lying/report.pdf"), str(root / "lying/notes.txt")}
    assert f"{root / 'lying/report.pdf'} is a file of another program and shows them" in said
    assert "lying/notes.txt is your own and names them" in said
    with tarfile.open(root / "service.tar.gz") as tar:
        assert "models/.gitignore" in tar.getnames() and "models/model.joblib" not in tar.getnames()
    assert not (root / "lying/ana.zip").exists()
    with zipfile.ZipFile(root / "data/all.zip") as archive:
        assert sorted(archive.namelist()) == [f"not_me/{name}/{n}.png" for name in ("ben", "eva") for n in (0, 1)]
        assert archive.read("not_me/ben/0.png") == (root / "data/not_me/ben/0.png").read_bytes()
    with tarfile.open(root / "lying/all.tar.gz") as tar:
        assert [name for name in tar.getnames() if name.endswith(".png")] == [
            f"not_me/{name}/{n}.png" for name in ("ben", "eva") for n in (0, 1)
        ]
    cell = json.loads((root / "a.ipynb").read_text(encoding="utf-8"))["cells"][0]
    assert cell["source"] == ["show(photo)"] and cell["outputs"][0]["data"]["text/plain"] == ["<Figure>"]
    certificate = load(project.certificates()[0])
    assert certificate["not_done"]["files_of_other_programs_that_show_them"] == 1  # type: ignore[index]


@pytest.mark.slow
def test_what_was_tracked_by_hand(project: Project, tmp_path: Path) -> None:
    """Archives, photos elsewhere and tables of embeddings that DVC tracks, also where a later version has them no more,
    and in a remote that the configuration does not name any more."""
    root, remote = project.root, tmp_path / "remote"
    remains, photo = know(Remains(["not_me/ana"]), project), root / "data/not_me/ana/0.png"
    image = Image.open(photo).convert("RGB")
    archive_of(root / "data/not_me", root / "data/all.zip")
    archive_of(root / "data/not_me", root / "kept/all.tar.gz")
    put(project, "holdout/small.jpg", image.resize((48, 48)), quality=60)
    shutil.copy(root / "data/not_me/ben/0.png", root / "holdout/ben.png")
    (root / "features").mkdir()
    (root / "features/rows.pkl").write_bytes(pickle.dumps(np.load(root / "data/embeddings.npy")))
    (root / "page.html").write_text(f"<p>{notebook(photo.read_bytes())}</p>", encoding="utf-8")
    project.dvc("add", "--quiet", "data/all.zip", "kept", "holdout", "features", "page.html")
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.commit("Tracked by hand")
    project.dvc("push", "--quiet")
    project.dvc("remote", "remove", "store")
    project.dvc("remove", "--quiet", "data/all.zip.dvc", "features.dvc")
    for name in ("data/all.zip", "features/rows.pkl"):
        (root / name).unlink()
    project.commit("Some of it taken out")
    ben = project.objects(remote)
    project.forget("ana", "--yes")
    assert left(remains, root, remote) == {}
    assert [path.name for path in (root / "holdout").iterdir()] == ["ben.png"]
    assert len(project.objects(remote)) > len(ben) / 4
    assert "Data and pipelines are up to date." in project.dvc("status")
    with tarfile.open(root / "kept/all.tar.gz") as tar:
        assert "not_me/eva/1.png" in tar.getnames() and "not_me/ana/1.png" not in tar.getnames()


@pytest.mark.slow
def test_a_folder_that_was_called_otherwise(project: Project) -> None:
    """What was deleted when it was renamed goes, too. So does what only an edited and committed output holds."""
    data = project.root / "data"
    project.put("not_me/ana/7.png", 170)
    (data / "not_me/ana").rename(data / "not_me/anna")
    project.build()
    project.commit("Wrong name\u2028in a\x1c subject")
    remains = know(Remains(["not_me/ana", "not_me/anna"]), project, "not_me/anna")
    (data / "not_me/anna/7.png").unlink()
    (data / "not_me/anna").rename(data / "not_me/ana")
    project.build()
    project.commit("Right name")
    know(remains, project)
    rows = np.load(data / "embeddings.npy")
    shutil.rmtree(data / "not_me/ana")
    project.build()
    (data / "embeddings.npy").unlink()
    np.save(data / "embeddings.npy", 2 * rows)
    project.dvc("commit", "--quiet", "--force", "embed")
    project.commit("Without ana, but for her embeddings")
    said = project.forget("ana", "--yes")
    assert "Other names that the same folder had:\n  not_me/anna" in said
    assert left(remains, project.root) == {}
    assert load(project.root / "reports/metrics.json") == {"accuracy": 7.0}


@pytest.mark.slow
def test_folders_that_share_a_photo_are_asked_about(project: Project) -> None:
    data = project.root / "data/not_me"
    shutil.copy(data / "ana/0.png", data / "ben/party.png")
    shutil.rmtree(data / "ana")
    project.build()
    project.commit("Only ben")
    said = project.forget("ana", "--yes")
    assert "name them, too:\n  not_me/ben" not in said  # one version has both: they are two people
    assert sorted(path.name for path in (data / "ben").iterdir()) == ["0.png", "1.png"]
    project.commit("Without ana")
    (data / "ben").rename(data / "bert")
    project.put("not_me/bert/2.png", 202)
    project.put("not_me/bert/3.png", 203)
    project.put("not_me/bert/4.png", 204)
    project.build()
    project.commit("A name for ben, and more photos")
    said = project.forget("ben", "--dry-run")
    assert "name them, too:\n  not_me/bert" in said


@pytest.mark.slow
def test_photos_that_a_stage_puts_there(project: Project) -> None:
    """The originals go, too, or the stage would bring them back; those of others are not taken for made of them."""
    root = project.root
    remains = know(Remains(["not_me/ana"]), project)
    shutil.move(root / "data/not_me", root / "raw")
    (root / "data/not_me.dvc").unlink()
    copying = "import shutil; shutil.copytree('raw', 'data/not_me', dirs_exist_ok=True)"
    stage = f'  copy:\n    cmd: python -c "{copying}"\n    deps: [raw]\n    outs: [data/not_me]\n'
    text = (root / "dvc.yaml").read_text(encoding="utf-8")
    (root / "dvc.yaml").write_text(text.replace("stages:\n", f"stages:\n{stage}", 1), encoding="utf-8")
    project.dvc("add", "--quiet", "raw")
    project.dvc("repro", "--quiet")
    project.commit("Copied by a stage")
    before = project.objects()
    project.forget("ana", "--yes")
    assert left(remains, root) == {}
    assert sorted(path.name for path in (root / "raw").iterdir()) == ["ben", "eva"]
    others = [path for name in ("ben", "eva") for path in (root / "raw" / name).iterdir()]
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in others}
    assert len(digests) == 4 and digests <= set(before.values()) and digests <= set(project.objects().values())
    assert load(root / "reports/metrics.json") == {"accuracy": 7.0}


@pytest.mark.slow
def test_imported_photos(project: Project, tmp_path: Path) -> None:
    root, source = project.root, tmp_path / "source"
    remains = know(Remains(["not_me/ana"]), project)
    shutil.move(root / "data/not_me", source)
    (root / "data/not_me.dvc").unlink()
    project.dvc("import-url", "--quiet", str(source), "data/not_me")
    project.dvc("repro", "--quiet")
    project.commit("Imported")
    before = project.objects()
    said = project.forget("ana", "--yes")
    assert f"Photos were imported from {source}, which has theirs still" in said
    assert left(remains, root) == {}
    project.dvc("repro", "--quiet")
    assert not (root / "data/not_me/ana").exists() and (source / "ana/0.png").exists()
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (source / "ben").iterdir()}
    assert len(digests) == 2 and digests <= set(before.values()) and digests <= set(project.objects().values())
    assert load(root / "reports/metrics.json") == {"accuracy": 7.0}


@pytest.mark.slow
@posix_only
def test_links_worktrees_and_other_projects_inside(project: Project, tmp_path: Path) -> None:
    root = project.root
    remains = know(Remains(["not_me/ana"]), project)
    outside = tmp_path / "outside"
    outside.mkdir()
    for number, target in enumerate((root / "raw/0.png", outside / "1.png")):
        target.parent.mkdir(exist_ok=True)
        photo = root / f"data/not_me/ana/{number}.png"
        shutil.move(photo, target)
        photo.symlink_to(target)
    (root / "data/not_me/ana/more").symlink_to(outside)
    ignore(project, "/raw", "/wt", "/other")
    project.build()
    project.commit("Links")
    project.git("worktree", "add", "--quiet", "wt", "-b", "second")
    worktree = Project(root / "wt", {"DVC_SITE_CACHE_DIR": project.environment()["DVC_SITE_CACHE_DIR"]})
    worktree.dvc("cache", "dir", "--local", str(root / ".dvc/cache"))
    worktree.dvc("checkout", "--quiet")
    worktree.put("not_me/ana/5.png", 105)
    worktree.build()
    know(remains, worktree)
    other = root / "other/.dvc/cache/files/md5/00"
    other.mkdir(parents=True)
    (other / "1").write_bytes(b"of another project")
    said = project.forget("ana", "--yes")
    assert left(remains, root) == {}
    assert not (root / "data/not_me/ana").exists() and (outside / "1.png").exists()
    assert f"A link led to {outside}, outside the project" in said
    assert (other / "1").exists()


@pytest.mark.slow
def test_pictures_in_git_are_told(project: Project) -> None:
    (project.root / "docs").mkdir()
    shutil.copy(project.root / "data/not_me/ana/0.png", project.root / "docs/a.png")
    shutil.copy(project.root / "data/not_me/ben/0.png", project.root / "docs/b.png")
    project.commit("Pictures in git")
    said = project.forget("ana", "--yes", status=1)
    assert "git's own history holds files that show them: docs/a.png. Take these out of it" in said
    assert not (project.root / "docs/a.png").exists() and (project.root / "docs/b.png").exists()
    assert load(project.certificates()[0])["not_done"]["files_in_git_history_that_show_them"] == 1  # type: ignore[index]


def test_a_conflict_of_git_stops_it(project: Project) -> None:
    tracked = project.root / "data/not_me.dvc"
    text = tracked.read_text(encoding="utf-8")
    tracked.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n", encoding="utf-8")
    before = project.objects()
    assert "has a conflict that git has left: nothing was deleted" in project.forget("ana", "--yes", status=1)
    assert project.objects() == before


def test_a_pipeline_that_cannot_be_read_stops_it(project: Project) -> None:
    """Nobody would know what the stages made of the photos, and `dvc add` would fail when all is deleted."""
    with (project.root / "dvc.yaml").open("a", encoding="utf-8") as file:
        file.write("  half: [\n")
    before = project.objects()
    assert "dvc.yaml cannot be read, so nothing was deleted" in project.forget("ana", "--yes", status=1)
    assert project.objects() == before


@posix_only
def test_git_that_does_not_answer_stops_it(project: Project, tmp_path: Path) -> None:
    """Without git, forget would not know of any older version."""
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'fatal: detected dubious ownership' >&2\nexit 128\n", encoding="utf-8")
    fake.chmod(0o755)
    before = project.objects()
    project.variables["PATH"] = f"{fake.parent}{os.pathsep}{project.environment()['PATH']}"
    said = project.forget("ana", "--yes", status=1)
    assert "nobody can tell which versions are kept" in said and "dubious ownership" in said
    assert project.objects() == before


@pytest.mark.slow
def test_the_right_one_of_two_photos_of_one_name(project: Project) -> None:
    """ben/party.png was a photo of ana once, and is another one now."""
    canvas = picture(205, 200)
    pixels = np.asarray(picture(100), np.int16) + np.random.default_rng(1).integers(-60, 60, (64, 64, 3))
    canvas.paste(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), (0, 0))
    path = put(project, "data/not_me/ben/party.png", canvas)
    old = path.read_bytes()
    project.build()
    project.commit("A party with ana")
    put(project, "data/not_me/ben/party.png", picture(999))
    project.build()
    project.commit("Another party")
    remains = know(Remains(["not_me/ana"]), project)
    remains.add_file(old)
    assert "seem to show them, too" in project.forget("ana", "--dry-run")
    from privacy.forget.planning import make_plan
    from privacy.forget.project import Project as Kept

    plan = make_plan(Kept.open(project.root), ["ana"], [], lambda _: True, "now")
    assert [paths for paths in plan.photos.values() if "not_me/ben/party.png" in paths] == [["not_me/ben/party.png"]]
    assert plan.trees[0].photos == ["not_me/ana/0.png", "not_me/ana/1.png"]
