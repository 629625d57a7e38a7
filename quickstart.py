"""One command from a fresh checkout to an answered question. Standard library only.

    python3 quickstart.py [--photos DIR] [--port N] [--once] [--pip]
    python3 quickstart.py test [--no-lint] [--pip] [pytest arguments]

The first makes .venv beside this file, installs requirements.txt and starts the tour there (tour/): it puts the drawn
portraits of demo/ into data/ where that holds no photos, tracks them with DVC, runs `dvc repro`, starts the service and
asks it about one photo of "me" and, where there is any, one of a stranger. Photos of "me" alone will do.
The second installs requirements-dev.txt too, then runs pytest, and with it ruff and mypy.
uv installs the packages, or pip where uv cannot be had or cannot install them; --pip takes pip at once.
What it says is in Spanish or English, as the terminal is (tour/language.py).
"""

# This file, and what it imports of tour/, runs on Python 3.7 up to check_python, or nobody reads its sentence there.
from __future__ import annotations

import argparse
import ast
import contextlib
import filecmp
import hashlib
import importlib.util
import json
import os
import platform
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from tour.language import tell

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = VENV_BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "quickstart-stamp.json"
CUT_OFF = VENV / "quickstart-uv-at-work"  # lies there while uv may be writing packages
LOG = ROOT / "quickstart.log"
COPIED_FROM = ROOT / "quickstart-photos.json"  # for each class, the folder whose photos --photos has copied
HOST = "127.0.0.1"
CLASSES = ("me", "not_me")
DEMO = ROOT / "demo"
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
MINIMUM_PYTHON = (3, 11)
UV = "uv==0.13.9"  # what is installed where there is none
MINIMUM_UV = (0, 5)  # knows every option and variable used here
PYTEST_OPTIONS = (
    "--numprocesses=logical", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder", "--durations=10",
)  # fmt: skip

# Where packages come from, as pip is told and as uv is told: uv reads neither pip.conf nor PIP_*.
UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_EXTRA_INDEX_URL",),
    "find-links": ("UV_FIND_LINKS",),
    "constraint": ("UV_CONSTRAINT",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
}
# What pip may be told that changes nothing of what is installed, or from where.
UNIMPORTANT_TO_UV = {
    "break-system-packages", "cache-dir", "config-file", "disable-pip-version-check", "log", "no-cache-dir", "no-color",
    "no-input", "no-python-version-warning", "no-warn-script-location", "progress-bar", "quiet", "require-virtualenv",
    "retries", "root-user-action", "verbose",
}  # fmt: skip


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
        self.update(tell("done"))
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


def call_logged(label: str, *command: object, **env: str) -> int:
    """Runs a command with its output in LOG and its progress on one line; returns its exit code."""
    status = Status(label)
    detail = ""
    with LOG.open("rb") as reader:
        reader.seek(0, os.SEEK_END)
        with running(command, log=True, **env) as process:
            while process.poll() is None:
                for line in reader.readlines():
                    detail = explain_progress(line.decode("utf-8", "replace").split()) or detail
                status.update(detail)
                time.sleep(0.2)
            code = process.returncode
    status.end()
    return code


def explain_progress(words: Sequence[str]) -> str:
    """What a line of pip's or uv's messages says is being done; empty where it says nothing of the kind."""
    if not words[1:]:
        return ""
    name = words[1].split("/")[-1]
    doing = {
        "Collecting": tell("collecting {name}", name=name),
        "Downloading": tell("downloading {name}", name=name),
        "Processing": tell("processing {name}", name=name),
        # pip's line begins what it names, each of uv's tells that something has ended.
        "Installing": tell("installing the packages"),
        "Resolved": tell("downloading the packages"),
        "Prepared": tell("installing the packages"),
        "Installed": tell("compiling the packages"),
    }
    return doing.get(words[0], "")


