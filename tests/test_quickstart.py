"""quickstart.py: its functions on a copy in an awkward folder, and the script as a person would start it.

The slow ones make a real .venv and run the whole script against stand-ins for DVC and the service; those are
found before installed packages because `python -m` looks into the project root first.
"""

import ast
import contextlib
import importlib.util
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from werkzeug.formparser import parse_form_data

SCRIPT = Path(__file__).resolve().parent.parent / "quickstart.py"
posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and process groups")

SERVICE = """
import http.server, json, os, sys, time
from pathlib import Path
if os.environ.get("STUB") == "dies":
    sys.exit("models are missing")
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        if os.environ.get("STUB") == "unhealthy":
            return self.answer(503, {"status": "unhealthy", "reason": "Models not loaded"})
        self.answer(200, {"status": "ok"})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"no face" in body:
            return self.answer(400, {"error": "No se detectó un rostro en la imagen"})
        if os.environ.get("STUB") == "html":
            return self.answer(200, b"<html>")
        mine = b"mine" in body
        score = 0.9 if mine else 0.1
        self.answer(200, {"is_me": mine, "score": score, "threshold": 0.75, "backbone": "stub-net"})
Path("service.pid").write_text(str(os.getpid()))
http.server.HTTPServer((os.environ["FLASK_HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
DVC = """
import os, shutil, sys
with open("dvc-calls", "a") as calls:
    print(*sys.argv[1:], shutil.which("python"), sep="|", file=calls)
if sys.argv[1] == "init":
    os.mkdir(".dvc")
if os.environ.get("STUB") == "dvc fails" and sys.argv[1] == "repro":
    sys.exit("stage crop: no")
