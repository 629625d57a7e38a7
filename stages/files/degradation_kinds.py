"""The ways in which photos are made worse, as people call them: in charts, on the terminal and in reports alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DegradationKind:
    """A way to make a photo worse.

    Attributes:
        name: as in robustness.csv and robustness.json.
        es, en: what people call it, in Spanish and English.
        unit_es, unit_en: what its levels are.
    """

    name: str
    es: str
    en: str
    unit_es: str
    unit_en: str

    def title(self, language: Literal["es", "en"]) -> str:
        """What people call it."""
        return self.es if language == "es" else self.en

    def unit(self, language: Literal["es", "en"]) -> str:
        """What its levels are."""
        return self.unit_es if language == "es" else self.unit_en


_KINDS = (
    DegradationKind("darker", "más oscura", "darker", "veces el brillo", "times the brightness"),
    DegradationKind("brighter", "más clara", "brighter", "veces el brillo", "times the brightness"),
    DegradationKind("contrast", "menos contraste", "less contrast", "veces el contraste", "times the contrast"),
    DegradationKind(
        "blur", "desenfoque", "blur", "desviación, % del ancho de la cara", "deviation, % of the face's width"
    ),
    DegradationKind("noise", "ruido", "noise", "desviación típica, de 255", "standard deviation, of 255"),
    DegradationKind("jpeg", "compresión JPEG", "JPEG compression", "calidad, de 100", "quality, of 100"),
    DegradationKind(
        "size", "foto más pequeña", "a smaller photo", "píxeles de ancho de la cara", "pixels of the face's width"
    ),
    DegradationKind("rotation", "giro", "rotation", "grados", "degrees"),
    DegradationKind(
        "covered", "cara cubierta desde abajo", "a face covered from below", "% de su alto", "% of its height"
    ),
)

DEGRADATION_KINDS = {kind.name: kind for kind in _KINDS}
"""All, by name."""
