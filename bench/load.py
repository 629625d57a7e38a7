"""Many clients at once: how many photos a second, how long they wait, what an overload does, and how memory behaves.

    python -m bench.load PHOTO_OR_FOLDER … [--workers 2] [--clients 8] [--seconds 60] [--requests 10000]
                         [--before FOLDER] [--tuned-only] [--quick]

1. Clients post photos of 3 megapixels or more (or, where none is given, all) as fast as they are answered, in turn to
   this project's service and to the naive flow: photos a second, percentiles of the time to an answer, errors. The
   naive flow is started as an operator would who knows torch: as many workers as here, which share the cores
   (OMP_NUM_THREADS), and one worker that has them all. The better one counts. Once more it is started as it comes,
   each worker with a thread for every core: these fight each other.
   With `--before`, another copy of the project (its former version, say) is pressed in turn, too.
2. The same load while 300 clients are connected whose photos trickle in, in turn with and without them.
3. Eight times as many clients, and a service told that nobody shall wait for more than a second: how many are answered,
   how many are told 503, how soon, and whether with Retry-After.
4. Proportional set size of the whole service with 4 workers, at the start and over 10,000 requests with small photos;
   the naive flow's beside it, after a few, with gunicorn's --preload and without. The smaller one counts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.settings import Settings, for_many
from bench.support import servers
from bench.support.attacks import ATTACKS
from bench.support.memory import proportional_megabytes
from bench.support.models import make_models
from bench.support.photos import GROUPS, find_photos, group_of, is_small, load, spread
from bench.support.servers import Server, Start, multipart
from faces.backbones import BACKBONE_NAMES
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

TURNS = 3
OVERLOAD = 8
OURS = "this project"
BEFORE = "before"
SLOW_CLIENTS = 300
Body = tuple[bytes, str]


@dataclass
class Load:
    """Answers to many clients: seconds to each and its status, in the order they came; the time it all took."""

    seconds: list[float] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    retry_after: int = 0
    duration: float = 0.0

    def add(self, other: Load) -> None:
        """Take in another turn."""
        self.seconds += other.seconds
        self.status += other.status
        self.retry_after += other.retry_after
        self.duration += other.duration

    def times(self, status: int) -> list[float]:
        """Seconds of the answers with that status."""
        return [seconds for seconds, own in zip(self.seconds, self.status, strict=True) if own == status]

    def figures(self) -> dict[str, Any]:
        """Photos a second answered with 200, percentiles of their milliseconds, and all statuses."""
        answered = 1000 * np.array(self.times(200) or [float("nan")])
        return {
            "per_second": round(len(self.times(200)) / self.duration, 2),
            "p50_ms": round(float(np.percentile(answered, 50)), 1),
            "p99_ms": round(float(np.percentile(answered, 99)), 1),
            "status": {str(status): count for status, count in sorted(Counter(self.status).items())},
        }


def press(server: Server, bodies: list[Body], clients: int, seconds: float, requests: int | None = None) -> Load:
    """Let clients post photos one after the other for some seconds, or until there were enough requests.

    One that is told Retry-After waits for so long. An exception counts as status 0.
    """
    load, lock, started = Load(), threading.Lock(), time.perf_counter()
    turn = itertools.count()

    def client() -> None:
        while time.perf_counter() < started + seconds:
            number = next(turn)
            if requests is not None and number >= requests:
                return
            begun, retry = time.perf_counter(), 0.0
            try:
                status, headers, _ = server.ask(*bodies[number % len(bodies)])
                retry = float(headers.get("Retry-After", 0))
            except OSError:
                status = 0
            with lock:
                load.seconds.append(time.perf_counter() - begun)
                load.status.append(status)
                load.retry_after += retry > 0
            time.sleep(min(retry, max(0.0, started + seconds - time.perf_counter())))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.duration = time.perf_counter() - started
    return load


def throughput(models: Path, bodies: list[Body], args: argparse.Namespace) -> dict[str, Any]:
    """Part 1: in turn to this project's service and to the naive flow, started in each way; one runs at a time.

    Returns:
        Figures of "this project", and of "naive flow" in the way that answers most, whose name is its "settings" and
        which "times_as_many" is of; "naive flow, by settings" has all of them, the untuned one too.
    """
    tuned = for_many(available_cores(), args.workers)
    untuned = Settings(args.workers)
    starts: dict[str, Start] = {OURS: lambda: servers.ours(models, args.workers)}
    if args.before:
        starts[BEFORE] = lambda: servers.ours(models, args.workers, args.before.resolve())
    starts |= {own.title: partial(servers.naive, own) for own in tuned}
    turns = 1 if args.quick else TURNS
    plan = [name for _ in range(turns) for name in starts]
    if not args.tuned_only:  # once: its clients wait for a minute
        starts[untuned.title] = partial(servers.naive, untuned)
        plan.append(untuned.title)
    loads = {name: Load() for name in starts}
    for name in progress(plan, len(plan), "pressing", "turn"):
        with starts[name]() as server:
            press(server, bodies, args.clients, 3600, 2 * args.workers)
            loads[name].add(press(server, bodies, args.clients, args.seconds / turns))
    figures = {name: load.figures() for name, load in loads.items()}
    best = max((own.title for own in tuned), key=lambda title: figures[title]["per_second"])
    ours = figures.pop(OURS)
    before = figures.pop(BEFORE, None)
    times = {name: round(ours["per_second"] / row["per_second"], 2) for name, row in figures.items()}
    print(f"{args.workers} workers, {args.clients} clients, {args.seconds:g} s")
    for name, row in {OURS: ours, **({BEFORE: before} if before else {}), **figures}.items():
        waits = f"p50 {row['p50_ms']:8.1f} ms   p99 {row['p99_ms']:8.1f} ms"
        title = name if name in (OURS, BEFORE) else f"naive flow, {name}"
        fewer = f"   {times[name]:.1f} times fewer" if name in times else ""
        print(f"  {title:44}{row['per_second']:8.2f} photos/s   {waits}   status {row['status']}{fewer}")
    by = round(ours["p99_ms"] / ours["p50_ms"], 2)
    if before:
        print(f"  {ours['per_second'] / before['per_second']:.3f} times as many as before")
    print(f"  {times[best]} times as many as the naive flow with {best}; p99 is {by} × p50\n")
    return {
        OURS: ours,
        **({"before": before} if before else {}),
        "naive flow": {**figures[best], "settings": best},
        "naive flow, by settings": figures,
        "times_as_many": times[best],
        "times_as_many_by_settings": times,
        "p99_by_p50": by,
    }


def beside_slow_clients(models: Path, bodies: list[Body], args: argparse.Namespace) -> dict[str, Any]:
    """Part 2: with and without clients whose photos trickle in, in turn, at one service."""
    loads = {"alone": Load(), "beside": Load()}
    (trickling,) = (attack for attack in ATTACKS if attack.name == "a body that trickles")
    with servers.ours(models, args.workers) as server:
        press(server, bodies, args.clients, 3600, 2 * args.workers)
        for _ in range(1 if args.quick else TURNS):
            loads["alone"].add(press(server, bodies, args.clients, args.seconds / TURNS))
            with trickling.hold(server, SLOW_CLIENTS):
                loads["beside"].add(press(server, bodies, args.clients, args.seconds / TURNS))
    figures = {name: load.figures() for name, load in loads.items()}
    share = round(figures["beside"]["per_second"] / figures["alone"]["per_second"], 3)
    print(f"{SLOW_CLIENTS} clients whose photos trickle in beside the others")
    for name, row in figures.items():
        waits = f"p50 {row['p50_ms']:8.1f} ms   p99 {row['p99_ms']:8.1f} ms"
        print(f"  {name:8}{row['per_second']:8.2f} photos/s   {waits}   status {row['status']}")
    print(f"  {share} times as many\n")
    return {**figures, "slow_clients": SLOW_CLIENTS, "times_as_many": share}


def overload(models: Path, bodies: list[Body], args: argparse.Namespace) -> dict[str, Any]:
    """Part 3: more than can be answered in time."""
    clients = args.clients * OVERLOAD
    with servers.ours(models, args.workers, MAX_WAIT_SECONDS="1") as server:
        press(server, bodies, args.clients, 3600, 2 * args.workers)
        load = press(server, bodies, clients, args.seconds / TURNS)
    refused = 1000 * np.array(load.times(503) or [float("nan")])
    figures = {
        **load.figures(),
        "refused_p50_ms": round(float(np.percentile(refused, 50)), 1),
        "refused_p99_ms": round(float(np.percentile(refused, 99)), 1),
        "retry_after": load.retry_after,
    }
    print(f"overload: {clients} clients, MAX_WAIT_SECONDS=1")
    print(f"  answered {figures['per_second']} photos/s, p99 {figures['p99_ms']} ms; status {figures['status']}")
    print(f"  503 after {figures['refused_p50_ms']} ms (p50), {figures['refused_p99_ms']} ms (p99), "
          f"{load.retry_after} with Retry-After\n")  # fmt: skip
    return figures


def memory(models: Path, bodies: list[Body], args: argparse.Namespace) -> dict[str, Any]:
    """Part 4: of the whole service, over many requests."""
    steps = 10
    with servers.ours(models, 4) as server:
        press(server, bodies, 8, 3600, 100)
        sizes = [proportional_megabytes(server.process.pid)]
        for _ in progress(range(steps), steps, "memory", "part"):
            press(server, bodies, 8, 3600, args.requests // steps)
            sizes.append(proportional_megabytes(server.process.pid))
    naive = {}
    # Preloaded, workers share the models; with more threads than one, torch hangs in a worker forked after them.
    for settings in [Settings(4, 1, preload=True), Settings(4, 1)][: 1 if args.quick else None]:
        with servers.naive(settings) as server:
            press(server, bodies, 8, 3600, 20)
            naive[settings.title] = round(proportional_megabytes(server.process.pid), 1)
    least = min(naive, key=naive.__getitem__)
    growth = statistics.median(sizes[-3:]) - statistics.median(sizes[2:5])
    print(f"memory, 4 workers: {sizes[0]:.0f} MB after 100 requests, {sizes[-1]:.0f} MB after {args.requests} more")
    print(f"  from the second to the last tenth: {growth:+.1f} MB")
    for title, megabytes in naive.items():
        print(f"  naive flow, {title}: {megabytes:.0f} MB")
    return {
        "megabytes": [round(size, 1) for size in sizes],
        "growth": round(growth, 1),
        "requests": args.requests,
        "naive_megabytes": naive[least],
        "naive_settings": least,
        "naive_megabytes_by_settings": naive,
    }


def main() -> None:
    """Print the tables and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="dlib-resnet")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests", type=int, default=10_000, help="over which memory is watched")
    parser.add_argument("--before", type=Path, help="another copy of the project, to compare with")
    parser.add_argument("--tuned-only", action="store_true", help="leave out the naive flow as it comes")
    parser.add_argument("--quick", action="store_true", help="4 seconds, 200 requests, --tuned-only")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.requests, args.tuned_only = 4.0, 200, True
    photos = load(args.photos, 30)
    large = [photo for photo in photos if group_of(photo) == GROUPS[1][0]] or photos
    few = [path for path in find_photos(args.photos) if is_small(path)]
    small = [path.read_bytes() for path in spread(few, 100)] or photos
    print(f"{args.backbone}; {describe_machine()}\n")
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models = Path(name)
        make_models(models, args.backbone)
        result = {
            "throughput": throughput(models, [multipart(photo) for photo in large], args),
            "slow_clients": beside_slow_clients(models, [multipart(photo) for photo in large], args),
            "overload": overload(models, [multipart(photo) for photo in large], args),
            "memory": memory(models, [multipart(photo) for photo in small], args),
        }
    print(json.dumps({"bench": "load", "machine": describe_machine(), "backbone": args.backbone, **result}))


if __name__ == "__main__":
    main()
