"""The service alone, as it is put on a server: three folders, twelve packages, no pipeline.

The packages come from the registry, into an environment made for this; where it cannot be reached, these tests fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from faces.operating_point import OperatingPoint
from tests.conftest import ROOT, TrainedModels
from tests.model_cards import PLOTS, put_card
from tests.ports import free_port
from tests.recording import copy_networks, copy_trained
from tests.service.support import Server, posix_only, stop, wait_until_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), posix_only]  # the first test installs everything

# The commands of docs/deployment.md: in the project, on the server, and there again.
PACK = "tar -czhf service.tar.gz faces service models/*.* models/networks models/records models/card"
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -r service/requirements.txt"
START = "./service/run_gunicorn.sh"

HEAVY = ("torch", "torchvision", "facenet_pytorch", "dvc", "pandas", "matplotlib", "onnx")
MAX_MEGABYTES = 600


def environment(*first: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who logs in on a server: nothing of the project's own on any path.

    Only what pip needs to reach a registry (PIP_*, proxies) is handed on.
    """
    of_python = ("PYTHON", "VIRTUAL_ENV", "CONDA")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(of_python)}
    path = os.pathsep.join([*map(str, first), str(Path(sys.base_prefix, "bin")), "/usr/bin", "/bin"])
    return kept | {"PATH": path, "PYTHONNOUSERSITE": "1"} | more


def shell(command: str, folder: Path) -> str:
    """Run a line of the documents in a folder; it must end well."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment(),
        check=False, capture_output=True, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copy_code(target: Path) -> None:
    for name in ("faces", "service"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the service's code and, as documented, the environment that it runs in."""
    folder = tmp_path_factory.mktemp("server") / "mi servicio"
    copy_code(folder)
    shell(INSTALL, folder)
    return folder


@pytest.fixture(scope="module")
def deployed(
    installed: Path, tmp_path_factory: pytest.TempPathFactory, networks_dir: Path, trained_models: TrainedModels
) -> Path:
    """That folder with the models in it, out of an archive packed as documented."""
    project = tmp_path_factory.mktemp("project")
    copy_code(project)
    models = copy_trained(trained_models.path, project / "models")
    copy_networks(networks_dir, models / "networks")
    OperatingPoint(0.6, 0.1, "promised", None, False, 60, 60, 30).write(models, models / "model.joblib")
    put_card(models)
    (project / "models" / "weights").mkdir()
    shell(PACK, project)
    shell(f"tar -xzf '{project}/service.tar.gz'", installed)
    assert sorted(path.name for path in (installed / "models").iterdir()) == [
        "card", "model.joblib", "networks", "operating_point.json", "photo_limits.json", "records", "scaler.joblib",
        "verifier.npz",
    ]  # fmt: skip
    return installed


@contextlib.contextmanager
def serving(
    command: list[str], cwd: Path, log_folder: Path, workers: int, *first: Path, **more: str
) -> Iterator[Server]:
    """Start a server in a clean environment, with the default paths of its models, and wait until it answers."""
    port = free_port()
    log_path = log_folder / "server.log"
    settings = {
        "FLASK_HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "XDG_RUNTIME_DIR": str(log_folder),
    }
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=environment(*first, **settings, **more),
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", port, process, log_path)
    try:
        wait_until_up(server, workers)
        yield server
    finally:
        stop(server)


def check_answers(server: Server, photos: TrainedModels, auto: bool = False) -> None:
    """Healthy, and right about a photo of me and one of a stranger, neither of them seen in training."""
    health = requests.get(f"{server.url}/healthz", timeout=10)
    assert (health.status_code, health.json()) == (200, {"status": "ok"}), server.log
    for photo, is_me in ((photos.me_photos[0], True), (photos.stranger_photos[0], False)):
        answer = server.verify(photo.read_bytes())
        assert (answer.status_code, answer.json().get("is_me")) == (200, is_me), answer.text
        assert answer.json()["threshold_source"] == ("auto" if auto else "setting")
    card = requests.get(f"{server.url}/model/card", timeout=10)
    assert card.status_code == 200, card.text
    for plot in card.json()["plots"]:
        assert requests.get(f"{server.url}/model/plots/{plot['name']}.png", timeout=10).content == PLOTS[plot["name"]]


def test_the_environment_holds_nothing_of_the_pipeline(installed: Path) -> None:
    listed = json.loads(shell(".venv/bin/python -m pip list --format json", installed))
    names = {package["name"].lower().replace("-", "_") for package in listed}
    assert {"flask", "onnxruntime", "scikit_learn", "gunicorn"} <= names
    assert not names & set(HEAVY)
    code = f"from importlib.util import find_spec; print([name for name in {HEAVY} if find_spec(name)])"
    assert shell(f'.venv/bin/python -c "{code}"', installed).strip() == "[]"


def test_the_environment_is_small(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = os.walk(installed / ".venv")
    size = sum(Path(folder, name).lstat().st_size for folder, _, files in folders for name in files)
    with capsys.disabled():
        print(f"\nThe service's environment: {size / 1e6:.0f} MB")
    assert 100 < size / 1e6 < MAX_MEGABYTES


def test_gunicorn_as_documented(deployed: Path, tmp_path: Path, trained_models: TrainedModels) -> None:
    with serving([START], deployed, tmp_path, 2) as server:
        check_answers(server, trained_models)


def test_gunicorn_from_another_directory(deployed: Path, tmp_path: Path, trained_models: TrainedModels) -> None:
    with serving([str(deployed / START)], tmp_path, tmp_path, 2, VERIFY_THRESHOLD="auto") as server:
        check_answers(server, trained_models, auto=True)


def test_gunicorn_of_an_environment_elsewhere_on_the_path(
    deployed: Path, tmp_path: Path, trained_models: TrainedModels
) -> None:
    folder = tmp_path / "deployed"
    shutil.copytree(deployed, folder, ignore=shutil.ignore_patterns(".venv"))
    with serving([START], folder, tmp_path, 2, deployed / ".venv" / "bin") as server:
        check_answers(server, trained_models)


def test_waitress_as_on_windows(deployed: Path, tmp_path: Path, trained_models: TrainedModels) -> None:
    """The version that Windows gets, on this system."""
    requirements = (deployed / "service" / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^waitress==[\d.]+", requirements, re.MULTILINE)
    assert len(pinned) == 1
    shell(f".venv/bin/pip install --target '{tmp_path}/waitress' {pinned[0]}", deployed)
    command = [str(deployed / ".venv/bin/python"), "-m", "service.waitress_server"]
    with serving(command, deployed, tmp_path, 0, PYTHONPATH=str(tmp_path / "waitress")) as server:
        check_answers(server, trained_models)
