"""Archives, notebooks and pages are looked into, and written anew without what goes."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from privacy.forget.packed import is_closed, is_packed, parts, pictures_in, without
from tests.privacy.support import picture

pytestmark = pytest.mark.security


def jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    picture(seed).save(file, "jpeg", quality=80)
    return file.getvalue()


THEIRS, OTHERS = jpeg(1), jpeg(2)


def goes(_: str, data: bytes) -> bool:
    """Whether it is the picture, with or without something after it."""
    return data.startswith(THEIRS)


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "/", 1), data)
    return file.getvalue()


def tarred(**members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), 1_000_000, 0o640
            archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("archive", [zipped, tarred])
def test_an_archive_loses_a_member_and_keeps_the_others(
    archive: Callable[..., bytes], pack: Callable[[bytes], bytes]
) -> None:
    packed = pack(archive(one=THEIRS, two=OTHERS, three=b"text"))
    assert is_packed(packed) and THEIRS in [part for _, part in parts(packed)]
    left = without(packed, goes)
    assert left is not None
    inside = dict(parts(left))
    assert (inside["two"], inside["three"]) == (OTHERS, b"text") and "one" not in inside
    assert without(pack(archive(one=THEIRS)), goes) is None


def test_a_member_of_a_tar_keeps_its_time_and_mode() -> None:
    left = without(tarred(one=THEIRS, two=OTHERS), goes)
    assert left is not None
    with tarfile.open(fileobj=io.BytesIO(left)) as archive:
        (member,) = archive
    assert (member.name, member.mtime, member.mode) == ("two", 1_000_000, 0o640)


def test_archives_in_archives() -> None:
    packed = zipped(deep=tarred(one=THEIRS, two=OTHERS), page=page(THEIRS), other=OTHERS)
    left = without(packed, goes)
    assert left is not None
    inside = [part for _, part in parts(left)]
    assert OTHERS in inside and inside.count(OTHERS) == 2 and THEIRS not in inside
    assert not any(goes("", shown) for part in inside for shown in pictures_in(part))
    assert b"<p>before</p>" in dict(parts(left))["page"]


def test_an_office_document_gets_a_blank_picture() -> None:
    document = io.BytesIO()
    with zipfile.ZipFile(document, "w") as archive:
        for name, data in (("[Content_Types].xml", b"<x/>"), ("media/1.jpg", THEIRS), ("media/2.jpg", OTHERS)):
            archive.writestr(name, data)
    left = without(document.getvalue(), goes)
    assert left is not None
    inside = dict(parts(left))
    assert Image.open(io.BytesIO(inside["media/1.jpg"])).size == (1, 1) and inside["media/2.jpg"] == OTHERS


def page(*pictures: bytes) -> bytes:
    shown = "".join(f'<img src="data:image/jpeg;base64,{base64.b64encode(one).decode()}" alt=x>' for one in pictures)
    return f"<p>before</p>{shown}<p>after</p>".encode()


def notebook(*, as_list: bool) -> bytes:
    def value(data: bytes) -> object:
        text = base64.encodebytes(data).decode()
        return text.splitlines(keepends=True) if as_list else text

    outputs = [{"data": {"image/jpeg": value(data), "text/plain": ["<Figure>"]}} for data in (THEIRS, OTHERS)]
    return json.dumps({"cells": [{"source": ["print(1)"], "outputs": outputs}]}, indent=1).encode()


@pytest.mark.parametrize("text", [page(THEIRS, OTHERS), notebook(as_list=False), notebook(as_list=True)])
def test_pictures_in_a_text_are_made_blank(text: bytes) -> None:
    found = list(pictures_in(text))
    assert len(found) == 2 and found[0] == THEIRS and found[1] == OTHERS
    left = without(text, goes)
    assert left is not None
    shown = list(pictures_in(left))
    assert shown[-1] == OTHERS and not any(goes("", one) for one in shown)
    if text.startswith(b"{"):
        cell = json.loads(left)["cells"][0]
        first, second = (output["data"] for output in cell["outputs"])
        assert cell["source"] == ["print(1)"] and first["text/plain"] == ["<Figure>"]
        decoded = base64.b64decode("".join(first["image/jpeg"]))
        assert Image.open(io.BytesIO(decoded)).size == (1, 1)
        assert base64.b64decode("".join(second["image/jpeg"])) == OTHERS
    else:
        assert left.startswith(b"<p>before</p>") and left.endswith(b" alt=x><p>after</p>")


def test_pictures_inside_other_files_are_found() -> None:
    database = b"\xd0\xcf\x11\xe0" + bytes(600) + THEIRS + bytes(100) + OTHERS + b"end"
    assert [found.startswith(one) for found, one in zip(pictures_in(database), (THEIRS, OTHERS), strict=True)] == [
        True,
        True,
    ]
    assert not is_packed(database)


NOISE = np.random.default_rng(0).bytes(40_000)
"""It does not get smaller where it is compressed, so what is cut off after it is not the photo."""


@pytest.mark.parametrize(
    "half",
    [
        gzip.compress(tarred(one=THEIRS, rest=NOISE))[:-9000],
        lzma.compress(tarred(one=THEIRS, rest=NOISE))[:-9000],
        lzma.compress(tarred(one=THEIRS, rest=NOISE), format=lzma.FORMAT_ALONE)[:-9000],
        tarred(one=THEIRS, rest=NOISE)[:-15_000],
        zipped(one=THEIRS, rest=NOISE)[:-9000],
    ],
)
def test_the_first_part_of_an_archive_is_looked_into_and_goes(half: bytes) -> None:
    """What a killed backup has left: nothing of it can be written anew."""
    assert THEIRS in [part for _, part in parts(half)]
    assert is_packed(half) and without(half, goes) is None


def test_what_stands_before_and_after_an_archive() -> None:
    program = b"#!/usr/bin/env python3\n" + zipped(one=THEIRS, two=OTHERS)
    left = without(program, goes)
    assert left is not None and OTHERS in [part for _, part in parts(left)] and THEIRS not in dict(parts(left)).values()
    several = gzip.compress(b"text") + gzip.compress(tarred(one=THEIRS)) + b"garbage"
    assert b"text" + tarred(one=THEIRS) in [part for _, part in parts(several)]


def database(*values: bytes, log: bool = False) -> bytes:
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute('CREATE TABLE "of ""people""" (name TEXT, photo BLOB)')
        made.executemany('INSERT INTO "of ""people""" VALUES (?, ?)', [("a" * 100, value) for value in values])
        made.commit()
        data = made.serialize()
    return data[:18] + (b"\2\2" if log else b"\1\1") + data[20:]


