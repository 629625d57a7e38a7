"""The commands of DVC that the tour runs. (Those of a first run: tests/test_quickstart.py.)"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quickstart import Problem, in_environment
from tests.conftest import ROOT
from tests.tour.support import write
from tour.pipeline import dvc, other_language, other_photos


@pytest.mark.parametrize("quiet", [True, False])
def test_what_dvc_says_of_a_failure_is_seen(root: Path, capfd: pytest.CaptureFixture[str], quiet: bool) -> None:
    """DVC keeps its errors to itself with --quiet."""
    silent = "import sys\nprint('' if '--quiet' in sys.argv else 'params.yaml: line 44 is no YAML')\nsys.exit(1)\n"
    write(root / "dvc" / "__init__.py", b"")  # so that it comes before the real one
    write(root / "dvc" / "__main__.py", silent.encode())
    with pytest.raises(Problem, match=r"`dvc add data/me` failed\. Put right what its messages above name") as caught:
        dvc("add", "data/me", quiet=quiet)
    assert str(caught.value).endswith(in_environment()), "commands in those messages need the environment"
    assert capfd.readouterr().out.count("line 44 is no YAML") == 1


def test_dvc_repro_without_hints_that_mean_nothing_here(tmp_path: Path) -> None:
    """Beside the real `dvc repro`, which gives them: or this would hold of a DVC that words them in another way."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    folder = tmp_path / "project"

    def call(*command: str) -> str:
        done = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
        )
        return f"{done.returncode}\n{done.stdout}{done.stderr}"

    stage = f'"{Path(sys.executable).as_posix()}" -c "print(1 + 1)"'
    write(folder / "dvc.yaml", f"stages:\n  one:\n    cmd: '{stage}'\n    deps: [data/not_me, data/empty]\n".encode())
    for name in ("not_me", "empty"):
        (folder / "data" / name).mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    call(sys.executable, "-m", "dvc", "init", "--quiet")
    call(sys.executable, "-m", "dvc", "add", "data/not_me", "data/empty", "--quiet")
    hints = ("not_me' is empty", "To track the changes with git", "core.autostage", "Use `dvc push`")
    for command, shown in (("dvc", True), ("tour.repro", False)):
        words = ("repro", "--force") if shown else ()
        said = call(sys.executable, "-m", command, *words)
        (folder / "dvc.lock").unlink()
        assert said.startswith("0\n") and "Running stage 'one'" in said and "\n2\n" in said, said
        assert "empty' is empty" in said, "warnings of other folders are shown"
        assert [hint in said for hint in hints] == [shown] * len(hints), said
    write(folder / "dvc.yaml", b"stages:\n  one:\n    cmd: exit 3\n")
    said = call(sys.executable, "-m", "tour.repro")
    assert not said.startswith("0\n") and "failed to run: exit 3" in said, "errors are shown"


@pytest.mark.parametrize(
    ("terminal", "params", "said"),
    [("C.UTF-8", "es", "stages speak Spanish"), ("es_ES.UTF-8", "en", "están en inglés"), ("C.UTF-8", "en", ""),
     ("es_ES.UTF-8", "es", "")],
)  # fmt: skip
def test_it_is_said_where_the_stages_speak_another_language(
    root: Path, monkeypatch: pytest.MonkeyPatch, terminal: str, params: str, said: str
) -> None:
    monkeypatch.setenv("LC_ALL", terminal)
    write(root / "params.yaml", f"language: {params}\n".encode())
    assert said in other_language() and bool(said) == bool(other_language())


def test_other_photos_are_spoken_of_only_where_photos_were_copied(root: Path) -> None:
    assert other_photos() == ""
    write(root / "quickstart-photos.json", b'{"me": "/fotos/me"}')
    assert other_photos().endswith("--photos DIR")
