"""The certificate of HTTPS and its key: loaded once, and never read again by whoever serves with them.

Whoever renews a certificate writes two files, one after the other. A worker that read them itself could be started
between the two, fail, and be started again without end. So gunicorn's master loads both, at the start and at a reload,
and its workers inherit what it has loaded.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

_OF_ANOTHER_PAIR = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of a key that fits another certificate: one of the same kind, RSA for example, or of another."""


class CertificateError(ValueError):
    """HTTPS cannot be served with these files; the message says which of them, and what to do."""


def load(
    certificate: Path, key: Path, kinds: Iterable[type[ssl.SSLContext]]
) -> dict[type[ssl.SSLContext], ssl.SSLContext]:
    """Load a certificate and its key.

    Args:
        certificate: PEM, with those that it depends on.
        key: PEM, without a passphrase: nobody could be asked for it at a reload.
        kinds: of contexts to make; gevent has one of its own.

    Returns:
        For each kind, what connections of TLS 1.2 or later are made with.

    Raises:
        CertificateError: a file cannot be read or is not whole, or the key is not that of the certificate.
    """
    contexts = {}
    for kind in kinds:
        contexts[kind] = kind(ssl.PROTOCOL_TLS_SERVER)
        try:
            contexts[kind].load_cert_chain(certificate, key, password=lambda: b"")
        except (OSError, ValueError) as error:  # a ValueError is that of a path with a zero byte
            raise CertificateError(_describe(certificate, key, error)) from error
    return contexts


def _describe(certificate: Path, key: Path, error: Exception) -> str:
    """What to do about an error of OpenSSL, which does not say which file it means."""
    where = (
        f"TLS_CERT_PATH is {str(certificate)!r} and TLS_KEY_PATH {str(key)!r}; expected a certificate and its key, "
        "both PEM files"
    )
    for variable, path in (("TLS_CERT_PATH", certificate), ("TLS_KEY_PATH", key)):
        try:
            path.read_bytes()
        except (OSError, ValueError) as unread:
            reason = getattr(unread, "strerror", None) or unread
            return (
                f"{where}: {variable} cannot be read ({reason}). Put the file there, and let the service's user read it"
            )
    if getattr(error, "reason", None) in _OF_ANOTHER_PAIR:
        return f"{where}: the key is not that of the certificate. Put both files of the same pair there"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(certificate)
    except (OSError, ValueError):
        return f"{where}: TLS_CERT_PATH holds no whole certificate ({error}). Write the file again, to its end"
    return (
        f"{where}: TLS_KEY_PATH holds no whole key, or one with a passphrase ({error}). Write the file again, to its "
        "end, and without a passphrase"
    )
