"""`forget` is killed at any moment and run again: the end is the same."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.privacy.locked_support import TABLE, LockedRemains, add_remote, privacy
from tests.privacy.support import Project, Remains, kept_objects, load
from tests.privacy.test_forget import made_with, of_person
from tests.stages.support import posix_only

pytestmark = [pytest.mark.security, posix_only]

SHARES = 5  # of all moments: workers of pytest take one each. Odd, so that each share has both ways of running again

# Runs forget, which kills itself as SIGKILL would just before it deletes or moves the n-th file, or starts a program.
KILLED = """
import os, pathlib, signal, subprocess, sys, privacy.__main__ as command
number = int(sys.argv.pop(1))
def deadly(act):
    def acting(*arguments, **options):
        global number
        number -= 1
        if number < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return act(*arguments, **options)
    return acting
for name in ("unlink", "replace", "rmdir"):
    setattr(pathlib.Path, name, deadly(getattr(pathlib.Path, name)))
subprocess.run = deadly(subprocess.run)
command.ROOT = pathlib.Path.cwd()
command.main()
"""


def killed(project: Project, number: int) -> bool:
    """Whether it was killed; else it has ended before."""
    done = project.call(sys.executable, "-c", KILLED, str(number), "forget", "ana", "--yes")
    assert done.returncode in (0, -9), done.stdout + done.stderr
    return done.returncode == -9


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [14, 37])  # of those that are tried at every moment on demand
def test_killed_and_run_again(project: Project, tmp_path: Path, number: int) -> None:
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    _check(project, remote, number)


@pytest.mark.slow
@pytest.mark.parametrize("again", [("--resume",), ("ana", "--yes")])
def test_killed_when_all_was_done(project: Project, again: tuple[str, ...]) -> None:
    """Its notes are overwritten already, and are there still."""
    project.forget("ana", "--yes")
    notes = project.root / "private/privacy/forget.json"
    notes.write_bytes(b" " * 1000)
    assert "when all was done" in project.forget(*again)
    assert not notes.exists() and len(project.certificates()) == 1
    notes.write_bytes(b" " * 1000)
    assert "nobody" in project.forget("nobody", "--yes", status=1)
    assert not notes.exists()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(SHARES))
def test_killed_at_every_moment(project: Project, tmp_path: Path, first: int) -> None:
    remote = tmp_path / "all" / "remote"
    project.dvc("remote", "add", "-d", "store", str(remote))
    project.dvc("push", "--quiet", "--run-cache")
    shutil.move(project.root, tmp_path / "all" / "project")
    for number in itertools.count(first, SHARES):
        shutil.copytree(tmp_path / "all", tmp_path / "one", symlinks=True)
        copy = Project(tmp_path / "one" / "project")
        copy.dvc("remote", "modify", "store", "url", str(tmp_path / "one/remote"))
        if not _check(copy, tmp_path / "one/remote", number):
            break
        shutil.rmtree(tmp_path / "one")
    assert number > 50


# Runs forget, which is killed while `dvc repro` runs, as DVC's own files are left where that is killed as it writes.
KILLED_WHILE_DVC_WRITES = """
import os, pathlib, signal, privacy.__main__ as command
from privacy.forget import retrain
def killed(root):
    (root / "dvc.lock").write_text("")
    (root / "data/not_me.dvc").write_text("outs:\\n- md5: 5")
    (root / ".dvc/tmp/rwlock").write_text('{"write": {"/a')
    os.kill(os.getpid(), signal.SIGKILL)
