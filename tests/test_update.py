"""A newer version of the project, brought in beside photos, parameters and a lock of one's own.

Upstream has two versions, each built with photos of its own, as the real one is with the demo's; the first is the
pipeline that all tests share. A user builds it with other photos and another parameter, then gets the second: by git as
docs/upgrading.md says, by a plain pull, by an archive unpacked over the folder, or by moving to a new folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clone import ALL_STAGES, Clone, stages_run
from tests.ports import free_port
from tests.stages.support import ME_PHOTOS, ROOT, STRANGERS, digest, photos_of_me, photos_of_strangers, put

# The commands of docs/upgrading.md.
COMMIT = 'git commit --all --message "My photos"'
UPDATE = "git -c merge.binary.driver=true pull --no-rebase --no-edit"
RESOLVED = "git commit --all --no-edit"

# What the first version kept out of git. It held data/*.dvc of the demo's photos, which the second holds no more.
FIRST_GITIGNORE = """
/data/me/
/data/not_me/
/reports/INFORME_H10.md
/reports/INFORME_H10.html
/data/attributes.csv
/data/remembered/
.env
*.tmp
__pycache__/
quickstart.log
"""

LONG = pytest.mark.timeout(600)  # the first of them builds the second version and the user's project

# quickstart.py as it is, with the running environment in place of a .venv that it would have to install.
_QUICKSTART = """
import sys
from pathlib import Path
import quickstart
quickstart.VENV_PYTHON, quickstart.VENV_BIN = Path(sys.executable), Path(sys.executable).parent
quickstart.install = lambda *files, **options: None
sys.exit(quickstart.main(sys.argv[1:]))
"""

# What the second version's pipeline has and the first has not.
NEW_STAGE = """
  names:
    cmd: python -c "import pathlib; pathlib.Path('reports/names.txt').write_text(open('data/index.csv').readline())"
    deps:
      - data/index.csv
    outs:
      - reports/names.txt
"""


def quickstart(clone: Clone, *arguments: str) -> list[str]:
    """Run quickstart.py to its end, both answers of the service included; returns the stages that ran."""
    done = clone.call(sys.executable, "-c", _QUICKSTART, "--once", "--port", str(free_port()), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": right.") == 2, done.stdout
    return stages_run(done.stdout)


def run(clone: Clone, command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the documents."""
    return clone.call("sh", "-c", command) if os.name == "posix" else clone.call("cmd", "/c", command)


def succeed(clone: Clone, command: str) -> None:
    done = run(clone, command)
    assert done.returncode == 0, done.stdout + done.stderr


def photos(clone: Clone) -> dict[str, str]:
    """SHA-256 of every photo by name."""
    files = (path for name in ("me", "not_me") for path in clone.path(f"data/{name}").rglob("*") if path.is_file())
    return {path.relative_to(clone.root).as_posix(): digest(path) for path in files}


def written_by_runs(clone: Clone) -> dict[str, str]:
    """SHA-256 of what runs write and git holds, by name."""
    names = clone.git("ls-files", "dvc.lock", "data/*.dvc", "reports/*.json", "reports/*.csv").splitlines()
    return {name: digest(clone.path(name)) for name in names}


def load(clone: Clone, name: str) -> Any:
    return yaml.safe_load(clone.path(name).read_text(encoding="utf-8"))


def set_param(clone: Clone, name: str, value: float) -> None:
    """Change a number in params.yaml as a person would: on its line, the comments stay."""
    path = clone.path("params.yaml")
    text, count = re.subn(rf"(?m)^(  {name}: )\S+", rf"\g<1>{value}", path.read_text(encoding="utf-8"))
    assert count == 1
    path.write_text(text, encoding="utf-8")


def append(clone: Clone, name: str, text: str) -> None:
    with clone.path(name).open("a", encoding="utf-8") as file:
        file.write(text)


def tracked(clone: Clone) -> dict[str, str]:
    """The hashes of data/me and data/not_me in their .dvc files."""
    return {f"data/{name}": load(clone, f"data/{name}.dvc")["outs"][0]["md5"] for name in ("me", "not_me")}


def configure(clone: Clone) -> None:
    """Let somebody commit in a repository."""
    for name, value in (("user.name", "User"), ("user.email", "user@example.org"), ("commit.gpgsign", "false")):
        clone.git("config", name, value)


