"""How to reach a person, as a hash with a key: the table of consents shows whose consent is whose, and no address.

A plain SHA-256 of an address can be tried out with a list of addresses. The key is a file of this installation that git
and DVC do not see; without it, nobody can tell any more which address was meant.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import unicodedata

from faces.message import Message
from privacy.errors import PrivacyError
from privacy.folder import STATE

KEY = STATE / "contact.key"
_KEY_BYTES = 32


def contact_hash(contact: str, make_key: bool = False) -> str:
    """HMAC-SHA256 of an address, in hexadecimal. Capitals and blanks around it make no difference.

    Args:
        contact: an e-mail address, a telephone number …
        make_key: make the key if there is none yet.

    Raises:
        PrivacyError: the key cannot be read or made, or there is nothing in the address.
    """
    text = unicodedata.normalize("NFC", contact).strip().casefold()
    if not text:
        raise PrivacyError("the contact is empty: give an e-mail address or a telephone number, or leave --contact out")
    return hmac.new(_key(make_key), text.encode("utf-8"), hashlib.sha256).hexdigest()


def _key(make: bool) -> bytes:
    try:
        if make and not KEY.exists():
            KEY.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made in one step, by one process: another one that comes at the same time takes this one's key.
            temporary = KEY.with_name(f".{KEY.name}.{secrets.token_hex(4)}.tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_hex(_KEY_BYTES).encode("ascii"))
            try:
                os.link(temporary, KEY)
            except FileExistsError:
                pass
            except OSError:  # no hard links here
                temporary.replace(KEY)
            finally:
                temporary.unlink(missing_ok=True)
        key = bytes.fromhex(KEY.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise PrivacyError(
            "there is no {path}, the key of the contacts' hashes: nobody can tell any more whose they are. Put the "
            "file back from a backup",
            path=KEY,
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else Message("it is no key")
        raise PrivacyError(
            "{path}, the key of the contacts' hashes, cannot be used ({reason}): put it back from a backup",
            path=KEY,
            reason=reason,
        ) from None
    if len(key) != _KEY_BYTES:
        raise PrivacyError(
            "{path}, the key of the contacts' hashes, has {given} bytes; expected {expected}: put it back from a "
            "backup",
            path=KEY,
            given=len(key),
            expected=_KEY_BYTES,
        )
    return key
