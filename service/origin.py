"""Where what answers comes from: the model's file, the code's revision, the run that made the model."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from faces.files import sha256_of
from service.config import PROJECT_ROOT

_GIT_SECONDS = 5


@dataclass(frozen=True)
class Origin:
    """Each of these is None where it cannot be known.

    Attributes:
        model_sha256: of the model's file, as it was when the service started.
        git_revision: of the code, 40 hexadecimal digits.
        dvc_lock_sha256: of dvc.lock, which names all that the pipeline read and made.
    """

    model_sha256: str | None
    git_revision: str | None
    dvc_lock_sha256: str | None

    @classmethod
    def read(cls, model: Path | str, root: Path = PROJECT_ROOT) -> Origin:
        """Look at the model and, in a checkout, at git and dvc.lock.

        Args:
            model: the model's file, which need not exist; or its SHA-256, where it has been loaded already.
            root: the project's folder.
        """
        checkout = (root / ".git").exists()
        return cls(
            model if isinstance(model, str) else sha256_if_any(model),
            _revision(root) if checkout else None,
            sha256_if_any(root / "dvc.lock") if checkout else None,
        )

    def as_json(self) -> dict[str, str | None]:
        """As /version shows it."""
        return asdict(self)


def sha256_if_any(path: Path) -> str | None:
    """The SHA-256 of a file; None where it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


@cache  # a reload brings a new model, and the code stays that of the start
def _revision(root: Path) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(
            [git, "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True, text=True, encoding="utf-8", timeout=_GIT_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
