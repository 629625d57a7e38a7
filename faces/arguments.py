"""Programs that take their settings from elsewhere, and so no arguments."""

from __future__ import annotations

import argparse


def take_none(program: str, description: str, settings: str) -> None:
    """Answer `--help`, and refuse any other argument rather than run without regard to it.

    Args:
        program: how it is started, such as "python -m service".
        description: what it does, for `--help`.
        settings: where its settings are, said with the refusal too.

    Raises:
        SystemExit: `--help` was given (status 0), or anything else (2).
    """
    parser = argparse.ArgumentParser(program, usage=f"{program} [-h]\n{settings}", description=description)
    parser.parse_args()
