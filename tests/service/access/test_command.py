"""`python -m service keys`: what an administrator types, and what of it is recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.__main__ import main
from service.access.keys import KeyRing
from service.audit.administrator import administrator
from service.config import PROJECT_ROOT, Settings
from tests.service.support import kept_in

pytestmark = pytest.mark.security

Type = Callable[..., tuple[int | str, str, str]]


@pytest.fixture
def kept(tmp_path: Path) -> dict[str, Any]:
    return kept_in(tmp_path)


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept: dict[str, Any]) -> Type:
    """Types a command; its exit status, what it prints and what it says beside that."""
    load = Settings.load
    environment = {name.upper(): str(value) for name, value in kept.items()}
    monkeypatch.setattr(Settings, "load", lambda: load(environment, Path("no file")))

    def run(*words: str) -> tuple[int | str, str, str]:
        monkeypatch.setattr(sys, "argv", ["service", "keys", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed, said = capsys.readouterr()
        return ended.value.code or 0, printed, said

    return run


def records(kept: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [
        line for path in sorted(kept["audit_path"].glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    return [record for record in map(json.loads, lines) if record["act"].startswith("key ")]


def test_making_listing_and_revoking(type_in: Type, kept: dict[str, Any]) -> None:
    assert "There is no key: everybody" in type_in("list")[1]
    status, text, said = type_in("create", "Front door", "--role", "verify", "--role", "metrics", "--days", "365")
    assert status == 0 and text.count("\n") == 1, "the key alone, so that a script can take it"
    assert "only its hash is stored" in said
    ring = KeyRing(kept["keys_path"], required=False)
    key = ring.find(text.strip())
    assert key is not None and key.roles == ("verify", "metrics") and key.expires is not None
    shown = type_in("list")[1]
    assert "created (UTC)" in shown and "expires (UTC)" in shown
    assert key.id in shown and "Front door" in shown and "valid" in shown and text.strip() not in shown
    (listed,) = json.loads(type_in("list", "--json")[1])
    assert listed["id"] == key.id and "sha256" not in listed
    status, printed, _ = type_in("revoke", key.id)
    assert status == 0 and "from the next request on" in printed and "No valid key is left" in printed
    assert "revoked" in type_in("list")[1] and ring.find(text.strip()) is None
    assert [(record["act"], record["key_id"]) for record in records(kept)] == [
        ("key created", key.id), ("key revoked", key.id),
    ]  # fmt: skip
    assert all({name: record[name] for name in administrator()} == administrator() for record in records(kept))
    assert "Front door" not in json.dumps(records(kept)), "what is in the log can never be taken out"


def test_the_last_valid_key_is_told_and_the_way_back_opens_the_service(type_in: Type, kept: dict[str, Any]) -> None:
    keys = [type_in("create", name, "--role", "verify")[1].strip() for name in ("one", "two")]
    ids = [one["id"] for one in json.loads(type_in("list", "--json")[1])]
    assert "No valid key" not in type_in("revoke", ids[0])[1]
    said = " ".join(type_in("revoke", ids[1])[1].split())
    files = re.findall(r"delete (\S+) and (\S+), and start it", said)
    ring = KeyRing(kept["keys_path"], required=False)
    assert ring.needed and ring.find(keys[1]) is None
    for file in files[0]:
        Path(file).unlink()
    assert not KeyRing(kept["keys_path"], required=False).needed
    assert "There is no key: everybody" in type_in("list")[1]


def test_a_mistake_is_told_in_a_sentence(type_in: Type) -> None:
    assert type_in("revoke", "ffffffff")[0] == (
        "there is no key with the id 'ffffffff'; 'python -m service keys list' names them all"
    )
    assert "1 to 80 printable characters" in str(type_in("create", "", "--role", "verify")[0])
    assert type_in("create", "x")[0] == 2 and type_in("create", "x", "--role", "all")[0] == 2


def test_a_file_that_is_gone_is_told_and_given_up_only_if_that_is_said(type_in: Type, kept: dict[str, Any]) -> None:
    """As the service does: it answers 503 to everybody, and does not open itself."""
    create = ("create", "Front door", "--role", "verify")
    type_in(*create)
    kept["keys_path"].unlink()
    for words in (("list",), ("list", "--json"), ("revoke", "ffffffff"), create):
        status, printed, _ = type_in(*words)
        assert "is gone" in str(status) and "put it back" in str(status) and not printed, words
    assert not kept["keys_path"].exists()
    assert type_in(*create, "--anew")[0] == 0
    assert len(json.loads(type_in("list", "--json")[1])) == 1


@pytest.mark.parametrize("where", [0, 2, 5])
def test_a_file_of_settings_may_be_named_anywhere(tmp_path: Path, where: int) -> None:
    """Most people write an option after the command."""
    settings = tmp_path / "service.env"
    lines = [f"{name.upper()}={value}\n" for name, value in kept_in(tmp_path).items()]
    settings.write_text("".join(lines), encoding="utf-8")
    words = ["keys", "create", "Front door", "--role", "verify"]
    words[where:where] = ["--env-file", str(settings)]
    done = subprocess.run(
        [sys.executable, "-m", "service", *words],
        cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith("fv_"), done.stderr
    assert Path(kept_in(tmp_path)["keys_path"]).exists()


def test_what_cannot_be_recorded_is_not_done(type_in: Type, kept: dict[str, Any]) -> None:
    kept["audit_path"].write_text("no folder", encoding="utf-8")
    assert "audit log" in str(type_in("create", "Front door", "--role", "verify")[0])
    assert not kept["keys_path"].exists()
