"""Where the audit log lies, and the secret that its records are sealed with."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from service.audit.chain import Key
from service.audit.errors import AuditError
from service.audit.files import make_private_folder, segments, write_new
from service.config import PROJECT_ROOT, Settings

DEFAULT_FOLDER = PROJECT_ROOT / "audit"
"""Where the log lies if it is on and AUDIT_PATH does not say where."""

LEAST_KEY_CHARACTERS = 32


@dataclass(frozen=True)
class AuditSettings:
    """How the audit log is kept.

    Attributes:
        folder: of the segments.
        head: the file that says which record is the last.
        salts: folder of the salts.
        key: the secret, or "" where it stands in a file.
        key_file: the file of the secret; None for `own_key_file`.
        own_key_file: beside the head; made with a new secret if neither of the two is given.
        max_bytes: a segment that is this large is followed by the next.
        keep_days: segments whose records are all older are removed, and a new one begins each day; 0 keeps all.
        sync: flush each record to disk before it counts.
    """

    folder: Path = DEFAULT_FOLDER
    head: Path = PROJECT_ROOT / "private/audit_head.jsonl"
    salts: Path = PROJECT_ROOT / "private/audit_salts"
    key: str = field(default="", repr=False)
    key_file: Path | None = None
    own_key_file: Path = PROJECT_ROOT / "private/audit.key"
    max_bytes: int = 64 * 2**20
    keep_days: int = 0
    sync: bool = False

    @classmethod
    def of(cls, settings: Settings) -> AuditSettings:
        """Those that the settings of the service give. Whether the log is on is not asked here."""
        return cls(
            folder=settings.audit_path or DEFAULT_FOLDER,
            head=settings.audit_head_path,
            salts=settings.audit_salts_path,
            key=settings.audit_key,
            key_file=settings.audit_key_file,
            own_key_file=settings.audit_head_path.with_name("audit.key"),
            max_bytes=settings.audit_max_bytes,
            keep_days=settings.audit_keep_days,
            sync=settings.audit_sync,
        )

    @property
    def lock(self) -> Path:
        """The file that whoever writes locks."""
        return self.head.with_name(self.head.name + ".lock")

    @property
    def is_begun(self) -> bool:
        """Whether there is a log, or a part of one; also where that cannot be seen."""
        try:
            return self.head.exists() or (self.folder.is_dir() and bool(segments(self.folder)))
        except OSError:
            return True

    def not_begun(self) -> AuditError:
        """The error of what needs a log where there has never been one."""
        text = f"There is no audit log in {self.folder} yet"
        if self.key or self.key_file is None or self.key_file.exists():
            return AuditError(
                f"{text}: the service begins it where AUDIT_PATH names a folder, and with the first API key. If there "
                "was one, check AUDIT_PATH and AUDIT_HEAD_PATH"
            )
        return AuditError(
            f"{text}, and no secret to begin it with in {self.key_file} (AUDIT_KEY_FILE). Make one: (umask 077; "
            f'python3 -c "import secrets; print(secrets.token_hex(32))" > {shlex.quote(str(self.key_file))})'
        )

    def load_key(self, make: bool = False) -> Key:
        """The keys that are derived from the secret.

        Args:
            make: make the secret if none is given and none was made before. To be done by one process at a time.

        Raises:
            AuditError: there is no secret, it cannot be read, or it is too short; or there is no log yet, and so no
                secret.
        """
        if self.key:
            return Key.derive(_checked(self.key, "AUDIT_KEY"))
        path = self.key_file or self.own_key_file
        if make and self.key_file is None and not path.exists():
            try:
                make_private_folder(path.parent)
                write_new(path, (secrets.token_hex(32) + "\n").encode("ascii"))
            except FileExistsError:
                pass  # another process has made it meanwhile
            except OSError as error:
                raise AuditError(
                    f"The secret of the audit log cannot be written to {path} ({error.strerror}): let the user who "
                    "runs the service write there, or set AUDIT_KEY or AUDIT_KEY_FILE"
                ) from None
        try:
            text = path.read_text(encoding="utf-8-sig").strip()
        except FileNotFoundError:
            if not self.is_begun:
                raise self.not_begun() from None
            raise _unreadable(path, "it is gone") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise _unreadable(path, reason) from None
        return Key.derive(_checked(text, str(path)))


def _unreadable(path: Path, reason: str | None) -> AuditError:
    return AuditError(
        f"The secret of the audit log cannot be read from {path} ({reason}): put the file back, or set AUDIT_KEY or "
        "AUDIT_KEY_FILE to the secret that the log was begun with"
    )


def _checked(secret: str, where: str) -> bytes:
    """A secret as bytes.

    Raises:
        AuditError: it is too short.
    """
    if len(secret) < LEAST_KEY_CHARACTERS:
        raise AuditError(
            f"{where} holds {len(secret)} characters; expected a secret of at least {LEAST_KEY_CHARACTERS}, such as "
            "'python -c \"import secrets; print(secrets.token_hex(32))\"' prints"
        )
    return secret.encode("utf-8")
