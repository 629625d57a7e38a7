"""`python -m faces` as a program, in a project that was built."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from PIL import Image

from service.config import Settings
from stages.files.encryption import Key
from stages.files.paths import CROPPED, EMBEDDINGS
from tests.conftest import ROOT
from tests.service.support import server_environment
from tests.terminal import run

SPANISH = {"LC_ALL": "es_ES.UTF-8"}


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """That of a program which asks a model, in English unless it says otherwise."""
    named = {
        **server_environment(settings, 1, Path("/nonexistent")),
        "OPERATING_POINT_PATH": str(settings.operating_point_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "LC_ALL": "C.UTF-8",
        **more,
    }
    return {name: value for name, value in named.items() if name != "XDG_RUNTIME_DIR"}


def faces(settings: Settings, cwd: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m faces` with arguments."""
    return run(["-m", "faces", *map(str, arguments)], cwd, environment(settings, **more))


GREEN, RED = (0x1B, 0x6B, 0x3A), (0xA0, 0x20, 0x20)
"""Of frames and words: me, and not me."""


def count_of(colour: tuple[int, int, int], picture: bytes | Path) -> int:
    """How many pixels of a picture have just that colour."""
    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture) as image:
        counts = image.convert("RGB").getcolors(image.width * image.height) or []
    return next((count for count, one in counts if one == colour), 0)


def seal(key: Key) -> None:
    """Encrypt crops and embeddings of the current project, as `privacy.encrypt_derived` does."""
    for path in [EMBEDDINGS, *CROPPED.rglob("*.png")]:
        path.write_bytes(key.seal(path.read_bytes()))
