"""`python -m service keys create|list|revoke`: the API keys of this installation."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

from service.access.keys import ROLES, ApiKey, create_key, marker, read_keys_once_made, revoke_key
from service.audit import Audit, AuditSettings
from service.audit.administrator import administrator
from service.config import Settings


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `keys` and what it can do."""
    keys = commands.add_parser("keys", help="make, list and revoke API keys").add_subparsers(required=True)
    create = keys.add_parser("create", help="make a key; it is shown once, and only its hash is kept")
    create.add_argument("name", help="whose key it is")
    create.add_argument("--role", action="append", choices=ROLES, required=True, help="what it may do; may be repeated")
    create.add_argument("--days", type=float, help="for how many days it counts; for always if left out")
    create.add_argument(
        "--anew",
        action="store_true",
        help="begin a new file of keys where the old one is lost: no old key counts again",
    )
    create.set_defaults(run=_create)
    listing = keys.add_parser("list", help="show all keys, without their secrets")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(run=_list)
    revoke = keys.add_parser("revoke", help="refuse a key, from the next request on")
    revoke.add_argument("id", help="of the key, as 'list' shows it")
    revoke.set_defaults(run=_revoke)


def _create(args: argparse.Namespace) -> int:
    settings = Settings.load()
    record = partial(_recorder(settings), "key created")
    key, text = create_key(settings.keys_path, args.name, args.role, args.days, record, args.anew)
    print(text)
    print(
        f"Key {key.id} of {key.name!r} may: {', '.join(key.roles)}. Keep it now: only its hash is stored. "
        "Send it in the header X-API-Key.",
        file=sys.stderr,
    )
    return 0


def _list(args: argparse.Namespace) -> int:
    path = Settings.load().keys_path
    found = read_keys_once_made(path)
    keys = list(found.by_id.values()) if found else []
    if args.json:
        without_hash = [
            {name: value for name, value in msgspec.to_builtins(key).items() if name != "sha256"} for key in keys
        ]
        print(json.dumps(without_hash, ensure_ascii=False))
        return 0
    if not keys:
        print("There is no key: everybody who reaches the service may use it, unless REQUIRE_KEYS=true.")
        return 0
    now = datetime.now(UTC)
    rows = [("id", "state", "roles", "created (UTC)", "expires (UTC)", "name")]
    rows += [
        (key.id, key.problem(now) or "valid", ", ".join(key.roles), _day(key.created), _day(key.expires), key.name)
        for key in keys
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _revoke(args: argparse.Namespace) -> int:
    settings = Settings.load()
    key = revoke_key(settings.keys_path, args.id, partial(_recorder(settings), "key revoked"))
    print(f"Key {key.id} of {key.name!r} is revoked: it is refused from the next request on.")
    left = read_keys_once_made(settings.keys_path)
    now = datetime.now(UTC)
    if left is None or all(other.problem(now) for other in left.by_id.values()):
        files = f"{settings.keys_path} and {marker(settings.keys_path)}"
        print(
            "No valid key is left, so the service answers nobody until 'python -m service keys create' has made one. "
            f"To open it to everybody again, stop it, delete {files}, and start it."
        )
    return 0


def _day(moment: datetime | None) -> str:
    return "–" if moment is None else moment.strftime("%Y-%m-%d %H:%M")


def _recorder(settings: Settings) -> Callable[[str, ApiKey], None]:
    """Writes into the audit log what an administrator does, before it is done."""

    def record(act: str, key: ApiKey) -> None:
        audit = Audit.open(AuditSettings.of(settings))  # it is on, since there are keys now
        try:
            # No name: what is in the log can never be taken out.
            audit.record(act, key_id=key.id, roles=list(key.roles), **administrator())
        finally:
            audit.close()

    return record