def log_tail(lines: int = 12) -> str:
    """The last lines of LOG, indented."""
    text = LOG.read_text(encoding="utf-8", errors="replace")
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def check_python(version: tuple[int, ...], machine: str = "") -> None:
    """Raises Problem where this Python, or this kind of computer, cannot run the project."""
    if tuple(version[:2]) < MINIMUM_PYTHON:
        given, wanted = (f"{v[0]}.{v[1]}" for v in (version, MINIMUM_PYTHON))
        raise Problem(
            tell(
                "This is Python {given}, and the project needs Python {wanted} or later. Install a newer one and start "
                "this file with it, for example: python{wanted} {script}",
                given=given,
                wanted=wanted,
                script=shlex.quote(sys.argv[0]),
            )
        )
    if (machine or f"{sys.platform} {platform.machine()}") == "darwin x86_64":
        raise Problem(
            tell(
                "This Python is built for Intel Macs, for which PyTorch has had no release since 2.2.2. Use an arm64 "
                "Python (on an Apple-silicon Mac), another computer, or Linux in a container."
            )
        )


def started_as() -> str:
    """How this file was started, to be typed again in the same terminal."""
    script = sys.argv[0]
    if os.name == "nt":
        return f'py "{script}"'
    if Path(script).name != "quickstart.py":  # the tour, in the Python of .venv
        return f"python3 {shlex.quote(str(ROOT / 'quickstart.py'))}"
    name = Path(sys.executable).name
    found = shutil.which(name)
    python = name if found and Path(found).samefile(sys.executable) else sys.executable
    return f"{shlex.quote(python)} {shlex.quote(script)}"


def in_environment(*commands: str) -> str:
    """Commands of DVC and of the project as lines to type one after another in any terminal, whatever its folder.

    Before them come those that lead into the project and its environment, as the user's shell takes them.
    """
    if os.name == "nt":  # pushd changes the drive too, in PowerShell as in cmd
        lines = [f'pushd "{ROOT}"', r".venv\Scripts\activate"]
    else:
        shell = Path(os.environ.get("SHELL", "")).name
        suffix = {"fish": ".fish", "csh": ".csh", "tcsh": ".csh"}.get(shell, "")
        source = "source" if suffix or shell in ("bash", "zsh") else "."
        lines = [f"cd {shlex.quote(str(ROOT))}", f"{source} .venv/bin/activate{suffix}"]
    return "\n".join(f"    {line}" for line in (*lines, *commands))


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
            tell(
                "This Python ({python}) has no venv module with pip, which is needed to make .venv. On Debian and "
                "Ubuntu install it with: sudo apt install python3-venv",
                python=sys.executable,
            )
        )
    code = call_logged(tell("Making .venv"), sys.executable, "-m", "venv", "--clear", VENV)
    version = venv_version()
    if code or version is None:
        text = "The virtual environment {folder} could not be made. Its last messages:\n{messages}"
        raise Problem(tell(text, folder=VENV, messages=log_tail()))
    return version


def is_installed(stamp: dict[str, str]) -> bool:
    """Whether the stamp of the last complete installation holds all of this one."""
    try:
        written = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(written, dict) and stamp.items() <= written.items()


def check_disk(free: int, *files: str) -> None:
    """Raises Problem where the packages of these requirements files would not fit on the disk."""
    if any(any(VENV.glob(f"{lib}/site-packages/torch")) for lib in ("lib/python*", "Lib")):
        return  # what is still to come is small
    if not any(re.search(r"(?m)^torch\b", (ROOT / name).read_text(encoding="utf-8")) for name in files):
        return
    needed = 10 if sys.platform == "linux" and platform.machine() == "x86_64" else 3  # the former: with CUDA
    if free < needed * 10**9:
        raise Problem(
            tell(
                "{folder} has {free:.1f} GB of free disk space, and the packages need about {needed} GB. Free some "
                "space, or move the project to a larger disk.",
                folder=ROOT,
                free=free / 10**9,
                needed=needed,
            )
        )


