"""The client's texts have their Spanish, with the same values in it, and no Spanish is left over."""

from __future__ import annotations

import pytest

from service.client.spanish import SPANISH
from tests.conftest import ROOT
from tests.service.client.support import placeholders, texts_in


def test_the_two_languages_are_in_step() -> None:
    said = texts_in(ROOT / "service" / "client")
    assert len(said) > 30
    assert said == set(SPANISH)


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(SPANISH[english]) == placeholders(english)