"""


def write(path: Path, content: bytes = b"photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of someone who has nothing activated and nothing set."""
    env = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PORT", "PYTHONPATH")}
    return {**env, **more}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder with spaces and accents in its path, and the script in it."""
    folder = tmp_path / "mi carpeta ñandú"
    folder.mkdir()
    shutil.copy(SCRIPT, folder)
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


def test_parses_on_an_old_python() -> None:
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_uses_the_standard_library_only() -> None:
    imports = [n for n in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8"))) if isinstance(n, ast.Import)]
    assert {name.name.split(".")[0] for node in imports for name in node.names} <= sys.stdlib_module_names


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
    with pytest.raises(qs.Problem, match=r"has 1\.0 GB of free disk space, and the packages need about \d+ GB"):
        qs.check_disk(10**9)
    qs.check_disk(11 * 10**9)
    (qs.VENV / "lib" / "python3.11" / "site-packages" / "torch").mkdir(parents=True)
    qs.check_disk(10**9)  # the large part is there already


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


# photos


def test_photos_folder_that_is_not_there(root: Path, tmp_path: Path) -> None:
    done = run(root, "--photos", tmp_path / "nada", "--port", free_port())
    assert done.returncode == 1
    assert f"{tmp_path / 'nada'}: there is no such folder; expected is" in done.stderr


@pytest.mark.parametrize("missing", ["me", "not_me"])
def test_photos_folder_without_a_class(root: Path, photos: Path, missing: str) -> None:
    shutil.rmtree(photos / missing)
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert f"it has no folder {missing}" in done.stderr
    assert not (root / "data").exists()


def test_photos_class_without_photos(root: Path, photos: Path) -> None:
    shutil.rmtree(photos / "not_me")
    write(photos / "not_me" / "a.heic")
    write(photos / "not_me" / "._a.jpg")  # macOS leaves such beside the photos of a memory card
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert f"{photos / 'not_me'} holds no photo (.jpg, .jpeg or .png)" in done.stderr
    assert not (root / "data").exists()


def test_no_photos_anywhere(root: Path) -> None:
    write(root / "data" / "not_me" / "a.png")
    done = run(root, "--port", free_port())
    assert done.returncode == 1
    assert f"no photos in {root / 'data' / 'me'}. Put 20 or more" in done.stderr


def test_photos_are_copied_once_and_then_left_alone(qs: ModuleType, root: Path, photos: Path) -> None:
    write(root / "data" / "me" / ".gitkeep", b"")
    write(photos / "me" / "notes.txt")
    qs.ensure_photos(photos)
    expected = {
        "me/.gitkeep": b"",
        "me/uno.JPG": b"mine 1",
        "me/verano/dos.Png": b"mine 2",
        "not_me/ana/1.jpeg": b"other",
    }
    assert tree(root / "data") == expected
    assert sorted(path.name for path in (root / "data").iterdir()) == ["me", "not_me"]  # no temporary folder

    before = (root / "data" / "me" / "uno.JPG").stat()
    (photos / "me" / "uno.JPG").touch()
    qs.ensure_photos(photos)
    assert (root / "data" / "me" / "uno.JPG").stat() == before
    qs.ensure_photos(None)
    assert tree(root / "data") == expected


@pytest.mark.parametrize("name", ["uno.JPG", "otra.jpg"])
def test_photos_of_the_user_are_never_overwritten(root: Path, photos: Path, name: str) -> None:
    write(root / "data" / "not_me" / name, b"the user's own")
    done = run(root, "--photos", photos, "--port", free_port())
    assert done.returncode == 1
    assert "data/not_me already holds 1 photos, not the same as the 1 of" in done.stderr
    assert "nothing was changed" in done.stderr
    assert tree(root / "data") == {f"not_me/{name}": b"the user's own"}  # and me was not copied either


def test_interrupted_copy_leaves_no_half_class(
    qs: ModuleType, root: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    def copy2(source: str, target: str) -> None:
        if copied:
            raise KeyboardInterrupt
        copied.append(shutil.copy(source, target))

    monkeypatch.setattr(qs.shutil, "copy2", copy2)
    with pytest.raises(KeyboardInterrupt):
        qs.ensure_photos(photos)
    assert copied
    assert tree(root / "data") == {}


# port and requests


def test_port_taken_is_found_before_the_pipeline_runs(root: Path, photos: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for arguments, env in ((("--port", port), {}), ((), {"PORT": str(port)})):
            done = run(root, "--photos", photos, *arguments, **env)
            assert done.returncode == 1
            assert f"Port {port} is taken by another program." in done.stderr
            assert "--port" in done.stderr
    assert not (root / "data").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "5000.5"])
def test_port_that_is_none(root: Path, port: str) -> None:
    done = run(root, f"--port={port}")
    assert done.returncode == 1
    assert f"The port given is '{port}'; expected is a number from 1 to 65535" in done.stderr


def test_multipart_is_what_a_server_reads(qs: ModuleType, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20 + b"\r\n--boundary\r\n"
    for name, kind in (('señora "A".JPG', "image/jpeg"), ("b.Png", "image/png")):
        body, headers = qs.multipart(write(tmp_path / name, content))
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": headers["Content-Type"],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        _, form, files = parse_form_data(environ)
        assert not form
        assert list(files) == ["image"]
        with contextlib.closing(files["image"]) as image:
            assert image.read() == content
            assert (image.filename, image.mimetype) == (name, kind)


@pytest.mark.parametrize(
    ("name", "is_me", "said"), [("me", True, "right"), ("me", False, "WRONG"), ("not_me", True, "WRONG")]
)
def test_meaning_says_right_and_wrong(qs: ModuleType, name: str, is_me: bool, said: str) -> None:
    assert f": {said}." in qs.meaning(name, 200, {"is_me": is_me, "score": 0.5, "threshold": 0.5})


def test_meaning_of_no_verdict(qs: ModuleType) -> None:
    assert "MAX_CONTENT_MB" in qs.meaning("me", 413, {"error": "..."})
    assert "no verdict (status 503)" in qs.meaning("me", 503, {"error": "..."})
    assert "no verdict" in qs.meaning("me", 200, None)


@pytest.mark.parametrize("quiet", [True, False])
def test_what_dvc_says_of_a_failure_is_seen(
    qs: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], quiet: bool
) -> None:
    """DVC keeps its errors to itself with --quiet."""
    silent = "import sys\nprint('' if '--quiet' in sys.argv else 'params.yaml: line 44 is no YAML')\nsys.exit(1)\n"
    write(root / "dvc" / "__init__.py", b"")  # so that it comes before the real one
    write(root / "dvc" / "__main__.py", silent.encode())
    monkeypatch.setattr(qs, "VENV_PYTHON", sys.executable)
    with pytest.raises(qs.Problem, match=r"`dvc add data/me` failed\. Put right what its messages above name"):
        qs.dvc("add", "data/me", quiet=quiet)
    assert capfd.readouterr().out.count("line 44 is no YAML") == 1


# the service as a process


@pytest.fixture
def served(qs: ModuleType, root: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script with a service that answers without a model, run by this Python."""
    write(root / "service" / "__main__.py", SERVICE.encode())
    shutil.copytree(photos, root / "data")
    monkeypatch.setattr(qs, "VENV_PYTHON", sys.executable)
    return qs


def gone(root: Path) -> bool:
    """Whether the service that had started here has ended."""
    try:
        os.kill(int((root / "service.pid").read_text()), 0)
    except ProcessLookupError:
        return True
    return False


