"""The client runs where there is nothing of the service but its own files: three packages and the standard library."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import section_of
from tests.stages.test_dependencies import file_of, imports_of

PACKAGES = {"requests", "PIL", "tqdm", "pi_heif"}  # the last one is asked for, and not needed
OF_FACES = {"faces/__init__.py", "faces/files.py", "faces/message.py"}


def test_it_imports_no_other_part_of_the_project() -> None:
    waiting, found, others = [*sorted((ROOT / "service" / "client").glob("*.py"))], set(), set()
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for module in imports_of(file):
            inside = file_of(module)
            if inside is None:
                others.add(module.split(".")[0])
            elif inside != ROOT / "service" / "__init__.py":  # it imports nothing at run time
                waiting.append(inside)
    names = {file.relative_to(ROOT).as_posix() for file in found}
    assert {name for name in names if not name.startswith("service/client/")} == OF_FACES
    assert others - set(sys.stdlib_module_names) - {"service", "faces"} == PACKAGES


def copied(folder: Path) -> Path:
    """The files that it needs, alone in a folder."""
    shutil.copytree(ROOT / "service" / "client", folder / "service" / "client")
    for name in ("service/__init__.py", *OF_FACES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def test_the_page_names_the_files_that_it_takes() -> None:
    said = section_of("docs/api.md", "A service that runs").prose.partition("On another computer")[2]
    assert set(re.findall(r"`([^`]+)`", said)) == {"service/client/", "service/__init__.py", *OF_FACES}
    assert all(package.lower() in said.lower() for package in ("requests", "Pillow", "tqdm"))


def test_with_these_files_alone_it_starts(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['x', '--help']\n"
        "import runpy\n"
        "try: runpy.run_module('service.client', run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'flask', 'numpy', 'onnxruntime', 'msgspec', 'limits', 'dotenv', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copied(tmp_path), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "PHOTO|FOLDER" in done.stdout and "exit status: 0 every photo shows me" in done.stdout


@pytest.mark.parametrize("missing", ["requests", "PIL"])
def test_without_a_package_it_says_what_to_install(tmp_path: Path, missing: str) -> None:
    """And not with status 1, which says that somebody is not me."""
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / f"{missing}.py").write_text(f"raise ModuleNotFoundError('gone', name={missing!r})")
    done = subprocess.run(
        [sys.executable, "-m", "service.client", "http://x", "y"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": str(tmp_path / "none"), "PATH": ""}, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"python -m service.client: the package {missing} is not installed here: ")
    assert "pip install requests pillow tqdm" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["http://x"], ["http://x", "y", "--clients", "0"], ["http://x", "y", "--clients", "x"],
     ["http://x", "y", "--max-mb", "nan"], ["http://x", "y", "--json", "--csv", "z.csv"]],
)  # fmt: skip
def test_wrong_use_is_status_2(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.client", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.startswith("usage: python -m service.client ")
