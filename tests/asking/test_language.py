"""What `python -m faces` says has its Spanish, be it its own, the client's, or that of faces and stages."""

from __future__ import annotations

import pytest

from asking.language import choose
from asking.spanish import SPANISH
from faces.message import Message
from faces.recognition.image_kinds import WEBP
from service.client.language import say
from service.client.spanish import SPANISH as OF_CLIENT
from stages.language.telling import SPANISH as OF_STAGES
from tests.conftest import ROOT
from tests.service.client.support import placeholders, texts_in


def test_the_two_languages_are_in_step() -> None:
    said = texts_in(ROOT / "asking")
    assert len(said) > 50
    assert said - set(SPANISH) - set(OF_CLIENT) - set(OF_STAGES) == set()
    assert set(SPANISH) - said == set()


def test_nothing_is_translated_twice() -> None:
    assert not SPANISH.keys() & OF_CLIENT.keys()
    twice = SPANISH.keys() & OF_STAGES.keys()
    assert {text: SPANISH[text] for text in twice} == {text: OF_STAGES[text] for text in twice}


@pytest.mark.parametrize("english", sorted(SPANISH))
def test_the_spanish_has_the_same_values(english: str) -> None:
    assert placeholders(SPANISH[english]) == placeholders(english)


def test_messages_of_faces_and_what_is_in_them_are_said_too() -> None:
    message = Message("the content is {kind}; expected one of {names}", kind=WEBP.described, names="JPEG")
    assert say("{path}: {reason}", path="a", reason=message) == "a: the content is a WebP; expected one of JPEG"
    choose("es")
    assert say("{path}: {reason}", path="a", reason=message) == "a: el contenido es un WebP; debe ser uno de JPEG"
    assert say("{value:.2f} {other}", value=0.5, other=0.5) == "0,50 0.5"
