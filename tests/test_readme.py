"""What the README shows is run as it is printed; only the address is another.

README.es.md has the same commands (tests/test_readme_languages.py), so they are run once.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.config import Settings
from tests.clone import Clone, new_clone, stages_run
from tests.conftest import ROOT, TrainedModels
from tests.service.support import Server, posix_only, running
from tests.test_slim_install import INSTALL, PACK, START
from tests.test_update import COMMIT, RESOLVED, UPDATE

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:5000"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]

pytestmark = posix_only

# Where commands are run that are not run here: by quickstart itself, which every run of CI starts with, or by a test.
RUN_ELSEWHERE = {
    "python3 quickstart.py": "tests/test_quickstart.py::test_first_and_second_run",
    "python3 quickstart.py --photos FOLDER":
        "tests/test_quickstart.py::test_photos_are_copied_once_and_then_left_alone",
    "python3 quickstart.py test": "tests/test_quickstart.py::test_test_command",
    "python3 -m venv .venv": "quickstart.py::make_venv",
    "source .venv/bin/activate": "quickstart.py::environment",
    "pip install -r requirements.txt": "quickstart.py::install",
    "python -m service": "tests/service/test_other_servers.py::test_development_server",
    START: "tests/test_slim_install.py::test_gunicorn_as_documented",
    PACK: "tests/test_slim_install.py::deployed",
    INSTALL: "tests/test_slim_install.py::installed",
    COMMIT: "tests/test_update.py::test_the_documented_way",
    f"{UPDATE} && python3 quickstart.py": "tests/test_update.py::test_the_documented_way",
    f"{RESOLVED} && python3 quickstart.py":
        "tests/test_update.py::test_a_parameter_that_both_changed_is_an_ordinary_conflict",
    "cp ../old-folder/params.yaml .": "tests/test_update.py::test_a_newer_archive_given_the_photos_of_the_old_folder",
    "python3 quickstart.py --photos ../old-folder/data":
        "tests/test_update.py::test_a_newer_archive_given_the_photos_of_the_old_folder",
    "cp -R ../old-folder/data ../old-folder/models ../old-folder/reports ../old-folder/params.yaml .":
        "tests/test_update.py::test_moving_to_the_folder_of_a_newer_archive",
}  # fmt: skip
# Run by test_pipeline_commands_print_what_the_readme_shows, which fails where one is left out.
CHECK = "python -c \"import torch, facenet_pytorch, onnxruntime, sklearn, flask; print('installed')\""
DEMO = "cp -R demo/me demo/not_me data/"
EXPERIMENT = "dvc exp run -S train.verifier=logistic_regression -n regression"
ANOTHER = "dvc exp run -S train.C=0.01 -n weaker"
SHOW = (
    "dvc exp show --md --only-changed --drop 'Created|models.*|reports.*|data.*|"
    ".*(f1|precision|recall|accuracy|auc|interval|error|operating|target|undegraded|doubles).*|verifier'"
)
METRICS = "dvc metrics diff --targets reports/evaluation_results.json --no-path | grep -E '^(Metric|metrics|operating)'"
RUN_HERE = {
    CHECK, DEMO, "dvc status", "dvc add data/me data/not_me", "dvc repro", "dvc repro train", "python -m stages.crop",
    "dvc repro --force export", "dvc params diff", METRICS, "dvc plots diff", EXPERIMENT, ANOTHER, SHOW,
}  # fmt: skip


def code_blocks(language: str) -> list[str]:
    """The README's code blocks of a language that ask the service, as printed."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if ADDRESS in block]


