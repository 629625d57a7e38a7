"""What is held of a person, as a zip to hand over: the right of access (GDPR Art. 15).

Nothing of other people goes with it: of tables only the person's rows, and where such a row names somebody else's
photo, the name is left out. (Others may be on the photos themselves: whoever hands the zip over has to look.)
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from faces.files import replacing
from faces.message import Message
from privacy.errors import PrivacyError
from privacy.folder import STATE
from privacy.held.export_text import README_NAME, readme
from privacy.held.trained import models_trained_with
from privacy.people import Person
from service.client.language import say
from stages.files import locked_files
from stages.files.consent import as_path, parts_of, read_register
from stages.files.paths import (
    ATTRIBUTES,
    CONSENT,
    CROP_REPORT,
    CROPPED,
    EMBEDDINGS,
    GROUPS,
    INDEX,
    PREDICTIONS,
    QUALITY_CSV,
    STRANGERS_CSV,
)
from stages.files.photos import read_photo
from stages.files.tables import read_array, read_records
from stages.progress import progress

FOLDER = STATE / "exports"
"""Where exports go if nobody says where: neither git nor DVC looks there."""

SOMEBODY = "(somebody else's photo)"
Rows = list[dict[str, Any]]


@dataclass
class Exported:
    """What went into a zip.

    Attributes:
        counts: how many of each, by name.
        missing: what could not be looked up, a text for each; the README of the zip has them, too.
    """

    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """For the terminal."""
        return ", ".join(f"{say(name)}: {count}" for name, count in self.counts.items())


def default_name(person: Person) -> str:
    """Where the zip of a person goes."""
    return str(FOLDER / name_of(person.who))


def name_of(who: str) -> str:
    """Name of the zip of somebody, given as `Person.who` is."""
    return f"{safe_name(who.removeprefix('not_me/')).replace('/', '-')}.zip"


def safe_name(path: str) -> str:
    """A path for a zip that no program unpacks anywhere else, and that every system can have as a name.

    Args:
        path: with "/"; its parts may hold anything that Linux allows, such as ".." with other slashes.
    """
    parts = (re.sub(r'[\\:*?"<>|\x00-\x1f\x7f]', "_", part).rstrip(". ") or "_" for part in path.split("/"))
    return "/".join(part for part in parts if part)


def export(person: Person, path: Path, day: date) -> Exported:
    """Write what is held of a person to a zip that its owner alone can read; it appears whole or not at all.

    Args:
        person: whose.
        path: of the zip; an older one is replaced.
        day: today, for the README.

    Raises:
        PrivacyError: git would commit the file there.
        StageError: a table is damaged.
        OSError: a photo cannot be read, or the zip cannot be written.
    """
    _refuse_where_git_looks(path)
    if path.is_relative_to(FOLDER):
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    done = Exported()
    with replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                _Export(person, archive, done).write(day)
            file.flush()
            os.fsync(file.fileno())
    return done


def _refuse_where_git_looks(path: Path) -> None:
    """Raises a PrivacyError where a file would be seen by git: photos of faces are never to get there."""
    root, target = Path.cwd().resolve(), path.absolute()
    if not target.parent.resolve().is_relative_to(root) or not Path(".git").exists():
        return
    with suppress(FileNotFoundError):  # git is not installed
        ignored = subprocess.run(["git", "check-ignore", "--quiet", str(target)], capture_output=True, check=False)
        if ignored.returncode == 1:
            raise PrivacyError(
                "{path} would lie where git commits it: leave --out away, or choose a place outside the project",
                path=path,
            )


class _Export:
    """Puts what is held of a person into an archive."""

    def __init__(self, person: Person, archive: zipfile.ZipFile, done: Exported) -> None:
        self._person = person
        self._archive = archive
        self._done = done
        self._names = {photo.path_in_data for photo in person.photos}
        self._taken: set[str] = set()

    def write(self, day: date) -> None:
        """Write everything, the README last, since it says what could not be had."""
        digests = self._photos()
        index = self._table("index.csv", INDEX, "embed", self._is_theirs)
        rows = [int(row["row"]) for row in index]
        self._crops(index)
        report = self._table("crop_report.csv", CROP_REPORT, "crop", self._is_theirs)
        self._table("predictions.csv", PREDICTIONS, "train", lambda row: int(row["row"]) in set(rows))
        self._table("groups.csv", GROUPS, "quality", lambda row: int(row["row"]) in set(rows))
        self._table("strangers.csv", STRANGERS_CSV, "robustness", self._is_this_stranger)
        self._table("data_quality.csv", QUALITY_CSV, "quality", self._is_theirs, self._without_others)
        self._embeddings(rows, index)
        self._user_tables()
        self._json("models.json", models_trained_with(self._names, len(index)))
        self._audit(digests)
        self._done.counts |= {Message("rows of the crop report"): len(report), Message("embeddings"): len(rows)}
        self._text(README_NAME, readme(self._person.who, day, self._done.missing))

    # Parts

    def _photos(self) -> list[bytes]:
        """The photos; returns the SHA-256 of each."""
        digests = []
        for photo in progress(self._person.photos, len(self._person.photos), say("exporting"), say("photo")):
            data = read_photo(photo.path)
            digests.append(hashlib.sha256(data).digest())
            self._bytes(f"photos/{photo.path_in_data}", data)
        return digests

    def _crops(self, index: Rows) -> None:
        crops = sorted({str(row["crop"]) for row in index})
        for crop in crops:
            try:
                self._bytes(f"crops/{crop}", read_photo(CROPPED / crop))
            except FileNotFoundError:
                self._done.missing.append(f"data/cropped/{crop}")
        self._done.counts[Message("crops")] = len(crops)

    def _embeddings(self, rows: Sequence[int], index: Rows) -> None:
        if not rows:
            return
        if not EMBEDDINGS.exists():
            self._done.missing.append(EMBEDDINGS.as_posix())
            return
        embeddings = read_array(EMBEDDINGS, "embed")
        if max(rows) >= len(embeddings):
            raise PrivacyError("{index} is not of {embeddings}: run 'dvc repro'", index=INDEX, embeddings=EMBEDDINGS)
        own = embeddings[np.array(rows)]
        self._rows(
            "embeddings.csv",
            ["photo", "face", *(f"value_{number}" for number in range(own.shape[1]))],
            ([row["photo"], row["face"], *map(str, values)] for row, values in zip(index, own, strict=True)),
        )

    def _user_tables(self) -> None:
        """Their lines of the tables that the user writes."""
        for path in ATTRIBUTES:
            if locked_files.exists(path):
                self._table(f"attributes_{path.parent.name}.csv", path, "", lambda row: self._speaks_of(row["photo"]))
        if CONSENT.exists():
            own = [consent for who, consent in read_register().consents.items() if self._speaks_of(who)]
            columns = ("who", "given", "until", "withdrawn", "how", "contact")
            self._rows("consent.csv", columns, ([getattr(one, name) for name in columns] for one in own))

    def _audit(self, digests: Sequence[bytes]) -> None:
        """The records of the service's answers about exactly these photos."""
        from service.audit.errors import AuditError
        from service.audit.images import find_digests
        from service.audit.settings import AuditSettings
        from service.audit.walk import Walk
        from service.config import Settings, SettingsError

        try:
            settings = AuditSettings.of(Settings.load())
            if not settings.head.exists():
                return
            found = find_digests(settings, Walk(settings, settings.load_key()), set(digests))
        except (AuditError, SettingsError) as error:
            self._done.missing.append(Message("the audit log of the service ({error})", error=str(error)))
            return
        self._json("audit.json", found.records)
        self._done.counts[Message("records of the audit log")] = len(found.records)

    # Which rows

    def _is_theirs(self, row: Mapping[str, Any]) -> bool:
        return row["photo"] in self._names

    def _is_this_stranger(self, row: Mapping[str, Any]) -> bool:
        """A row of strangers.csv: of a sub-folder, or of a photo in none."""
        return as_path(f"not_me/{str(row['person']).removeprefix('not_me/')}") == self._person.who

    def _speaks_of(self, who: str) -> bool:
        """Whether a line of a user's table is about the person, or some of these photos, but not about many people."""
        path = as_path(who)
        return any(path in parts_of(name) for name in self._names)

    def _without_others(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row of data_quality.csv without the names of others."""
        other = str(row.get("other", ""))
        if not other or other in self._names or as_path(f"not_me/{other}") == self._person.who:
            return row
        return {
            name: SOMEBODY if name == "other" else str(value).replace(other, SOMEBODY) for name, value in row.items()
        }

    # Writing

    def _table(
        self,
        name: str,
        path: Path,
        stage: str,
        wanted: Callable[[Mapping[str, Any]], bool],
        change: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row,
    ) -> Rows:
        """The rows of a table that are wanted, written and returned; none where there is no table."""
        if not locked_files.exists(path):
            self._done.missing.append(path.as_posix())
            return []
        table = read_records(path, stage, []) if stage else read_user_table(path)
        rows = [change(dict(row)) for row in table if wanted(row)]
        if rows:
            self._rows(name, list(rows[0]), (row.values() for row in rows))
        return rows

    def _rows(self, name: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows([_plain(value) for value in row] for row in rows)
        self._text(name, "\ufeff" + text.getvalue())  # for spreadsheets

    def _json(self, name: str, values: Any) -> None:
        self._text(name, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode("utf-8"))

    def _bytes(self, name: str, data: bytes) -> None:
        safe, number = safe_name(name), 1
        while safe.casefold() in self._taken:  # two names that some systems take for one
            number += 1
            stem, dot, suffix = safe_name(name).rpartition(".")
            safe = f"{stem}-{number}{dot}{suffix}"
        self._taken.add(safe.casefold())
        self._archive.writestr(safe, data)  # readable to the owner alone


def _plain(value: Any) -> Any:
    """A value for a spreadsheet, which would take text that begins like a formula for one."""
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and value and not re.fullmatch(r"-?[\d.]+(e-?\d+)?", value):
        return f"'{value}"
    return "" if value is None else value


def read_user_table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of attributes.csv, plain or locked, with commas or semicolons; `path` is its plain name."""
    text = locked_files.read_file(path).decode("utf-8-sig")
    heading = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if heading.count(";") > heading.count(",") else ","
    )
    for row in reader:
        yield {str(name).strip(): str(value or "").strip() for name, value in row.items() if name is not None}
