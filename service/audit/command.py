"""What an operator does with the audit log: `python -m service audit …`. Exit status 0, or as each command says."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from service.audit.administrator import administrator
from service.audit.audit import Audit
from service.audit.chain import HEAD_BYTES, Key, days_ago, read_head
from service.audit.counts import COUNT_SECONDS
from service.audit.errors import AuditError
from service.audit.files import segment_path, segments
from service.audit.findings import Finding
from service.audit.images import Found, find_image, find_request
from service.audit.report import Report, summarise
from service.audit.settings import AuditSettings
from service.audit.walk import Walk
from service.config import Settings, SettingsError

GOOD, BAD, IMPOSSIBLE = 0, 1, 2
"""Exit status: all is well; the log is damaged, or nothing was found; that cannot be done."""

_SHOWN = 20  # findings that are printed; --json has all
_MOST_ACCEPTED = 200  # that fit into one record


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `audit` and its commands.

    Args:
        commands: of `python -m service`. Each parser sets `run`, which takes the parsed arguments and returns the exit
            status.
    """
    audit = commands.add_parser("audit", help="the record of every use", description=__doc__)
    own = audit.add_subparsers(metavar="command", required=True)

    def add(name: str, run: Callable[[argparse.Namespace, AuditSettings], int], text: str) -> argparse.ArgumentParser:
        parser = own.add_parser(name, help=text, description=text)
        parser.set_defaults(run=lambda arguments: _run(run, arguments))
        return parser

    verify = add("verify", _verify, "prove that no record was changed, removed or put in; exit status 1 if one was")
    verify.add_argument(
        "--head",
        type=Path,
        action="append",
        default=[],
        metavar="COPY",
        help="a copy of the head that was kept elsewhere: the log must still have the record that it names",
    )
    _add_json(verify)
    report = add("report", _report, "uses by key and day, decisions, refusals, and what is out of the ordinary")
    _add_json(report)
    find = add("find", _find, "which records are of an image; exit status 1 if none is")
    find.add_argument("--image", type=Path, required=True, metavar="FILE", help="the photo, exactly as it was sent")
    _add_json(find)
    forget = add(
        "forget",
        _forget,
        "delete the salts of an image's records, so that nobody can tell any more which image they are of; exit status "
        "1 if there is no such record",
    )
    which = forget.add_mutually_exclusive_group(required=True)
    which.add_argument("--image", type=Path, metavar="FILE", help="the photo, exactly as it was sent")
    which.add_argument("--request", metavar="ID", help="the id of the request, as its answer has it")
    forget.add_argument("--key", metavar="KEY_ID", help="with --request: only what was asked with this key")
    forget.add_argument(
        "--record", type=int, action="append", metavar="N", help="with --request: only this record; may be repeated"
    )
    forget.add_argument("--all", action="store_true", help="with --request: all of them, if there are several")
    prune = add("prune", _prune, "remove the files whose records are all older than some days, and their salts")
    prune.add_argument("--days", type=_days, required=True, metavar="N", help="1 or more")
    accept = add("accept", _accept, "go on after a loss that was looked into: verify tells what is wrong now as known")
    accept.add_argument("--note", type=_note, required=True, metavar="TEXT", help="what has happened, for the record")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 36500):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of days, 1 to 36500")
    return int(text)


def _note(text: str) -> str:
    if not 1 <= len(text.strip()) <= 1000:
        raise argparse.ArgumentTypeError("expected a sentence of 1 to 1000 characters")
    return text.strip()


def _run(command: Callable[[argparse.Namespace, AuditSettings], int], arguments: argparse.Namespace) -> int:
    try:
        return command(arguments, AuditSettings.of(Settings.load()))
    except SettingsError as error:
        print(f"Wrong settings:\n{error}", file=sys.stderr)
    except AuditError as error:
        print(error, file=sys.stderr)
    return IMPOSSIBLE


