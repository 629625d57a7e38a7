"""Keys in their file: only hashes, one administrator at a time, and a file that is damaged lets nobody in."""

from __future__ import annotations

import json
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from service.access import keys as keys_module
from service.access.keys import ApiKey, KeyRing, KeysError, create_key, read_keys, revoke_key

pytestmark = pytest.mark.security


def create(path: Path, name: str = "Ana", days: float | None = None, anew: bool = False) -> tuple[ApiKey, str]:
    return create_key(path, name, ["verify"], days, lambda _: None, anew)


def test_only_the_hash_is_kept(keys_path: Path) -> None:
    key, text = create(keys_path)
    content = keys_path.read_text(encoding="utf-8")
    assert text.split("_", 2)[2] not in content and text not in content
    assert key.sha256 in content and key.id == text.split("_")[1]
    if sys.platform != "win32":
        assert stat.S_IMODE(keys_path.stat().st_mode) == 0o600


def test_the_permissions_that_somebody_gave_stay(keys_path: Path) -> None:
    create(keys_path)
    keys_path.chmod(0o640)
    create(keys_path)
    assert stat.S_IMODE(keys_path.stat().st_mode) == 0o640 or sys.platform == "win32"


def test_a_right_key_is_found_and_no_other(keys_path: Path) -> None:
    key, text = create(keys_path)
    other, other_text = create(keys_path)
    keys = read_keys(keys_path)
    assert keys is not None
    assert keys.find(text) == key and keys.find(other_text) == other
    swapped = f"fv_{key.id}_{other_text.split('_', 2)[2]}"
    for wrong in ("", text[:-1], text + "a", text.upper(), swapped, f" {text}", key.sha256, "fv__", "é" * 55, "\ud800"):
        assert keys.find(wrong) is None, wrong


def test_a_key_ends(keys_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, text = create(keys_path, days=2)
    assert key.expires == key.created + timedelta(days=2)
    assert key.problem(key.expires - timedelta(seconds=1)) is None
    assert key.problem(key.expires) == "expired"
    ring = KeyRing(keys_path, required=False)
    assert ring.find(text) == key

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return datetime(2100, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(keys_module, "datetime", Later)
    assert ring.find(text) is None


def test_a_ring_sees_each_change(keys_path: Path) -> None:
    ring = KeyRing(keys_path, required=False)
    assert not ring.needed
    key, text = create(keys_path)
    assert ring.needed and ring.find(text) == key
    revoke_key(keys_path, key.id, lambda _: None)
    assert ring.needed and ring.find(text) is None
    with pytest.raises(KeysError, match="revoked already"):
        revoke_key(keys_path, text, lambda _: None)
    with pytest.raises(KeysError, match="no key with the id 'ffffffff'"):
        revoke_key(keys_path, "ffffffff", lambda _: None)


def test_a_setting_asks_for_keys_before_there_is_one(keys_path: Path) -> None:
    ring = KeyRing(keys_path, required=True)
    assert ring.needed and ring.find("fv_00000000_" + "a" * 43) is None


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{}", b"null", b'{"format": 2, "keys": []}', b'{"format": 1, "keys": [{"id": "a"}]}', b"\xff\xfe",
        b'{"format": 1, "keys": [], "more": 1}', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(keys_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    _, text = create(keys_path)
    good = keys_path.read_bytes()
    ring = KeyRing(keys_path, required=False)
    keys_path.write_bytes(damage)
    for _ in range(3):
        assert ring.needed
        with pytest.raises(KeysError, match="damaged"):
            ring.find(text)
    assert len(caplog.records) == 1, "it is said once"
    with pytest.raises(KeysError, match="damaged"):
        create(keys_path)
    assert keys_path.read_bytes() == damage, "nothing is written over what somebody may mend"
    keys_path.write_bytes(good)
    assert ring.find(text) is not None


def test_a_file_that_is_gone_does_not_open_the_service(keys_path: Path) -> None:
    _, text = create(keys_path)
    ring = KeyRing(keys_path, required=False)
    keys_path.rename(keys_path.with_suffix(".away"))
    assert ring.needed
    with pytest.raises(KeysError, match="is gone"):
        ring.find(text)
    assert ring.needed
    keys_path.with_suffix(".away").rename(keys_path)
    assert ring.find(text) is not None


def test_a_process_that_starts_later_knows_that_there_were_keys(keys_path: Path) -> None:
    _, text = create(keys_path)
    keys_path.rename(keys_path.with_suffix(".away"))
    ring = KeyRing(keys_path, required=False)
    assert ring.needed
    with pytest.raises(KeysError, match="is gone"):
        ring.find(text)
    with pytest.raises(KeysError, match="is gone"):
        create(keys_path)
    with pytest.raises(KeysError, match="is gone"):
        revoke_key(keys_path, "ffffffff", lambda _: None)
    assert not keys_path.exists()
    create(keys_path, anew=True)
    assert KeyRing(keys_path, required=False).find(text) is None


def test_keys_that_are_there_are_not_given_up(keys_path: Path) -> None:
    _, text = create(keys_path)
    with pytest.raises(KeysError, match="leave --anew out"):
        create(keys_path, anew=True)
    assert KeyRing(keys_path, required=False).find(text) is not None


def test_a_folder_in_its_place_is_told(keys_path: Path) -> None:
    keys_path.mkdir()
    ring = KeyRing(keys_path, required=False)
    assert ring.needed
    with pytest.raises(KeysError, match="expected a file"):
        ring.find("x")


def test_two_administrators_at_once_lose_nothing(keys_path: Path) -> None:
    start = threading.Barrier(8)

    def make(number: int) -> str:
        start.wait()
        return create(keys_path, f"key {number}")[0].id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(8)))
    found = read_keys(keys_path)
    assert found is not None and set(found.by_id) == made and len(made) == 8


def test_a_key_that_cannot_be_recorded_is_not_made(keys_path: Path) -> None:
    def refuse(_: ApiKey) -> None:
        raise KeysError("no record")

    with pytest.raises(KeysError, match="no record"):
        create_key(keys_path, "Ana", ["verify"], None, refuse)
    assert not keys_path.exists()


@pytest.mark.parametrize("name", ["", "a" * 81, "two\nlines", "\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(keys_path: Path, name: str) -> None:
    with pytest.raises(KeysError, match="printable"):
        create(keys_path, name)


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), 1e9])
def test_days_that_mean_nothing_are_refused(keys_path: Path, days: float) -> None:
    with pytest.raises(KeysError, match="days"):
        create(keys_path, days=days)


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(KeysError, match="cannot be written"):
        create(tmp_path / "file" / "keys.json")


def test_what_is_kept_can_be_read_by_others(keys_path: Path) -> None:
    key, _ = create(keys_path, "José")
    content = json.loads(keys_path.read_text(encoding="utf-8"))
    assert content["format"] == 1 and content["keys"] == [json.loads(msgspec.json.encode(key))]
