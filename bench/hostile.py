"""Can anybody stop the service? Its right users' waits, while each attack goes on.

    python -m bench.hostile [--sockets 300 1000] [--clients 2 8 32 100] [--seconds 10] [--workers 2] [--only WORDS]
                            [--root FOLDER]

The service runs under gunicorn as shipped. For each attack (`bench.support.attacks`), hostile clients of this machine
keep at it, while a right client asks /healthz and /verify in turn, each time over a new connection, with a timeout of
60 seconds. In the last attacks, clients post photos that take long to decode, or on which it takes long to look for
faces, or usual ones, each as soon as it has its answer: from the right client's address, and from another one, which
Linux lets a program choose (127.0.0.2). Then inputs that hypothesis and schemathesis make are sent.

In the table: the median and the longest time of each question, how often each status came, wrong answers (the right
client's photo has a known score, and 503 is wrong, too), and workers that ended; for made inputs, their number and how
many failed: with a status of 500 and above other than a 503 with Retry-After, or by what schemathesis finds.
The last row says after how many seconds a socket was closed that sent half of a head.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.support import servers
from bench.support.attacks import ATTACKS, Attack, connect, posting
from bench.support.hostile import costly, crowd
from bench.support.made_inputs import send_described, send_made
from bench.support.models import make_models
from bench.support.servers import ROOT, Server, multipart
from stages.progress import progress
from stages.report.machine import describe_machine

PHOTO = ROOT / "demo" / "ask" / "me_2.jpg"
TIMEOUT_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
_SCORE_TOLERANCE = 1e-4
MADE = {
    "requests, forms and photos that hypothesis makes": send_made,
    "requests that schemathesis makes from /openapi.json": send_described,
}
COSTLY_PHOTOS, CROWDS, USUAL = "clients that post costly photos", "clients that post crowds", "clients that post photos"
ELSEWHERE, _OTHER_ADDRESS = ", from another address", "127.0.0.2"
_COSTLY = (
    "jpeg_64MP_busy.jpg",
    "jpeg_64MP_progressive.jpg",
    "png_48MP_rgba.png",
)  # that cost most, of what is accepted


@dataclass
class Waits:
    """What a right client saw at one path."""

    seconds: list[float] = field(default_factory=list)
    status: Counter[int] = field(default_factory=Counter)
    wrong: int = 0

    def figures(self) -> dict[str, Any]:
        """Median and longest, in milliseconds, how often each status came, and wrong answers."""
        return {
            "asked": len(self.seconds),
            "median_ms": round(1000 * statistics.median(self.seconds), 1),
            "longest_ms": round(1000 * max(self.seconds), 1),
            "status": {str(status): count for status, count in sorted(self.status.items())},
            "wrong": self.wrong,
        }


def right_client(server: Server, seconds: float, score: float | None) -> dict[str, Waits]:
    """Ask /healthz and /verify in turn for some seconds.

    Args:
        server: the service.
        seconds: for how long; at least one question each is asked.
        score: that of the photo; None takes the first answer's.
    """
    body, kind = multipart(PHOTO.read_bytes())
    waits = {"healthz": Waits(), "verify": Waits()}
    until = time.monotonic() + seconds
    while True:
        for name, own in waits.items():
            started = time.perf_counter()
            try:
                if name == "healthz":
                    status, answer = server.get("/healthz", TIMEOUT_SECONDS)
                    right = status == 200
                else:
                    status, _, answer = server.ask(body, kind, TIMEOUT_SECONDS)
                    right = False
                    if status == 200:
                        given = json.loads(answer)["score"]
                        score = given if score is None else score
                        right = abs(given - score) < _SCORE_TOLERANCE
            except OSError:
                status, right = 0, False
            own.seconds.append(time.perf_counter() - started)
            own.status[status] += 1
            own.wrong += not right
            time.sleep(_PAUSE_SECONDS)
        if time.monotonic() > until:
            return waits


def workers_of(server: Server) -> dict[int, float]:
    """The process numbers of gunicorn's workers, with when they started."""
    return {child.pid: child.create_time() for child in psutil.Process(server.process.pid).children()}


def usual_score(server: Server) -> float:
    """The score of the right client's photo."""
    score: float = json.loads(server.ask(*multipart(PHOTO.read_bytes()))[2])["score"]
    return score


