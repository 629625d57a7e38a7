"""Somebody is forgotten in every version of a project, and nobody else is touched."""

from __future__ import annotations

import argparse
import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asking.explain import FOLDER
from privacy.errors import PrivacyError
from privacy.forget import command
from privacy.forget.forget import _deciding
from privacy.forget.similar import Similar
from privacy.forget.workspace import EXPLAINED
from tests.conftest import ROOT
from tests.privacy.support import RUN, Project, Remains, kept_objects, load, picture
from tests.stages.support import posix_only

pytestmark = pytest.mark.security


def everything(root: Path) -> dict[str, tuple[str, float]]:
    """Hash and time of every file below a folder."""
    return {
        path.relative_to(root).as_posix(): (hashlib.md5(path.read_bytes()).hexdigest(), path.lstat().st_mtime)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def of_person(project: Project, *names: str) -> set[str]:
    """Paths in the cache of files of the working tree."""
    digests = [hashlib.md5((project.root / name).read_bytes()).hexdigest() for name in names]
    return {f"files/md5/{digest[:2]}/{digest[2:]}" for digest in digests}


def made_with(project: Project) -> set[str]:
    """Paths in the cache of what holds everybody: lists of files, tables, arrays, the model."""
    names = ["reports/crop_report.csv", "data/embeddings.npy", "data/index.csv", "models/model.joblib"]
    names += ["models/card/card.json", "data/embedding_recipe.json", "reports/metrics.json"]
    found = of_person(project, *names)
    return found | {name for name in project.objects() if name.endswith(".dir")}


def test_nothing_of_a_person_is_left_and_others_stay(project: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    project.commit("Pushed")
    remains, before = Remains(project, "not_me/ana"), project.objects()
    assert remains.found(project.root, remote)
    may_go = made_with(project) | of_person(
        project,
        *(f"data/{kind}not_me/ana/{n}.png{end}" for n in "01" for kind, end in (("", ""), ("cropped/", "-0.png"))),
    )
    card = of_person(project, "models/card/card.json")
    assert card <= before.keys()
    said = project.forget("ana", "--yes")
    assert remains.found(project.root, remote, tmp_path / "site-cache") == []
    assert not card & {*project.objects(), *project.objects(remote)}, "the model's card says how many photos there were"
    assert json.loads((project.root / "models/card/card.json").read_text(encoding="utf-8"))["photos"] == 7
    kept_objects(before, project.objects(), may_go)
    kept_objects(before, project.objects(remote), may_go)
    assert "2 versions have lost" in said
    assert sorted(path.name for path in (project.root / "data/not_me").iterdir()) == ["ben", "eva"]
    assert load(project.root / "reports/metrics.json") == {"accuracy": 7.0}
    assert project.dvc("status").strip() == "Data and pipelines are up to date."


def test_a_dry_run_lists_everything_and_changes_nothing(project: Project, tmp_path: Path) -> None:
    before = everything(tmp_path)
    said = project.forget("ana", "--dry-run")
    assert everything(tmp_path) == before
    for text in ("not_me/ana/0.png", "not_me/ana/1.png", "crop 2", "photo 2", "First"):
        assert text in said
    assert "ben" not in said


def test_pictures_of_answers_go_with_anybody(project: Project) -> None:
    """Nobody can tell who is on the photo that one was drawn of."""
    folder = project.root / EXPLAINED
    folder.mkdir(parents=True)
    (folder / "photo-0123abcd.png").write_bytes(b"of anybody")
    assert FOLDER.as_posix() == EXPLAINED
    said = project.forget("ana", "--yes")
    assert f"every picture in {EXPLAINED}, whoever is on it" in said
    assert not folder.exists()


def test_without_yes_and_without_a_terminal_nothing_is_done(project: Project) -> None:
    before = project.objects()
    assert "nobody can be asked here" in project.forget("ana", status=1)
    assert project.objects() == before
    assert (project.root / "data/not_me/ana/0.png").exists()


@pytest.mark.slow
def test_versions_of_all_kinds_lose_the_person(project: Project) -> None:
    remains = Remains(project, "not_me/ana")
    project.git("tag", "with-ana")
    project.git("checkout", "--quiet", "-b", "other")
    project.put("not_me/ana/9.png", 109)
    project.build()
    project.commit("More of ana on a branch")
    more = Remains(project, "not_me/ana")
    project.git("checkout", "--quiet", "main")
    project.dvc("checkout", "--quiet")
    project.put("not_me/ana/8.png", 108)
    project.build()
    stashed = Remains(project, "not_me/ana")
    project.git("stash", "--quiet")
    project.dvc("checkout", "--quiet")
    shutil.rmtree(project.root / "data/not_me/ana")
    project.build()
    project.commit("Ana was deleted by hand")
    before = project.objects()
    said = project.forget("ana", "--yes")
    for each in (remains, more, stashed):
        assert each.found(project.root) == []
    for text in ("tag: with-ana", "More of ana on a branch", "(other", "WIP on main"):
        assert text in said
    assert "Ana was deleted" not in said.partition("lose for good")[2].partition("Then")[0]
    after = project.objects()
    for name in ("reports/crop_report.csv", "data/embeddings.npy", "models/model.joblib"):
        assert of_person(project, name) <= set(after)  # made without ana: not made anew either
    assert "dvc repro" not in said
    assert {name for name in before if name.endswith(".dir")} - set(after)


@pytest.mark.slow
def test_a_version_from_before_the_person_keeps_all_its_bytes(project: Project, tmp_path: Path) -> None:
    """Also those that a run with the person has made again: in the cache, the next run would; in the remote, none."""
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet")
    before = project.objects()
    project.put("not_me/zoe/1.png", 900)
    project.build()
    project.commit("Zoe")
    project.dvc("push", "--quiet")
    project.forget("zoe", "--yes")
    kept_objects(before, project.objects(), [])
    kept_objects(before, project.objects(remote), [])
    project.git("checkout", "--quiet", "HEAD~1", "--force")
    project.dvc("checkout", "--quiet", "--force")
    assert load(project.root / "reports/metrics.json") == {"accuracy": 9.0}


@pytest.mark.long
@pytest.mark.parametrize("person", ["not_me/ana", "me"])
def test_what_git_has_lost_is_found_in_the_cache(project: Project, person: str) -> None:
    """Two runs without a commit between them: of the first, no version knows."""
    project.put(f"{person}/7.png", 107)
    project.build()
    remains = Remains(project, person)
    (project.root / f"data/{person}/7.png").unlink()
    project.build()
    shutil.rmtree(project.root / ".dvc/cache/runs")
    project.commit("Second")
    project.forget(f"data/{person}", "--yes")
    assert remains.found(project.root) == []


@pytest.mark.slow
def test_others_get_no_younger(project: Project) -> None:
    """The lists that say since when their photos are here go with the person."""
    shutil.copy(ROOT / "params.yaml", project.root)
    project.variables["GIT_COMMITTER_DATE"] = "2024-03-01T12:00:00"
    project.git("commit", "--quiet", "--amend", "--no-edit")
    project.git("reflog", "expire", "--expire=now", "--all")
    del project.variables["GIT_COMMITTER_DATE"]

    def since() -> dict[str, str]:
        people = json.loads(project.privacy("status", "--json").stdout)["people"]
        return {one["who"]: one["since"] for one in people}

    assert set(since().values()) == {"2024-03-01"}
    project.forget("ana", "--yes")
    project.commit("Without ana")
    assert since() == dict.fromkeys(["me", "not_me/ben", "not_me/eva"], "2024-03-01")
    text = (project.root / "private/privacy/first_days.json").read_text(encoding="ascii")
    assert text.count("2024-03-01") == 3 + 2 + 2, "those of ana are not remembered"


@pytest.mark.slow
def test_copies_go_whatever_they_are_called(project: Project) -> None:
    ana, eva = (project.root / "data/not_me" / name for name in ("ana", "eva"))
    shutil.copy(ana / "0.png", eva / "same.png")
    picture(100).resize((40, 40)).save(eva / "small.png")
    picture(101, 200).save(eva / "large.jpg", quality=40)
    project.build()
    project.commit("Copies")
    remains = Remains(project, "not_me/ana")
    said = project.forget("ana", "--yes")
    assert remains.found(project.root) == []
    assert sorted(path.name for path in eva.iterdir()) == ["0.png", "1.png"]
    assert "not_me/eva/small.png" in said.partition("copies of the others")[2]


@pytest.mark.slow
def test_one_photo(project: Project) -> None:
    (project.root / "data/not_me/ben/0.png").rename(project.root / "data/not_me/ben/first.png")
    project.build()
    project.commit("Renamed")
    project.forget("data/not_me/ben/first.png", "--yes")
    assert [path.name for path in (project.root / "data/not_me/ben").iterdir()] == ["1.png"]
    digest = hashlib.md5(_png(200)).hexdigest()
    assert f"files/md5/{digest[:2]}/{digest[2:]}" not in project.objects()
    assert load(project.root / "reports/metrics.json") == {"accuracy": 8.0}


def _png(seed: int) -> bytes:
    import io

    file = io.BytesIO()
    picture(seed).save(file, "png")
    return file.getvalue()


@pytest.mark.long
def test_a_second_person_is_found_where_only_lost_lists_named_them(project: Project) -> None:
    project.put("not_me/ben/old.png", 250)
    project.build()
    project.commit("An old photo of ben")
    remains = Remains(project, "not_me/ben")
    (project.root / "data/not_me/ben/old.png").unlink()
    project.build()
    project.commit("Without it")
    project.forget("ana", "--yes")
    assert remains.found(project.root / ".dvc/cache")
    project.commit("Without ana")
    project.forget("ben", "--yes")
    assert remains.found(project.root) == []


@pytest.mark.long
def test_lines_of_tables(project: Project) -> None:
    table = project.root / "data/not_me/attributes.csv"
    table.write_bytes("\ufeffphoto;light\r\nnot_me/ana;day\r\nnot_me/ben/0.png;night\r\n".encode())
    consent = project.root / "data/consent.csv"
    consent.write_text('person,given\nana,2026-01-01\n"anabel",2026-01-02\n', encoding="utf-8")
    project.build()
    project.commit("Tables")
    remains, old = Remains(project, "not_me/ana"), of_person(project, "data/not_me/attributes.csv")
    project.forget("ana", "--yes")
    assert not old & set(project.objects())
    assert table.read_bytes() == "\ufeffphoto;light\r\nnot_me/ben/0.png;night\r\n".encode()
    assert consent.read_text(encoding="utf-8") == 'person,given\n"anabel",2026-01-02\n'
    assert remains.found(project.root) == []


def test_me_as_a_whole(project: Project) -> None:
    remains, before = Remains(project, "me"), project.objects()
    said = project.forget("me", "--yes")
    assert "There is no model now: no photo of me is left" in said
    assert remains.found(project.root) == []
    assert not (project.root / "models/model.joblib").exists()
    assert not (project.root / "models/card").exists()
    assert (project.root / "models/forgotten").exists()
    ana = of_person(project, "data/not_me/ana/0.png")
    assert ana <= set(before) and ana <= set(project.objects())
    project.put("me/new.png", 77)
    project.build()
    assert (project.root / "models/model.joblib").exists()


@pytest.mark.long
def test_the_last_photo_of_the_others(project: Project) -> None:
    project.forget("ana", "--yes")
    project.forget("eva", "--yes")
    said = project.forget("ben", "--yes")
    assert "No photo of not_me is left" in said
    assert load(project.root / "reports/metrics.json") == {"accuracy": 3.0}


@pytest.mark.long
def test_a_photo_in_both_classes(project: Project) -> None:
    shutil.copy(project.root / "data/not_me/ana/0.png", project.root / "data/me/ana.png")
    project.build()
    said = project.forget("ana", "--yes")
    assert "The same photo lies in both classes, and goes from both:\n  me/ana.png, not_me/ana/0.png" in said
    assert not (project.root / "data/me/ana.png").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("maria", "maria is in no version of data/me and data/not_me that is kept"),
        ("not_me/ana/5.png", "is in no version"),
        ("Ana", "there is no Ana, but not_me/ana: is that meant"),
    ],
)
def test_somebody_who_is_not_there(project: Project, name: str, expected: str) -> None:
    before = project.objects()
    assert expected in project.forget(name, "--yes", status=1)
    assert project.objects() == before


