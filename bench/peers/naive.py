"""The naive flow: facenet-pytorch's MTCNN on the photo as it is, InceptionResnetV1 in torch, scikit-learn, Flask.

As tutorials and student projects write it. The embedder's weights are random (the real ones cost the same and need a
download), and so is the classifier.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facenet_pytorch import MTCNN, InceptionResnetV1
from flask import Flask, Response, jsonify, request
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


class NaiveFlow:
    """Detect the largest face at full size, embed it, classify it."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.mtcnn = MTCNN(image_size=160, margin=0)
        self.resnet = InceptionResnetV1(pretrained=None).eval()
        embeddings = np.random.default_rng(0).normal(size=(100, 512)).astype(np.float32)
        self.scaler = StandardScaler().fit(embeddings)
        self.model = LogisticRegression().fit(self.scaler.transform(embeddings), np.arange(100) % 2)

    def crop(self, source: Any) -> torch.Tensor | None:
        """The largest face, float [3, 160, 160], or None.

        Args:
            source: path or binary file of a photo.
        """
        face: torch.Tensor | None = self.mtcnn(Image.open(source).convert("RGB"))
        return face

    def embed(self, faces: torch.Tensor) -> torch.Tensor:
        """Embeddings, float [N, 512], of faces [N, 3, 160, 160]."""
        with torch.no_grad():
            result: torch.Tensor = self.resnet(faces)
        return result

    def score(self, embeddings: torch.Tensor) -> float:
        """The first one's probability of "me"."""
        return float(self.model.predict_proba(self.scaler.transform(embeddings.numpy()))[0, 1])

    def crop_and_embed(self, photos: list[Path]) -> int:
        """The naive pipeline: one photo after the other; returns how many faces were embedded."""
        crops = [face for face in (self.crop(photo) for photo in photos) if face is not None]
        return sum(len(self.embed(torch.stack([crop]))) for crop in crops)


def create_app() -> Flask:
    """The service, its models loaded once."""
    app = Flask(__name__)
    flow = NaiveFlow()

    @app.get("/healthz")
    def health() -> Response:
        return jsonify(status="ok", threads=torch.get_num_threads())

    @app.post("/verify")
    def verify() -> tuple[Response, int]:
        started = time.perf_counter()
        face = flow.crop(request.files["image"].stream)
        if face is None:
            return jsonify(error="no face"), 400
        score = flow.score(flow.embed(face.unsqueeze(0)))
        return jsonify(is_me=score >= 0.75, score=score, timing_ms=1000 * (time.perf_counter() - started)), 200

    return app


def crop_and_embed_all(photos: list[Path], processes: int) -> int:
    """The naive pipeline in some processes, each with a share of the photos; returns how many faces were embedded."""
    shares = [photos[number::processes] for number in range(processes)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:  # forked, torch's threads would hang
        return sum(pool.map(_share, shares))


def _share(photos: list[Path]) -> int:
    return NaiveFlow().crop_and_embed(photos)


def main() -> None:
    """Crop and embed the photos of a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="with photos (.jpg), below it too")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    given = sorted(args.folder.rglob("*.jpg"))
    found = _share(given) if args.processes == 1 else crop_and_embed_all(given, args.processes)
    print(f"{found} faces of {len(given)} photos")


if __name__ == "__main__":
    main()
