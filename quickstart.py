"""One command from a fresh checkout to an answered question. Standard library only.

    python3 quickstart.py [--photos DIR] [--port N] [--once]
    python3 quickstart.py test [--no-lint] [pytest arguments]

The first makes .venv beside this file, installs requirements.txt, puts the drawn portraits of demo/ into data/ where
that holds no photos, tracks them with DVC, runs `dvc repro`, starts the service and asks it about one photo of "me" and
one of a stranger.
The second installs requirements-dev.txt too, then runs ruff, mypy and pytest.
"""

# This file has to parse on Python 3.7, or there an error shows up in place of check_python's sentence.
from __future__ import annotations

import argparse
import contextlib
import filecmp
import hashlib
import http.client
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = VENV_BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "quickstart-stamp.json"
LOG = ROOT / "quickstart.log"
HOST = "127.0.0.1"
CLASSES = ("me", "not_me")
DEMO = ROOT / "demo"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")
MINIMUM_PYTHON = (3, 11)
SERVICE_LIMIT = 2 * 2**20  # the service's default MAX_CONTENT_MB, in bytes


class Problem(Exception):
    """Something the user can put right; its text says what was given, what is expected and what to do."""


class Status:
    """Progress: one live line on a terminal, elsewhere a line every 15 seconds."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.start = time.monotonic()
        self.next_line = 15.0
        self.live = sys.stdout.isatty()
        print(label, end="" if self.live else "\n", flush=True)

    def update(self, detail: str = "") -> None:
        """Shows the seconds so far and what is being done."""
        seconds = time.monotonic() - self.start
        text = f"{self.label}: {seconds:.0f} s{', ' if detail else ''}{detail}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + text[:width].ljust(width), end="", flush=True)
        elif seconds >= self.next_line:
            self.next_line = seconds + 15.0
            print("  " + text, flush=True)

    def end(self) -> None:
        """Leaves the total behind and closes the line."""
        self.next_line = 0.0
        self.update("done")
        if self.live:
            print(flush=True)


def environment() -> dict[str, str]:
    """The environment of everything started here: .venv first, as the commands in dvc.yaml say `python`."""
    env = dict(os.environ)
    env.pop("PYTHONHOME", None)
    env["PATH"] = str(VENV_BIN) + os.pathsep + env.get("PATH", os.defpath)
    env["VIRTUAL_ENV"] = str(VENV)
    env["DVC_NO_ANALYTICS"] = "1"
    env["PYTHONUNBUFFERED"] = "1"  # or the log, and with it the progress, lags behind
    return env


@contextlib.contextmanager
def running(command: Sequence[object], log: bool = False, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a command in the project root and ends it, and all that it started, when the block is left.

    With `log`, its output goes to LOG and it reads nothing.
    """
    with LOG.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=str(ROOT),
            env=dict(environment(), **env),
            stdin=subprocess.DEVNULL if log else None,
            stdout=output if log else None,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=os.name == "posix",  # a process group of its own, to be ended as one
        )
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and what it started: asks first, then insists."""
    # A second Ctrl-C while we clean up must not leave the child behind.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if sys.platform == "win32":
            if process.poll() is None:
                kill = ("taskkill", "/F", "/T", "/PID", str(process.pid))
                subprocess.run(kill, capture_output=True, check=False)
            process.wait()
            return
        for number, patience in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, None)):
            # The last one reaches whatever an already finished command left running, too.
            if process.poll() is None or patience is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def call(*command: object) -> int:
    """Runs a command whose output the user sees; returns its exit code."""
    with running(command) as process:
        return process.wait()


def call_logged(label: str, *command: object) -> int:
    """Runs a command with its output in LOG and its progress on one line; returns its exit code."""
    status = Status(label)
    detail = ""
    with LOG.open("rb") as reader:
        reader.seek(0, os.SEEK_END)
        with running(command, log=True) as process:
            while process.poll() is None:
                for words in (line.decode("utf-8", "replace").split() for line in reader.readlines()):
                    if words[1:] and words[0] in ("Collecting", "Downloading", "Processing", "Installing"):
                        what = "the packages" if words[1] == "collected" else words[1].split("/")[-1]
                        detail = f"{words[0].lower()} {what}"
                status.update(detail)
                time.sleep(0.2)
            code = process.returncode
    status.end()
    return code


def log_tail(lines: int = 12) -> str:
    """The last lines of LOG, indented."""
    text = LOG.read_text(encoding="utf-8", errors="replace")
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def check_python(version: tuple[int, ...], machine: str = "") -> None:
    """Raises Problem where this Python, or this kind of computer, cannot run the project."""
    if tuple(version[:2]) < MINIMUM_PYTHON:
        given, wanted = (f"{v[0]}.{v[1]}" for v in (version, MINIMUM_PYTHON))
        raise Problem(
            f"This is Python {given}, and the project needs Python {wanted} or later. "
            f"Install a newer one and start this file with it, for example: python{wanted} quickstart.py"
        )
    if (machine or f"{sys.platform} {platform.machine()}") == "darwin x86_64":
        raise Problem(
            "This Python is built for Intel Macs, for which PyTorch has had no release since 2.2.2. "
            "Use an arm64 Python (on an Apple-silicon Mac), another computer, or Linux in a container."
        )


def venv_version() -> str | None:
    """The Python version of .venv, such as "3.11"; None where .venv is missing, half made or broken."""
    probe = (
        "import pip, sys\nassert sys.prefix != sys.base_prefix and sys.version_info >= (3, 11)\n"
        "print('%d.%d' % sys.version_info[:2])"
    )
    command = [str(VENV_PYTHON), "-c", probe]
    try:
        output = subprocess.check_output(command, env=environment(), stderr=subprocess.DEVNULL, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return None
    return output.decode().strip()


def make_venv() -> str:
    """Makes .venv, in place of what may be left of an earlier one; returns its Python version."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Problem(
            f"This Python ({sys.executable}) has no venv module with pip, which is needed to make .venv. "
            "On Debian and Ubuntu install it with: sudo apt install python3-venv"
        )
    code = call_logged("Making .venv", sys.executable, "-m", "venv", "--clear", VENV)
    version = venv_version()
    if code or version is None:
        raise Problem(f"The virtual environment {VENV} could not be made. Its last messages:\n{log_tail()}")
    return version


