"""How long does POST /verify take, beside the usual ways of answering it?

    python -m bench.verify PHOTO_OR_FOLDER … [--rounds 5] [--small-photos 30] [--without-face-recognition]
                           [--before FOLDER] [--guarded] [--quick]

Every photo is posted over HTTP to this project's service (its defaults: 4 workers; both backbones, with and without the
mirrored face), to the naive flow (facenet-pytorch's MTCNN at full size, InceptionResnetV1 in torch, Flask) and to the
package face_recognition, one request at a time, in another order each round (torch's threads go on turning for a while
after an answer, which the next in line feels). Each of these peers has one worker, once
with one thread and once with one for each core (OMP_NUM_THREADS): in each group of photos the faster counts. A ratio is
of two requests of the same round; each photo's is the median of its rounds, and a group's the median of its photos.
Photos of 3 megapixels or more are measured once more enlarged to 12. Smaller ones with several faces, and photos on
which a service finds none, stand apart. Of files below 40 kB, such as LFW's, an evenly spread choice is taken.
With `--before`, another copy of the project (its former version, say) is asked in turn, too, with the first backbone;
with `--guarded`, so is the service with keys, limits and the audit log on.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.peers.settings import Settings, for_one_request
from bench.support import servers
from bench.support.models import make_models
from bench.support.photos import group_by_faces, in_order, load
from bench.support.servers import Server, multipart
from faces.detection.detector import Detector
from faces.recognition.networks import Networks
from faces.threads import available_cores
from stages.progress import progress
from stages.report.machine import describe_machine

NO_FACE = "no face"
BEFORE = "before"
GUARDED = "keys, limits, audit log"
OURS = {
    "dlib-resnet": ("dlib-resnet", True),
    "dlib-resnet, no flip": ("dlib-resnet", False),
    "facenet-vggface2": ("facenet-vggface2", True),
    "facenet-vggface2, no flip": ("facenet-vggface2", False),
}


@dataclass
class Timed:
    """Milliseconds of one photo's requests, by service, a value for each round; and each service's last status."""

    group: str
    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)

    def ratio(self, ours: str, peer: str) -> float:
        """How many times as long the peer takes, the median of the rounds."""
        return float(np.median(np.array(self.milliseconds[peer]) / np.array(self.milliseconds[ours])))


def time_photo(photo: bytes, services: dict[str, Server], detector: Detector, rounds: int) -> Timed:
    """Post a photo to every service, in rounds; the first round warms up and is not counted."""
    body, content_type = multipart(photo)
    timed = Timed(group_by_faces(photo, detector), {name: [] for name in services})
    names, order = list(services), random.Random(len(photo))
    for turn in range(rounds + 1):
        for name in order.sample(names, len(names)):
            started = time.perf_counter()
            status, _, _ = services[name].ask(body, content_type)
            if turn:
                timed.milliseconds[name].append(1000 * (time.perf_counter() - started))
            timed.status[name] = status
    if any(status != 200 for status in timed.status.values()):
        timed.group = NO_FACE
    return timed


def report(rows: list[Timed], ours: list[str], peers: dict[str, list[str]], dlib: str | None) -> None:
    """Print the tables and the JSON line.

    Args:
        rows: what was measured.
        ours: names of this project's services.
        peers: by peer, the names of its settings. In each group of photos the fastest one counts as the peer.
        dlib: what face_recognition has, where it was asked.
    """
    machine = describe_machine()
    print(f"POST /verify, one request at a time; {machine}{'' if dlib is None else f'; face_recognition: {dlib}'}\n")
    figures: dict[str, dict[str, object]] = {}
    width = max(len(name) for name in [*ours, *(own for settings in peers.values() for own in settings)])
    for group in in_order(row.group for row in rows):
        own = [row for row in rows if row.group == group]
        group_figures: dict[str, object] = {"photos": len(own)}
        fastest: dict[str, str] = {}
        for peer, settings in peers.items():
            medians = {name: median_ms(own, name) for name in settings}
            fastest[peer] = min(medians, key=medians.__getitem__)
            group_figures[peer] = {"ms": medians[fastest[peer]], "settings": fastest[peer], "ms_by_settings": medians}
        print(f"{group} ({len(own)} photos){'':{max(0, width - len(group) - 4)}}  median ms   times as fast as")
        for name in ours:
            ratios = {
                peer: float(np.median([row.ratio(name, settings) for row in own])) for peer, settings in fastest.items()
            }
            text = "   ".join(f"{peer} {ratio:5.2f}" for peer, ratio in ratios.items())
            print(f"  {name:{width}}  {median_ms(own, name):16.1f}   {text}")
            group_figures[name] = {
                "ms": median_ms(own, name),
                **{peer: round(ratio, 2) for peer, ratio in ratios.items()},
            }
        for peer, settings in peers.items():
            for name in settings:
                print(f"  {name:{width}}  {median_ms(own, name):16.1f}{'   counts' if name == fastest[peer] else ''}")
        figures[group] = group_figures
        print()
    print(json.dumps({"bench": "verify", "machine": machine, "face_recognition": dlib, "groups": figures}))


def median_ms(rows: list[Timed], name: str) -> float:
    """Median milliseconds over photos of a service, each photo's being the median of its rounds."""
    return round(float(np.median([np.median(row.milliseconds[name]) for row in rows])), 1)


def main() -> None:
    """Start the services, time them, print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small-photos", type=int, default=30, help="how many of the files below 40 kB")
    parser.add_argument("--without-face-recognition", action="store_true", help="leave that peer out")
    parser.add_argument("--before", type=Path, help="another copy of the project, to compare with")
    parser.add_argument("--guarded", action="store_true", help="with keys, limits and the audit log, too")
    parser.add_argument("--quick", action="store_true", help="one round, of the backbones dlib-resnet alone")
    args = parser.parse_args()
    photos = load(args.photos, args.small_photos)
    rounds = 1 if args.quick else args.rounds
    wanted = {"dlib-resnet": OURS["dlib-resnet"]} if args.quick else OURS
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name, ExitStack() as stack:
        services: dict[str, Server] = {}
        for title, (backbone, flip) in wanted.items():
            models = Path(name) / title.replace(", ", "-").replace(" ", "-")
            make_models(models, backbone, flip)
            services[title] = stack.enter_context(servers.ours(models))
        starts: dict[str, Callable[[Settings], AbstractContextManager[Server]]] = {"naive flow": servers.naive}
        if not args.without_face_recognition:
            starts["face_recognition"] = servers.face_recognition
        peers: dict[str, list[str]] = {}
        first = Path(name) / next(iter(wanted))
        if args.guarded:
            services[GUARDED] = stack.enter_context(servers.guarded(first, Path(name) / "guarded"))
            peers[GUARDED] = [GUARDED]
        if args.before:
            services[BEFORE] = stack.enter_context(servers.ours(first, root=args.before.resolve()))
            peers[BEFORE] = [BEFORE]
        for peer, start in starts.items():
            tried = {f"{peer}, {own.title}": start(own) for own in for_one_request(available_cores())}
            services |= {title: stack.enter_context(server) for title, server in tried.items()}
            peers[peer] = list(tried)
        detector = Networks.load(models / "networks").open_detector()
        asking = progress(photos, len(photos), "asking", "photo")
        rows = [time_photo(photo, services, detector, rounds) for photo in asking]
        dlib = [json.loads(services[name].get("/healthz")[1]) for name in peers.get("face_recognition", [])[:1]]
        report(rows, list(wanted), peers, f"dlib {dlib[0]['dlib']}, BLAS: {dlib[0]['blas']}" if dlib else None)


if __name__ == "__main__":
    main()