def check_built_from(clone: Clone, hashes: dict[str, str]) -> None:
    """Tracked, locked and cropped are the photos with these hashes, and DVC finds nothing that does not fit."""
    assert tracked(clone) == hashes
    deps = {dep["path"]: dep["md5"] for dep in load(clone, "dvc.lock")["stages"]["crop"]["deps"]}
    assert hashes.items() <= deps.items()
    assert {f"data/{name}" for name in clone.crop_report()["photo"]} == set(photos(clone))
    assert "Data and pipelines are up to date." in clone.dvc("status")


def unpack_version_2(upstream: Clone, folder: Path) -> None:
    """As somebody without git does it; files of the same name are replaced."""
    archive = folder.parent / "v2.tar"
    upstream.git("archive", "--output", str(archive), "v2")
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)  # Python 3.11.2 has none
        tar.extractall(folder)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory, pristine: Clone, lfw_dir: Path) -> Clone:
    """The project with two versions, tagged v1 and v2: code, pipeline, parameters, photos, lock and reports differ."""
    clone = pristine.copy(tmp_path_factory.mktemp("update") / "upstream")
    gitignore = clone.path(".gitignore").read_text(encoding="utf-8")
    clone.path(".gitignore").write_text(FIRST_GITIGNORE, encoding="utf-8")
    # With today's .gitignore DVC has not listed in data/.gitignore what its stages write there; with that one it had.
    written = sorted(path.name for path in clone.path("data").iterdir() if path.suffix not in (".dvc", ".gitignore"))
    append(clone, "data/.gitignore", "".join(f"/{name}\n" for name in written if name != ".gitignore"))
    clone.commit("Version 1")
    clone.git("tag", "v1")

    append(clone, "stages/train/train.py", "\n# improved\n")
    pipeline = clone.path("dvc.yaml").read_text(encoding="utf-8")
    assert pipeline.count("\nartifacts:") == 1
    clone.path("dvc.yaml").write_text(pipeline.replace("\nartifacts:", f"{NEW_STAGE}artifacts:"), encoding="utf-8")
    append(clone, "README.md", "\nNew.\n")
    set_param(clone, "threshold", 0.7)
    for photo in photos_of_me(lfw_dir)[ME_PHOTOS : ME_PHOTOS + 4]:
        put(photo, clone.path(f"data/me/{photo.name}"))
    put(photos_of_strangers(lfw_dir, STRANGERS + 1)[-1], clone.path("data/not_me/another.jpg"))
    clone.dvc("add", "data/me", "data/not_me")
    clone.repro()
    clone.path(".gitignore").write_text(gitignore, encoding="utf-8")
    clone.git("rm", "--quiet", "--cached", "data/me.dvc", "data/not_me.dvc")
    for name in ("me", "not_me"):
        clone.path(f"data/{name}.dvc").rename(clone.root.parent / f"{name}.dvc")  # or --all would take it in again
    clone.commit("Version 2")
    clone.git("tag", "v2")
    changed = set(clone.git("diff", "--name-only", "v1", "v2").splitlines())
    assert {"dvc.lock", "data/me.dvc", "data/not_me.dvc", "reports/metrics.json"} <= changed
    return clone


@pytest.fixture(scope="module")
def mine(upstream: Clone, tmp_path_factory: pytest.TempPathFactory, lfw_dir: Path) -> Clone:
    """A clone of v1, built by quickstart.py with photos and a parameter of the user's own; nothing is committed."""
    folder = tmp_path_factory.mktemp("mine")
    # As many as in no version, so that the curves which git holds are others too: git keeps what only one side changed.
    for photo in photos_of_me(lfw_dir)[20:34]:
        put(photo, folder / "photos" / "me" / photo.name)
    for photo in photos_of_strangers(lfw_dir, 40)[STRANGERS + 1 :]:
        put(photo, folder / "photos" / "not_me" / photo.parent.name / photo.name)
    clone = Clone(folder / "project")
    upstream.git("clone", "--quiet", str(upstream.root), str(clone.root))
    clone.git("reset", "--quiet", "--hard", "v1")
    configure(clone)
    set_param(clone, "C", 0.5)
    assert quickstart(clone, "--photos", str(folder / "photos")) == ALL_STAGES
    clone.path("reports/manual").mkdir()
    append(clone, "reports/manual/mine.md", "By hand.\n")
    return clone


@pytest.fixture
def user(mine: Clone, tmp_path: Path) -> Clone:
    """A copy of the user's clone."""
    return mine.copy(tmp_path / "project")


@pytest.fixture
def unpacked(user: Clone) -> Clone:
    """The same project as somebody has it who never used git."""
    shutil.rmtree(user.path(".git"))
    return user


