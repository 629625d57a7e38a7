"""How many strangers score as high: what is said beside a yes and a no, and that nothing unchecked is claimed."""

from __future__ import annotations

import json

import pytest

from faces.message import translated
from faces.shares import CHECKED, estimated, strangers_text
from faces.spanish import SPANISH
from tests.conftest import ROOT

STATIC = ROOT / "service" / "ui" / "static"
SHARES = (1.0, 0.99, 0.39, 0.097, 0.0945, 0.0625, 0.01, 0.0099, 0.00034, 3.4e-5, 3.3e-5, 1e-8, 0.0)


def english(figure: float) -> str:
    return f"{figure:,g}"


@pytest.mark.parametrize(
    ("share", "beside_yes", "beside_no"),
    [
        (1.0, "Nearly every stranger scores this high",
         "A usual score for strangers: nearly all of them score this high"),
        (0.39, "About 39 % of strangers score this high",
         "A usual score for strangers: about 39 % of them score this high"),
        (0.0625, "About 1 stranger in 16 scores this high",
         "A usual score for strangers: about 1 in 16 scores this high"),
        (0.00052, "About 1 stranger in 1,900 scores this high",
         "A rare score for strangers, but below the threshold: about 1 in 1,900 scores this high"),
        (2.9e-5, "Fewer than 1 stranger in 30,000 scores this high",
         "A rare score for strangers, but below the threshold: fewer than 1 in 30,000 scores this high"),
    ],
)  # fmt: skip
def test_what_is_said(share: float, beside_yes: str, beside_no: str) -> None:
    assert strangers_text(share, True, english) == beside_yes
    assert strangers_text(share, False, english) == beside_no


@pytest.mark.parametrize("share", [3.3e-5, 1e-6, 1e-8, 0.0])
def test_below_what_faces_have_checked_no_smaller_share_is_claimed(share: float) -> None:
    """docs/page.md: below 1 in 30,000 too few faces were there to check it."""
    assert strangers_text(share, True, english) == strangers_text(CHECKED * 0.999, True, english)
    assert "30,000" in strangers_text(share, True, english)


def test_of_whom_the_estimate_is() -> None:
    assert estimated(0.1, True, english, alike=False) == "About 10 % of strangers score this high (estimated)."
    alike = estimated(0.1, True, english, alike=True)
    assert alike.endswith("score this high (estimated for strangers who resemble the person of «me»).")
    assert str(translated(alike, SPANISH)).endswith("(estimado para desconocidos que se parecen a la persona de «me»).")


@pytest.mark.parametrize("is_me", [True, False])
@pytest.mark.parametrize("share", SHARES)
def test_the_page_has_the_same_sentences(share: float, is_me: bool) -> None:
    """tests/ui sees that words.js chooses among them in the same way."""
    text = strangers_text(share, is_me, english)
    pages = {language: json.loads((STATIC / f"{language}.json").read_text("utf-8")) for language in ("en", "es")}
    (key,) = [key for key, said in pages["en"].items() if said == f"{text.template}."]
    assert pages["es"][key] == f"{SPANISH[text.template]}."
