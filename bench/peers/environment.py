"""The environment that the package face_recognition needs for itself: `python -m bench.peers.environment` makes it.

It has dlib as the wheel dlib-bin brings it: without BLAS. To measure another one, such as dlib compiled on this machine
with OpenBLAS, install face_recognition, Flask and gunicorn beside it and name its Python in FACE_RECOGNITION_PYTHON.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent.parent / ".venv-face-recognition"
VARIABLE = "FACE_RECOGNITION_PYTHON"
PACKAGE = "face_recognition==1.3.0"


def face_recognition_python() -> Path:
    """Python of the environment with face_recognition that the variable names, or of ours, made where it is missing.

    Raises:
        SystemExit: it cannot be installed; the message holds pip's last lines.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    python = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    complete = ENVIRONMENT / "complete"
    if complete.is_file():
        return python
    print(f"making {ENVIRONMENT.name} for {PACKAGE} …", file=sys.stderr)
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", str(ENVIRONMENT)],
        [*pip, "-r", str(HERE / "requirements.txt")],
        [*pip, "--no-deps", PACKAGE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    complete.touch()
    return python


if __name__ == "__main__":
    print(face_recognition_python())
