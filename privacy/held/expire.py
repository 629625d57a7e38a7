"""Forgets the photos whose time is over: `python -m privacy expire`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Collection
from pathlib import Path

from privacy.errors import PrivacyError
from privacy.language import is_yes
from service.client.language import say

_NAMED = 20  # photos that are printed, at most


def describe(expired: dict[str, str]) -> str:
    """A line for each photo, the first of them, and how many more there are.

    Args:
        expired: why, by path within data/.
    """
    lines = [say("  {name}: {reason}", name=name, reason=reason) for name, reason in list(expired.items())[:_NAMED]]
    if len(expired) > _NAMED:
        text = "  … and {more} more ('python -m privacy status --json' has them all)"
        lines.append(say(text, more=len(expired) - _NAMED))
    return "\n".join(lines)


def confirmed(count: int) -> bool:
    """Ask whether photos are to be forgotten.

    Raises:
        PrivacyError: nobody is there who could answer.
    """
    if not sys.stdin.isatty():
        raise PrivacyError("nobody is there to ask: add --yes to forget them without a question, or --dry-run to list")
    text = "Forget {count:this photo|these # photos} everywhere, for good? Type yes: "
    answer = input(say(text, count=count))
    return is_yes(answer) and len(answer.strip()) > 1  # the whole word: nothing asks a second time


def forget(photos: Collection[str]) -> int:
    """Forget photos everywhere, without a question; the only place where `expire` hands them over.

    Args:
        photos: paths within data/.

    Returns:
        The exit status.

    Raises:
        PrivacyError: not all was done; the message says what to do.
    """
    try:
        module = importlib.import_module("privacy.forget.forget")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("privacy"):
            raise
        raise PrivacyError(
            "this version has no 'python -m privacy forget', which expire needs: take a newer one, or delete the "
            "photos as docs/privacy.md says"
        ) from None
    return int(module.forget(Path.cwd(), [f"data/{name}" for name in photos], yes=True))
