"""What is a GPU worth here? `embed` on one, and `crop` without one beside MTCNN with one.

    python -m bench.gpu PHOTO_OR_FOLDER … [--only crop] [--backbone facenet-vggface2] [--rounds 3] [--device cuda]
                        [--photos 1000] [--mtcnn-photos 512] [--mtcnn-batch 64]
                        [--faces 2000] [--batches 32 128 512 1024] [--quick]

1. The stage `crop`, a process on all processor cores, its start included, and facenet-pytorch's MTCNN on the GPU, its
   start left out: one photo after the other, and many of equal size at once; photos of 2 to 5 megapixels as they are,
   and reduced to what `crop` looks at. MTCNN's photos are decoded ahead on all cores and its crops stay in memory.
   Small photos (files below 40 kB) and large ones apart, in rounds whose order turns round.
2. The embedder's torch module on crops of the photos, each with its mirror image, in each precision and size of batch,
   on pixels that are on the GPU already. The share of the peak is of what a product of large matrices in the same
   precision reaches there. Agreement is with ONNX Runtime on the CPU: the least cosine, and the largest difference of
   a value. Then the stage `embed` as a process, from crops on the disk, on the GPU and on the CPU in turn: from nothing
   in each round, and once more with one crop that is new.

Where there is no GPU, or with `--device cpu`, both run on the processor, MTCNN with a few photos.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from bench.gpu import cropping, embedding
from bench.peers.mtcnn import BatchedMtcnn
from bench.pipeline import Project
from bench.support.models import make_models, weights
from bench.support.photos import find_photos, many, spread
from faces.backbones import BACKBONE_NAMES
from faces.recognition.networks import Networks
from faces.threads import available_cores
from stages.embed.torch_embedder import gpu_name, why_no_gpu
from stages.params import Params
from stages.report.machine import describe_machine

_REFERENCE_FACES = 500  # compared with ONNX Runtime's embeddings
_FEW = 24  # photos that MTCNN sees on a processor


def measure_crop(project: Project, params: Params, args: argparse.Namespace) -> dict[str, Any]:
    """Part 1; returns its figures by group of photos."""
    groups = cropping.choose_photos(args.photos_given, args.photos)
    result = {}
    for group, photos in groups.items():
        few = cropping.share(group, args.mtcnn_photos)
        peers = {
            way: BatchedMtcnn(args.device, way.batch, way.max_side, available_cores())
            for way in cropping.ways(group, args.mtcnn_batch, params.detector.max_side)
        }
        result[group] = cropping.compare(project, group, photos, peers, few, args.rounds)
    return result


def measure_embed(project: Project, models: Path, params: Params, args: argparse.Namespace) -> dict[str, Any]:
    """Part 2; returns its figures."""
    project.put(many([path.read_bytes() for path in spread(find_photos(args.photos_given), args.faces)], args.faces))
    project.run("stages.crop")
    crops = embedding.read_crops(project)
    some = crops[:_REFERENCE_FACES]
    with weights(params, models) as found:
        project.set_params("backbone", weights_sha256=found.backbone.weights_sha256)
        networks = Networks.load(models / "networks")
        wanted = networks.open_embedder(True, available_cores()).embed(some)
        bench = embedding.Bench(networks, found, args.device)
        rows = embedding.measure(bench, some, wanted, args.batches)
        stages = embedding.embed_stage(project, sorted({"cpu", args.device}), args.rounds)
    embedding.report(rows, stages)
    return {"faces": len(crops), "precisions": rows, "stage": stages}


def parse() -> argparse.Namespace:
    """The command line; says which device is used where none was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos_given", type=Path, nargs="+", metavar="PHOTOS", help="photos, or folders with some")
    parser.add_argument("--only", choices=["crop", "embed"], help="one part alone")
    parser.add_argument("--backbone", choices=BACKBONE_NAMES, default="facenet-vggface2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cuda", "cpu"], help="the GPU where there is one")
    parser.add_argument("--photos", type=int, default=1000, help="small ones, and a quarter as many large ones")
    parser.add_argument("--mtcnn-photos", type=int, default=512, help="of them, that MTCNN sees")
    parser.add_argument("--mtcnn-batch", type=int, default=64, help="photos that MTCNN looks at together")
    parser.add_argument("--faces", type=int, default=2000, help="photos for embed (with a pixel changed, if fewer)")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512, 1024], help="faces in a batch")
    parser.add_argument("--quick", action="store_true", help="one round of 12 photos, batches of 2 and 4")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.photos, args.faces, args.mtcnn_batch, args.batches = 1, 12, 8, 4, [2, 4]
    reason = None if args.device == "cpu" else why_no_gpu()
    if reason and args.device == "cuda":
        sys.exit(f"{reason}; expected a GPU, or --device cpu")
    if reason:
        print(f"{reason}: everything runs on the processor", file=sys.stderr)
    args.device = args.device or ("cpu" if reason else "cuda")
    if args.device == "cpu":
        args.mtcnn_photos = min(args.mtcnn_photos, _FEW)
    return args


def main() -> None:
    """Measure, print the tables and the JSON line."""
    args = parse()
    where = "the processor" if args.device == "cpu" else gpu_name()
    machine = (
        describe_machine() if args.device == "cpu" else f"{describe_machine()}, {where}, torch {torch.__version__}"
    )
    print(f"{args.backbone}; {machine}\n")
    figures: dict[str, Any] = {"machine": machine, "device": args.device, "backbone": args.backbone}
    with tempfile.TemporaryDirectory(prefix="face-bench-") as name:
        models = Path(name) / "models"
        params = make_models(models, args.backbone)
        project = Project(Path(name) / "project", models, args.backbone)
        if args.only != "embed":
            figures["crop"] = measure_crop(project, params, args)
            cropping.report(figures["crop"], where)
        if args.only != "crop":
            figures |= measure_embed(project, models, params, args)
    print(json.dumps({"bench": "gpu", **figures}))


if __name__ == "__main__":
    main()
