"""What happens to right clients while the service, or what it stands on, breaks?

    python -m bench.faults [--seconds 2] [--only WORDS]

For each fault, the service runs under gunicorn as shipped, with two workers, while four right clients ask without a
pause; each answer is compared with the known one. In the table: requests sent; wrong answers (200 or 400 that is not
the known answer); 5xx, save 503 with Retry-After; requests that were accepted and not answered (a killed worker loses
at most what it held); 503 with Retry-After; requests that found nobody listening (after the service was told to end);
workers lost, save those that the fault itself ends; the longest time until a right answer. Below a row stands what is
not as it must be; the bench then ends with status 1.

Faults that this system or this user cannot make (mounts, control groups: they take root on Linux) are left out, and
the table says so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.support.audit_faults import AUDIT_FAULTS
from bench.support.breakdowns import BREAKDOWNS
from bench.support.models import make_models
from bench.support.scenes import Row, Stand
from bench.support.servers import ROOT
from bench.support.surroundings import SURROUNDINGS, NotPossibleError
from stages.progress import progress
from stages.report.machine import describe_machine

PHOTOS = ("me_1.jpg", "me_2.jpg", "stranger_1.jpg")


def show(row: Row) -> str:
    """A row of the table, with its problems below."""
    seen = row.seen
    figures = "".join(f"   {name} {value}" for name, value in row.figures.items())
    line = (
        f"{row.name:52} sent {seen.sent:5}   wrong {seen.wrong}   5xx {seen.failures}   "
        f"unanswered {seen.unanswered}   503 {seen.saturated}   nobody there {seen.not_accepted:3}   "
        f"workers lost {row.workers_lost}   longest {seen.longest_s:5.2f} s{figures}"
    )
    return "\n".join([line, *(f"    PROBLEM: {problem}" for problem in [*row.problems, *seen.notes] if row.problems)])


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2, help="of load before and after each fault")
    parser.add_argument("--only", default="", help="faults whose function's name holds these letters")
    args = parser.parse_args()
    print(f"2 workers, 4 clients; {describe_machine()}\n")
    started = time.monotonic()
    photos = [(ROOT / "demo" / "ask" / name).read_bytes() for name in PHOTOS]
    rows: list[Row] = []
    not_possible: dict[str, str] = {}
    faults = [fault for fault in (*BREAKDOWNS, *SURROUNDINGS, *AUDIT_FAULTS) if args.only in fault.__name__]
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models, folder = Path(name) / "models", Path(name) / "scenes"
        models.mkdir()
        folder.mkdir()
        make_models(models, "dlib-resnet")
        for fault in progress(faults, len(faults), "breaking", "fault"):
            try:
                rows.append(fault(Stand(models, photos, folder, args.seconds)))
                print(show(rows[-1]), flush=True)
            except NotPossibleError as error:
                not_possible[fault.__name__] = str(error)
                print(f"{fault.__name__}: left out, {error}", flush=True)
    problems = sum(len(row.problems) for row in rows)
    seconds = round(time.monotonic() - started)
    print(f"\n{len(rows)} faults, {sum(row.seen.sent for row in rows)} requests, {problems} problems, {seconds} s")
    result = {"rows": [row.as_json() for row in rows], "left_out": not_possible, "seconds": seconds}
    print(json.dumps({"bench": "faults", "machine": describe_machine(), **result}))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