@posix_only
def test_service_is_asked_about_both_classes_and_ended(
    served: ModuleType, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # must not come between us and our own service
    write(root / "data" / "not_me" / "a.jpg", b"no face")
    assert served.serve(free_port(), once=True) == 0
    output = capsys.readouterr().out
    assert "data/me/uno.JPG: 200" in output
    assert "data/not_me/a.jpg: 400" in output
    assert "No se detectó un rostro" in output
    assert "data/not_me/ana/1.jpeg: 200" in output  # the next one, as the first had no face
    assert output.count(": right.") == 2
    assert "Backbone: stub-net" in output
    assert gone(root)


@posix_only
def test_answers_that_are_no_json_fail(served: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB", "html")
    assert served.serve(free_port(), once=True) == 1
    assert gone(root)


@posix_only
def test_service_that_ends_at_once_shows_its_log(served: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUB", "dies")
    with pytest.raises(served.Problem, match=r"ended with exit code 1\. Its log:\n    models are missing"):
        served.serve(free_port(), once=True)


@pytest.mark.slow
@posix_only
def test_service_without_models_is_not_waited_for_long(
    served: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB", "unhealthy")
    with pytest.raises(served.Problem, match=r'is not ready; it last said .*"Models not loaded"'):
        served.serve(free_port(), once=True)
    assert gone(root)


@posix_only
def test_failure_while_asking_ends_the_service(served: ModuleType, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "multipart", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        served.serve(free_port(), once=True)
    assert gone(root)


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


@pytest.fixture
def project(root: Path, photos: Path) -> Path:
    """A project that needs no package, its photos in place."""
    write(root / "service" / "__main__.py", SERVICE.encode())
    write(root / "dvc" / "__main__.py", DVC.encode())
    write(root / "requirements.txt", b"# nothing\n")
    write(root / "requirements-dev.txt", b"-r requirements.txt\n")
    shutil.copytree(photos, root / "data")
    return root


@pytest.mark.slow
@posix_only
def test_first_and_second_run(project: Path) -> None:
    done = run(project, "--once", "--port", free_port(), PYTHONHOME="")
    assert done.returncode == 0, done.stderr
    assert "Making .venv" in done.stdout
    assert "Installing requirements.txt" in done.stdout
    assert done.stdout.count(": right.") == 2
    python = str(project / ".venv" / "bin" / "python")
    calls = (project / "dvc-calls").read_text().splitlines()
    assert calls == [
        f"init|--no-scm|--quiet|{python}",
        f"config|core.analytics|false|{python}",
        f"add|data/me|data/not_me|--quiet|{python}",
        f"repro|{python}",
    ]
    assert gone(project)

    done = run(project, "--once", "--port", free_port())
    assert done.returncode == 0, done.stderr
    assert "Making" not in done.stdout
    assert "Installing" not in done.stdout

    write(project / "requirements.txt", b"# changed\n")
    (project / ".venv" / "bin" / "python").unlink()  # and broken
    done = run(project, "--once", "--port", free_port(), STUB="dvc fails")
    assert done.returncode == 1
    assert "Making .venv" in done.stdout
    assert "Installing requirements.txt" in done.stdout
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
def test_registry_that_cannot_be_reached(project: Path) -> None:
    write(project / "requirements.txt", b"a-package-that-is-nowhere==1.0\n")
    done = run(
        project,
        "--port",
        free_port(),
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="1",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert done.returncode == 1
    assert "pip could not install requirements.txt. The package registry cannot be reached" in done.stderr
    assert "    ERROR: No matching distribution found" in done.stderr
    assert not (project / ".venv" / "quickstart-stamp.json").exists()


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
    for tool in ("ruff", "mypy", "pytest"):
        code = f"import os, sys\nprint('{tool}', *sys.argv[1:])\nsys.exit('{tool}' in os.environ['FAILING'])\n"
        write(project / f"{tool}.py", code.encode())

    done = run(project, "test", "-k", "a or b", FAILING="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "pytest -k a or b"
    # Each is announced, and then the stand-in says how it was called.
    lines = [line for line in done.stdout.splitlines() if line.startswith(("ruff", "mypy"))]
    assert lines == ["ruff check"] * 2 + ["ruff format --check"] * 2 + ["mypy"] * 2

    done = run(project, "test", FAILING="mypy")
    assert done.returncode == 1
    assert "FAILED: mypy" in done.stdout
    assert done.stdout.splitlines()[-1] == "pytest"

    done = run(project, "test", "--no-lint", "-m", "slow", FAILING="pytest")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line] == ["pytest -m slow"]
