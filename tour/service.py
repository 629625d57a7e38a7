"""The service as the tour starts it: on this machine only, waited for, asked past any proxy, ended at last."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from dotenv import dotenv_values

from faces.recognition.image_kinds import JPEG, KINDS, PNG, Kind, kind_of
from quickstart import HOST, ROOT, Problem, Status, log_tail, running
from stages.files.encryption import plain_name
from stages.files.photos import read_photo
from tour.language import spoken, tell

SERVICE_LIMIT = 2 * 2**20
"""The service's default MAX_CONTENT_MB, in bytes."""

PHONE_MEGABYTES = 16
"""What the tour's service takes at least: photos of phones have 2 to 12 MB."""


@dataclass(frozen=True)
class Service:
    """The service in a process of its own.

    Attributes:
        port: where it listens, on this machine only.
        process: it.
    """

    port: int
    process: subprocess.Popen[bytes]

    def request(self, path: str, photo: Path | None = None) -> tuple[int, object]:
        """GET a path or, with a photo, POST it as the form field `image`.

        Returns:
            The status and the decoded JSON, None in its place where the answer is none.

        Raises:
            requests.RequestException: there was no answer.
        """
        with requests.Session() as session:
            session.trust_env = False  # a proxy must not come between us and our own service
            session.headers["Accept-Language"] = spoken()
            url = f"http://{HOST}:{self.port}{path}"
            if photo is None:
                response = session.get(url, timeout=120)
            else:
                plain = Path(plain_name(photo.name))
                kind = next((kind.mime for kind in KINDS if plain.suffix.lower() in kind.suffixes), JPEG.mime)
                name = plain.name.encode("utf-8", "replace").decode("utf-8")  # a name may hold bytes that are no text
                response = session.post(url, files={"image": (name, read_photo(photo), kind)}, timeout=120)
        try:
            return response.status_code, response.json()
        except requests.JSONDecodeError:
            return response.status_code, None


@contextlib.contextmanager
def running_service(port: int, photos: dict[str, list[Path]]) -> Iterator[Service]:
    """Start the service, wait until it is ready, and end it afterwards.

    Args:
        port: where it is to listen.
        photos: those that it will be asked about, of each class.

    Raises:
        Problem: it did not start.
    """
    # FLASK_DEBUG would put a reloader between us and the service.
    fixed = {"FLASK_HOST": HOST, "PORT": str(port), "FLASK_DEBUG": "False"}
    settings = {**fixed, **raised_limit(photos), **further_types(photos)}
    with running((sys.executable, "-m", "service"), log=True, **settings) as process:
        service = Service(port, process)
        wait_until_ready(service)
        yield service


def wait_until_ready(service: Service) -> None:
    """Wait until the service says that it is ready.

    Raises:
        Problem: it ended, or never got there.
    """
    process = service.process
    status = Status(tell("Starting the service on port {port}", port=service.port))
    answer: object = None
    # One that listens has loaded its models, or found none: then it stays 503.
    while process.poll() is None and time.monotonic() - status.start < (10 if answer else 120):
        with contextlib.suppress(requests.RequestException):
            code, answer = service.request("/healthz")
            if code == 200:
                status.end()
                return
        status.update()
        time.sleep(0.3)
    if process.poll() is not None:
        raise ended(process.returncode)
    if answer:
        text = "The service is not ready; it last said {answer}. Its log:\n{messages}"
        raise Problem(tell(text, answer=json.dumps(answer, ensure_ascii=False), messages=log_tail()))
    raise Problem(tell("The service is not ready. Its log:\n{messages}", messages=log_tail()))


def ended(code: int | None) -> Problem:
    """What to raise where the service has ended by itself.

    Args:
        code: its exit code.
    """
    return Problem(
        tell("The service ended with exit code {code}. Its log:\n{messages}", code=code, messages=log_tail())
    )


def raised_limit(photos: dict[str, list[Path]]) -> dict[str, str]:
    """The setting with which the service takes photos as phones make them, and all that it will be asked about.

    A limit that the user has set is theirs.

    Args:
        photos: those that it will be asked about, of each class.
    """
    if _set_by_user("MAX_CONTENT_MB"):
        return {}
    largest = max((photo.stat().st_size for of_class in photos.values() for photo in of_class), default=0)
    megabytes = max(PHONE_MEGABYTES, -(-largest // 2**20))
    print(
        tell(
            "The service takes photos of up to {megabytes} MB here, as phones make them; on its own it takes 2 MB. To "
            "keep it so, put this line into a file .env beside quickstart.py: MAX_CONTENT_MB={megabytes}",
            megabytes=megabytes,
        )
    )
    return {"MAX_CONTENT_MB": str(megabytes)}


def further_types(photos: dict[str, list[Path]]) -> dict[str, str]:
    """The setting with which the service takes all kinds of photos that it will be asked about, such as HEIC.

    Types that the user has set are theirs. Arguments as for `raised_limit`.
    """
    found = {_kind_of(photo) for of_class in photos.values() for photo in of_class}
    kinds = [kind for kind in KINDS if kind in (JPEG, PNG) or kind in found]
    if len(kinds) == 2 or _set_by_user("ACCEPTED_TYPES"):
        return {}
    types = ",".join(kind.mime for kind in kinds)
    print(
        tell(
            "The service takes {names} here, the kinds of your photos; on its own it takes JPEG and PNG. To keep it "
            "so, put this line into a file .env beside quickstart.py: ACCEPTED_TYPES={types}",
            names=", ".join(kind.name for kind in kinds),
            types=types,
        )
    )
    return {"ACCEPTED_TYPES": types}


def model_elsewhere() -> str | None:
    """What the user has set MODEL_PATH to, if that is not the model that the pipeline writes."""
    path = _user_settings().get("MODEL_PATH")
    own = ROOT / "models" / "model.joblib"
    return path if path and (ROOT / path).resolve() != own.resolve() else None


def _kind_of(photo: Path) -> Kind | None:
    """What its content says it is; of that, the beginning is enough."""
    try:
        with photo.open("rb") as file:
            return kind_of(file.read(512))
    except OSError:  # of a photo that cannot be read, crop has told
        return None


def _set_by_user(name: str) -> bool:
    """Whether a setting stands in the environment or in .env. True if that file cannot be read: the service says so."""
    try:
        return name in _user_settings()
    except UnicodeDecodeError:
        return True


def _user_settings() -> dict[str, str | None]:
    """What stands in .env and in the environment, which wins.

    Raises:
        UnicodeDecodeError: .env cannot be read.
    """
    return {**dotenv_values(ROOT / ".env", encoding="utf-8-sig"), **os.environ}
