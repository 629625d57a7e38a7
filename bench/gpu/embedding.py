"""How many faces a second does `embed` do on a GPU, how near is that to what the GPU can do, and what would less cost?

    python -m bench.gpu PHOTO_OR_FOLDER … [--backbone facenet-vggface2] [--faces 2000] [--batches 32 128 512 1024]
                        [--rounds 3] [--device cuda] [--quick]

The embedder's torch module runs on crops of the photos given, each with its mirror image, in each precision and size of
batch, on pixels that are on the GPU already. The share of the peak is of what a product of large matrices in the same
precision reaches there. Agreement is with ONNX Runtime on the CPU: the least cosine, and the largest difference of a
value. Then the stage `embed` as a process, from crops on the disk, on the GPU and on the CPU in turn: from nothing in
each round, and once more with one crop that is new. `--device cpu` runs the same code where there is no GPU.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from bench.pipeline import Project
from bench.support.machine import describe
from bench.support.models import make_models, weights
from bench.support.photos import find_photos, many, spread
from faces.backbones import BACKBONE_NAMES
from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks
from faces.threads import available_cores
from stages.embed.torch_embedder import PRECISIONS, build_module, gpu_name, run_on, why_no_gpu
from stages.params import Params
from stages.progress import progress

Precisions = dict[str, dict[str, Any]]
"""By precision, what `measure` found."""
_REFERENCE_FACES = 500  # compared with ONNX Runtime's embeddings
_MATRIX = {"cuda": 8192, "cpu": 512}  # side of the matrices whose product shows the peak
_RUNS = 10  # of a batch; the median counts


class Bench:
    """A backbone's module on a device.

    Args:
        networks: the networks.
        params: with which its weights are found.
        device: "cuda" or "cpu".
    """

    def __init__(self, networks: Networks, params: Params, device: str) -> None:
        self.module = build_module(networks, params, device)
        self.device = device
        self._manifest = networks.manifest
        size = self._manifest.crop.image_size
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            self.module(torch.zeros(1, size, size, 3, dtype=torch.uint8, device=device))
        self.flop_per_image: int = counter.get_total_flops()

    def faces_per_second(self, crops: NDArray[np.uint8], precision: str, batch: int) -> tuple[float, float]:
        """Faces a second, each embedded with its mirror image, and the most memory of the GPU taken, in MB."""
        run = run_on(self.module, self.device, precision)
        pixels = torch.from_numpy(np.resize(crops, (2 * batch, *crops.shape[1:]))).to(self.device)
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds = self._seconds(lambda: run(pixels))
        megabytes = torch.cuda.max_memory_allocated() / 1e6 if self.device == "cuda" else 0.0
        return batch / seconds, megabytes

    def peak(self, precision: str) -> float:
        """Operations a second (a multiplication and an addition are two) of a product of large matrices."""
        side = _MATRIX[self.device]
        kind = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(precision, torch.float32)
        first, second = (torch.randn(side, side, device=self.device, dtype=kind) for _ in range(2))
        torch.backends.cuda.matmul.allow_tf32 = precision == "tfloat32"
        return 2 * side**3 / self._seconds(lambda: first @ second)

    def embed(self, crops: NDArray[np.uint8], precision: str) -> NDArray[np.float32]:
        """Embeddings, float32 [N, D], as the stage would make them in that precision."""
        compute = run_on(self.module, self.device, precision)
        embedder = Embedder(
            lambda part: compute(torch.from_numpy(part).to(self.device)).cpu().numpy(), True, self._manifest.unit_length
        )
        return np.concatenate([embedder.embed(part) for part in np.array_split(crops, -(-len(crops) // 32))])

    def _seconds(self, work: Callable[[], object]) -> float:
        """Median seconds of a piece of work, the first runs left out."""
        times = []
        for _ in range(3 + _RUNS):
            self._wait()
            begun = time.perf_counter()
            work()
            self._wait()
            times.append(time.perf_counter() - begun)
        return float(np.median(times[3:]))

    def _wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()


def agreement(got: NDArray[np.float32], wanted: NDArray[np.float32]) -> dict[str, float]:
    """Least cosine of two embeddings of a face, and the largest difference of a value."""
    product = (got * wanted).sum(axis=1) / (np.linalg.norm(got, axis=1) * np.linalg.norm(wanted, axis=1))
    return {"least_cosine": round(float(product.min()), 7), "difference": float(np.abs(got - wanted).max())}


def embed_stage(project: Project, devices: list[str], faces: int, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of the stage `embed` by device, for all crops on the disk and for one that is new; medians of rounds."""
    seconds: dict[str, list[tuple[float, float]]] = {device: [] for device in devices}
    index = project.root / "data" / "index.csv"
    for _ in progress(range(rounds), rounds, "embedding", "round"):
        for device in devices:
            project.set_params("embed", device=device)
            for path in (project.root / "data").glob("*.*"):
                path.unlink()
            everything = project.run("stages.embed").seconds
            index.write_text("".join(index.read_text(encoding="utf-8").splitlines(True)[:-1]), encoding="utf-8")
            seconds[device].append((everything, project.run("stages.embed").seconds))
    medians = {device: np.median(values, axis=0) for device, values in seconds.items()}
    return {
        device: {"seconds": round(all_, 2), "per_second": round(faces / all_), "one_more_seconds": round(one, 2)}
        for device, (all_, one) in medians.items()
    }


