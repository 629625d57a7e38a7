"""What came of photos, for people and for programs: a table, CSV, a line of JSON each, and an exit status.

An answer is what `/verify` says: a verdict, or an error, as a dict. It may come from a service of another version, so
nothing is taken for granted of it.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from faces.files import replacing
from service.client.language import number, say

ALL_ME, NOT_ALL_ME, NOT_ALL_JUDGED = 0, 1, 2
"""Exit statuses: as those of grep, the last one wins where something went wrong. Wrong arguments are 2 as well."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True)
class Answered:
    """A photo and what was answered about it.

    Attributes:
        photo: its path as it was named.
        values: the answer.
    """

    photo: str
    values: dict[str, Any]

    @property
    def is_me(self) -> bool | None:
        """Whether it shows me: of several faces that were judged, one suffices. None: it could not be judged."""
        verdicts = [row.is_me for row in self.rows]
        return None if None in verdicts else any(verdicts)

    @property
    def rows(self) -> list[Row]:
        """A row for each face that was judged; one where none was."""
        every = self.values.get("faces")
        found = self.values.get("faces_found")
        faces = [face for face in every if isinstance(face, dict)] if isinstance(every, list) else []
        if not faces or "is_me" not in self.values:
            return [_row(self.photo, self.values, self.values)]
        return [
            _row(self.photo, self.values, face, place, found if isinstance(found, int) else len(faces))
            for place, face in enumerate(faces, 1)
        ]


class Row(NamedTuple):
    """A face, or a photo of which the largest face alone was judged, or none.

    Attributes:
        photo: path of the photo.
        face: which of its faces, 1 the largest; None where the others were not asked about.
        faces_found: how many there are; None likewise.
        is_me, score, threshold, strangers_like_this: as in the answer; None where it has no such value.
        hints: what the person can do better, as codes.
        advice: the same in sentences.
        code: what kind of error it is; "" where there is none, or it has no code.
        message: the error in a sentence; "" where there is none.
    """

    photo: str
    face: int | None
    faces_found: int | None
    is_me: bool | None
    score: float | None
    threshold: float | None
    strangers_like_this: float | None
    hints: tuple[str, ...]
    advice: tuple[str, ...]
    code: str
    message: str


COLUMNS = tuple(name for name in Row._fields if name != "advice")
"""Of the CSV: codes are for programs, and sentences change."""


def _row(
    photo: str, answer: dict[str, Any], face: dict[str, Any], place: int | None = None, found: int | None = None
) -> Row:
    is_me = face.get("is_me")
    judged = isinstance(is_me, bool)
    listed = face.get("hints")
    hints = [hint for hint in listed if isinstance(hint, dict)] if isinstance(listed, list) else []
    return Row(
        photo,
        place,
        found,
        is_me if judged else None,
        _number(face.get("score")),
        _number(answer.get("threshold")),
        _number(face.get("strangers_like_this")),
        tuple(str(hint.get("code", "")) for hint in hints),
        tuple(str(hint.get("text", "")) for hint in hints),
        "" if judged else str(answer.get("code") or ""),
        "" if judged else in_words(answer) or say("the answer makes no sense"),
    )


def in_words(answer: Mapping[str, Any]) -> str:
    """What an answer of the service says for people, with what it says more of it; "" where it says nothing."""
    said, detail = answer.get("message") or answer.get("error") or answer.get("reason"), answer.get("detail")
    return f"{said} ({detail})" if said and detail else str(said or "")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def exit_status(answers: Iterable[Answered]) -> int:
    """0: every photo shows me. 1: at least one does not. 2: at least one could not be judged."""
    verdicts = {answer.is_me for answer in answers}
    if None in verdicts or not verdicts:
        return NOT_ALL_JUDGED
    return NOT_ALL_ME if False in verdicts else ALL_ME


# For people