retrain.reproduce = killed
command.ROOT = pathlib.Path.cwd()
command.main()
"""


@pytest.mark.slow
def test_killed_while_dvc_writes_its_files(project: Project) -> None:
    remains, others = Remains(project, "not_me/ana"), sorted((project.root / "data/not_me").glob("[be]*/*"))
    done = project.call(sys.executable, "-c", KILLED_WHILE_DVC_WRITES, "forget", "ana", "--yes")
    assert done.returncode == -9, done.stdout + done.stderr
    project.forget("--resume")
    assert remains.found(project.root) == []
    assert load(project.root / "reports/metrics.json") == {"accuracy": 7.0}
    assert sorted((project.root / "data/not_me").glob("*/*")) == others
    assert project.dvc("status").strip() == "Data and pipelines are up to date."


def test_what_was_half_written_goes_whoever_is_asked_for(project: Project) -> None:
    state = project.root / "private/privacy"
    state.mkdir(parents=True)
    half, another = state / ".forget.json.0a1b2c3d.tmp", state / ".first_days.json.0a1b2c3d.tmp"
    half.write_text('{"asked": ["ana"')
    another.write_text("of another command, which may be at work")
    assert "nothing to finish" in project.forget("--resume")
    assert not half.exists() and another.exists()


# Runs forget, which is killed as it is about to note that all but the last search is done.
KILLED_WHILE_IT_NOTES = """
import os, pathlib, signal, privacy.__main__ as command
replace = pathlib.Path.replace
def deadly(self, target):
    if pathlib.Path(target).name == "forget.json" and b"made anew" in self.read_bytes():
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
pathlib.Path.replace = deadly
command.ROOT = pathlib.Path.cwd()
command.main()
"""


@pytest.mark.slow
def test_killed_while_it_notes_what_is_done(project: Project) -> None:
    """What was half written shows the person."""
    done = project.call(sys.executable, "-c", KILLED_WHILE_IT_NOTES, "forget", "ana", "--yes")
    assert done.returncode == -9, done.stdout + done.stderr
    state = project.root / "private/privacy"
    assert len(list(state.glob(".forget.json.*.tmp"))) == 1
    project.forget("--resume")
    assert len(project.certificates()) == 1
    assert not list(state.glob("*forget.json*")) and not list(state.glob(".forget.json*"))


@pytest.mark.slow
def test_lock_tells_what_dvc_had_half_written(project: Project) -> None:
    key, lock = f"{project.root.parent}/photos.key", project.root / ".dvc/tmp/rwlock"
    shutil.copy(ROOT / "params.yaml", project.root)
    privacy(project, "new-key", key)
    plain = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (project.root / "data").glob("*me/**/*.png")}
    assert len(plain & set(project.objects().values())) == 9
    lock.write_text('{"write": {"/a')
    assert "rwlock, in which DVC notes what is at work, is damaged" in _failing(project, "lock", "--key-file", key)
    assert (project.root / "data/me/0.png").exists()
    lock.unlink()
    (project.root / "data/me.dvc").write_text("outs:\n- md5: 5")
    assert "'git checkout -- data/me.dvc'" in _failing(project, "lock", "--key-file", key)
    project.git("checkout", "--", "data/me.dvc")
    privacy(project, "lock", "--key-file", key)
    assert plain.isdisjoint(project.objects().values())


def _failing(project: Project, *arguments: str) -> str:
    done = project.privacy(*arguments)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stdout + done.stderr
    return done.stderr


def test_what_dvc_cannot_read_is_refused_before_anything_is_deleted(project: Project) -> None:
    before = project.objects()
    (project.root / "data/me.dvc").write_text("")
    said = project.forget("ana", "--yes", status=1)
    assert "data/me.dvc" in said and "git checkout -- data/me.dvc" in said
    assert project.objects() == before and (project.root / "data/not_me/ana/0.png").exists()


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("number", "table"),
    [pytest.param(18, True, marks=pytest.mark.slow), pytest.param(45, False, marks=pytest.mark.long)],
)
def test_locked_photos_killed_and_run_again(
    locked: Project, pristine_small: Path, monkeypatch: pytest.MonkeyPatch, number: int, table: bool
) -> None:
    """What is run in between with another key, or without one, changes nothing that the right one cannot finish."""
    _check_locked(locked, add_remote(locked), Project(pristine_small), monkeypatch, number, table)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(SHARES))
def test_locked_photos_killed_at_every_moment(
    locked: Project, pristine_small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    remote = add_remote(locked)
    for number in itertools.count(first, SHARES):
        folder = tmp_path / f"copy{number}"
        shutil.copytree(locked.root, folder / "project", symlinks=True)
        shutil.copytree(remote, folder / "remote")
        copy = Project(folder / "project")
        copy.dvc("remote", "modify", "store", "url", str(folder / "remote"))
        if not _check_locked(
            copy, folder / "remote", Project(pristine_small), monkeypatch, number, bool(number // SHARES % 2)
        ):
            break
        shutil.rmtree(folder)
    assert number > 50


def _check_locked(
    project: Project, remote: Path, plain: Project, monkeypatch: pytest.MonkeyPatch, number: int, table: bool
) -> bool:
    if not table:
        (project.root / TABLE).unlink()
    remains, key = LockedRemains(project, "not_me/ana", plain), os.environ["PRIVACY_KEY_FILE"]
    privacy(project, "new-key", f"{project.root.parent}/another.key")
    stopped = killed(project, number)
    if (project.root / "private/privacy/forget.json").exists():
        before = project.objects(), project.objects(remote)
        monkeypatch.setenv("PRIVACY_KEY_FILE", f"{project.root.parent}/another.key")
        assert "nothing was done" in project.forget("--resume", status=1)
        assert (project.objects(), project.objects(remote)) == before
        monkeypatch.setenv("PRIVACY_KEY_FILE", key)
        project.forget(*(["--resume"] if number % 2 else ["ana", "--yes"]))
    elif not project.certificates():
        project.forget("ana", "--yes")
    assert remains.found(project.root, remote) == []
    assert not (project.root / "private/privacy/forget.json").exists()
    certificate = project.certificates()[-1]
    assert project.privacy("certificate", "verify", str(certificate)).returncode == 0
    assert load(project.root / "reports/metrics.json") == {"accuracy": 7.0}
    if table:
        project.privacy("reveal", TABLE, "seen.csv")
        assert (project.root / "seen.csv").read_text() == "photo,age\nnot_me/ben,40\n"
        (project.root / "seen.csv").unlink()
    return stopped


def _check(project: Project, remote: Path, number: int) -> bool:
    remains, before = Remains(project, "not_me/ana"), project.objects()
    own = [f"not_me/ana/{number}.png" for number in range(2)]
    may_go = made_with(project) | of_person(
        project, *(f"data/{name}" for name in own), *(f"data/cropped/{name}-0.png" for name in own)
    )
    stopped = killed(project, number)
    if (project.root / "private/privacy/forget.json").exists():
        project.forget(*(["--resume"] if number % 2 else ["ana", "--yes"]))
    elif not project.certificates():
        project.forget("ana", "--yes")
    assert remains.found(project.root, remote) == []
    kept_objects(before, project.objects(), may_go)
    kept_objects(before, project.objects(remote), may_go)
    assert not (project.root / "private/privacy/forget.json").exists()
    certificate = project.certificates()[-1]
    assert project.privacy("certificate", "verify", str(certificate)).returncode == 0
    assert project.dvc("status").strip() == "Data and pipelines are up to date."
    return stopped
