"""How long does POST /verify take, beside the usual ways of answering it?

    python -m bench.verify PHOTO_OR_FOLDER … [--rounds 5] [--small-photos 30] [--without-face-recognition] [--quick]

Every photo is posted over HTTP to this project's service (its defaults: 4 workers; both backbones, with and without the
mirrored face), to the naive flow (facenet-pytorch's MTCNN at full size, InceptionResnetV1 in torch, Flask) and to the
package face_recognition, one request at a time, in rounds whose order rotates. A ratio is of two requests of the same
round; each photo's is the median of its rounds, and a group's the median of its photos. Photos of 3 megapixels or more
are measured once more enlarged to 12. Smaller ones with several faces, and photos on which a service finds none, stand
apart. Of files below 40 kB, such as LFW's, an evenly spread choice is taken.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.support import servers
from bench.support.machine import describe
from bench.support.models import make_models
from bench.support.photos import group_by_faces, in_order, load
from bench.support.servers import Server, multipart
from faces.detection.detector import Detector
from faces.recognition.networks import Networks
from stages.progress import progress

NO_FACE = "no face"
OURS = {
    "dlib-resnet": ("dlib-resnet", True),
    "dlib-resnet, no flip": ("dlib-resnet", False),
    "facenet-vggface2": ("facenet-vggface2", True),
    "facenet-vggface2, no flip": ("facenet-vggface2", False),
}
PEERS = ("naive flow", "face_recognition")


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
    names = list(services)
    for turn in range(rounds + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            started = time.perf_counter()
            status, _, _ = services[name].ask(body, content_type)
            if turn:
                timed.milliseconds[name].append(1000 * (time.perf_counter() - started))
            timed.status[name] = status
    if any(status != 200 for status in timed.status.values()):
        timed.group = NO_FACE
    return timed


def report(rows: list[Timed], services: dict[str, Server]) -> None:
    """Print the tables and the JSON line."""
    machine = describe()
    print(f"POST /verify, one request at a time; {machine}\n")
    figures: dict[str, dict[str, object]] = {}
    width = max(len(name) for name in services)
    for group in in_order(row.group for row in rows):
        own = [row for row in rows if row.group == group]
        print(f"{group} ({len(own)} photos){'':{max(0, width - len(group) - 4)}}  median ms   times as fast as")
        peers = [peer for peer in PEERS if peer in services]
        group_figures: dict[str, object] = {"photos": len(own)}
        for name in services:
            median = float(np.median([np.median(row.milliseconds[name]) for row in own]))
            ratios = {} if name in PEERS else {p: float(np.median([row.ratio(name, p) for row in own])) for p in peers}
            text = "   ".join(f"{peer} {ratio:5.1f}" for peer, ratio in ratios.items())
            print(f"  {name:{width}}  {median:16.1f}   {text}")
            group_figures[name] = {"ms": round(median, 1), **{p: round(ratio, 2) for p, ratio in ratios.items()}}
        figures[group] = group_figures
        print()
    print(json.dumps({"bench": "verify", "machine": machine, "groups": figures}))


def main() -> None:
    """Start the services, time them, print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small-photos", type=int, default=30, help="how many of the files below 40 kB")
    parser.add_argument("--without-face-recognition", action="store_true", help="leave that peer out")
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
        services["naive flow"] = stack.enter_context(servers.naive())
        if not args.without_face_recognition:
            services["face_recognition"] = stack.enter_context(servers.face_recognition())
        detector = Networks.load(models / "networks").open_detector()
        asking = progress(photos, len(photos), "asking", "photo")
        rows = [time_photo(photo, services, detector, rounds) for photo in asking]
        report(rows, services)


if __name__ == "__main__":
    main()