@pytest.mark.long
@posix_only
def test_a_name_that_may_be_two(project: Project) -> None:
    project.put("not_me/Ana/1.png", 500)
    assert "may be any of" in project.forget("ana", "--yes", status=1)
    project.forget("data/not_me/Ana", "--yes")
    assert (project.root / "data/not_me/ana/0.png").exists()
    assert not (project.root / "data/not_me/Ana").exists()


@pytest.mark.slow
def test_a_remote_that_is_away_is_owed(project: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    remains, before = Remains(project, "not_me/ana"), project.objects(remote)
    remote.rename(tmp_path / "away")
    said = project.forget("ana", "--yes", status=1)
    assert f"Owed: store ({remote}) may still have what was forgotten: " in said
    assert "is still owed" in project.forget("--owed", status=1)
    (tmp_path / "away").rename(remote)
    assert remains.found(remote)
    assert "objects deleted" in project.forget("--owed")
    assert remains.found(remote, project.root) == []
    assert len(project.objects(remote)) > len(before) / 2
    assert project.forget("--owed") == "No remote is owed anything.\n"


@pytest.mark.slow
def test_somebody_who_is_back(project: Project, tmp_path: Path) -> None:
    """The same photos again: DVC asks its run cache, in which nothing is left of them, not even an empty folder."""
    photos = project.root / "data/not_me/ana"
    shutil.copytree(photos, tmp_path / "ana")
    project.forget("ana", "--yes")
    shutil.copytree(tmp_path / "ana", photos)
    project.build()
    assert load(project.root / "reports/metrics.json") == {"accuracy": 9.0}


@pytest.mark.slow
def test_what_only_a_remote_has(project: Project, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    project.commit("Pushed")
    remains = Remains(project, "not_me/ana")
    shutil.rmtree(project.root / "data/not_me/ana")
    project.build()
    project.commit("Without ana")
    shutil.rmtree(project.root / ".dvc/cache")
    assert remains.found(remote)
    project.forget("ana", "--yes")
    assert remains.found(remote) == []


@pytest.mark.long
def test_without_git(tmp_path: Path) -> None:
    project = Project.new(tmp_path / "project", git=False)
    remains = Remains(project, "not_me/ana")
    said = project.forget("ana", "--yes")
    assert "git add" not in said
    assert remains.found(project.root) == []


def test_without_dvc(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert "has no folder .dvc" in project.forget("ana", "--yes", status=1)


@pytest.mark.long
def test_worktrees(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", str(tmp_path / "second"), "-b", "second")
    second = Project(tmp_path / "second")
    second.dvc("config", "--local", "cache.dir", str(project.root / ".dvc/cache"))
    second.dvc("checkout", "--quiet")
    (second.root / ".dvc/config.local").unlink()
    second.put("not_me/ana/5.png", 105)
    second.build()
    remains, more = Remains(project, "not_me/ana"), Remains(second, "not_me/ana")
    said = project.forget("ana", "--yes")
    assert f"In the worktree {second.root}, 'dvc repro' makes everything anew" in said
    for each in (remains, more):
        assert each.found(project.root, second.root) == []
    second.dvc("repro")
    assert load(second.root / "reports/metrics.json") == {"accuracy": 7.0}


@pytest.mark.long
@posix_only
@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_a_linked_cache(project: Project, kind: str) -> None:
    project.dvc("config", "cache.type", kind)
    project.dvc("checkout", "--quiet", "--relink")
    remains = Remains(project, "not_me/ana")
    project.forget("ana", "--yes")
    assert remains.found(project.root) == []
    links = [path for path in project.root.rglob("*") if path.is_symlink()]
    assert bool(links) == (kind == "symlink")
    assert [path for path in links if not path.exists()] == []
    assert (project.root / "data/not_me/ben/0.png").read_bytes() == _png(200)


@pytest.mark.long
def test_a_cache_outside_is_refused(project: Project, tmp_path: Path) -> None:
    shutil.move(project.root / ".dvc/cache", tmp_path / "cache")
    project.dvc("config", "--local", "cache.dir", str(tmp_path / "cache"))
    remains, before = Remains(project, "not_me/ana"), everything(tmp_path / "cache")
    assert "outside the project: it may hold what other projects need" in project.forget("ana", "--yes", status=1)
    assert everything(tmp_path / "cache") == before
    project.forget("ana", "--yes", "--cache-outside")
    assert remains.found(project.root, tmp_path / "cache") == []


@pytest.mark.slow
def test_changes_that_are_not_committed_stay(project: Project) -> None:
    (project.root / "staged.txt").write_text("one\n")
    project.git("add", "staged.txt")
    with (project.root / "making.py").open("a") as file:
        file.write("# a change\n")
    before = (project.root / "making.py").read_bytes()
    commit = project.git("rev-parse", "HEAD")
    assert "git has changes that are not committed: they stay as they are." in project.forget("ana", "--yes")
    assert (project.root / "making.py").read_bytes() == before and project.git("rev-parse", "HEAD") == commit
    changes = project.git("status", "--porcelain").splitlines()
    assert {"A  staged.txt", " M making.py", " M dvc.lock"} <= set(changes)


@pytest.mark.slow
def test_two_at_once(project: Project) -> None:
    from filelock import FileLock

    (project.root / "private/privacy").mkdir(parents=True)
    with FileLock(str(project.root / "private/privacy/forget.lock")):
        assert "another 'python -m privacy forget' runs" in project.forget("ana", "--yes", status=1)
    project.forget("ana", "--yes")


@posix_only
def test_what_cannot_be_written_is_said_before_anything_is_deleted(project: Project) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = project.root / "data/not_me/ana"
    folder.chmod(0o500)
    before = project.objects()
    try:
        assert "cannot be written" in project.forget("ana", "--yes", status=1)
    finally:
        folder.chmod(0o700)
    assert project.objects() == before


@pytest.mark.slow
def test_a_changed_certificate_and_a_photo_that_is_back(project: Project) -> None:
    photo = (project.root / "data/not_me/ana/0.png").read_bytes()
    project.forget("ana", "--yes")
    certificate = project.certificates()[0]
    text = certificate.read_text(encoding="utf-8")
    assert "ana" not in text.replace("another", "").replace("analysis", "")
    assert project.privacy("certificate", "verify", str(certificate)).returncode == 0
    content = json.loads(text)
    content["who"]["photos"] = 1
    certificate.write_text(json.dumps(content), encoding="utf-8")
    done = project.privacy("certificate", "verify", str(certificate))
    assert done.returncode == 1 and "was changed" in done.stdout
    certificate.write_text(text, encoding="utf-8")
    (project.root / "data/not_me/other").mkdir()
    (project.root / "data/not_me/other/1.png").write_bytes(photo)
    done = project.privacy("certificate", "verify", str(certificate))
    assert done.returncode == 1 and "are there again" in done.stdout
    project.dvc("add", "--quiet", "data/not_me")
    done = project.privacy("certificate", "verify", str(certificate))
    assert "cache: 1 of the deleted objects are there again" in done.stdout
    done = project.privacy("certificate", "verify", "nothing.json")
    assert done.stderr == "Error: nothing.json cannot be read: No such file or directory\n"
    done = project.privacy("certificate", "verify", "dvc.lock")
    assert "dvc.lock is no certificate: those are the files in private/privacy/certificates" in done.stderr


@pytest.mark.slow
def test_experiments(project: Project) -> None:
    """A kept one, a queued one, and one whose process was killed: it leaves a copy of every photo."""
    project.put("not_me/ana/6.png", 106)
    project.dvc("add", "--quiet", "data/not_me")
    project.dvc("exp", "run", "--name", "kept")
    slow = (
        (project.root / "making.py")
        .read_text(encoding="utf-8")
        .replace("def embed():", "def embed():\n    import time; open('begun', 'w').close(); time.sleep(60)")
    )
    (project.root / "making.py").write_text(slow, encoding="utf-8")
    project.dvc("exp", "run", "--queue", "--name", "waiting")
    remains = Remains(project, "not_me/ana")
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "exp", "run", "--temp", "--force"], cwd=project.root, env=project.environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        folder = project.root / ".dvc/tmp/exps"
        import time

        for _ in range(300):
            if list(folder.rglob("begun")):
                break
            time.sleep(0.1)
        assert list(folder.rglob("begun"))
        assert "an experiment or a stage runs" in project.forget("ana", "--yes", status=1)
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    assert remains.found(project.root / ".dvc/tmp/exps")
    project.git("checkout", "--quiet", "making.py")
    said = project.forget("ana", "--yes")
    assert remains.found(project.root, project.root.parent / "site-cache") == []
    assert "kept" in said.partition("lose for good")[2]
    assert "waiting" not in project.dvc("queue", "status")


def put_party(project: Project, built: bool = True, folder: str = "ben") -> None:
    """A photo of ben on which ana is, too: another picture, with a face that is nearly as on hers."""
    canvas = picture(205, 200)
    pixels = np.asarray(picture(100), np.int16) + np.random.default_rng(1).integers(-60, 60, (64, 64, 3))
    canvas.paste(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), (0, 0))
    canvas.save(project.root / f"data/not_me/{folder}/party.png")
    if built:
        project.build()


@pytest.mark.long
def test_a_photo_of_others_that_shows_them(project: Project) -> None:
    put_party(project)
    said = project.forget("ana", "--dry-run")
    assert "seem to show them, too. They stay, unless you name them with --also:\n  not_me/ben/party.png" in said
    project.forget("ana", "--yes", "--also", "data/not_me/ben/party.png")
    assert sorted(path.name for path in (project.root / "data/not_me/ben").iterdir()) == ["0.png", "1.png"]


@pytest.mark.slow
def test_other_photos_of_the_same_person_are_not_asked_about(project: Project) -> None:
    """That ana's other photos show her goes without saying; where one of ben's does, it does not."""
    put_party(project, built=False, folder="ana")
    put_party(project)
    said = project.forget("data/not_me/ana/0.png", "--dry-run")
    assert "not_me/ben/party.png" in said and "not_me/ana/party.png" not in said
    assert "not_me/ana/1.png" not in said


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("database or disk is full")]
)
def test_a_full_disk_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen on a small disk: the journal fails with the one, DVC's databases with the other."""

    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(command, "forget", fail)
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["forget", "ana"])
    with pytest.raises(PrivacyError, match="free space"):
        arguments.run(arguments)