def install(*files: str, pip_only: bool = False) -> None:
    """Makes .venv hold these requirements files; does nothing where it already does."""
    version = venv_version() or make_venv()
    stamp = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in files}
    stamp["python"] = version
    if is_installed(stamp):
        return
    if CUT_OFF.exists():
        # uv writes a package's files in any order, and takes one for installed that has the right names in it.
        print(tell("The last installation was cut off, and may have left half a package: .venv is made anew."))
        version = stamp["python"] = make_venv()
    check_disk(shutil.disk_usage(str(ROOT)).free, *files)
    STAMP.unlink(missing_ok=True)  # an installation that is cut off must not count as complete
    requirements = [part for name in files for part in ("--requirement", name)]
    if pip_only or not install_with_uv(files[-1], requirements):
        command = (VENV_PYTHON, "-m", "pip", "install", "--no-input", *requirements)
        if call_logged(tell("Installing {name} with {tool}", name=files[-1], tool="pip"), *command):
            raise installation_failed("pip", files[-1])
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def install_with_uv(name: str, requirements: list[str]) -> bool:
    """Has uv install what pip would; returns whether it has, and says why where it has not."""
    settings, unknown = uv_settings()
    if unknown:
        text = "pip has settings that uv does not know ({names}): pip installs, which takes longer."
        print(tell(text, names=", ".join(unknown)))
        return False
    uv = find_uv()
    if uv is None:
        print(tell("{uv} cannot be had here: pip installs, which takes longer.", uv=UV))
        return False
    CUT_OFF.touch()
    # Without bytecode, the first start of everything takes some seconds more; where nothing can be written, each start.
    command = (uv, "pip", "install", "--python", VENV_PYTHON, "--compile-bytecode", *requirements)
    if call_logged(tell("Installing {name} with {tool}", name=name, tool="uv"), *command, **settings):
        messages = log_tail(60)
        if "No space left" in messages:
            raise installation_failed("uv", name)
        if "Failed to install" in messages:  # it had begun to write packages
            make_venv()
        CUT_OFF.unlink(missing_ok=True)
        text = "uv could not install {name} (its messages are in {log}): pip tries, which takes longer."
        print(tell(text, name=name, log=LOG.name))
        return False
    CUT_OFF.unlink()
    return True


def find_uv() -> str | None:
    """A uv that is new enough: the user's own, else that of .venv, where it is put if need be; None without any."""
    own = str(VENV_BIN / ("uv.exe" if os.name == "nt" else "uv"))
    for uv in (shutil.which("uv"), own):
        if uv is not None and uv_version(uv) >= MINIMUM_UV:
            return uv
    command = (VENV_PYTHON, "-m", "pip", "install", "--no-input", "--only-binary", ":all:", UV)
    return own if call_logged(tell("Installing uv"), *command) == 0 and uv_version(own) >= MINIMUM_UV else None


