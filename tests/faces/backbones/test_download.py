"""Downloads from a real server: whole, taken up again where they broke off, and never kept unchecked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faces.backbones.download import DownloadError, download
from tests.faces.support import FileServer, serving, sha256, unreachable_url

CONTENT = np.random.default_rng(0).bytes(1_000_000)
HALF = len(CONTENT) // 2
PIECE = 1 << 16  # what was received of an unfinished piece may be lost with the connection


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(CONTENT) as files:
        yield files


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.pt"


def part_of(target: Path) -> Path:
    return target.with_name("weights.pt.part")


def put_part(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True)
    part_of(target).write_bytes(content)


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_whole_file_in_one_request(server: FileServer, target: Path) -> None:
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert left_over(target) == ["weights.pt"]
    assert server.asked == [None]
    assert server.encodings == ["identity"]  # compressed, offsets would not be the file's


def test_broken_connection_is_taken_up_where_it_broke(server: FileServer, target: Path) -> None:
    server.break_after = [HALF]
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 2
    start = int(str(server.asked[1]).removeprefix("bytes=").removesuffix("-"))
    assert HALF - PIECE <= start <= HALF
    assert server.sent <= len(CONTENT) + PIECE


def test_what_arrived_stays_for_the_next_call(server: FileServer, target: Path) -> None:
    server.break_after = [HALF, *[0] * 20]
    with pytest.raises(DownloadError, match="cannot be downloaded"):
        download(server.url, target, sha256(CONTENT))
    assert left_over(target) == ["weights.pt.part"]
    have = part_of(target).stat().st_size
    assert HALF - PIECE <= have <= HALF
    server.break_after, server.asked = [], []
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert server.asked == [f"bytes={have}-"]


@pytest.mark.parametrize("size", [10, HALF, len(CONTENT), len(CONTENT) + 10])
def test_unfinished_download_of_another_file_is_started_over(server: FileServer, target: Path, size: int) -> None:
    put_part(target, b"x" * size)
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert server.asked == [f"bytes={size}-", None]
    assert left_over(target) == ["weights.pt"]


def test_finished_part_is_not_fetched_again(server: FileServer, target: Path) -> None:
    put_part(target, CONTENT)
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert server.sent == 0


def test_server_without_ranges_sends_all_of_it_again(server: FileServer, target: Path) -> None:
    server.ranges, server.break_after = False, [HALF]
    download(server.url, target, sha256(CONTENT))
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 2


@pytest.mark.parametrize("part", [None, CONTENT[:HALF]], ids=["from the start", "resumed"])
def test_wrong_content_is_not_kept(server: FileServer, target: Path, part: bytes | None) -> None:
    if part is not None:
        put_part(target, part)
    with pytest.raises(ValueError, match=f"{sha256(CONTENT)}; expected {'0' * 64}"):
        download(server.url, target, "0" * 64)
    assert left_over(target) == []


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_refusal_of_the_server_is_told(server: FileServer, target: Path, status: int) -> None:
    server.status = status
    with pytest.raises(DownloadError, match=str(status)):
        download(server.url, target, sha256(CONTENT))
    assert left_over(target) == []


def test_sign_in_page_is_not_taken_for_the_file(server: FileServer, target: Path) -> None:
    server.content, server.content_type = b"<html>Sign in to the guest network</html>", "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="sign-in page"):
        download(server.url, target, sha256(CONTENT))
    assert left_over(target) == []


@pytest.mark.parametrize("part", [None, CONTENT[:HALF]], ids=["nothing yet", "half of it"])
def test_without_a_network_what_is_there_stays(target: Path, part: bytes | None) -> None:
    if part is not None:
        put_part(target, part)
    with pytest.raises(DownloadError, match=r"cannot be downloaded \(Failed to establish [^()]*refused\)$"):
        download(unreachable_url(), target, sha256(CONTENT))
    assert left_over(target) == ([] if part is None else ["weights.pt.part"])


def test_what_a_proxy_said_is_told(target: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, server.url.rpartition("/")[0])
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        DownloadError, match=r"downloaded \(Tunnel connection failed: 501 Unsupported method \('CONNECT'\)\)$"
    ):
        download("https://weights.invalid/weights.pt", target, sha256(CONTENT))


def test_address_that_is_none(target: Path) -> None:
    with pytest.raises(DownloadError, match="no-scheme"):
        download("no-scheme/weights.pt", target, sha256(CONTENT))


def test_full_disk_is_told_before_it_is_full(server: FileServer, target: Path) -> None:
    server.announced = 10**18
    with pytest.raises(OSError, match="1000000000000 MB are needed"):
        download(server.url, target, sha256(CONTENT))
    assert left_over(target) == []
