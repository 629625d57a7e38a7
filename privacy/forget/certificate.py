"""The certificate: what was deleted where, when, and how that was checked. It names nobody and shows no face.

Objects stand in it by a keyed hash (HMAC-SHA256) whose key stays in private/privacy/: with the key one can check that
an object is still gone; without it, or from outside, nobody can tell whose photos they were.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.folder import STATE, write_private
from privacy.forget.kept import photos_on_disk
from privacy.forget.project import Project
from stages.files.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE, LockedError
from stages.files.locked_files import sha256_of_content

FOLDER = STATE / "certificates"
KEY = STATE / "certificate.key"
FORMAT = 1
_SEAL = "seal"


def load_key(root: Path, make: bool = False) -> bytes:
    """The key of the project's certificates.

    Args:
        root: of the project.
        make: make one if there is none.

    Raises:
        PrivacyError: there is none.
    """
    path = root / KEY
    if make and not path.exists():
        write_private(path, (secrets.token_hex(32) + "\n").encode())
    try:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise PrivacyError(
            "the key of the certificates, {path}, cannot be read ({error}): put the file back; without it no "
            "certificate can be checked",
            path=path,
            error=error,
        ) from error


def keyed(key: bytes, text: str) -> str:
    """Hash of a name or of an object's hash that only the owner of the key can make."""
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()


def write(root: Path, content: dict[str, Any], name: str) -> Path:
    """Seal a certificate and write it.

    Args:
        root: of the project.
        content: all but format and seal.
        name: of the file.
    """
    key = load_key(root, make=True)
    sealed = {"format": FORMAT, **content}
    sealed[_SEAL] = _seal(key, sealed)
    path = root / FOLDER / name
    write_private(path, (json.dumps(sealed, indent=1, ensure_ascii=False) + "\n").encode())
    return path


def newest_names(root: Path, names: Collection[str]) -> bool:
    """Whether the newest certificate is about all of these, as they were asked for. It need not hold."""
    written = sorted((root / FOLDER).glob("*.json"))
    if not written:
        return False
    try:
        known = json.loads(written[-1].read_bytes())["who"]["keyed_names"]
        key = load_key(root)
    except (OSError, ValueError, LookupError, TypeError, PrivacyError):
        return False
    return all(keyed(key, name) in known for name in names)


def verify(project: Project, path: Path) -> list[str]:
    """Check a certificate: its seal, and that every object it speaks of is still gone.

    Returns:
        What is wrong, a sentence each; nothing where all is well.

    Raises:
        PrivacyError: it is no certificate, or there is no key.
    """
    key = load_key(project.root)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        seal = content.pop(_SEAL)
        gone = set(content["gone"])
        content_gone = set(content.get("gone_content", ()))
    except OSError as error:
        raise PrivacyError("{path} cannot be read: {reason}", path=path, reason=error.strerror) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PrivacyError(
            "{path} is no certificate: those are the files in {folder}", path=path, folder=FOLDER.as_posix()
        ) from error
    if not hmac.compare_digest(seal, _seal(key, content)):
        text = "{path} was changed, or is of another project: its seal is not of this project's key"
        return [Message(text, path=path)]
    wrong: list[str] = []
    for store in project.stores:
        back = _count(key, gone, store.list().objects)
        if back:
            text = "{name}: {count} of the deleted objects are there again"
            wrong.append(Message(text, name=store.name, count=back))
    text = "{name}: does not answer ({reason})"
    wrong += [Message(text, name=away.name, reason=away.reason) for away in project.unreachable]
    for workspace in project.workspaces:
        on_disk = photos_on_disk(workspace.root)
        again = {name for name, oid in on_disk.items() if keyed(key, oid) in gone}
        # The same photo has other bytes where it is locked, unlocked or has got another key since: its content tells.
        closed = 0
        for name in on_disk if content_gone else ():
            try:
                if keyed(key, sha256_of_content(workspace.root / "data" / name)) in content_gone:
                    again.add(name)
            except LockedError:
                closed += 1
        if again:
            text = "{folder}: {count} of the deleted photos are there again"
            wrong.append(Message(text, folder=workspace.root, count=len(again)))
        if closed:
            text = (
                "{folder}: {count} locked photos could not be looked into: set {key_file} or {key} to their key, in "
                "the environment or in .env"
            )
            named = {"key_file": KEY_FILE_VARIABLE, "key": KEY_VARIABLE}
            wrong.append(Message(text, folder=workspace.root, count=closed, **named))
    return wrong


def _count(key: bytes, gone: set[str], oids: Iterable[str]) -> int:
    return sum(keyed(key, oid) in gone for oid in set(oids))


def _seal(key: bytes, content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).hexdigest()