@pytest.mark.parametrize("name", ["dvc.lock", "data/me.dvc", "reports/metrics.json", "reports/roc_curve.csv"])
def test_what_runs_write_is_never_a_mix(tmp_path: Path, name: str) -> None:
    """Two changes far apart, which git merges without a word: the documented command does not, nor a plain pull."""
    theirs, ours = Clone(tmp_path / "theirs"), Clone(tmp_path / "ours")
    theirs.root.mkdir()
    theirs.git("init", "--quiet", "--initial-branch", "main")
    shutil.copy(ROOT / ".gitattributes", theirs.root)
    commit_lines(theirs, [name, "dvc.yaml"], "first", "last")
    theirs.git("clone", "--quiet", str(theirs.root), str(ours.root))
    commit_lines(theirs, [name, "dvc.yaml"], "theirs", "last")
    commit_lines(ours, [name, "dvc.yaml"], "first", "ours")

    plain = run(ours, "git pull --no-rebase --no-edit")
    assert plain.returncode != 0
    assert f"Merge conflict in {name}" in plain.stdout
    assert ends(ours, name) == ("first", "ours")
    assert ends(ours, "dvc.yaml") == ("theirs", "ours")  # merged, as code is
    succeed(ours, RESOLVED)
    assert ends(ours, name) == ("first", "ours")

    ours.git("reset", "--quiet", "--hard", "HEAD^")
    succeed(ours, UPDATE)
    assert ends(ours, name) == ("first", "ours")
    assert ends(ours, "dvc.yaml") == ("theirs", "ours")
    assert ours.git("status", "--porcelain") == ""


def commit_lines(clone: Clone, names: list[str], first: str, last: str) -> None:
    """Commit text files with many lines between the two."""
    configure(clone)
    for name in names:
        clone.path(name).parent.mkdir(exist_ok=True)
        clone.path(name).write_text("\n".join([first, *map(str, range(50)), last, ""]), encoding="utf-8")
    clone.commit("Lines")


def ends(clone: Clone, name: str) -> tuple[str, str]:
    """First and last line of a file."""
    lines = clone.path(name).read_text(encoding="utf-8").splitlines()
    return lines[0], lines[-1]


@LONG
@pytest.mark.parametrize(
    ("setting", "built"),
    [
        pytest.param("pull.rebase=true", True, marks=pytest.mark.slow),
        pytest.param("pull.ff=only", False, marks=pytest.mark.long),
    ],
)
def test_the_documented_way(user: Clone, setting: str, built: bool) -> None:
    """Whatever `git pull` does by the user's own settings; and where nothing was committed, it changes nothing.

    What comes after it is the same for both: it is built once.
    """
    user.git("config", *setting.split("="))
    photos_before, written, hashes = photos(user), written_by_runs(user), tracked(user)
    refused = run(user, UPDATE)
    assert refused.returncode != 0
    assert "would be overwritten by merge" in refused.stderr
    assert (photos(user), written_by_runs(user)) == (photos_before, written)

    succeed(user, COMMIT)
    stopped = run(user, UPDATE)
    assert stopped.returncode != 0
    assert "CONFLICT (modify/delete): data/me.dvc" in stopped.stdout
    succeed(user, RESOLVED)  # as documented: the user's stay
    assert written_by_runs(user) == written
    assert user.git("diff", "--name-only", "v2", "--", "stages", "dvc.yaml", "README.md") == ""
    params = load(user, "params.yaml")
    assert (params["train"]["C"], params["evaluate"]["threshold"]) == (0.5, 0.7)

    assert user.would_run() == ["train", "evaluate", "robustness", "names"]
    if not built:
        return
    assert sorted(quickstart(user)) == ["evaluate", "names", "report", "robustness", "train"]
    check_built_from(user, hashes)
    assert photos(user) == photos_before
    assert user.path("reports/manual/mine.md").read_text(encoding="utf-8") == "By hand.\n"
    assert written_by_runs(user)["reports/metrics.json"] == written["reports/metrics.json"]
    succeed(user, COMMIT)
    assert user.git("status", "--porcelain").splitlines() == ["?? reports/manual/"]


