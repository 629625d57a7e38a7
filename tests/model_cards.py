"""A model's card for tests, with made-up figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs

from faces import model_card
from faces.files import sha256_of
from faces.model_card import Figure, ModelCard, Note, Photos, Plot, Rates, Text

PNG = b"\x89PNG\r\n\x1a\n and so on"
PLOTS = {"scores": PNG + b"1", "robustness": PNG + b"2"}

RATES = Rates(
    threshold=[0.0, 0.5, 0.75, 0.9], far=[1.0, 0.2, 0.1, 0.0], far_low=[0.9, 0.1, 0.05, 0.0],
    far_high=[1.0, 0.4, 0.3, 0.25], far_estimated=[1.0, 0.01, 0.0005, None], frr=[0.0, 0.02, 0.04, 0.5],
    frr_low=[0.0, 0.01, 0.02, 0.3], frr_high=[0.1, 0.12, 0.14, 0.7], people=40,
)  # fmt: skip


def card(**changes: Any) -> ModelCard:
    """A card with two plots."""
    text = Text(es="una frase", en="a sentence")
    area = Figure("auc", 0.99, None, "measured", None, 40)
    whole = ModelCard(
        format=model_card.FORMAT, model_sha256="a" * 64, backbone="dlib-resnet", verifier="cosine",
        trained="2026-11-27T12:00:00+00:00", written="2026-11-27T12:01:00+00:00", language="es",
        photos=Photos(30, 49, 40), threshold=0.75, figures=[*RATES.at(0.75), area], rates=RATES,
        notes=[Note("limit", text)], plots=[Plot("scores", text, text), Plot("robustness", text, text)],
    )  # fmt: skip
    return structs.replace(whole, **changes)


def put_card(models: Path, **changes: Any) -> ModelCard:
    """Write a card of the model in a folder, with its plots; returns it."""
    written = card(model_sha256=sha256_of(models / "model.joblib"), **changes)
    model_card.write(models, written, PLOTS)
    return written