@pytest.fixture(scope="module")
def server(
    networks_dir: Path, trained_models: TrainedModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    settings = Settings(
        model_path=trained_models.path / "model.joblib",
        scaler_path=trained_models.path / "scaler.joblib",
        networks_path=networks_dir,
    )
    with running(GUNICORN, settings, tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def folder(trained_models: TrainedModels, tmp_path: Path) -> Path:
    """A folder with the photos that the examples speak of: photo.jpg, and photos/."""
    shutil.copy(trained_models.me_photos[0], tmp_path / "photo.jpg")
    (tmp_path / "demo/ask").mkdir(parents=True)
    shutil.copy(trained_models.me_photos[0], tmp_path / "demo/ask/me_2.jpg")
    (tmp_path / "photos").mkdir()
    shutil.copy(trained_models.me_photos[1], tmp_path / "photos" / "me.jpg")
    shutil.copy(trained_models.stranger_photos[0], tmp_path / "photos" / "stranger.jpg")
    return tmp_path


def output_of(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", code_blocks("bash"))
def test_curl_examples(block: str, server: Server, folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    answer = json.loads(output_of(["sh", "-c", block.replace(ADDRESS, server.url)], folder))
    if "/verify" in block:
        shown = json.loads(re.findall(r"^```json\n(\{\"model_version.*?)^```$", README, re.MULTILINE | re.DOTALL)[0])
        assert list(answer) == list(shown)
        assert answer["is_me"] is True
    else:
        assert answer == {"status": "ok"}


def test_python_examples(server: Server, folder: Path) -> None:
    single, many, health = (block.replace(ADDRESS, server.url) for block in code_blocks("python"))
    assert output_of([sys.executable, "-c", single], folder).startswith("me ")
    lines = output_of([sys.executable, "-c", many], folder).splitlines()
    assert [line.split()[:2] for line in lines] == [["me.jpg", "True"], ["stranger.jpg", "False"]]
    assert output_of([sys.executable, "-c", health], folder) == "200 ok\n"


def test_there_is_an_example_of_each() -> None:
    assert len(code_blocks("bash")) == 2
    assert len(code_blocks("python")) == 3


def commands() -> list[str]:
    """Every command of the README, without its comment; those that ask the service and docker's are left out."""
    lines = [line for block in re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
             for line in block.splitlines()]  # fmt: skip
    bare = [re.sub(r"\s+#.*", "", line) for line in lines]
    return [line for line in bare if line and not line.startswith("docker ") and ADDRESS not in line]


def output_shown(command: str) -> list[str]:
    """Lines of the block without a language that follows the block which ends with a command."""
    found = re.search(rf"^{re.escape(command)}\n```\n.*?^```\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found is not None, command
    return found[1].splitlines()


def columns(row: str) -> list[str]:
    """A table's columns: separated by bars in Markdown, by two spaces or more elsewhere."""
    return [cell.strip() for cell in re.split(r"\||\s{2,}", row) if cell.strip()]


def test_every_command_is_run_somewhere() -> None:
    assert set(commands()) == RUN_HERE | set(RUN_ELSEWHERE)
    for place in RUN_ELSEWHERE.values():
        file, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), place


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pipeline_commands_print_what_the_readme_shows(tmp_path: Path) -> None:
    clone = new_clone(tmp_path / "clone")
    ran = set()

    def run(command: str) -> str:
        ran.add(command)
        done = clone.call("bash", "-c", command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert run(CHECK) == "installed\n"
    assert "missing data 'source': data/me" in _without_photos(clone)
    run(DEMO)
    run("dvc add data/me data/not_me")
    assert "data/cropped" in run("dvc status")
    assert stages_run(run("dvc repro train")) == ["export", "crop", "embed", "quality", "train"]
    assert stages_run(run("dvc repro")) == ["evaluate", "robustness", "report"]
    assert run("dvc status") == "Data and pipelines are up to date.\n"
    clone.commit("Built")
    run("python -m stages.crop")
    run("dvc repro --force export")
    assert "Data and pipelines are up to date." in run("dvc repro")
    assert clone.git("status", "--porcelain") == ""

    changed = ["train", "evaluate", "robustness", "report"]
    assert stages_run(run(EXPERIMENT)) == changed
    for command in ("dvc params diff", METRICS):
        shown, printed = output_shown(command), run(command).splitlines()
        assert columns(printed[0]) == columns(shown[0])
        assert [columns(row)[0] for row in printed[1:]] == [columns(row)[0] for row in shown[1:]]
        if command == METRICS:  # another machine's last digits may differ
            figures = [[float(cell) for row in rows[1:] for cell in columns(row)[1:]] for rows in (shown, printed)]
            assert figures[0] == pytest.approx(figures[1], abs=2e-3)
    assert output_shown("dvc params diff") == run("dvc params diff").splitlines()
    assert run("dvc plots diff").strip().endswith("/dvc_plots/index.html")
    assert stages_run(run(ANOTHER)) == changed
    shown, printed = output_shown(SHOW), run(SHOW).splitlines()
    assert sorted(columns(printed[0])) == sorted(columns(shown[0]))  # DVC puts them in any order
    assert [columns(row)[0].split()[-1] for row in printed[2:6]] == ["workspace", "main", "[weaker]", "[regression]"]
    assert ran == RUN_HERE
    _go_back_and_forth(clone)
    _forget_a_photo(clone)


def _without_photos(clone: Clone) -> str:
    """What `dvc repro` says where data/me is tracked and not there, as in a fresh clone."""
    for name in ("me", "not_me"):
        shutil.copy(ROOT / f"data/{name}.dvc", clone.path("data"))
    said = clone.failing_dvc("repro", "data/me.dvc")
    for name in ("me", "not_me"):
        clone.path(f"data/{name}.dvc").unlink()
    return said


def _go_back_and_forth(clone: Clone) -> None:
    """What the README says after its experiment."""
    measured = clone.path("reports/evaluation_results.json")
    before, experiment = clone.git("show", "HEAD:reports/evaluation_results.json"), measured.read_text("utf-8")
    assert before != experiment
    clone.git("checkout", ".")
    clone.dvc("checkout")
    assert measured.read_text("utf-8") == before
    assert clone.dvc("status") == "Data and pipelines are up to date.\n"
    clone.dvc("exp", "apply", "weaker")
    assert measured.read_text("utf-8") == experiment
    assert clone.dvc("status") == "Data and pipelines are up to date.\n"


def _forget_a_photo(clone: Clone) -> None:
    """What the README says under revocation."""
    photo = sorted(clone.path("data/not_me").rglob("*.jpg"))[0]
    photo.unlink()
    clone.dvc("add", "data/me", "data/not_me")
    clone.dvc("repro")
    clone.dvc("gc", "--workspace", "--force")
    assert photo.relative_to(clone.path("data")).as_posix() not in set(clone.index()["photo"])
    assert clone.dvc("status") == "Data and pipelines are up to date.\n"