def uv_version(uv: str) -> tuple[int, ...]:
    """The version of a uv, such as (0, 13); (0, 0) where it does not run."""
    try:
        output = subprocess.check_output([uv, "--version"], stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    found = re.match(rb"uv (\d+)\.(\d+)", output)
    return tuple(map(int, found.groups())) if found else (0, 0)


def uv_settings() -> tuple[dict[str, str], list[str]]:
    """Where packages come from, as pip is told, in variables for uv; and the settings of pip that uv does not know.

    What uv itself is told in the environment holds.
    """
    listed = subprocess.run(
        [str(VENV_PYTHON), "-m", "pip", "config", "list"], env=environment(), stdout=subprocess.PIPE, check=False
    )
    if listed.returncode:
        return {}, [tell("they cannot be read")]
    # Lines such as global.index-url='https://…'; what comes later in this order takes the place of what came before.
    found = re.findall(
        r"^(global|install|:env:)\.([\w-]+)=(.*)$", listed.stdout.decode("utf-8", "replace"), re.MULTILINE
    )
    found.sort(key=lambda setting: ("global", "install", ":env:").index(setting[0]))
    settings = {name: ast.literal_eval(value).split() for _, name, value in found}
    variables = {
        # pip looks for the best version everywhere and trusts the certificates of the system.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
        "UV_NATIVE_TLS": "true",  # its name in older versions
    }
    for name, words in settings.items():
        for variable in UV_VARIABLES.get(name, ()):
            variables[variable] = ("," if name == "find-links" else " ").join(words)
    variables = {
        name: value for name, value in variables.items() if not (name.startswith("UV_") and name in os.environ)
    }
    return variables, sorted(settings.keys() - UV_VARIABLES.keys() - UNIMPORTANT_TO_UV)


def installation_failed(tool: str, name: str) -> Problem:
    """What to raise where pip or uv could not install a requirements file: what most likely stopped it, what to do."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    hint = explain_messages(log_tail(60), venv_version() or version)
    text = "{tool} could not install {name}. {hint} Its last lines:\n{messages}"
    return Problem(tell(text, tool=tool, name=name, hint=hint, messages=log_tail()))


def explain_messages(messages: str, python: str) -> str:
    """What most likely stopped an installation, and what to do."""

    def any_of(*marks: str) -> bool:
        return any(mark in messages for mark in marks)

    if any_of("No space left"):
        return tell("The disk is full: the installation needs space for its downloads and its cache, too.")
    if any_of("Failed to establish", "Connection", "timed out", "name resolution", "ProxyError"):
        return tell("The package registry cannot be reached: check the network, the proxy and pip's settings.")
    if any_of("Failed building wheel", "Failed to build", "error: command", "Microsoft Visual C++"):
        return tell(
            "A package has no ready-made build for this Python ({python}) and needs a C compiler: use Python 3.11 to "
            "3.14 or install one (on Debian and Ubuntu: sudo apt install build-essential python3-dev).",
            python=python,
        )
    return tell("Its messages in full are in {log}.", log=LOG.name)


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder and its sub-folders, as sorted paths relative to it; hidden files are none.

    Locked photos (python -m privacy lock) are photos too: their names end with .locked after the suffix.
    """
    found = (path.relative_to(folder) for path in folder.rglob("*") if _suffix(path) in PHOTO_SUFFIXES)
    shown = (path for path in found if not any(part.startswith(".") for part in path.parts))
    return sorted(path for path in shown if (folder / path).is_file())


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".locked")).suffix


def files_in(folder: Path) -> list[Path]:
    """The files of a folder and its sub-folders; none where there is no folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def classes_in(folder: Path) -> list[str]:
    """The classes of which a folder with me/ and not_me/ holds photos."""
    return [name for name in CLASSES if photos_in(folder / name)]


def same_photos(one: Path, other: Path) -> bool:
    """Whether two folders hold the same photos under the same names."""
    names = photos_in(one)
    return names == photos_in(other) and all(filecmp.cmp(str(one / n), str(other / n)) for n in names)


def is_demo(name: str) -> bool:
    """Whether data/<name> holds the portraits of the demo, and nothing of the user's."""
    return bool(photos_in(DEMO / name)) and same_photos(DEMO / name, ROOT / "data" / name)


def counted(photos: Collection[object]) -> str:
    """How many photos, in words."""
    return tell("1 photo") if len(photos) == 1 else tell("{count} photos", count=len(photos))


def copied_from(name: str) -> Path | None:
    """The folder whose photos --photos has copied to data/<name>; None where that is not known."""
    try:
        folder = json.loads(COPIED_FROM.read_text(encoding="utf-8"))[name]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(folder) if isinstance(folder, str) else None


def photos_only_in_data(name: str, given: Path) -> list[Path]:
    """The photos of data/<name> of which there is no copy elsewhere, as far as is known; paths relative to it.

    A copy is a file of the same content, whatever its name, in the folder that is given or in the one that --photos
    took it from: guided enrolment names photos by their content. Links into data/ are no copies.
    """
    own = ROOT / "data" / name
    replaced = [(ROOT / "data" / each).resolve() for each in CLASSES]
    by_size: dict[int, list[Path]] = {}  # so that few files are compared
    for folder in (given / name, copied_from(name)):
        for copy in [] if folder is None else [folder / photo for photo in photos_in(folder)]:
            if not any(copy.resolve().is_relative_to(each) for each in replaced):
                by_size.setdefault(copy.stat().st_size, []).append(copy)

    def is_copied(photo: Path) -> bool:
        return any(
            not copy.samefile(own / photo) and filecmp.cmp(str(copy), str(own / photo), shallow=False)
            for copy in by_size.get((own / photo).stat().st_size, ())
        )

    return [photo for photo in photos_in(own) if not is_copied(photo)]


