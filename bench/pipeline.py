"""How many photos a second do crop and embed do, with how much memory, and does it stay so with many photos?

    python -m bench.pipeline PHOTO_OR_FOLDER … [--rounds 3] [--small 400] [--growth 500 5000 20000] [--quick]

The stages crop and embed, each a process as `dvc repro` starts it, beside the naive loop (bench/peers/naive.py: detect
at full size, embed, one photo after the other); in turn, from nothing in each round. The naive loop is started in one
process with one thread and with one for each core, and as a process with one thread for each core, between which the
photos are shared out: the fastest counts. Once with photos of
12 megapixels (made of the large ones given), once with small ones. Then the stages alone with more and more photos: the
small ones again and again, under new names, with a pixel changed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bench.peers.settings import Settings, for_one_request
from bench.support.memory import peak_megabytes
from bench.support.models import make_models
from bench.support.photos import GROUPS, find_photos, group_of, is_small, load, many, spread
from bench.support.servers import ROOT
from bench.support.workspace import put_numbered
from faces.backbones import BACKBONE_NAMES
from faces.threads import available_cores
from stages.files.photos import CLASSES
from stages.progress import progress
from stages.report.machine import describe_machine

STAGES = ("crop", "embed")


@dataclass(frozen=True)
class Run:
    """A process that has ended.

    Attributes:
        seconds: from its start to its end.
        megabytes: peak memory of it and its children (10^6 bytes).
        output: what it wrote to stdout and stderr.
    """

    seconds: float
    megabytes: float
    output: str


class Project:
    """A folder with photos and networks, in which stages run.

    Args:
        root: a new folder.
        models: folder with the networks.
        backbone: whose they are.
    """

    def __init__(self, root: Path, models: Path, backbone: str) -> None:
        self.root = root
        (root / "models").mkdir(parents=True)
        shutil.copytree(models / "networks", root / "models" / "networks")
        text = (ROOT / "params.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^language: \w+", "language: en", text)  # bench.gpu reads what a stage says
        (root / "params.yaml").write_text(text, encoding="utf-8")
        self.set_params("backbone", name=backbone)

    def set_params(self, group: str, **values: object) -> None:
        """Change parameters of a group of params.yaml."""
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        params[group].update(values)
        path.write_text(yaml.safe_dump(params), encoding="utf-8")

    def put(self, photos: list[bytes]) -> None:
        """Let these be the photos: a tenth of me, at least three, the others of others; what stages made is deleted."""
        for name in ("data", "reports"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        (self.root / "reports").mkdir()
        for name in CLASSES:
            (self.root / "data" / name).mkdir(parents=True)
        put_numbered(self.root / "data", photos, lambda number: number < 3 or number % 10 == 0)

    def forget(self) -> None:
        """Delete all that stages made of the photos, wherever they keep it."""
        for path in (self.root / "data").iterdir():
            if path.name not in CLASSES:
                _delete(path)
        for path in (self.root / "reports").iterdir():
            _delete(path)

    def run(self, *arguments: str, environment: Mapping[str, str] = os.environ) -> Run:
        """Run a module to its end.

        Args:
            arguments: its name and its own arguments.
            environment: its variables, but PYTHONPATH.

        Raises:
            SystemExit: it failed; the message holds its last lines.
        """
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = {**environment, "PYTHONPATH": os.pathsep.join(paths)}
        begun, megabytes = time.perf_counter(), 0.0
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=self.root, env=variables, stdout=log, stderr=log
            )
            while process.poll() is None:
                megabytes = max(megabytes, peak_megabytes(process.pid))
                time.sleep(0.02)
            seconds = time.perf_counter() - begun
            log.seek(0)
            output = log.read()
        if process.returncode:
            sys.exit(f"{' '.join(arguments)} failed:\n{output[-3000:]}")
        return Run(seconds, megabytes, output)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def naive_ways(cores: int) -> list[Settings]:
    """How to start the naive loop: in a process for each core, or in one with all cores, with a few, with one."""
    return list(dict.fromkeys([Settings(cores, 1), *reversed(for_one_request(cores))]))


def beside_the_naive_loop(project: Project, photos: list[bytes], ways: list[Settings], rounds: int) -> dict[str, Any]:
    """Photos a second of both, and the ratio: medians of rounds.

    Of the ways to start the naive loop, the one that is fastest in the first round counts; "naive_settings" names it.
    """
    project.put(photos)
    ours: list[list[Run]] = []
    naive: dict[Settings, list[Run]] = {settings: [] for settings in ways}
    for _ in progress(range(rounds), rounds, "cropping and embedding", "round"):
        project.forget()
        ours.append([project.run(f"stages.{stage}") for stage in STAGES])
        project.forget()
        for settings in ways:
            processes = ("--processes", str(settings.workers))
            run = project.run("bench.peers.naive", "data", *processes, environment=settings.environment())
            naive[settings].append(run)
        ways = [min(ways, key=lambda settings: naive[settings][0].seconds)]
    best = ways[0]
    seconds = np.array([sum(run.seconds for run in runs) for runs in ours])
    theirs = np.array([run.seconds for run in naive[best]])
    return {
        "photos": len(photos),
        "per_second": round(len(photos) / float(np.median(seconds)), 2),
        "naive_per_second": round(len(photos) / float(np.median(theirs)), 2),
        "naive_settings": best.title,
        "naive_per_second_by_settings": {
            own.title: round(len(photos) / runs[0].seconds, 2) for own, runs in naive.items()
        },
        "times_as_fast": round(float(np.median(theirs / seconds)), 2),
        "megabytes": round(max(run.megabytes for runs in ours for run in runs)),
        "naive_megabytes": round(max(run.megabytes for run in naive[best])),
    }


def growth(project: Project, photos: list[bytes], counts: list[int]) -> dict[str, dict[str, float]]:
    """Milliseconds a photo of each stage, and its peak memory, by number of photos."""
    rows: dict[str, dict[str, float]] = {}
    for count in progress(counts, len(counts), "with more photos", "size"):
        project.put(many(photos, count))
        runs = {stage: project.run(f"stages.{stage}") for stage in STAGES}
        rows[str(count)] = {
            **{f"{stage}_ms": round(1000 * run.seconds / count, 2) for stage, run in runs.items()},
            **{f"{stage}_megabytes": round(run.megabytes) for stage, run in runs.items()},
        }
    return rows


def report(beside: dict[str, dict[str, Any]], rows: dict[str, dict[str, float]], backbone: str) -> None:
    """Print the tables and the JSON line."""
    print(f"crop + embed, {backbone}, whole processes; {describe_machine()}\n")
    print(f"{'':24}{'photos':>8}{'photos/s':>10}{'naive':>8}{'times':>8}{'MB':>7}{'naive':>7}")
    for title, row in beside.items():
        print(f"{title:24}{row['photos']:8}{row['per_second']:10.1f}{row['naive_per_second']:8.2f}"
              f"{row['times_as_fast']:8.1f}{row['megabytes']:7}{row['naive_megabytes']:7}")  # fmt: skip
        for settings, rate in row["naive_per_second_by_settings"].items():
            print(f"{'':24}  naive, {settings}: {rate:.2f} photos/s")
    print(f"\n{'photos':>8}{'crop, ms/photo':>16}{'MB':>6}{'embed, ms/photo':>17}{'MB':>6}")
    for count, own in rows.items():
        print(f"{count:>8}{own['crop_ms']:16.2f}{own['crop_megabytes']:6.0f}{own['embed_ms']:17.2f}"
              f"{own['embed_megabytes']:6.0f}")  # fmt: skip
    print(
        json.dumps(
            {"bench": "pipeline", "machine": describe_machine(), "backbone": backbone, "beside": beside, "growth": rows}
        )
    )


def main() -> None:
    """Run the stages, print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="dlib-resnet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=400, help="how many small photos, and a tenth as many large ones")
    parser.add_argument("--growth", type=int, nargs="*", default=[500, 5000, 20_000], metavar="COUNT")
    parser.add_argument("--quick", action="store_true", help="one round, 30 small photos and 3 large ones")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.small, args.growth = 1, 30, [20, 40]
    ways = naive_ways(available_cores())[: 2 if args.quick else None]
    everything = load(args.photos, 0)
    phone = [photo for photo in everything if group_of(photo) == GROUPS[0][0]]
    paths = [path for path in find_photos(args.photos) if is_small(path)]
    small = [path.read_bytes() for path in spread(paths, max([args.small, *args.growth]))]
    groups = {"12 megapixels": many(phone, args.small // 10) if phone else [], "small": small[: args.small]}
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        make_models(Path(name) / "models", args.backbone)
        project = Project(Path(name) / "project", Path(name) / "models", args.backbone)
        beside = {
            title: beside_the_naive_loop(project, photos, ways, args.rounds)
            for title, photos in groups.items()
            if photos
        }
        rows = growth(project, small, args.growth) if small else {}
    report(beside, rows, args.backbone)


if __name__ == "__main__":
    main()
