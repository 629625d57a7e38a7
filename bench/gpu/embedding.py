"""How many faces a second does `embed` do on a GPU, how near is that to its peak, and what would less cost?"""

from __future__ import annotations

import io
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from bench.pipeline import Project
from faces.recognition.embedder import Embedder
from faces.recognition.networks import Networks
from stages.embed.torch_embedder import PRECISIONS, build_module, run_on
from stages.files.paths import CROP_REPORT, REMEMBERED
from stages.files.tables import read_records, write_records
from stages.params import Params
from stages.progress import progress

Precisions = dict[str, dict[str, Any]]
"""By precision, what `measure` found."""
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


def embed_stage(project: Project, devices: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of the stage `embed` by device, for all crops but one and then for that one; medians of rounds.

    Crops that are the same to the last pixel are embedded once, and count once.

    Raises:
        SystemExit: it did not embed what it was to embed, but took it over.
    """
    seconds: dict[str, list[tuple[float, float]]] = {device: [] for device in devices}
    report = project.root / CROP_REPORT
    every_crop = report.read_bytes()
    rows = read_records(report, "crop", ["kept", "crop_sha256"])
    count = Counter(row["crop_sha256"] for row in rows if row["kept"] == "True")
    added = max(number for number, row in enumerate(rows) if count[row["crop_sha256"]] == 1)
    new, crops = len(count) - 1, count.total()
    for _ in progress(range(rounds), rounds, "embedding", "round"):
        for device in devices:
            project.set_params("embed", device=device)
            shutil.rmtree(project.root / REMEMBERED, ignore_errors=True)
            write_records(report, list(rows[0]), (row.values() for number, row in enumerate(rows) if number != added))
            most = _embed(project, new, crops - 1)
            report.write_bytes(every_crop)
            seconds[device].append((most, _embed(project, 1, crops)))
    medians = {device: np.median(values, axis=0) for device, values in seconds.items()}
    return {
        device: {
            "crops": new,
            "seconds": round(most, 2),
            "per_second": round(new / most),
            "one_more_seconds": round(one, 2),
        }
        for device, (most, one) in medians.items()
    }


def _embed(project: Project, new: int, crops: int) -> float:
    """Seconds of the stage, which must say that so many crops are new."""
    run = project.run("stages.embed")
    if not re.search(rf"\b{new} of {crops} crops? (is|are) new\b", run.output):
        sys.exit(f"embed was to embed {new} of {crops} crops; it said:\n{run.output}")
    return run.seconds


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


def report(rows: Precisions, stages: dict[str, dict[str, float]]) -> None:
    """Print the tables.

    Args:
        rows: what `measure` returned.
        stages: what `embed_stage` returned.
    """
    print("Faces a second, each with its mirror image, and share of the peak, by faces in a batch\n")
    batches = list(next(iter(rows.values()))["batches"])
    print(f"{'':12}{'peak, TFLOP/s':>14}{''.join(f'{batch:>16}' for batch in batches)}{'cosine':>12}{'value':>10}")
    for precision, row in rows.items():
        cells = [f"{own['per_second']:,} ({own['share']:.0%})" for own in row["batches"].values()]
        print(f"{precision:12}{row['peak_tflops']:14.1f}{''.join(f'{cell:>16}' for cell in cells)}"
              f"{row['least_cosine']:12.7f}{row['difference']:10.1e}")  # fmt: skip
    taken = [f"{own['megabytes']:,}" for own in next(iter(rows.values()))["batches"].values()]
    print(f"{'memory, MB':12}{'':14}{''.join(f'{cell:>16}' for cell in taken)}")
    print("\nThe stage embed, a process, crops on the disk")
    for device, own in stages.items():
        print(f"  {device:6}{own['crops']:8} crops{own['seconds']:8.1f} s{own['per_second']:8} faces/s; "
              f"one crop more {own['one_more_seconds']:6.1f} s")  # fmt: skip
    print()
