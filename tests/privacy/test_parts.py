"""Parts of `forget` that need no project: names, copies of pictures, lines of tables, the audit log."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import unicodedata
from contextlib import closing
from pathlib import Path

import joblib
import numpy as np
import pytest
from PIL import Image, ImageOps

from privacy.errors import PrivacyError
from privacy.forget.arrays import arrays_in, pictures_of
from privacy.forget.audit import forget_in_audit
from privacy.forget.images import Originals
from privacy.forget.outputs import made_of_photos, read_stages
from privacy.forget.selection import resolve
from privacy.forget.tables import drop_lines
from privacy.forget.traces import Traces
from privacy.forget.versions import Item, Version
from service.audit import Audit, AuditSettings
from service.audit.images import find_digests
from service.audit.walk import Walk
from service.config import Settings
from tests.conftest import ROOT
from tests.privacy.support import picture

pytestmark = pytest.mark.security

KNOWN = [
    "me/1.jpg",
    "me/trip/2.jpg",
    "not_me/ana/1.jpg",
    "not_me/ben/a/1.jpg",
    "not_me/lone.jpg",
    "not_me/Jose\u0301/1.jpg",
]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ana", "not_me/ana"),
        ("not_me/ana/", "not_me/ana"),
        ("data/not_me/ana/1.jpg", "not_me/ana/1.jpg"),
        ("./data/not_me/ana", "not_me/ana"),
        ("me", "me"),
        ("me/trip", "me/trip"),
        ("ben/a", "not_me/ben/a"),
        ("lone.jpg", "not_me/lone.jpg"),
        ("Jos\u00e9", "not_me/Jose\u0301"),
    ],
)
def test_what_a_name_means(name: str, path: str) -> None:
    assert resolve(name, KNOWN) == path


@pytest.mark.parametrize("name", ["", "an", "not_me", "data", "ana/2.jpg", "ME", "../me"])
def test_what_no_name_means(name: str) -> None:
    with pytest.raises(PrivacyError):
        resolve(name, KNOWN)


def test_two_forms_of_one_name() -> None:
    both = ["not_me/Jos\u00e9/1.jpg", "not_me/Jose\u0301/1.jpg"]
    with pytest.raises(PrivacyError, match="may be any of"):
        resolve("Jos\u00e9", both)
    assert resolve("data/not_me/Jos\u00e9", both) == "not_me/Jos\u00e9"


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_no_embeddings_are_nobodys() -> None:
    traces = Traces(["not_me/ana"], set(), {"not_me"}, set())
    traces.add_rows(np.eye(2, 128, dtype=np.float32))
    assert not traces.has_rows(np.full((3, 128), 3e38, np.float32))
    assert not traces.has_rows(np.full((3, 128), np.nan, np.float32))
    assert traces.has_rows(np.eye(3, 128, dtype=np.float64))


def alike(first: Image.Image, second: Image.Image) -> bool:
    return bool(Originals.of([("one", first)]).copied_in(second))


def test_copies_are_told_from_other_photos(lfw_dir: Path) -> None:
    """Of real photos: small, compressed and darker copies are found, and no two people are taken for one."""
    people = sorted((lfw_dir / "images").iterdir())[::40][:60]
    photos = [Image.open(min(person.glob("*.jpg"))).convert("RGB") for person in people]
    for photo in photos:
        quarter = photo.resize((photo.width // 4, photo.height // 4))
        file = io.BytesIO()
        photo.save(file, "jpeg", quality=30)
        assert alike(photo, quarter) and alike(photo, Image.open(file)) and alike(photo, photo.point(lambda v: v * 0.8))
        assert alike(photo, ImageOps.mirror(quarter)) and alike(photo, ImageOps.flip(photo).rotate(90, expand=True))
    every = Originals.of((str(number), photo) for number, photo in enumerate(photos))
    assert [every.copied_in(photo) for photo in photos] == [str(number) for number in range(len(photos))]
    assert not any(alike(one, two) for number, one in enumerate(photos) for two in photos[:number])


@pytest.mark.parametrize(
    ("people", "text", "named"),
    [
        (["not_me/ana"], "not_me/ana/1.jpg,5", True),
        (["not_me/ana"], "/home/x/data/not_me/ana/1.jpg", True),
        (["not_me/ana"], "not_me/anabel/1.jpg", False),
        (["not_me/ana"], "not_me/ben/ana/1.jpg", False),
        (["me"], '0,"me/1.jpg"', True),
        (["me"], "data/me/1.jpg", True),
        (["me"], "me_several/1.jpg-0.png", True),
        (["me"], "not_me/ana/1.jpg", False),
        (["me"], "/home/me/project", False),
        (["me"], "me/\0", False),
        ([], "\0" + "a" * 64, True),
        ([], "a" * 63, False),
    ],
)
def test_who_is_named_in_a_text(people: list[str], text: str, named: bool) -> None:
    traces = Traces(people, set(), set(), set(), {"a" * 64})
    assert traces.names_in(text.encode()) is named


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_with_an_accent_is_told_however_it_is_written(form: str) -> None:
    """macOS writes é as two characters, and consent.csv may have one."""
    folder = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "not_me/josé")
    written = unicodedata.normalize(form, "josé")
    traces = Traces([folder], set(), set(), set())
    assert traces.names_in(f"not_me/{written}/1.jpg".encode()) and traces.is_in_folder(f"x/not_me/{written}/1.jpg")
    table = f"who,given\n{written},2026-01-01\nnot_me/{written}/1.jpg,x\nben,y\n".encode()
    assert drop_lines(table, [folder], []) == (b"who,given\nben,y\n", 2)


def test_me_is_looked_for_with_care_where_objects_go() -> None:
    traces = Traces(["me"], set(), set(), set())
    assert traces.names_in(b"you and me/us") and not traces.names_in(b"you and me/us", surely=True)
    assert traces.names_in(b"data/me/1.jpg", surely=True)


def test_what_is_packed_names_somebody() -> None:
    traces = Traces(["not_me/ana"], set(), set(), set())
    assert traces.named_inside(gzip.compress(b"not_me/ana/1.jpg")) and not traces.named_inside(gzip.compress(b"ben"))


GREY = np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize(
    "stack",
    [
        lambda pixels: pixels,
        lambda pixels: (pixels.transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32),
        lambda pixels: pixels @ GREY,
        lambda pixels: pixels[-1],
        lambda pixels: pixels[-1].transpose(2, 0, 1),
        lambda pixels: pixels[-1] @ GREY,
        lambda pixels: pixels.reshape(len(pixels), -1),
        lambda pixels: (pixels @ GREY).reshape(len(pixels), -1) / 255,
        lambda pixels: pixels[None],
    ],
)
def test_arrays_of_pixels_are_pictures(stack: object) -> None:
    assert callable(stack)
    pixels = np.stack([np.asarray(picture(seed)) for seed in (1, 2, 3)])
    originals = Originals.of([("own", picture(3))])
    found = [originals.copied_in(image) for image in pictures_of(stack(pixels))]
    assert "own" in found
    assert not any(originals.copied_in(image) for image in pictures_of(stack(pixels[:2])))


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "ran",))

    rows = np.ones((3, 4))
    joblib.dump([Runs(), rows], file := io.BytesIO())
    for data in (pickle.dumps([Runs(), rows]), file.getvalue()):
        assert [array.tolist() for array in arrays_in(data)] == [rows.tolist()]
    assert not (tmp_path / "ran").exists()


def test_rows_are_found_in_arrays() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 128)).astype(np.float32)
    traces = Traces([], set(), set(), set())
    traces.add_rows(rows[:1])
    for array, there in ((rows, True), (rows[1:], False), (rows[:1] * 3, True), (rows.astype(np.float64), True)):
        npy, npz = io.BytesIO(), io.BytesIO()
        np.save(npy, array)
        np.savez(npz, some=array, other=np.zeros(3))
        assert traces.rows_in(npy.getvalue()) is there
        assert traces.rows_in(npz.getvalue()) is there
    assert not traces.rows_in(b"\x93NUMPY damaged") and not traces.rows_in(b"PK damaged")


def test_what_a_version_says() -> None:
    version = Version("")
    version.add("data/me.dvc", b"outs:\n- md5: 0a.dir\n  path: me\n")
    version.add(
        "sub/dvc.lock", b"stages:\n  one:\n    deps: [{path: ../data/me, md5: 0a.dir}]\n    outs: [{path: x, md5: b}]\n"
    )
    version.add("broken.dvc", b"outs: [")
    version.add("odd/dvc.lock", b"stages: 3")
    assert version.tracked == {Item("data/me", "0a.dir")}
    (made,) = version.made
    assert (made.deps, made.outs) == ((Item("data/me", "0a.dir"),), (Item("sub/x", "b"),))


def test_what_the_pipeline_makes_of_photos() -> None:
    outputs = made_of_photos(read_stages(ROOT))
    assert {"data/cropped", "data/embeddings.npy", "models/verifier.npz", "reports/strangers.csv"} <= set(outputs)
    assert {"reports/metrics.json", "reports/roc_curve.png", "reports/INFORME_H10.md"} <= set(outputs)
    assert {"models/card", "models/records/report.json"} <= set(outputs), "the model's card is made of photos, too"
    assert not any(name.startswith(("models/networks", "models/records/export")) for name in outputs)


def test_the_audit_log_forgets_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AUDIT_PATH": "log", "AUDIT_HEAD_PATH": "head", "AUDIT_SALTS_PATH": "salts"}
    for name, file in given.items():
        monkeypatch.setenv(name, str(tmp_path / file))
    monkeypatch.setenv("AUDIT_KEY", "k" * 40)
    theirs, another = (hashlib.sha256(photo) for photo in (b"theirs", b"another"))
    assert forget_in_audit([theirs.hexdigest()]) == 0
    settings = AuditSettings.of(Settings.load())
    with closing(Audit.open(settings)) as audit:
        for photo in (b"theirs", b"another", b"theirs"):
            audit.record("verify", image=audit.commit_to(photo), request_id="r", key_id="k", status=200)
    assert forget_in_audit([theirs.hexdigest()]) == 2
    assert forget_in_audit([theirs.hexdigest()]) == 0
    found = find_digests(settings, Walk(settings, settings.load_key()), [another.digest(), theirs.digest()])
    assert len(found.records) == 1


def test_the_stand_in_pictures_are_no_copies_of_each_other() -> None:
    assert not alike(picture(1), picture(2))
    assert alike(picture(1), picture(1).resize((40, 40)))


@pytest.mark.parametrize(
    ("cell", "goes"),
    [
        ("not_me/ana", True), ("ana", True), ("data/not_me/ana/", True), ("not_me/ana/1.jpg", True),
        (".\\not_me\\ana", True),
        ("not_me/ben/party.jpg", True), ("not_me/anabel", False), ("anabel", False), ("not_me/ben", False), ("", False),
    ],
)  # fmt: skip
def test_whose_line_it_is(cell: str, goes: bool) -> None:
    table = f'photo,light\n"a, b",day\n{cell},"night\nand day"\n'.encode()
    left, dropped = drop_lines(table, ["not_me/ana"], {"not_me/ben/party.jpg"})
    assert (left, dropped) == ((b'photo,light\n"a, b",day\n', 1) if goes else (table, 0))
