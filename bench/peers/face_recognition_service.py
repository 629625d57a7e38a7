"""The package face_recognition (dlib) behind Flask, as its own example of a web service does it.

Runs in an environment of its own (requirements.txt beside this file), so it imports nothing of the project.
"""

from __future__ import annotations

import time

import dlib
import face_recognition
import numpy as np
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
_me = np.random.default_rng(0).normal(size=128)


@app.get("/healthz")
def health() -> Response:
    """Whether it runs, and with which dlib: with BLAS it embeds a face several times as fast."""
    return jsonify(status="ok", dlib=dlib.__version__, blas=dlib.DLIB_USE_BLAS)


@app.post("/verify")
def verify() -> tuple[Response, int]:
    """Whether the largest face is "me"."""
    started = time.perf_counter()
    image = face_recognition.load_image_file(request.files["image"])
    boxes = face_recognition.face_locations(image)
    if not boxes:
        return jsonify(error="no face"), 400
    largest = max(boxes, key=lambda box: (box[2] - box[0]) * (box[1] - box[3]))
    encoding = face_recognition.face_encodings(image, [largest])[0]
    distance = float(face_recognition.face_distance([_me], encoding)[0])
    return jsonify(is_me=distance < 0.6, score=1 - distance, timing_ms=1000 * (time.perf_counter() - started)), 200
