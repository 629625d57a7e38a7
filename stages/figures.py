"""Figures as they are written: rounded, so that another processor's last digits do not show as a change."""

from __future__ import annotations

from typing import Any

DIGITS = 4


def rounded(value: Any) -> Any:
    """Round every float within lists and dicts to `DIGITS` decimals; other values stay."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, DIGITS)
    return value