def is_installed(stamp: dict[str, str]) -> bool:
    """Whether the stamp of the last complete installation holds all of this one."""
    try:
        written = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(written, dict) and stamp.items() <= written.items()


def check_disk(free: int) -> None:
    """Raises Problem where the packages would not fit on the disk."""
    if any(any(VENV.glob(f"{lib}/site-packages/torch")) for lib in ("lib/python*", "Lib")):
        return  # what is still to come is small
    needed = 10 if sys.platform == "linux" and platform.machine() == "x86_64" else 3  # the former: with CUDA
    if free < needed * 10**9:
        raise Problem(
            f"{ROOT} has {free / 10**9:.1f} GB of free disk space, and the packages need about {needed} GB. "
            "Free some space, or move the project to a larger disk."
        )


def install(*files: str) -> None:
    """Makes .venv hold these requirements files; does nothing where it already does."""
    version = venv_version() or make_venv()
    stamp = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in files}
    stamp["python"] = version
    if is_installed(stamp):
        return
    check_disk(shutil.disk_usage(str(ROOT)).free)
    STAMP.unlink(missing_ok=True)  # an installation that is cut off must not count as complete
    arguments = [part for name in files for part in ("--requirement", name)]
    command = (VENV_PYTHON, "-m", "pip", "install", "--no-input", *arguments)
    if call_logged(f"Installing {files[-1]}", *command):
        hint = explain_pip(log_tail(60), version)
        raise Problem(f"pip could not install {files[-1]}. {hint} Its last lines:\n{log_tail()}")
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def explain_pip(messages: str, python: str) -> str:
    """What most likely stopped pip, and what to do."""
    causes = {
        "The disk is full: pip needs space for its downloads and its cache, too.": ("No space left",),
        "The package registry cannot be reached: check the network, the proxy and pip's settings.": (
            "Failed to establish", "Connection", "timed out", "name resolution", "ProxyError",
        ),
        f"A package has no ready-made build for this Python ({python}) and needs a C compiler: use Python 3.11 to 3.14 "
        "or install one (on Debian and Ubuntu: sudo apt install build-essential python3-dev).": (
            "Failed building wheel", "Failed to build", "error: command", "Microsoft Visual C++",
        ),
    }  # fmt: skip
    for cause, marks in causes.items():
        if any(mark in messages for mark in marks):
            return cause
    return f"Its messages in full are in {LOG.name}."


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder and its sub-folders, as sorted paths relative to it; hidden files are none."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES)
    shown = (path for path in found if not any(part.startswith(".") for part in path.parts))
    return sorted(path for path in shown if (folder / path).is_file())


