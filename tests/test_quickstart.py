"""quickstart.py: its functions on a copy in an awkward folder, and the script as a person would start it.

The slow ones make a real .venv, into which uv and pip really install the few packages that the tour needs, and run the
whole script against stand-ins for DVC and the service; those are found before installed packages because `python -m`
looks into the project root first.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.conftest import ROOT
from tests.ports import free_port
from tests.shared import SharedFolders
from tests.tour.support import SCRIPT, SERVICE, copy_script, gone, tree, write

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and process groups")

DVC = """
import os, shutil, sys
def main(words):
    with open("dvc-calls", "a") as calls:
        print(*words, shutil.which("python"), sep="|", file=calls)
    if words[0] == "init":
        os.mkdir(".dvc")
    if os.environ.get("STUB") == "dvc fails" and words[0] == "repro":
        sys.exit("stage crop: no")
    return 0
"""


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of someone who has nothing activated and nothing set."""
    env = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PORT", "PYTHONPATH")}
    return {**env, **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder with spaces and accents in its path, and the script in it."""
    folder = tmp_path / "mi carpeta ñandú"
    folder.mkdir()
    copy_script(folder)
    return folder


@pytest.fixture
def qs(root: Path) -> ModuleType:
    """The copied script as a module, so that its paths lead into the copy."""
    spec = importlib.util.spec_from_file_location("quickstart_copy", root / "quickstart.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.LOG.write_bytes(b"")
    return module


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder as --photos wants it."""
    given = tmp_path / "fotos"
    write(given / "me" / "uno.JPG", b"mine 1")
    write(given / "me" / "verano" / "dos.Png", b"mine 2")
    write(given / "not_me" / "ana" / "1.jpeg", b"other")
    return given


def run(root: Path, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """Starts the script from another folder and insists on an answer without a traceback."""
    command = [sys.executable, str(root / "quickstart.py"), *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=root.parent,
        env=clean_environment(**env),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


# Python, platform, installation


@pytest.mark.parametrize("name", SCRIPT)
def test_parses_on_an_old_python(name: str) -> None:
    ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("name", SCRIPT)
def test_uses_the_standard_library_only(name: str) -> None:
    nodes = list(ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    own = {name.removesuffix(".py").replace("/", ".") for name in SCRIPT}
    assert {module.split(".")[0] for module in imported - own} <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(3, 7), (3, 10, 13)])
def test_old_python_is_told_what_it_needs(qs: ModuleType, version: tuple[int, ...]) -> None:
    with pytest.raises(qs.Problem, match=rf"Python 3\.{version[1]}, .* needs Python 3\.11 or later"):
        qs.check_python(version)


def test_current_python_passes_and_intel_mac_is_told(qs: ModuleType) -> None:
    qs.check_python((3, 11), "linux x86_64")
    qs.check_python((3, 14), "darwin arm64")
    with pytest.raises(qs.Problem, match="Intel Macs"):
        qs.check_python((3, 11), "darwin x86_64")


def test_python_without_venv_is_told_the_debian_package(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qs.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(qs.Problem, match="apt install python3-venv"):
        qs.make_venv()


def test_full_disk_is_told_before_anything_is_installed(qs: ModuleType) -> None:
    write(qs.ROOT / "requirements.txt", (ROOT / "requirements.txt").read_bytes())
    write(qs.ROOT / "small.txt", b"tqdm==4.67.1\n")
    with pytest.raises(qs.Problem, match=r"has 1\.0 GB of free disk space, and the packages need about \d+ GB"):
        qs.check_disk(10**9, "small.txt", "requirements.txt")
    qs.check_disk(11 * 10**9, "requirements.txt")
    qs.check_disk(10**9, "small.txt")
    (qs.VENV / "lib" / "python3.11" / "site-packages" / "torch").mkdir(parents=True)
    qs.check_disk(10**9, "requirements.txt")  # the large part is there already


def test_half_made_venv_is_seen(qs: ModuleType) -> None:
    assert qs.venv_version() is None  # none at all
    qs.VENV_BIN.mkdir(parents=True)
    assert qs.venv_version() is None  # no python
    if os.name == "posix":
        qs.VENV_PYTHON.symlink_to("/nowhere/python3")
        assert qs.venv_version() is None  # the Python that it was made with is gone
        qs.VENV_PYTHON.unlink()
        qs.VENV_PYTHON.symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        assert qs.venv_version() is None  # works, but pip would install into the system


def test_stamp_counts_only_while_nothing_changed(qs: ModuleType) -> None:
    stamp = {"requirements.txt": "abc", "python": "3.11"}
    assert not qs.is_installed(stamp)
    write(qs.STAMP, b'{"requirements.txt": "ab')
    assert not qs.is_installed(stamp)
    write(qs.STAMP, b'{"requirements.txt": "abc", "requirements-dev.txt": "d", "python": "3.11"}')
    assert qs.is_installed(stamp)  # what the tests need includes what the project needs
    assert not qs.is_installed({**stamp, "requirements.txt": "changed"})
    assert not qs.is_installed({**stamp, "python": "3.12"})


def test_what_is_started_finds_the_venv_first(qs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")
    monkeypatch.setenv("VIRTUAL_ENV", "/another")
    before = os.environ["PATH"]
    env = qs.environment()
    assert env["PATH"] == str(qs.VENV_BIN) + os.pathsep + before
    assert env["VIRTUAL_ENV"] == str(qs.VENV)
    assert "PYTHONHOME" not in env


# Hints: what is printed works as printed, in the terminal that the user is in


@pytest.mark.parametrize("command", [["test", "--help"], ["test", "-k", "a", "-h"], ["--help"]])
def test_help_installs_nothing_and_leaves_the_log_alone(root: Path, command: list[str]) -> None:
    write(root / "quickstart.log", b"of the last run")
    done = run(root, *command, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: quickstart.py" + (" test" if command[0] == "test" else ""))
    if command[0] == "test":
        assert {"--no-lint", "--pip", "pytest"} <= set(re.findall(r"[\w-]+", done.stdout))
    assert tree(root).keys() == {*SCRIPT, "quickstart.log"}
    assert (root / "quickstart.log").read_bytes() == b"of the last run"


def in_a_terminal(lines: str, folder: Path, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    """Types what was printed, with nothing activated."""
    env = {"PATH": os.defpath, "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([shell, "-c", lines], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8")


@posix_only
@pytest.mark.parametrize("shell", ["bash", "sh", "zsh", "fish", "tcsh"])
def test_commands_of_the_environment_work_in_the_users_shell(
    root: Path, qs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    if shutil.which(shell, path=os.defpath) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    dvc = write(root / ".venv" / "bin" / "dvc", b'#!/bin/sh\necho "$(pwd)|$(command -v python)|$*"\n')
    dvc.chmod(0o755)
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    done = in_a_terminal(qs.in_environment("dvc repro --force export", "dvc repro"), tmp_path, shell)
    assert done.returncode == 0, done.stderr
    python = root / ".venv" / "bin" / "python"
    assert done.stdout.splitlines() == [f"{root}|{python}|repro --force export", f"{root}|{python}|repro"]


@posix_only
def test_quickstart_names_itself_as_it_was_started(root: Path) -> None:
    write(root / "data" / "not_me" / "a.png")
    done = run(root, "--port", free_port())
    hint = re.search(r"in it: (.+) --photos DIR", done.stderr)
    assert hint is not None
    command = f"{hint[1]} --photos nowhere --port {free_port()}"  # in the same terminal, so with the same PATH
    again = subprocess.run(
        ["sh", "-c", command], cwd=root.parent, env=clean_environment(), capture_output=True, text=True
    )
    assert "--photos nowhere: there is no such folder" in again.stderr


@pytest.mark.parametrize("started", [False, True])
def test_dvc_is_named_where_there_is_one(root: Path, started: bool) -> None:
    if started:
        (root / ".venv").mkdir()
    done = run(root, "--port", free_port())
    assert ("activate" in done.stderr and "    dvc pull" in done.stderr) is started


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"LC_ALL": "es_ES.UTF-8"}, "no existe esa carpeta. Tus fotos van en"),
        ({"LC_ALL": "", "LANG": "es_MX"}, "no existe esa carpeta. Tus fotos van en"),
        ({"LC_ALL": "", "LC_MESSAGES": "en_GB.UTF-8", "LANG": "es_ES.UTF-8"}, "there is no such folder. Photos of"),
    ],
)
def test_it_speaks_the_language_of_the_terminal(root: Path, variables: dict[str, str], said: str) -> None:
    done = run(root, "--photos", "nada", "--port", free_port(), **variables)
    assert done.returncode == 1 and said in done.stderr
    helped = run(root, "--help", **variables).stdout
    assert ("arranca el servicio y le pregunta" in helped) is (said.startswith("no existe"))


# photos


def test_photos_folder_that_is_not_there(root: Path, tmp_path: Path) -> None:
    done = run(root, "--photos", tmp_path / "nada", "--port", free_port())
    assert done.returncode == 1
    assert f"{tmp_path / 'nada'}: there is no such folder. Photos of you belong in" in done.stderr


def test_photos_folder_without_me(root: Path, photos: Path) -> None:
    shutil.rmtree(photos / "me")
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert "it has no folder me" in done.stderr
    assert not (root / "data").exists()


@pytest.mark.parametrize("left", [None, "not_me/.DS_Store"])
def test_photos_folder_with_me_alone_will_do(qs: ModuleType, photos: Path, left: str | None) -> None:
    shutil.rmtree(photos / "not_me")
    if left:
        write(photos / left)
    assert qs.photos_source(photos) == photos


def test_photos_class_without_photos(root: Path, photos: Path) -> None:
    shutil.rmtree(photos / "not_me")
    write(photos / "not_me" / "a.gif")
    write(photos / "not_me" / "._a.jpg")  # macOS leaves such beside the photos of a memory card
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert f"{photos / 'not_me'} holds no photo (JPEG, PNG, HEIC, WebP or AVIF)" in done.stderr
    assert not (root / "data").exists()


def test_no_photos_anywhere(root: Path) -> None:
    write(root / "data" / "not_me" / "a.png")
    done = run(root, "--port", free_port())
    assert done.returncode == 1
    assert f"no photos in {root / 'data' / 'me'}. Put 20 or more" in done.stderr


@pytest.mark.parametrize("name", ["uno.JPG", "otra.jpg"])
def test_photos_of_the_user_are_never_overwritten(root: Path, photos: Path, name: str) -> None:
    write(root / "data" / "not_me" / name, b"the user's own")
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert f"data/not_me already holds 1 photo, and {photos / 'not_me'} holds others (1 photo)." in done.stderr
    assert f"Of {name} in data/not_me no copy is known." in done.stderr
    assert "Nothing was changed" in done.stderr
    assert tree(root / "data") == {f"not_me/{name}": b"the user's own"}  # and me was not copied either


# port


def test_port_taken_is_found_before_anything_is_installed(root: Path, photos: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, env in ((("--port", port), {}), ((), {"PORT": str(port)})):
            done = run(root, "--photos", photos, *arguments, **env)
            assert done.returncode == 1
            assert f"Port {port} is taken by another program." in done.stderr
            assert "--port" in done.stderr
    assert sorted(path.name for path in root.iterdir()) == ["quickstart.log", "quickstart.py", "tour"]


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "5000.5"])
def test_port_that_is_none(root: Path, port: str) -> None:
    done = run(root, f"--port={port}")
    assert done.returncode == 1
    assert f"The port given is '{port}'. It must be a number from 1 to 65535" in done.stderr


@posix_only
def test_grandchildren_are_ended_too(qs: ModuleType) -> None:
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); sys.exit(3)"
    with qs.running([sys.executable, "-c", code], log=True) as process:
        assert process.wait() == 3
        pid = int(qs.LOG.read_text())
        os.kill(pid, 0)
    for _ in range(50):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail("the grandchild still runs")


# the script as a whole, with a real .venv


def make_project(root: Path) -> None:
    """A project that needs no packages but the tour's, its photos in place."""
    write(root / "service" / "__main__.py", SERVICE.encode())
    write(root / "dvc" / "__init__.py", b"")
    write(root / "dvc" / "cli.py", DVC.encode())
    write(root / "dvc" / "ui.py", b"class ui:\n    write = print\n")
    write(root / "dvc" / "__main__.py", b"import sys\nfrom dvc.cli import main\nsys.exit(main(sys.argv[1:]))\n")
    write(root / "data" / "me" / "uno.JPG", b"mine 1")
    write(root / "data" / "not_me" / "ana" / "1.jpeg", b"other")
    shutil.copy(ROOT / "quickstart.py", root)
    for name in ("faces", "stages", "tour"):  # what the tour imports of them needs few packages
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    pinned = re.findall(r"(?m)^(?:python-dotenv|requests|tqdm)==\S+", (ROOT / "requirements.txt").read_text("utf-8"))
    assert len(pinned) == 3
    write(root / "requirements.txt", "\n".join([*pinned, ""]).encode())
    write(root / "requirements-dev.txt", b"-r requirements.txt\n")


@pytest.fixture(scope="session")
def first_run(shared: SharedFolders) -> Path:
    """A project in which the script has run once, without --pip. Not to be changed: take `project` for that.

    first-run.txt beside it holds what it printed.
    """

    def run_once(folder: Path) -> None:
        root = folder / "mi carpeta ñandú"
        root.mkdir()
        make_project(root)
        done = run(root, "--once", "--port", free_port(), PYTHONHOME="")
        assert done.returncode == 0, done.stdout + done.stderr
        (folder / "first-run.txt").write_text(done.stdout, encoding="utf-8")

    return shared.made_once("quickstart", run_once) / "mi carpeta ñandú"


@pytest.fixture
def project(first_run: Path, tmp_path: Path) -> Path:
    """A copy of that project, .venv included."""
    folder = tmp_path / "otra carpeta ñandú"
    shutil.copytree(first_run, folder, symlinks=True)
    return folder


@pytest.mark.slow
@posix_only
def test_first_and_second_run(first_run: Path, project: Path) -> None:
    output = (first_run.parent / "first-run.txt").read_text(encoding="utf-8")
    assert "Making .venv" in output
    assert "Installing requirements.txt with uv" in output
    assert output.count(": right.") == 2
    python = str(first_run / ".venv" / "bin" / "python")
    calls = (first_run / "dvc-calls").read_text().splitlines()
    assert calls == [
        f"init|--no-scm|--quiet|{python}",
        f"config|core.analytics|false|{python}",
        f"add|data/me|data/not_me|--quiet|{python}",
        f"repro|{python}",
    ]
    assert gone(first_run)
    library = next((first_run / ".venv" / "lib").glob("python3.*/site-packages"))
    assert list((library / "requests" / "__pycache__").glob("api.*.pyc"))  # compiled when installed

    done = run(project, "--once", "--port", free_port())
    assert done.returncode == 0, done.stderr
    assert "Making" not in done.stdout
    assert "Installing" not in done.stdout

    write(project / "requirements.txt", (project / "requirements.txt").read_bytes() + b"# changed\n")
    (project / ".venv" / "bin" / "python").unlink()  # and broken
    done = run(project, "--once", "--pip", "--port", free_port(), STUB="dvc fails")
    assert done.returncode == 1
    assert "Making .venv" in done.stdout
    assert "Installing requirements.txt with pip" in done.stdout
    assert "uv" not in done.stdout
    assert "stage crop: no" in done.stderr
    assert "`dvc repro` failed" in done.stderr


@pytest.mark.slow
@posix_only
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_service_runs_until_stopped(project: Path, number: signal.Signals, code: int) -> None:
    command = [sys.executable, str(project / "quickstart.py"), "--port", str(free_port())]
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert any("until you press Ctrl-C" in line for line in process.stdout)
        assert not gone(project)
        process.send_signal(number)
        assert process.wait(timeout=30) == code
    assert gone(project)


@pytest.mark.slow
def test_photos_given_from_another_folder_are_copied(project: Path, photos: Path) -> None:
    """DIR is relative to where the command is given, not to the project."""
    shutil.rmtree(project / "data")
    done = run(project, "--photos", photos.relative_to(project.parent), "--once", "--port", free_port())
    assert done.returncode == 0, done.stderr
    assert "Copying 2 photos to data/me" in done.stdout
    assert tree(project / "data") == tree(photos)


@pytest.mark.slow
def test_registry_that_cannot_be_reached(project: Path) -> None:
    write(project / "requirements.txt", b"a-package-that-is-nowhere==1.0\n")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    done = run(project, "--port", free_port(), **nowhere)
    assert done.returncode == 1
    assert "uv could not install requirements.txt (its messages are in quickstart.log): pip tries" in done.stdout
    assert "pip could not install requirements.txt. The package registry cannot be reached" in done.stderr
    assert "    ERROR: No matching distribution found" in done.stderr
    assert not (project / ".venv" / "quickstart-stamp.json").exists()


@pytest.mark.slow
def test_an_index_that_only_pip_is_told_of_is_uvs_too(project: Path, tmp_path: Path) -> None:
    name, index = "a_package_of_ours-1.0", tmp_path / "index" / "a-package-of-ours"
    index.mkdir(parents=True)
    with zipfile.ZipFile(index / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a_package_of_ours.py", "")
        wheel.writestr(f"{name}.dist-info/METADATA", "Metadata-Version: 2.1\nName: a-package-of-ours\nVersion: 1.0\n")
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files = [*wheel.namelist(), f"{name}.dist-info/RECORD"]
        wheel.writestr(files[-1], "".join(f"{file},,\n" for file in files))
    write(index / "index.html", f'<a href="{name}-py3-none-any.whl">{name}-py3-none-any.whl</a>'.encode())
    settings = write(tmp_path / "pip.conf", f"[global]\nindex-url = {index.parent.as_uri()}\n".encode())
    write(project / "requirements.txt", b"a-package-of-ours==1.0\n")
    done = run(project, "--once", "--port", free_port(), PIP_CONFIG_FILE=str(settings))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Installing requirements.txt with uv" in done.stdout
    assert "with pip" not in done.stdout
    assert list((project / ".venv").rglob("a_package_of_ours.py"))


@pytest.mark.slow
@posix_only
def test_package_that_needs_a_compiler_where_there_is_none(project: Path) -> None:
    source = project / "compiled"
    setup = "from setuptools import Extension, setup\nsetup(name='compiled', ext_modules=[Extension('c', ['c.c'])])\n"
    write(source / "setup.py", setup.encode())
    write(source / "c.c", b"int answer;\n")
    write(project / "requirements.txt", b"./compiled\n")
    done = run(project, "--port", free_port(), CC="/no/compiler", CXX="/no/compiler")
    assert done.returncode == 1
    assert "A package has no ready-made build for this Python" in done.stderr
    assert "or install one (on Debian and Ubuntu: sudo apt install build-essential python3-dev)" in done.stderr
    assert not (project / ".venv" / "quickstart-stamp.json").exists()


@pytest.mark.slow
def test_test_command(project: Path) -> None:
    write(project / "pytest.py", b"import os, sys\nprint('pytest', *sys.argv[1:])\nsys.exit(int(os.environ['CODE']))\n")
    done = run(project, "test", "-k", "a or b", CODE="0")
    assert done.returncode == 0, done.stderr
    assert "Installing requirements-dev.txt with uv" in done.stdout
    usual = "pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder --durations=10"
    assert done.stdout.splitlines()[-1] == f"{usual} -k a or b"

    done = run(project, "test", "--no-lint", "--pip", "-m", "slow", CODE="3")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [f"{usual} --ignore=tests/test_linters.py -m slow"]
