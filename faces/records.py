"""The record of what a stage wrote: its files are loaded if, and only if, the record beside them names them.

A model's file can be a pickle, which runs code when it is loaded, and a changed threshold lets strangers in. So each
stage that writes into models/ leaves `records/<stage>.json` there: the SHA-256 of each file, and what they were made
from. Where the environment variable `MODEL_SIGNING_KEY` is set, the record carries an HMAC-SHA256 of the rest, and
none without it, or with another one, is believed. A record holds no time, so the same run writes the same record.

The order of writing
--------------------
Several files cannot be replaced in one step, and a stage can be killed between any two. So they are replaced in three:

1. The record is replaced by one that names the new files and, as `former`, those that are there now.
2. The files are replaced, one by one, in the order given.
3. The record is replaced by one that names the new files alone.

So at every moment each file is one that the record names, and the last file of the order decides which run counts.
For the model that is `verifier.npz`, which holds model and scaler whole: the last good one or the new one, never both.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert, to_builtins

from faces.errors import UserError
from faces.files import replacing, sha256_of, write_flushed
from faces.message import Message

FOLDER = "records"
"""Folder of the records, in the folder of the files that they name."""

KEY_VARIABLE = "MODEL_SIGNING_KEY"
LEAST_KEY = 32
"""Characters of the key, at least: one that can be guessed protects nothing."""

FORMAT = 1

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]

_log = logging.getLogger(__name__)


class RecordError(UserError):
    """A file is not one that the pipeline recorded, or the record cannot be believed; the message says what to do."""


class MadeFrom(Struct, frozen=True, forbid_unknown_fields=True):
    """What the files of a record were made from.

    Attributes:
        inputs: SHA-256 of each file that was read, by path relative to the project.
        parameters: those of params.yaml that decided.
        code: `faces.fingerprint.code_hash` of the stage.
        packages: versions of the packages that computed, by name.
    """

    inputs: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    code: str = ""
    packages: dict[str, str] = {}


class Record(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of a record, without its signature.

    Attributes:
        format: `FORMAT`.
        stage: which stage wrote the files.
        backbone: name of the network that embeds faces; None where that is not known.
        files: SHA-256 of each file, by path relative to the folder that holds the records.
        former: the same of the files of an earlier run, while they are being replaced.
        made_from: what they were made from.
    """

    format: int
    stage: str
    backbone: str | None
    files: dict[str, Sha256]
    former: dict[str, Sha256] = {}
    made_from: MadeFrom

    def names(self, name: str, digest: str) -> bool:
        """Whether a file with that SHA-256 is the one of that name, of this run or of the one that it replaces."""
        return digest in (self.files.get(name), self.former.get(name))

    def of_the_same_run(self, name: str, digest: str, other: str) -> str | None:
        """SHA-256 of the file `other` of the run of which a file with that SHA-256 is; None where none is named."""
        return next((run.get(other) for run in (self.files, self.former) if run.get(name) == digest), None)

    def is_one_run(self, digests: Mapping[str, str]) -> bool:
        """Whether files, SHA-256 by name, are all of the same run."""
        return any(digests.items() <= run.items() for run in (self.files, self.former))


@dataclass(frozen=True)
class Trust:
    """What is believed of files, and what is loaded without being believed.

    Attributes:
        key: what records are signed with; None where they need no signature.
        allow_unrecorded: load files that no record names, with a warning in the log.
    """

    key: bytes | None = field(default=None, repr=False)
    allow_unrecorded: bool = False

    @classmethod
    def of_environment(cls) -> Trust:
        """As the stages trust: the key of the environment, and nothing unrecorded.

        Raises:
            RecordError: the key is too short.
        """
        return cls(_key_of_environment())

    def check(self, stage: str, name: str, path: Path, data: bytes, folder: Path | None = None) -> None:
        """Make sure that a file is the one that a stage wrote, or that this does not matter.

        Args:
            stage: which stage writes it.
            name: what its record calls it; the file itself may be called otherwise.
            path: the file.
            data: its content, which is also what is to be used: a second look at the file might see another.
            folder: which holds the records; None for the file's own.

        Raises:
            RecordError: it is not, or the record is missing, damaged or wrongly signed.
        """
        try:
            read_record(folder or path.parent, stage, path, self.key).check(name, path, data)
        except RecordError as error:
            self.tolerate(error)

    def tolerate(self, error: RecordError) -> None:
        """Go on in spite of an error where unrecorded files are allowed, with a warning in the log.

        Raises:
            RecordError: they are not.
        """
        if not self.allow_unrecorded:
            raise error
        _log.warning("Loaded all the same, since ALLOW_UNRECORDED_MODEL is true: %s", error)