def same_photos(one: Path, other: Path) -> bool:
    """Whether two folders hold the same photos under the same names."""
    names = photos_in(one)
    return names == photos_in(other) and all(filecmp.cmp(str(one / n), str(other / n)) for n in names)


def is_demo(name: str) -> bool:
    """Whether data/<name> holds the portraits of the demo, and nothing of the user's."""
    return same_photos(DEMO / name, ROOT / "data" / name)


def check_given(given: Path) -> None:
    """Raises Problem unless --photos DIR can be copied without touching a photo of the user's."""
    layout = f"expected is a folder with photos of you in {given / 'me'} and of others in {given / 'not_me'}"
    if not given.is_dir():
        raise Problem(f"--photos {given}: there is no such folder; {layout}.")
    for name in CLASSES:
        source = given / name
        if not source.is_dir():
            raise Problem(f"--photos {given}: it has no folder {name}; {layout}. Make it and put photos in.")
        if not photos_in(source):
            raise Problem(f"--photos {given}: {source} holds no photo (.jpg, .jpeg or .png); put some there.")
    taken = [
        f"data/{name} already holds {len(photos_in(ROOT / 'data' / name))} photos, not the same as the "
        f"{len(photos_in(given / name))} of {given / name}"
        for name in CLASSES
        if photos_in(ROOT / "data" / name) and not same_photos(given / name, ROOT / "data" / name) and not is_demo(name)
    ]
    if taken:
        raise Problem(
            f"{'; '.join(taken)}; nothing was changed. --photos is for the first time: put new photos into data/me and "
            "data/not_me themselves and start without it, or move those folders away first."
        )