def table(answers: Sequence[Answered]) -> str:
    """Photo, answer, score, threshold, and hints or what went wrong; below it, how many of which."""
    several = any(row.face is not None for answer in answers for row in answer.rows)
    heads = [
        say("photo"),
        *([say("face")] if several else []),
        say("answer"),
        say("score"),
        say("threshold"),
        say("hints"),
    ]
    lines = [heads]
    for answer in answers:
        for row in answer.rows:
            face = say("{face} of {faces}", face=row.face, faces=row.faces_found) if row.face is not None else ""
            lines.append([
                printable(row.photo),
                *([face] if several else []),
                _verdict(row.is_me),
                *("" if value is None else number(value, form) for value, form in _figures(row)),
                printable("; ".join(row.advice) if row.is_me is not None else "; ".join([row.message, *row.advice])),
            ])  # fmt: skip
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    shown = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join([*(line.rstrip() for line in shown), "", summary(answers)])


def _figures(row: Row) -> tuple[tuple[float | None, str], ...]:
    """Six decimals, as answers have them: with fewer, a score just below the threshold would look like it."""
    return (row.score, ".6f"), (row.threshold, "g")


def _verdict(is_me: bool | None) -> str:
    if is_me is None:
        return say("not judged")
    return say("me") if is_me else say("not me")


def summary(answers: Sequence[Answered]) -> str:
    """How many photos show me, how many do not, and how many could not be judged."""
    verdicts = [answer.is_me for answer in answers]
    counts = {verdict: sum(one is verdict for one in verdicts) for verdict in (True, False, None)}
    parts = [say("{count} me", count=counts[True]), say("{count} not me", count=counts[False])]
    if counts[None]:
        parts.append(say("{count} not judged", count=counts[None]))
    return say("{count:# photo|# photos}: {parts}", count=len(verdicts), parts=", ".join(parts))


def printable(text: str) -> str:
    """A text without what a terminal would obey or cannot show: a file's name may hold anything."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


# For programs


def as_json(answer: Answered) -> str:
    """One line of JSON: the photo's path, then the answer as it came."""
    text = json.dumps({"photo": answer.photo, **answer.values}, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # a name that is not text


def as_csv(answers: Iterable[Answered]) -> str:
    """A row for each face that was judged, and for each photo where none was; numbers with a decimal point."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for answer in answers:
        for row in answer.rows:
            values = row._replace(hints=(" ".join(row.hints),))._asdict()
            writer.writerow([_cell(values[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(value) if isinstance(value, tuple) else value


def check_target(path: Path) -> str | None:
    """Why results cannot be written to a file, found out before photos are asked about; None where they can.

    Args:
        path: of a CSV file, or `STANDARD_OUTPUT`.
    """
    if path == STANDARD_OUTPUT:
        return None
    if path.suffix.lower() != ".csv":  # `--csv *.jpg` would take the first photo for it
        return say("--csv is {path!r}; expected a name that ends with .csv, or - for the terminal", path=str(path))
    if path.is_dir():
        return say("{path} is a folder; expected the name of a file", path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        return say("{path} cannot be written ({reason})", path=path, reason=error.strerror or str(error))
    return None


def write(answers: Sequence[Answered], csv_path: Path | None, json_lines: bool) -> bool:
    """Say what came of the photos.

    Args:
        answers: all that there are.
        csv_path: where CSV goes; None where it is not wanted.
        json_lines: print JSON, not the table.

    Returns:
        False where the CSV could not be written: the table is printed then, so that nothing is lost.
    """
    if csv_path == STANDARD_OUTPUT:
        sys.stdout.write(as_csv(answers).encode("utf-8", "backslashreplace").decode("utf-8"))
        return True
    if csv_path is not None:
        existed = csv_path.exists()
        try:
            with replacing(csv_path) as temporary:
                temporary.write_bytes(as_csv(answers).encode("utf-8", "backslashreplace"))
        except OSError as error:
            reason = error.strerror or str(error)
            print(say("{path} cannot be written ({reason}): here it is", path=csv_path, reason=reason), file=sys.stderr)
            print(table(answers))
            return False
        text = "{path} is written anew. {summary}" if existed else "{path} is written. {summary}"
        print(say(text, path=csv_path, summary=summary(answers)), file=sys.stderr)
        return True
    print("\n".join(map(as_json, answers)) if json_lines else table(answers))
    return True
