"""What does one photo more cost in a project of thousands?

    python -m bench.incremental PHOTO_OR_FOLDER … [--count 5000] [--rounds 3] [--quick]

Two clones of the project's last commit have the same photos, crops and embeddings. In one, crop and embed are the real
stages; in the other, commands that do nothing but change the same files, so that DVC runs and hashes the same. In turn,
a photo is added to each, and `dvc add` and `dvc repro embed` are timed. The difference is what the stages themselves
take. So is `dvc repro embed` where nothing has changed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from bench.support.photos import find_photos, is_small, many, spread
from bench.support.workspace import Workspace, put_numbered, temporary_workspace
from stages.progress import progress
from stages.report.machine import describe_machine

NOTHING = {
    "crop": "cp $(ls data/cropped/not_me/*.png | head -n 1) data/cropped/not_me/$(date +%s%N).png && "
    "echo >> reports/crop_report.csv",
    "embed": "echo >> data/index.csv && echo >> data/embeddings.npy && echo >> data/labels.npy",
}
"""What one photo more changes, as far as DVC can see: one crop more, and other files of the same size."""


def reproduce(workspace: Workspace) -> float:
    """Seconds of `dvc repro embed`."""
    begun = time.perf_counter()
    workspace.run("dvc", "repro", "-q", "embed")
    return time.perf_counter() - begun


def add(workspace: Workspace, name: str, photo: bytes) -> float:
    """Seconds that a new photo of somebody else takes, from `dvc add` to its embedding."""
    (workspace.path / "data" / "not_me" / name).write_bytes(photo)
    begun = time.perf_counter()
    workspace.run("dvc", "add", "-q", "data/not_me")
    return time.perf_counter() - begun + reproduce(workspace)


def build(workspace: Workspace, photos: list[bytes]) -> None:
    """Put the photos there, and build up to the embeddings."""
    put_numbered(workspace.path / "data", photos, lambda number: number < 3 or number % 100 == 0)
    workspace.run("dvc", "add", "-q", "data/me", "data/not_me")
    workspace.run("dvc", "repro", "-q", "embed")


def doing_nothing(workspace: Workspace, path: Path) -> Workspace:
    """A copy in which crop and embed do nothing."""
    shutil.copytree(workspace.path, path, symlinks=True)
    copy = Workspace(path)
    stages = yaml.safe_load((path / "dvc.yaml").read_text(encoding="utf-8"))
    for stage, command in NOTHING.items():
        stages["stages"][stage]["cmd"] = command
        # Or DVC would delete what the command adds to. The real stage writes it anew, from what it remembers.
        outs = [name if isinstance(name, str) else next(iter(name)) for name in stages["stages"][stage]["outs"]]
        stages["stages"][stage]["outs"] = [{name: {"persist": True}} for name in outs]
    (path / "dvc.yaml").write_text(yaml.safe_dump(stages, sort_keys=False), encoding="utf-8")
    reproduce(copy)
    return copy


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some; the small ones are used")
    parser.add_argument("--count", type=int, default=5000, help="how many photos there are before")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, 60 photos")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.count = 1, 60
    paths = find_photos(args.photos)
    few = [path for path in paths if is_small(path)] or paths
    wanted = args.count + args.rounds + 1
    photos = many([path.read_bytes() for path in spread(few, wanted)], wanted)
    times: dict[str, dict[str, list[float]]] = {
        what: {"real": [], "nothing": []} for what in ("one photo added", "nothing changed")
    }
    with temporary_workspace() as real, tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        build(real, photos[: args.count])
        both = {"real": real, "nothing": doing_nothing(real, Path(name) / "clone")}
        for turn in progress(range(args.rounds + 1), args.rounds + 1, "adding a photo", "round"):
            for which, workspace in both.items():
                added = add(workspace, f"new{turn}.jpg", photos[args.count + turn])
                unchanged = reproduce(workspace)
                if turn:  # the first round warms up DVC's own index
                    times["one photo added"][which].append(added)
                    times["nothing changed"][which].append(unchanged)
    report(args.count, times)


def report(count: int, times: dict[str, dict[str, list[float]]]) -> None:
    """Print what came out."""
    print(f"{count} photos; seconds, medians; {describe_machine()}\n")
    print(f"{'':18}{'dvc add + repro':>17}{'DVC alone':>11}{'beyond':>8}")
    figures: dict[str, dict[str, float]] = {}
    for what, values in times.items():
        real, nothing = (np.array(values[which]) for which in ("real", "nothing"))
        row = {"real": np.median(real), "dvc": np.median(nothing), "beyond": np.median(real - nothing)}
        figures[what] = {name: round(float(value), 2) for name, value in row.items()}
        print(f"{what:18}{row['real']:17.2f}{row['dvc']:11.2f}{row['beyond']:8.2f}")
    print(json.dumps({"bench": "incremental", "machine": describe_machine(), "photos": count, "seconds": figures}))


if __name__ == "__main__":
    main()