def read_crops(project: Project) -> NDArray[np.uint8]:
    """What the stage `crop` wrote, uint8 [N, S, S, 3]."""
    paths = sorted((project.root / "data" / "cropped").rglob("*.png"))
    return np.stack([np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")) for path in paths])


def measure(bench: Bench, crops: NDArray[np.uint8], wanted: NDArray[np.float32], batches: list[int]) -> Precisions:
    """What a module does in each precision: peak, faces a second and memory by size of batch, and agreement."""
    rows: Precisions = {}
    precisions = PRECISIONS if bench.device == "cuda" else PRECISIONS[:1]  # a processor emulates the others
    for precision in progress(precisions, len(precisions), "measuring", "precision"):
        peak = bench.peak(precision)
        row: dict[str, Any] = {"peak_tflops": round(peak / 1e12, 2), "batches": {}}
        for batch in batches:
            faces, megabytes = bench.faces_per_second(crops, precision, batch)
            share = round(2 * bench.flop_per_image * faces / peak, 3)
            row["batches"][str(batch)] = {"per_second": round(faces), "share": share, "megabytes": round(megabytes)}
        rows[precision] = row | agreement(bench.embed(crops, precision), wanted)
    return rows


def report(title: str, rows: Precisions, stages: dict[str, dict[str, float]], values: dict[str, Any]) -> None:
    """Print the tables and the JSON line, which holds `values` too."""
    print(f"{title}\n\nFaces a second, each with its mirror image, and share of the peak, by faces in a batch\n")
    batches = list(next(iter(rows.values()))["batches"])
    print(f"{'':12}{'peak, TFLOP/s':>14}{''.join(f'{batch:>16}' for batch in batches)}{'cosine':>12}{'value':>10}")
    for precision, row in rows.items():
        cells = [f"{own['per_second']:,} ({own['share']:.0%})" for own in row["batches"].values()]
        print(f"{precision:12}{row['peak_tflops']:14.1f}{''.join(f'{cell:>16}' for cell in cells)}"
              f"{row['least_cosine']:12.7f}{row['difference']:10.1e}")  # fmt: skip
    taken = [f"{own['megabytes']:,}" for own in next(iter(rows.values()))["batches"].values()]
    print(f"{'memory, MB':12}{'':14}{''.join(f'{cell:>16}' for cell in taken)}")
    print(f"\nThe stage embed, a process, {values['faces']} crops on the disk")
    for device, own in stages.items():
        print(f"  {device:6}{own['seconds']:8.1f} s{own['per_second']:8} faces/s; "
              f"one crop more {own['one_more_seconds']:6.1f} s")  # fmt: skip
    print(json.dumps({"bench": "gpu", **values, "precisions": rows, "stage": stages}))


def main() -> None:
    """Measure, print the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="+", help="photos, or folders with some")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="facenet-vggface2")
    parser.add_argument("--faces", type=int, default=2000, help="photos for the stage (with a pixel changed, if fewer)")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512, 1024], help="faces in a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="one round of 8 photos, batches of 2 and 4")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.faces, args.batches = 1, 8, [2, 4]
    if args.device == "cuda" and (reason := why_no_gpu()):
        sys.exit(f"{reason}; expected a GPU, or --device cpu")
    photos = [path.read_bytes() for path in spread(find_photos(args.photos), args.faces)]
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models = Path(name) / "models"
        params = make_models(models, args.backbone)
        project = Project(Path(name) / "project", models, args.backbone)
        project.put(many(photos, args.faces))
        project.run("stages.crop")
        crops = read_crops(project)
        some = crops[:_REFERENCE_FACES]
        with weights(params, models) as params:
            project.set_params("backbone", weights_sha256=params.backbone.weights_sha256)
            networks = Networks.load(models / "networks")
            wanted = networks.open_embedder(True, available_cores()).embed(some)
            bench = Bench(networks, params, args.device)
            rows = measure(bench, some, wanted, args.batches)
            stages = embed_stage(project, sorted({"cpu", args.device}), len(crops), args.rounds)
    machine = describe() if args.device == "cpu" else f"{describe()}, {gpu_name()}, torch {torch.__version__}"
    values = {"machine": machine, "backbone": args.backbone, "faces": len(crops)}
    report(f"{args.backbone}; {machine}", rows, stages, values)


if __name__ == "__main__":
    main()
