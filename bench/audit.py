"""What does a record of the audit log cost, with several workers writing at once?

    python -m bench.audit [--writers 4] [--records 1000] [--quick]

Processes write to one log, as workers do: with a pause after each record, as between answers, and without any, as fast
as they can. A record is timed from the commitment to a photo of 200 KB to the return of `record`. With
AUDIT_SYNC each is flushed to disk. At the end the log is read, and every record must be proven.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from service.audit import Audit, AuditSettings
from service.audit.walk import Walk
from stages.report.machine import describe_machine

PHOTO = bytes(200_000)
PAUSE_SECONDS = 0.03
"""About what a photo takes a worker."""

WAYS = {
    "between answers": (PAUSE_SECONDS, False),
    "without a pause": (0.0, False),
    "between answers, AUDIT_SYNC": (PAUSE_SECONDS, True),
}
"""For each way of writing, the pause after a record in seconds, and whether records are flushed."""


def settings_in(folder: Path, sync: bool) -> AuditSettings:
    """A log with all its parts in a folder."""
    return AuditSettings(
        folder=folder / "audit",
        head=folder / "head.jsonl",
        salts=folder / "salts",
        key="the secret of a measurement, of no worth",
        sync=sync,
    )


def write(folder: Path, records: int, pause: float, sync: bool) -> tuple[list[float], float]:
    """What a worker does: seconds of each record, and of the commitment alone in the median."""
    audit = Audit.open(settings_in(folder, sync))
    seconds, commitments = [], []
    for number in range(records):
        begun = time.perf_counter()
        commitment = audit.commit_to(PHOTO)
        commitments.append(time.perf_counter() - begun)
        audit.record(
            "verify", image=commitment, request_id=f"{number:032}", key_id="bench", status=200, is_me=True,
            score=0.923456, threshold=0.75, model="0" * 64, backbone="dlib-resnet",
        )  # fmt: skip
        seconds.append(time.perf_counter() - begun)
        time.sleep(pause)
    audit.close()
    return seconds, float(np.median(commitments))


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--records", type=int, default=1000, help="of each writer")
    parser.add_argument("--quick", action="store_true", help="50 records of each")
    args = parser.parse_args()
    records = 50 if args.quick else args.records
    print(f"{describe_machine()}; {args.writers} writers, {records} records each\n")
    print(f"{'':28} {'median ms':>10} {'mean ms':>10} {'99 % ms':>10} {'a second':>10}")
    figures: dict[str, dict[str, float]] = {}
    for way, (pause, sync) in WAYS.items():
        with (
            tempfile.TemporaryDirectory(prefix="face-bench-") as name,
            ProcessPoolExecutor(args.writers, multiprocessing.get_context("spawn")) as pool,
        ):
            folder = Path(name)
            list(pool.map(abs, range(args.writers)))  # the processes have started
            begun = time.perf_counter()
            done = list(pool.map(write, *zip(*[(folder, records, pause, sync)] * args.writers, strict=True)))
            rate = args.writers * records / (time.perf_counter() - begun)
            walk = Walk(settings_in(folder, sync), settings_in(folder, sync).load_key()).run()
            if walk.findings or walk.count <= args.writers * records:
                sys.exit(f"{way}: the log is damaged: {walk.count} records, {walk.findings}")
        times = np.concatenate([seconds for seconds, _ in done]) * 1000
        shown = {
            "median_ms": float(np.median(times)),
            "mean_ms": float(times.mean()),
            "p99_ms": float(np.percentile(times, 99)),
            "records_a_second": rate,
            "commitment_ms": float(np.median([commitment for _, commitment in done])) * 1000,
        }
        figures[way] = {key: round(value, 3) for key, value in shown.items()}
        print(
            f"{way:28} {shown['median_ms']:10.3f} {shown['mean_ms']:10.3f} {shown['p99_ms']:10.3f} "
            f"{shown['records_a_second']:10.0f}"
        )
    print(f"\nof which the commitment to a photo of 200 KB: {figures['between answers']['commitment_ms']:.3f} ms")
    print(json.dumps({"writers": args.writers, "records": records, "ways": figures}))


if __name__ == "__main__":
    main()