@pytest.mark.parametrize(("answers", "asked"), [([True, False, None], 3), ([None], 1)])
def test_no_more_questions_after_none(answers: list[bool | None], asked: int) -> None:
    left = list(answers)
    decide = _deciding(lambda _: left.pop(0))
    decided = [decide(Similar(f"not_me/ben/{number}.png", (), 0.95)) for number in range(5)]
    assert decided == [bool(answer) for answer in answers] + [False] * (5 - asked) and not left


@pytest.mark.long
@posix_only
@pytest.mark.parametrize(
    ("answers", "stays"), [("n\ny\n", True), ("y\ny\n", False), ("none\ny\n", True), ("y\nn\n", True)]
)
def test_every_question_is_asked(project: Project, answers: str, stays: bool) -> None:
    import pty

    put_party(project)
    ours, theirs = pty.openpty()
    os.write(ours, answers.encode())
    command = [sys.executable, "-c", RUN, "forget", "ana"]
    done = subprocess.run(
        command, cwd=project.root, env=project.environment(), stdin=theirs, capture_output=True, text=True, timeout=200
    )
    os.close(ours)
    os.close(theirs)
    assert "not_me/ben/party.png seems to show them, too (cosine 0.9" in done.stdout
    assert (project.root / "data/not_me/ben/party.png").exists() is stays
    assert (project.root / "data/not_me/ana/0.png").exists() is answers.endswith("n\n")
    assert done.returncode == (1 if answers.endswith("n\n") else 0), done.stderr


@pytest.mark.long
def test_somebody_of_whom_git_has_lost_everything(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "lost")
    project.put("not_me/gone/1.png", 700)
    project.build()
    project.commit("A branch that is deleted")
    remains = Remains(project, "not_me/gone")
    project.git("checkout", "--quiet", "main")
    project.git("branch", "--quiet", "-D", "lost")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "--quiet", "--prune=now")
    project.dvc("checkout", "--quiet", "--force")
    shutil.rmtree(project.root / ".dvc/cache/runs")
    before = project.objects()
    assert remains.found(project.root)
    project.forget("gone", "--yes")
    assert remains.found(project.root) == []
    assert of_person(project, "data/not_me/ana/0.png", "data/embeddings.npy") <= set(before) & set(project.objects())