@dataclass(frozen=True)
class CheckedRecord:
    """A record whose signature is right, where one is asked for.

    Attributes:
        path: its file.
        record: what it says.
    """

    path: Path
    record: Record

    def check(self, name: str, path: Path, data: bytes) -> str:
        """Make sure that a file is the one that is called `name` here.

        Args:
            name, path, data: as `Trust.check` takes them.

        Returns:
            Its SHA-256.

        Raises:
            RecordError: it is another.
        """
        digest = hashlib.sha256(data).hexdigest()
        if not self.record.names(name, digest):
            raise RecordError(
                "{path} is not the file that the pipeline wrote: its SHA-256 is {given}, and {record} names "
                "{expected}. Run 'dvc repro --force {stage}' and copy all of models/",
                path=path,
                given=digest,
                record=self.path,
                expected=self.record.files.get(name, Message("nothing of that name")),
                stage=self.record.stage,
            )
        return digest


def record_path(folder: Path, stage: str) -> Path:
    """Where the record of a stage lies that writes into a folder."""
    return folder / FOLDER / f"{stage}.json"


def read_record(folder: Path, stage: str, of: Path, key: bytes | None = None) -> CheckedRecord:
    """Read the record of a stage and, where there is a key, check its signature.

    Args:
        folder: holds the folder of the records.
        stage: which stage's.
        of: the file that is to be loaded, for the error's text.
        key: as `Trust.key`.

    Raises:
        RecordError: it is missing, damaged, of another stage, or not signed with the key.
    """
    path = record_path(folder, stage)
    try:
        values = json.loads(path.read_bytes())
        signature = values.pop("signature", None)
        record = convert(values, Record)
        if (record.format, record.stage) != (FORMAT, stage):
            raise ValueError
        signed = _signature(values, key) if key else None
    except FileNotFoundError:
        raise RecordError(
            "there is no {record}, so nothing says that the pipeline wrote {path}. Run 'dvc repro', which writes it; "
            "for a model of your own, set ALLOW_UNRECORDED_MODEL=true: a model's file can run any code",
            record=path,
            path=of,
        ) from None
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        text = "{record} is damaged, or of another version: run 'dvc repro --force {stage}'"
        raise RecordError(text, record=path, stage=stage) from error
    if signed is not None and signature is None:
        raise RecordError(
            "{record} is not signed, and MODEL_SIGNING_KEY is set: run 'dvc repro --force {stage}' with that variable "
            "in the environment",
            record=path,
            stage=stage,
        )
    if signed is not None and not (isinstance(signature, str) and _equal(signature, signed)):
        raise RecordError(
            "the signature of {record} does not belong to MODEL_SIGNING_KEY: somebody changed the record, or it was "
            "signed with another key. Run 'dvc repro --force {stage}' with that variable in the environment",
            record=path,
            stage=stage,
        )
    return CheckedRecord(path, record)


def write_recorded(
    folder: Path,
    stage: str,
    files: Mapping[str, bytes],
    made_from: MadeFrom | None = None,
    backbone: str | None = None,
) -> None:
    """Write files and the record that names them, in the order that the module's text gives reasons for.

    The record is signed where `MODEL_SIGNING_KEY` is in the environment.

    Args:
        folder: holds the files and the folder of the records.
        stage: which stage writes them.
        files: content of each file by its path relative to the folder, with "/"; the last one decides.
        made_from: what they were made from.
        backbone: name of the network that embeds faces.

    Raises:
        RecordError: the key is too short.
        OSError: the disk is full, or the folder cannot be written to. Each file is then as it was, or new.
    """
    key = _key_of_environment()
    record = Record(
        format=FORMAT,
        stage=stage,
        backbone=backbone,
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        made_from=made_from or MadeFrom(),
    )
    with ExitStack() as moved_at_the_end:
        for name, data in reversed(list(files.items())):  # what was entered last is moved first
            write_flushed(moved_at_the_end.enter_context(replacing(folder / name)), data)
        _write(folder, record, _present(folder, stage, files, key), key)
    _write(folder, record, {}, key)


def _present(folder: Path, stage: str, names: Mapping[str, Any], key: bytes | None) -> dict[str, str]:
    """SHA-256 of the files that are there now, by name: those alone that a record names, or others would be signed."""
    try:
        record = read_record(folder, stage, folder, key).record
    except RecordError:
        return {}
    digests = {name: sha256_of(folder / name) for name in names if (folder / name).is_file()}
    return {name: digest for name, digest in digests.items() if record.names(name, digest)}


def _write(folder: Path, record: Record, former: dict[str, str], key: bytes | None) -> None:
    values = to_builtins(record) | {"former": former}
    if not former:
        del values["former"]
    if key:
        values["signature"] = _signature(values, key)
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    with replacing(record_path(folder, record.stage)) as temporary:
        write_flushed(temporary, text.encode())


def _signature(values: Mapping[str, Any], key: bytes) -> str:
    """HMAC-SHA256, in hexadecimal, of a record's values in the one form that the same values always have."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())


def _key_of_environment() -> bytes | None:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if 0 < len(key) < LEAST_KEY:
        raise RecordError(
            "{variable} has {count:# character|# characters}; expected {least} or more, such as those of: python -c "
            "'import secrets; print(secrets.token_hex(32))'",
            variable=KEY_VARIABLE,
            count=len(key),
            least=LEAST_KEY,
        )
    return key.encode() or None