def test_a_zip_at_the_end_of_a_tar_is_a_part_of_it() -> None:
    left = without(tarred(one=THEIRS, two=zipped(three=OTHERS)), goes)
    assert left is not None and [name for name, _ in parts(left)] == ["", "two", "three"]


@pytest.mark.parametrize("log", [False, True])
def test_large_values_of_a_database_are_found(log: bool) -> None:
    """SQLite cuts them into pages."""
    large = zipped(one=THEIRS, rest=NOISE)
    data = database(large, log=log)
    assert large not in data and THEIRS in [part for _, part in parts(data)]


def test_bytes_in_a_pickle_of_any_protocol() -> None:
    for protocol in range(6):
        assert THEIRS in [part for _, part in parts(pickle.dumps({"x": [THEIRS]}, protocol=protocol))]


def test_anything_in_base64_is_found_and_only_that_goes() -> None:
    text = json.dumps({"a": base64.b64encode(gzip.compress(THEIRS)).decode(), "b": base64.b64encode(OTHERS).decode()})
    assert THEIRS in [part for _, part in parts(text.encode())]
    left = without(text.encode(), goes)
    assert left is not None and json.loads(left) == {"a": "", "b": json.loads(text)["b"]}


def test_a_dump_of_a_database_is_looked_into() -> None:
    text = f"INSERT INTO photos VALUES (X'{THEIRS.hex()}', X'{OTHERS.hex().upper()}');".encode()
    left = without(text, goes)
    assert left == f"INSERT INTO photos VALUES (X'', X'{OTHERS.hex().upper()}');".encode()


def test_archives_that_nobody_can_open_here() -> None:
    locked = bytearray(zipped(not_me_ana=THEIRS))
    for beginning, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(beginning) + flags] |= 1
    assert is_closed(bytes(locked)) and [name for name, _ in parts(bytes(locked))] == ["", "not/me_ana"]
    assert is_closed(b"7z\xbc\xaf\x27\x1c" + bytes(9)) and is_closed(b"\x28\xb5\x2f\xfd" + bytes(9))
    assert not is_closed(zipped(one=THEIRS)) and not is_closed(THEIRS)


@pytest.mark.parametrize("data", [b"", b"PK damaged", b"\x1f\x8b damaged", b"BZh9", b"x", tarred(one=THEIRS)[:700]])
def test_what_is_damaged_holds_nothing(data: bytes) -> None:
    assert next(part for _, part in parts(data)) == data
    assert without(data, goes) in (None, data)
