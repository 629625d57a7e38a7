"""Pictures, programs and a file server that several of these tests need."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from msgspec.structs import replace
from PIL import Image

from stages.params import Params

ROOT = Path(__file__).resolve().parents[2]

torch.set_num_threads(1)  # more of them wait by spinning: where other programs run too, that is six times slower


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """An image as the bytes of a file; JPEG at a quality that keeps colours."""
    buffer = io.BytesIO()
    if kind in ("JPEG", "MPO"):
        options = {"quality": 95, "subsampling": 0, **options}
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(orientation: int) -> Image.Exif:
    """An EXIF block with an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as a camera stores them with an EXIF orientation, from the upright picture (the standard's table)."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def modules_after(code: str) -> set[str]:
    """Names of the modules that a new Python has loaded after running some code in the project's root."""
    program = f"import sys\n{code}\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def random_checkpoint(path: Path) -> None:
    """A checkpoint as FaceNet's own is, training classifier included, with random weights: seeded, always the same.

    Batch normalisation is fitted to noise, without which activations die out and all faces have one embedding.
    """
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = InceptionResnetV1(pretrained=None, classify=True, num_classes=8631, dropout_prob=0.0)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
                module.momentum = None  # plain averages
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
        network.train()(torch.randn(4, 3, 160, 160))
    torch.save(network.state_dict(), path)


@dataclass
class FileServer:
    """One file behind HTTP; how it behaves can be changed between requests.

    Attributes:
        content: the file.
        url: where it is.
        ranges: whether Range is honoured.
        status: sent instead of the file if it is not 200.
        content_type: of the answer.
        break_after: the connection breaks after so many bytes of a body; an entry is used up by each request.
        announced: Content-Length if it is to be another than the true one.
        asked: the Range header of each request, None where there was none.
        sent: bytes of bodies sent in all.
    """

    content: bytes
    url: str = ""
    ranges: bool = True
    status: int = 200
    content_type: str = "application/octet-stream"
    break_after: list[int] = field(default_factory=list)
    announced: int | None = None
    asked: list[str | None] = field(default_factory=list)
    encodings: list[str | None] = field(default_factory=list)
    sent: int = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        self.encodings.append(request.headers.get("Accept-Encoding"))
        if self.status != 200:
            request.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if start and start >= len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Type", self.content_type)
        request.send_header("Content-Length", str(self.announced or len(body)))
        request.end_headers()
        if self.break_after:
            body = body[: self.break_after.pop(0)]
        self.sent += len(body)
        request.wfile.write(body)


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """A file server on this machine."""
    files = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        files.url = f"http://127.0.0.1:{server.server_port}/weights.pt"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield files
        finally:
            server.shutdown()


def unreachable_url() -> str:
    """An address at which nothing listens, as without a network."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/weights.pt"


def with_backbone(params: Params, name: str, url: str, digest: str, offline: str | None = None) -> Params:
    """Parameters that ask for another backbone, whose weights are at an address."""
    wanted = {"name": name, "weights_url": url, "weights_sha256": digest, "offline": offline}
    return replace(params, backbone=replace(params.backbone, **wanted))