def copy_photos(source: Path, target: Path) -> None:
    """Copies the photos of a class, all or none; other files that the target holds stay."""
    names = photos_in(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    status = Status(f"Copying {len(names)} photos to data/{target.name}")
    with tempfile.TemporaryDirectory(suffix=".tmp", dir=str(target.parent)) as temporary:
        fresh = Path(temporary) / target.name
        if target.is_dir():
            shutil.copytree(str(target), str(fresh))
            for name in photos_in(fresh):  # of the demo; other files (a .gitkeep, notes) stay
                (fresh / name).unlink()
            for folder in sorted((path for path in fresh.rglob("*") if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError):  # it still holds something
                    folder.rmdir()
        for done, name in enumerate(names):
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(source / name), str(fresh / name))
            status.update(f"{done + 1} of {len(names)}")
        if target.is_dir():
            target.rename(Path(temporary) / "before")
        fresh.rename(target)
    status.end()


def ensure_photos(given: Path | None) -> None:
    """Makes sure that data/me and data/not_me hold photos, those of `given` if any; else raises Problem."""
    targets = [ROOT / "data" / name for name in CLASSES]
    if given is not None:
        check_given(given)
    elif not any(photos_in(target) for target in targets) and photos_in(DEMO):
        print("data/me and data/not_me hold no photos: the demo's drawn portraits are put there.")
        given = DEMO
    if given is not None:
        for target in targets:
            if not same_photos(given / target.name, target):
                copy_photos(given / target.name, target)
    empty = [target for target in targets if not photos_in(target)]
    if empty:
        raise Problem(
            f"There are no photos in {' and '.join(map(str, empty))}. Put 20 or more photos of you "
            "(.jpg, .jpeg or .png) into data/me and of other people into data/not_me, or name a folder with "
            "me and not_me in it: python3 quickstart.py --photos DIR (dvc pull, if DVC has yours elsewhere)."
        )
    drawn = [name for name in CLASSES if is_demo(name)]
    if len(drawn) == 1:
        print(
            f"Note: data/{drawn[0]} still holds the demo's drawn portraits, beside photos of real people in the other "
            "class. Put photos of real people there too, or the model learns to tell drawings from photos."
        )


def dvc(*arguments: str, quiet: bool = False) -> None:
    """Runs a DVC command; raises Problem where it fails.

    With `quiet` it says nothing but, as DVC then hides its errors too, where it fails: it is asked once more aloud.
    """
    command = (VENV_PYTHON, "-m", "dvc", *arguments)
    if quiet and not call(*command, "--quiet"):
        return
    if call(*command):
        words = " ".join(arguments)
        raise Problem(f"`dvc {words}` failed. Put right what its messages above name, then start again.")


def build() -> None:
    """Sets DVC up where it is not, tracks the photos and runs the pipeline."""
    has_git = (ROOT / ".git").exists()
    settings = [path.read_text(encoding="utf-8") for path in (ROOT / ".dvc").glob("config*")]
    if not (ROOT / ".dvc").is_dir():
        dvc("init", *([] if has_git else ["--no-scm"]), quiet=True)
        dvc("config", "core.analytics", "false")
    elif not has_git and not any("no_scm" in text for text in settings):
        # An unpacked archive of the repository: DVC would refuse to work without git.
        dvc("config", "--local", "core.no_scm", "true")
    print("Tracking the photos with DVC", flush=True)
    dvc("add", *(f"data/{name}" for name in CLASSES), quiet=True)
    print("Running the pipeline: dvc repro", flush=True)
    dvc("repro")


def wanted_port(option: str | None) -> int:
    """The port of --port, else of PORT, else 5000; raises Problem unless it can be served on."""
    text = option or os.environ.get("PORT") or "5000"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Problem(f"The port given is {text!r}; expected is a number from 1 to 65535: --port 5001")
    port = int(text)
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=2):
        raise Problem(f"Port {port} is taken by another program. Stop it or choose another: --port 5001")
    with socket.socket() as probe:
        if os.name == "posix":  # connections of an earlier run that are still closing do no harm
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Problem(f"Port {port} cannot be used: {error.strerror}. Try --port 5001") from None
    return port


def multipart(photo: Path) -> tuple[bytes, dict[str, str]]:
    """A photo as the form field `image`: body and headers."""
    boundary = uuid.uuid4().hex
    name = photo.name.replace('"', "%22").replace("\r", "").replace("\n", "")
    kind = "image/png" if photo.suffix.lower() == ".png" else "image/jpeg"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    body = head.encode("utf-8", "replace") + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def request(port: int, path: str, photo: Path | None = None) -> tuple[int, object]:
    """GETs a path of the service or, with a photo, POSTs it; past any proxy.

    Returns the status and the decoded JSON, None in its place where the answer is none.
    """
    body, headers = multipart(photo) if photo else (None, {})
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=120)) as connection:
        connection.request("POST" if photo else "GET", path, body, headers)
        response = connection.getresponse()
        text = response.read()
    try:
        return response.status, json.loads(text.decode("utf-8"))
    except ValueError:
        return response.status, None