@pytest.mark.slow
@LONG
def test_photos_of_the_first_version_stay_where_it_was_never_changed(
    upstream: Clone, pristine: Clone, tmp_path: Path
) -> None:
    """Somebody built the first version as it came: the update takes data/*.dvc away, and no photo with them."""
    clone = Clone(tmp_path / "project")
    upstream.git("clone", "--quiet", str(upstream.root), str(clone.root))
    clone.git("reset", "--quiet", "--hard", "v1")
    for name in ("me", "not_me"):
        shutil.copytree(pristine.path(f"data/{name}"), clone.path(f"data/{name}"))
    photos_before = photos(clone)
    succeed(clone, UPDATE)
    assert clone.git("ls-files", "data").split() == ["data/.gitignore"]
    assert photos(clone) == photos_before
    clone.history("save", "Mine")
    assert photos(clone) == photos_before
    assert clone.git("ls-files", "data").split() == ["data/.gitignore", "data/me.dvc", "data/not_me.dvc"]


@pytest.mark.slow
@LONG
def test_a_parameter_that_both_changed_is_an_ordinary_conflict(user: Clone) -> None:
    set_param(user, "threshold", 0.6)
    succeed(user, COMMIT)
    photos_before, written, hashes = photos(user), written_by_runs(user), tracked(user)
    stopped = run(user, UPDATE)
    assert stopped.returncode != 0
    unmerged = user.git("diff", "--name-only", "--diff-filter=U").splitlines()
    assert unmerged == ["data/me.dvc", "data/not_me.dvc", "params.yaml"]
    conflict = user.path("params.yaml").read_text(encoding="utf-8")
    assert re.search(r"<{7} HEAD\n  threshold: 0\.6.*\n={7}\n  threshold: 0\.7.*\n>{7}", conflict)
    assert "  C: 0.5" in conflict
    assert written_by_runs(user) == written

    user.path("params.yaml").write_text(re.sub(r"(?ms)^<{7}.*?\n(.*?)={7}.*?^>{7}.*?\n", r"\1", conflict), "utf-8")
    succeed(user, RESOLVED)
    assert load(user, "params.yaml")["evaluate"]["threshold"] == 0.6
    assert photos(user) == photos_before
    assert tracked(user) == hashes
    assert user.would_run() == ["train", "evaluate", "robustness", "names"]  # no crop: it is built of the user's photos


@pytest.mark.long
@LONG
def test_an_archive_unpacked_over_the_folder(unpacked: Clone, upstream: Clone) -> None:
    """The lock and the parameters are upstream's then; the photos stay, and are what it is built of."""
    photos_before, hashes = photos(unpacked), tracked(unpacked)
    unpack_version_2(upstream, unpacked.root)
    assert tracked(unpacked) == hashes
    # What came of these photos with the same code before is taken from DVC's run cache.
    assert set(quickstart(unpacked)) == {"train", "evaluate", "robustness", "report", "names"}
    assert photos(unpacked) == photos_before
    check_built_from(unpacked, hashes)
    assert unpacked.path("reports/manual/mine.md").read_text(encoding="utf-8") == "By hand.\n"
    assert quickstart(unpacked) == []


@pytest.mark.long
@LONG
def test_moving_to_the_folder_of_a_newer_archive(unpacked: Clone, upstream: Clone, tmp_path: Path) -> None:
    """Photos, what is remembered of them, parameters and notes come along; DVC's cache stays behind."""
    new = Clone(tmp_path / "newer")
    unpack_version_2(upstream, new.root)
    for name in ("data", "models", "reports"):
        shutil.copytree(unpacked.path(name), new.path(name), dirs_exist_ok=True)
    shutil.copy(unpacked.path("params.yaml"), new.root)
    remembered = {path: path.stat().st_ino for path in new.path("data/remembered/crops").rglob("*.png")}
    assert remembered
    assert set(quickstart(new)) == {*ALL_STAGES, "names"}
    assert {path: path.stat().st_ino for path in new.path("data/remembered/crops").rglob("*.png")} == remembered
    assert photos(new) == photos(unpacked)
    assert new.path("reports/manual/mine.md").is_file()
    assert load(new, "params.yaml")["train"]["C"] == 0.5
    check_built_from(new, tracked(unpacked))


@pytest.mark.long
@LONG
def test_a_newer_archive_given_the_photos_of_the_old_folder(unpacked: Clone, upstream: Clone, tmp_path: Path) -> None:
    """The shortest way to a new folder: its data/ has the layout that --photos wants."""
    new = Clone(tmp_path / "newer")
    unpack_version_2(upstream, new.root)
    assert set(quickstart(new, "--photos", str(unpacked.path("data")))) == {*ALL_STAGES, "names"}
    assert photos(new) == photos(unpacked)
    check_built_from(new, tracked(unpacked))
