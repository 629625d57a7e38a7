"""Downloads a large file: with a progress bar, continued after a broken connection, and checked before use."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import requests
from tqdm import tqdm

from faces.errors import MessageError
from faces.files import sha256_of
from faces.message import Message

_CHUNK = 1 << 16
_ATTEMPTS = 5
_TIMEOUT = (10, 30)  # seconds to connect, and between two pieces of data

logger = logging.getLogger(__name__)


class DownloadError(MessageError, RuntimeError):
    """The file cannot be downloaded: there is no network or no such file, or the connection breaks again and again."""


def download(url: str, target: Path, sha256: str) -> None:
    """Download a file, unless its content is wrong.

    Data arrives in `<target>.part`, which stays when the connection breaks, also between calls; it is moved to
    `target` only once the checksum is right.

    Args:
        url: http(s) address.
        target: where the file goes.
        sha256: expected SHA-256, hexadecimal, lower case.

    Raises:
        DownloadError: the file cannot be had now.
        ValueError: it came whole, but with another checksum; nothing is kept.
        OSError: the disk is full or the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    resumed = part.exists()
    failure: requests.RequestException | None = None
    for _ in range(_ATTEMPTS):
        try:
            _fetch(url, part)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            before = failure
            failure = error
            if not part.exists() and before is None:
                break  # nothing came at all, so there is no network: trying again is useless
            continue
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else Message("unknown")
            raise DownloadError(
                "{url} cannot be downloaded (the server answered with status {status})", url=url, status=status
            ) from error
        except requests.RequestException as error:
            raise DownloadError("{url} cannot be downloaded ({reason})", url=url, reason=_reason(error)) from error
        digest = sha256_of(part)
        if digest == sha256:
            part.replace(target)
            return
        part.unlink()
        if not resumed:
            raise ValueError(
                Message(
                    "{url} came with SHA-256 {digest}; expected {sha256}. It was deleted, not loaded",
                    url=url,
                    digest=digest,
                    sha256=sha256,
                )
            )
        resumed = False  # a part that an earlier call left may be of another file: once more from the start
    raise DownloadError("{url} cannot be downloaded ({reason})", url=url, reason=_reason(failure)) from failure


def _reason(failure: requests.RequestException | None) -> str:
    """What went wrong on the network, without the connection's address and the retries that libraries put around it."""
    inner = failure.args[0] if failure is not None and failure.args else failure
    cause = getattr(inner, "reason", None) or inner
    if isinstance(cause, Message):
        return cause
    text = str(getattr(cause, "original_error", cause))  # a proxy refused: what it said
    return text.partition("): ")[2] or text


def _fetch(url: str, part: Path) -> None:
    """Append to `part` what it lacks of the file."""
    have = part.stat().st_size if part.exists() else 0
    # If the server compressed it, sizes and offsets would not be those of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # all of it is here already
        response.raise_for_status()
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise requests.RequestException(
                Message("a web page came instead of the file: a sign-in page of the network?")
            )
        appending = response.status_code == requests.codes.partial_content
        have = have if appending else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        _check_space(part, total, have)
        with (
            part.open("ab" if appending else "wb") as file,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem) as progress,
        ):
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                progress.update(len(chunk))
        if total is not None and part.stat().st_size < total:
            raise requests.ConnectionError(
                Message(
                    "the connection broke after {have} of {total:# byte|# bytes}", have=part.stat().st_size, total=total
                )
            )


def _check_space(part: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        raise OSError(
            Message(
                "{folder} has {free:.0f} MB free; {needed:.0f} MB are needed",
                folder=part.parent,
                free=free / 1e6,
                needed=(total - have) / 1e6,
            )
        )
