"""What the README shows is run as it is printed; only the address is another."""

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
from tests.conftest import ROOT, TrainedModels
from tests.service.support import Server, posix_only, running

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:5000"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]

pytestmark = posix_only


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
    single, many = (block.replace(ADDRESS, server.url) for block in code_blocks("python"))
    assert output_of([sys.executable, "-c", single], folder).startswith("me ")
    lines = output_of([sys.executable, "-c", many], folder).splitlines()
    assert [line.split()[:2] for line in lines] == [["me.jpg", "True"], ["stranger.jpg", "False"]]


def test_there_is_an_example_of_each() -> None:
    assert len(code_blocks("bash")) == 2
    assert len(code_blocks("python")) == 2


def test_every_setting_is_in_the_readme_and_in_the_env_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    in_example = set(re.findall(r"^# ([A-Z_]+)=", example, re.MULTILINE))
    in_readme = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert in_example == in_readme
