"""The naive flow: facenet-pytorch's MTCNN on the photo as it is, InceptionResnetV1 in torch, scikit-learn, Flask.

As tutorials and student projects write it. The embedder's weights are random (the real ones cost the same and need a
download), and so is the classifier.
"""

from __future__ import annotations

import sys
import time
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
        return jsonify(status="ok")

    @app.post("/verify")
    def verify() -> tuple[Response, int]:
        started = time.perf_counter()
        face = flow.crop(request.files["image"].stream)
        if face is None:
            return jsonify(error="no face"), 400
        score = flow.score(flow.embed(face.unsqueeze(0)))
        return jsonify(is_me=score >= 0.75, score=score, timing_ms=1000 * (time.perf_counter() - started)), 200

    return app


if __name__ == "__main__":
    given = sorted(Path(sys.argv[1]).rglob("*.jpg"))
    print(f"{NaiveFlow().crop_and_embed(given)} faces of {len(given)} photos")