def some_of(photos: Sequence[Path]) -> str:
    """The names of the first photos, and how many more there are."""
    names = ", ".join(photo.as_posix() for photo in photos[:3])
    return tell("{names} and {more} more", names=names, more=len(photos) - 3) if photos[3:] else names


def check_given(given: Path) -> None:
    """Raises Problem unless --photos DIR can be copied without losing a photo of the user's."""
    layout = tell(
        "Photos of you belong in {me}, photos of other people in {not_me} (that folder may be missing or empty).",
        me=given / "me",
        not_me=given / "not_me",
    )
    option = f"--photos {given}"
    if not given.is_dir():
        raise Problem(tell("{option}: there is no such folder. {layout}", option=option, layout=layout))
    if not (given / "me").is_dir():
        raise Problem(tell("{option}: it has no folder me. {layout}", option=option, layout=layout))
    for name in CLASSES:
        source = given / name
        if not photos_in(source) and (name == "me" or any(not file.name.startswith(".") for file in files_in(source))):
            text = "{option}: {folder} holds no photo (JPEG, PNG, HEIC, WebP or AVIF). {layout}"
            raise Problem(tell(text, option=option, folder=source, layout=layout))
    taken = [
        tell(
            "{folder} already holds {there}, and {given} holds others ({new}). Of {names} in {folder} no copy is "
            "known.",
            folder=f"data/{name}",
            there=counted(photos_in(ROOT / "data" / name)),
            given=given / name,
            new=counted(photos_in(given / name)),
            names=some_of(only),
        )
        for name in classes_in(given)
        if not same_photos(given / name, ROOT / "data" / name) and not is_demo(name)
        for only in [photos_only_in_data(name, given)]
        if only
    ]
    if taken:
        raise Problem(
            tell(
                "{taken} Nothing was changed. --photos takes the place only of photos that lie in the folder given "
                "too, or still in the one that it copied them from. Move the others to a folder of yours, or delete "
                "those that you do not need, and start again. Or put new photos into data/me and data/not_me yourself "
                "and start without --photos: {command}",
                taken=" ".join(taken),
                command=started_as(),
            )
        )


def photos_source(given: Path | None) -> Path | None:
    """The folder to copy photos from: that of --photos, else the demo where there are none; None where data/ has some.

    Raises Problem where that would touch a photo of the user's, or where there are no photos of "me".
    """
    if given is not None:
        check_given(given)
        return given
    data = ROOT / "data"
    there = classes_in(data)
    if not there and photos_in(DEMO):
        return DEMO
    # Nobody means to do without a folder that DVC tracks: the photos of others are in another place.
    fetched_not = not (data / "not_me").exists() and (data / "not_me.dvc").exists()
    if "me" not in there or fetched_not:
        empty = [str(data / name) for name in CLASSES if name not in there]
        told = tell(
            "There are no photos in {folders}. Put 20 or more photos of you (JPEG, PNG, HEIC, WebP or AVIF) into "
            "data/me and, if you can, of other people into data/not_me, or name a folder that has the folders me and "
            "not_me in it: {command} --photos DIR",
            folders=tell("{one} and {other}", one=empty[0], other=empty[1]) if empty[1:] else empty[0],
            command=started_as(),
        )
        if VENV.is_dir():
            text = "\nIf DVC keeps yours in another place, fetch them:\n{commands}"
            told += tell(text, commands=in_environment("dvc pull"))
        raise Problem(told)
    return None