def face(server: Server, attack: Attack | None, sockets: int, seconds: float, score: float) -> dict[str, Any]:
    """A right client's waits under an attack, or without one."""
    before = workers_of(server)
    with attack.hold(server, sockets) if attack else nullcontext():
        waits = right_client(server, seconds, score)
    lost = len(before.items() - workers_of(server).items())
    return {
        "attack": attack.name if attack else "none",
        "sockets": sockets,
        **{name: own.figures() for name, own in waits.items()},
        "workers_lost": lost,
    }


def face_made(server: Server, name: str, seconds: float, score: float) -> dict[str, Any]:
    """A right client's waits while made inputs are sent, and what came of these."""
    before = workers_of(server)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(MADE[name], server, seconds)
        waits = right_client(server, seconds, score)
        tried = sending.result()
    lost = len(before.items() - workers_of(server).items())
    return {
        "attack": name,
        "sockets": 0,
        **{path: own.figures() for path, own in waits.items()},
        "workers_lost": lost,
        "inputs": asdict(tried),
    }


def seconds_of_a_silent_socket(server: Server, most: float = 60.0) -> float:
    """After how many seconds the service hangs up on 15 bytes; `most` if it does not."""
    with connect(server) as connection:
        started = time.monotonic()
        connection.settimeout(most)
        connection.sendall(b"GET /healthz HT")
        try:
            while connection.recv(1000):
                pass
        except OSError:
            return most
        return time.monotonic() - started


def plan(sockets: Sequence[int], clients: Sequence[int], only: str) -> Iterator[tuple[Attack | None, int]]:
    """Which attacks are made, and with how many sockets or clients; without any first."""
    yield None, 0
    for attack in ATTACKS:
        if only in attack.name:
            for count in sockets:
                yield attack, count
    portrait = PHOTO.read_bytes()
    photos = {
        COSTLY_PHOTOS: [file.data for file in costly(np.random.default_rng(0)) if file.name in _COSTLY],
        CROWDS: [crowd(portrait)],
        USUAL: [portrait],
    }
    for name, posted in photos.items():
        for where, address in (("", ""), (ELSEWHERE, _OTHER_ADDRESS)):
            if only in name + where:
                for count in clients:
                    yield Attack(name + where, posting(*posted, asked_from=address)), count


def show(row: dict[str, Any]) -> str:
    """A row of the table."""
    inputs = row.get("inputs")
    count = inputs["inputs"] if inputs else row["sockets"]
    name = f"{count:5} × {row['attack']}" if count else "no attack"
    parts = [
        f"{own} {row[own]['median_ms']:7.1f} {row[own]['longest_ms']:8.1f} ms {row[own]['status']}"
        for own in ("healthz", "verify")
    ]
    wrong = row["healthz"]["wrong"] + row["verify"]["wrong"]
    made = f"   failures {inputs['failures']}" if inputs else ""
    return f"{name:62} {'   '.join(parts)}   wrong {wrong}   workers lost {row['workers_lost']}{made}"


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sockets", type=int, nargs="+", default=[300, 1000])
    parser.add_argument(
        "--clients", type=int, nargs="+", default=[2, 8, 32, 100], help="that post costly photos, or crowds"
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each attack")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="attacks whose name holds these words")
    parser.add_argument("--root", type=Path, default=ROOT, help="another copy of the project, to compare with")
    args = parser.parse_args()
    print(f"{args.workers} workers; {describe_machine()}\n")
    rows: list[dict[str, Any]] = []
    todo = list(plan(args.sockets, args.clients, args.only))
    with tempfile.TemporaryDirectory(prefix="face-bench-") as folder:
        models = Path(folder)
        make_models(models, "dlib-resnet")
        with servers.ours(models, args.workers, args.root.resolve(), MAX_CONTENT_MB="2") as server:
            right_client(server, 1, None)
            score = usual_score(server)
            for attack, sockets in progress(todo, len(todo), "attacking", "attack"):
                rows.append(face(server, attack, sockets, args.seconds, score))
                print(show(rows[-1]), flush=True)
            for name in (name for name in MADE if args.only in name):
                rows.append(face_made(server, name, args.seconds, score))
                print(show(rows[-1]), flush=True)
            closed = seconds_of_a_silent_socket(server)
    print(f"half of a head: closed after {closed:.1f} s")
    result = {"rows": rows, "silent_socket_closed_after_s": round(closed, 1), "workers": args.workers}
    print(json.dumps({"bench": "hostile", "machine": describe_machine(), **result}))


if __name__ == "__main__":
    main()