def wait_healthy(process: subprocess.Popen[bytes], port: int) -> None:
    """Waits until the service says that it is ready; raises Problem where it ends or never gets there."""
    status = Status(f"Starting the service on port {port}")
    answer: object = None
    # One that listens has loaded its models, or found none: then it stays 503.
    while process.poll() is None and time.monotonic() - status.start < (10 if answer else 120):
        with contextlib.suppress(OSError, http.client.HTTPException):
            code, answer = request(port, "/healthz")
            if code == 200:
                status.end()
                return
        status.update()
        time.sleep(0.3)
    state = "is not ready" if process.poll() is None else f"ended with exit code {process.returncode}"
    said = f"; it last said {json.dumps(answer, ensure_ascii=False)}" if answer else ""
    raise Problem(f"The service {state}{said}. Its log:\n{log_tail()}")


def meaning(name: str, status: int, answer: object) -> str:
    """One plain sentence on what the service's answer to a photo of this class means."""
    if status == 413:
        return "The photo is over the service's limit. Raise it, in the environment or .env: MAX_CONTENT_MB=8"
    if status != 200 or not isinstance(answer, dict):
        return f"The service gave no verdict (status {status})."
    is_me, score, threshold = (answer.get(key) for key in ("is_me", "score", "threshold"))
    right = "right" if bool(is_me) == (name == "me") else "WRONG"
    says = "This is" if is_me else "This is not"
    return f"{says} the person of data/me (score {score}, threshold {threshold}), says the service: {right}."


def probes(name: str) -> tuple[list[Path], bool]:
    """Photos of a class to ask about, the likeliest to be answered first, and whether training has seen them.

    The demo keeps a few that are in neither class; of a user's own photos there are no others.
    """
    kept = sorted((DEMO / "ask").glob("me*" if name == "me" else "stranger*"))
    if kept and all(is_demo(each) for each in CLASSES):
        return kept, False
    photos = [ROOT / "data" / name / path for path in photos_in(ROOT / "data" / name)]
    return sorted(photos, key=lambda path: path.stat().st_size > SERVICE_LIMIT), True