def wanted_port(option: str | None) -> int:
    """The port of --port, else of PORT, else 5000; raises Problem unless it can be served on."""
    text = option or os.environ.get("PORT") or "5000"
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        wrong = "The port given is {given!r}. It must be a number from 1 to 65535, for example: --port 5001"
        raise Problem(tell(wrong, given=text))
    port = int(text)
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=2):
        taken = (
            "Port {port} is taken by another program. If that is the service of an earlier run, stop it with Ctrl+C in "
            "its terminal; or choose another port: --port 5001"
        )
        raise Problem(tell(taken, port=port))
    with socket.socket() as probe:
        if os.name == "posix":  # connections of an earlier run that are still closing do no harm
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            unusable = "Port {port} cannot be used: {reason}. Try --port 5001"
            raise Problem(tell(unusable, port=port, reason=error.strerror)) from None
    return port


def start_tour(*arguments: str) -> int:
    """Goes on in .venv with the project's packages; returns the exit code, where it returns."""
    command = [str(VENV_PYTHON), "-m", "tour", *arguments]
    os.chdir(str(ROOT))
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, environment())  # in its place: signals reach the tour itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tour
    return subprocess.call(command, env=environment())


def quickstart(arguments: list[str]) -> int:
    """From nothing to answers; returns the exit code. What can fail at once is looked at first."""
    parser = argparse.ArgumentParser(
        description=tell("Installs, builds the model from your photos, starts the service and asks it."),
        epilog=tell(
            "python3 quickstart.py test [--no-lint] [--pip] [pytest arguments]: runs the linters and the tests."
        ),
    )
    parser.add_argument(
        "--photos", metavar="DIR", help=tell("copy the photos of DIR/me and DIR/not_me first (those of me are enough)")
    )
    parser.add_argument("--port", metavar="N", help=tell("port of the service (default: PORT, else 5000)"))
    parser.add_argument("--once", action="store_true", help=tell("end after the answers"))
    parser.add_argument("--pip", action="store_true", help=tell("install with pip, not with uv"))
    options = parser.parse_args(arguments)
    LOG.write_bytes(b"")
    port = wanted_port(options.port)
    photos_source(Path(options.photos) if options.photos else None)
    install("requirements.txt", pip_only=options.pip)
    photos = ("--photos", str(Path.cwd() / options.photos)) if options.photos else ()
    return start_tour("--port", str(port), *photos, *(["--once"] if options.once else []))


def run_tests(arguments: list[str]) -> int:
    """Runs pytest in as many processes as there are cores, four at most, and returns its exit code."""
    own = ("--no-lint", "--pip")
    parser = argparse.ArgumentParser(
        prog=f"{Path(sys.argv[0]).name} test",
        usage=tell("%(prog)s [-h] [--no-lint] [--pip] [pytest arguments]"),
        description=tell("Installs what the tests need, then runs pytest, and with it the linters ruff and mypy."),
        epilog=tell(
            "All other arguments go to pytest: -k WORD runs the tests whose name holds it, -m slow the slow ones."
        ),
    )
    parser.add_argument("--no-lint", action="store_true", help=tell("run the tests without the linters"))
    parser.add_argument("--pip", action="store_true", help=tell("install with pip, not with uv"))
    if {"-h", "--help"} & set(arguments):
        parser.print_help()
        return 0
    LOG.write_bytes(b"")
    install("requirements.txt", "requirements-dev.txt", pip_only="--pip" in arguments)
    command = [VENV_PYTHON, "-m", "pytest", *PYTEST_OPTIONS]
    if "--no-lint" in arguments:
        command.append("--ignore=tests/test_linters.py")
    return call(*command, *(word for word in arguments if word not in own))


def guarded(work: Callable[[], int]) -> int:
    """Does some work so that signals end what it started, and what the user can put right is said without a traceback.

    Returns the exit code.
    """
    try:
        for name in ("SIGTERM", "SIGHUP"):  # so that what was started is ended on the way out
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                signal.signal(getattr(signal, name), lambda *_: sys.exit(143))
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a script's background jobs
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a TextIOWrapper here
        return work()
    except (Problem, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(tell("\nStopped."))
        return 130


def main(arguments: list[str]) -> int:
    """Runs the command that was asked for; returns the exit code."""

    def work() -> int:
        check_python(sys.version_info[:2])
        return run_tests(arguments[1:]) if arguments[:1] == ["test"] else quickstart(arguments)

    return guarded(work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
