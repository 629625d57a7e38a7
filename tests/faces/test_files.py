"""Files are replaced in one step or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from faces.files import replacing, sha256_of, write_bytes, write_text


def test_old_content_is_there_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        assert path.read_bytes() == b"old"
        assert temporary.parent == path.parent  # a move within one disk is one step
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_exception_leaves_the_old_content_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_bytes(b"half of the n")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert path.read_bytes() == b"old"


def test_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "deep" / "metrics.json"
    write_text(path, "{}\n")
    assert path.read_bytes() == b"{}\n"


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("write", "content", "expected"),
    [
        (write_text, "umbral: año\nlínea 2\r\n", "umbral: año\nlínea 2\r\n".encode()),
        (write_bytes, b"\x00\xff\r\n", b"\x00\xff\r\n"),
    ],
)
def test_content_is_written_as_given(
    tmp_path: Path, write: Callable[[Path, str | bytes], None], content: str | bytes, expected: bytes
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"longer than the new content, to be replaced as a whole")
    write(path, content)
    assert path.read_bytes() == expected


def test_bytes_are_on_the_disk_before_they_take_the_old_file_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a file is the old one or the new one."""
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", lambda number: seen.append((path.read_bytes(), os.fstat(number).st_size)))
    write_bytes(path, b"new content")
    assert seen == [(b"old", len(b"new content"))]


def test_sha256(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