def raised_limit() -> dict[str, str]:
    """The setting with which the service takes the user's photos, where all of a class are over its default limit.

    A limit that the user has set is theirs.
    """
    env_file = ROOT / ".env"
    text = env_file.read_text(encoding="utf-8", errors="replace") if env_file.is_file() else ""
    if "MAX_CONTENT_MB" in os.environ or re.search(r"^\s*(export\s+)?MAX_CONTENT_MB\s*=", text, re.MULTILINE):
        return {}
    sizes = [[photo.stat().st_size for photo in probes(name)[0]] for name in CLASSES]
    if all(min(own) <= SERVICE_LIMIT for own in sizes):
        return {}
    megabytes = str(-(-max(map(max, sizes)) // 2**20))
    print(
        f"Photos in data/ are larger than 2 MB, which is all that the service takes unless told otherwise: here it is "
        f"started with MAX_CONTENT_MB={megabytes}. Put that line into a file .env beside quickstart.py to keep it so."
    )
    return {"MAX_CONTENT_MB": megabytes}


def ask(port: int, name: str, photos: list[Path]) -> tuple[bool, object]:
    """Asks about a photo of a class and prints what comes; returns whether a verdict did, and the answer."""
    status = 0
    answer: object = None
    for photo in photos[:10]:
        try:
            status, answer = request(port, "/verify", photo)
        except (OSError, http.client.HTTPException) as error:
            raise Problem(f"The service did not answer /verify ({error}). Its log:\n{log_tail()}") from None
        print(f"\nPOST /verify with {photo.relative_to(ROOT).as_posix()}: {status}")
        print("  " + json.dumps(answer, ensure_ascii=False))
        print("  " + meaning(name, status, answer), flush=True)
        if status not in (400, 413):  # those two speak of the photo (no face, too large): try the next one
            break
    return status == 200 and isinstance(answer, dict), answer


def explain_backbone(used: object) -> str:
    """Which network the answers say embedded the faces and, as far as the project knows, why that one."""
    try:
        text = (ROOT / "models" / "networks" / "networks.json").read_text(encoding="utf-8")
        wanted = json.loads(text)["requested"]
    except (OSError, ValueError, KeyError):
        return str(used)
    if used == wanted:
        return f"{used}, as params.yaml says"
    return (
        f"{used}, which comes with the packages: the weights of {wanted}, which params.yaml names, could not be had. "
        "With internet, `dvc repro --force export` and `dvc repro` fetch them"
    )


def serve(port: int, once: bool) -> int:
    """Starts the service, asks it about both classes and, unless `once`, leaves it running until Ctrl-C."""
    command = (VENV_PYTHON, "-m", "service")
    # FLASK_DEBUG would put a reloader between us and the service.
    settings = {"FLASK_HOST": HOST, "PORT": str(port), "FLASK_DEBUG": "False", **raised_limit()}
    with running(command, log=True, **settings) as process:
        wait_healthy(process, port)
        answers = []
        for name in CLASSES:
            photos, seen = probes(name)
            answers.append(ask(port, name, photos))
        learnt = "It has learnt from the photos in data/, so it says little that it knows these two."
        print(f"\n{learnt if seen else 'Neither photo was part of the training.'}")
        print("How often it is right on faces it has not seen: reports/INFORME_H10.html (open it in a browser)")
        backbones = [a["backbone"] for _, a in answers if isinstance(a, dict) and "backbone" in a]
        print(f"Backbone: {explain_backbone(backbones[0]) if backbones else 'not named in the answers'}")
        if once:
            print("The service has done its work and is stopped (--once).")
        else:
            photo = probes("me")[0][0].relative_to(ROOT).as_posix()
            print(f"Service:  http://{HOST}:{port}/ (log: {LOG.name})")
            print(f'Ask it from a second terminal: curl -sS -F "image=@{photo}" http://{HOST}:{port}/verify')
            with contextlib.suppress(KeyboardInterrupt):
                print("It runs until you press Ctrl-C.", flush=True)
                while process.poll() is None:
                    time.sleep(0.5)
                raise Problem(f"The service ended (exit code {process.returncode}). Its log:\n{log_tail()}")
    return 0 if all(answered for answered, _ in answers) else 1


def run_tests(arguments: list[str]) -> int:
    """Runs ruff, mypy and, so that its summary closes the output, last pytest; returns the exit code."""
    install("requirements.txt", "requirements-dev.txt")
    failed = []
    if "--no-lint" not in arguments:
        for check in ("ruff check", "ruff format --check", "mypy"):
            print(f"\n{check}", flush=True)
            if call(VENV_PYTHON, "-m", *check.split()):
                failed.append(check)
        if failed:
            print(f"\nFAILED: {', '.join(failed)} (messages above)", flush=True)
    code = call(VENV_PYTHON, "-m", "pytest", *(word for word in arguments if word != "--no-lint"))
    return code or (1 if failed else 0)


def quickstart(arguments: list[str]) -> int:
    """From nothing to two answers; returns the exit code. What can fail at once is looked at first."""
    parser = argparse.ArgumentParser(
        description="Installs, builds the model from your photos, starts the service and asks it.",
        epilog="python3 quickstart.py test [--no-lint] [pytest arguments]: runs the linters and the tests.",
    )
    parser.add_argument("--photos", metavar="DIR", help="copy the photos of DIR/me and DIR/not_me first")
    parser.add_argument("--port", metavar="N", help="port of the service (default: PORT, else 5000)")
    parser.add_argument("--once", action="store_true", help="end after the two answers")
    options = parser.parse_args(arguments)
    port = wanted_port(options.port)
    ensure_photos(Path(options.photos) if options.photos else None)
    install("requirements.txt")
    build()
    return serve(port, options.once)


def main(arguments: list[str]) -> int:
    """Runs the command that was asked for; returns the exit code."""
    try:
        check_python(sys.version_info[:2])
        for name in ("SIGTERM", "SIGHUP"):  # so that what was started is ended on the way out
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                signal.signal(getattr(signal, name), lambda *_: sys.exit(143))
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a script's background jobs
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper here
        LOG.write_bytes(b"")
        return run_tests(arguments[1:]) if arguments[:1] == ["test"] else quickstart(arguments)
    except (Problem, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