def _walk(settings: AuditSettings, copies: dict[int, str] | None = None) -> Walk:
    """A reading of the log that shows its progress where that takes more than a second."""
    from tqdm import tqdm  # takes a while to import, and the service needs none

    paths = (
        [segment_path(settings.folder, one) for one in segments(settings.folder)] if settings.folder.is_dir() else []
    )
    bar = tqdm(total=sum(path.stat().st_size for path in paths if path.exists()), unit="B", unit_scale=True, delay=1,
               desc="audit", leave=False, disable=None)  # fmt: skip
    return Walk(settings, settings.load_key(), copies, bar.update)


# verify and accept


def _verify(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    key = settings.load_key()
    walk = _walk(settings, dict(_read_copy(key, path) for path in arguments.head)).run()
    known = [finding for finding in walk.findings if finding.identity in walk.accepted]
    if arguments.json:
        print(json.dumps(_as_json(walk)))
        return BAD if walk.open_findings else GOOD
    for finding in walk.open_findings[:_SHOWN]:
        earlier = walk.accepted.get((finding.place, None))
        print(f"{finding.text} (accepted {earlier}, but not what stands there)" if earlier else finding.text)
    if len(walk.open_findings) > _SHOWN:
        print(f"… and {len(walk.open_findings) - _SHOWN} more: --json has them all")
    for finding in known:
        print(f"{finding.text} (accepted {walk.accepted[finding.identity]})")
    if walk.pruned_through:
        print(f"Records 1 to {walk.pruned_through} were removed by retention, which is recorded.")
    if walk.unfinished:
        print(
            f"The last {walk.unfinished} bytes are a record that is being written, or was when its writer was killed."
        )
    end = f", up to number {walk.last.number}" if walk.last else ""
    print(f"Proven: {walk.count} records{end}.")
    whole = f"The log is whole, save what was accepted ({len(known)})." if known else "The log is whole."
    print("The log is damaged." if walk.open_findings else whole)
    return BAD if walk.open_findings else GOOD


def _as_json(walk: Walk) -> dict[str, object]:
    def shown(finding: Finding) -> dict[str, object]:
        return {**finding.as_json(), "text": finding.text, "accepted": walk.accepted.get(finding.identity)}

    return {
        "whole": not walk.open_findings,
        "records": walk.count,
        "last": walk.last.number if walk.last else 0,
        "pruned_through": walk.pruned_through,
        "unfinished_bytes": walk.unfinished,
        "findings": [shown(finding) for finding in walk.findings],
    }


def _read_copy(key: Key, path: Path) -> tuple[int, str]:
    """Number and HMAC of the record that a copy of the head names."""
    try:
        found = read_head(key, path.read_bytes()[:HEAD_BYTES])
    except OSError as error:
        raise AuditError(f"{path} cannot be read ({error.strerror}): give a copy of the log's head") from None
    if found is None:
        raise AuditError(f"{path} is no head that this secret has sealed: give a copy of the log's head")
    return found[0].number, found[0].record_mac


def _accept(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    before = _walk(settings).run()
    with closing(Audit.open(settings, before)) as audit:
        findings = _walk(settings).run().open_findings
        if not findings:
            print("Nothing is wrong with the log that is not accepted already.")
        elif len(findings) > _MOST_ACCEPTED:
            raise AuditError(
                f"{len(findings)} things are wrong with the log; expected at most {_MOST_ACCEPTED}: move it and its "
                "head away as they are, and begin another"
            )
        else:
            listed = [finding.as_json() for finding in findings]
            audit.record("accept", note=arguments.note, findings=listed, **administrator())
            for finding in findings:
                print(f"accepted: {finding.text}")
    return GOOD


# The others


def _report(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    walk = _walk(settings)
    report = summarise(entry.record for entry in walk.entries())
    accepted = len(walk.findings) - len(walk.open_findings)
    if arguments.json:
        print(json.dumps({**report.as_json(), "findings": len(walk.open_findings), "accepted": accepted}))
    else:
        print(_as_text(report))
        if walk.open_findings:
            print("\nThe log is damaged, and only proven records are counted: see 'python -m service audit verify'.")
        elif accepted:
            print(
                f"\nOnly proven records are counted: what was accepted as lost or changed ({accepted}) is left out. "
                "'python -m service audit verify' lists it."
            )
    return GOOD


def _as_text(report: Report) -> str:
    given = report.as_json()
    parts = [f"From {report.first or '-'} to {report.last or '-'} (UTC)"]
    parts += _table("Answers", given["uses"])
    parts += _table("Refusals", given["refusals"])
    parts += [f"  While the service runs, those of the last {COUNT_SECONDS:.0f} seconds may be missing."]
    parts += _table("Other acts", [{"act": act, "count": count} for act, count in given["acts"].items()])
    parts += ["", "Out of the ordinary" if report.odd else "Nothing is out of the ordinary."]
    parts += [f"  {one.when}h {one.key_id}: {one.text}" for one in report.odd]
    parts += [
        f"The clock was set back before record {number}: from {old} to {new}" for number, old, new in report.clock
    ]
    return "\n".join(parts)


def _table(title: str, rows: list[dict[str, object]]) -> list[str]:
    if not rows:
        return ["", f"{title}: none"]
    cells = [[str(name) for name in rows[0]], *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return ["", title, *(f"  {line}" for line in lines)]


def _find(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    found = find_image(settings, _walk(settings), arguments.image)
    if arguments.json:
        print(json.dumps(found.records))
    else:
        for record in found.records:
            fields = " ".join(f"{name}={value}" for name, value in record.items() if name not in ("image", "mac"))
            print(fields)
        count = len(found.records)
        print("1 record is of this image." if count == 1 else f"{count} records are of this image.")
    return GOOD if found.records else BAD


def _forget(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    chosen = arguments.key is not None or arguments.record is not None or arguments.all
    if arguments.image and chosen:
        raise AuditError("--key, --record and --all go with --request: an image has all of its records forgotten")
    walk = _walk(settings)
    found: Found
    if arguments.image:
        found, by = find_image(settings, walk, arguments.image), "image"
    else:
        found, by = find_request(settings, walk, arguments.request, arguments.key, arguments.record), "request"
    if by == "request" and len(found.records) > 1 and not (arguments.all or arguments.record):
        raise AuditError(_several(found))
    if not found.records:
        print("That is forgotten already." if found.forgotten else "There is no such record.")
        return GOOD if found.forgotten else BAD
    with closing(Audit.open(settings)) as audit:
        forgotten = audit.forget(found.places, by, administrator())
    print(f"Salts deleted: {forgotten}. Nobody can tell any more which image those records are of.")
    return GOOD


def _several(found: Found) -> str:
    """What to do where several requests had one id, since clients give ids themselves."""
    rows = [
        f"  record {record['number']}: {record['time']}, key {record.get('key_id') or '(none)'}, "
        + ", ".join(f"{name} {record.get(name, '-')}" for name in ("status", "is_me", "score"))
        for record in found.records
    ]
    return "\n".join(
        [
            f"{len(rows)} requests had this id, maybe of different people:",
            *rows,
            "Nothing was forgotten. Say which: --record N (it may be repeated), --key KEY_ID, or --all. Which of them "
            "are of a photo: 'python -m service audit find --image FILE' tells, by number",
        ]
    )


def _prune(arguments: argparse.Namespace, settings: AuditSettings) -> int:
    settings.load_key()  # else a log that is missing would be begun
    if not settings.is_begun:
        raise settings.not_begun()
    if not settings.head.exists():
        raise AuditError(f"There is no audit log with the head {settings.head}: check AUDIT_PATH and AUDIT_HEAD_PATH")
    with closing(Audit.open(settings)) as audit:
        removed = audit.prune(arguments.days, administrator())
    print("1 file was removed." if len(removed) == 1 else f"{len(removed)} files were removed.")
    limit = days_ago(arguments.days)
    old = sum(entry.record["time"] < limit for entry in _walk(settings).entries())
    if old:
        remain = "1 record that is older remains" if old == 1 else f"{old} records that are older remain"
        print(f"{remain}: a file is removed only if all its records are that old, and all files before it.")
        if not settings.keep_days:
            print(
                f"With AUDIT_KEEP_DAYS={arguments.days} the service begins a new file each day, and removes old ones."
            )
    return GOOD
