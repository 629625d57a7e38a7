"""What the files in models/ were made from, for their records (`faces.records`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from faces.fingerprint import code_hash, package_versions
from faces.records import MadeFrom
from stages.files.locked_files import sha256_of_content


def made_from(stage: str, inputs: Iterable[Path], parameters: Mapping[str, Any], packages: Iterable[str]) -> MadeFrom:
    """What a stage made its files from.

    Args:
        stage: its name.
        inputs: the files that it read.
        parameters: sections of params.yaml by name, as structs or dataclasses.
        packages: the distributions that computed.

    Raises:
        OSError: an input cannot be read.
        LockedError: one is locked and cannot be opened; of those that can, the record names what they hold.
    """
    return MadeFrom(
        inputs={path.as_posix(): sha256_of_content(path) for path in sorted(inputs)},
        parameters=to_builtins(dict(parameters)),
        code=code_hash(f"stages.{stage}.{stage}"),
        packages=package_versions(packages),
    )
