"""The README of an export, in Spanish and English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from faces.message import translated
from privacy.spanish import SPANISH

README_NAME = "LEEME-README.txt"

_SPANISH = """\
LO QUE SE CONSERVA DE {who}, A {day}

Contiene fotos de caras y datos biométricos: guárdalo donde nadie más lo vea.

photos/            tus fotos, tal como se entregaron
crops/             tu cara, recortada de ellas
index.csv          qué caras se usan, y de qué foto es cada una
crop_report.csv    qué caras se encontraron en cada foto, y por qué alguna no se usa
embeddings.csv     los números que describen tu cara; el sistema solo compara estos números
groups.csv         qué fotos se tratan como una misma toma o una misma persona
predictions.csv    las puntuaciones que modelos que no la habían visto le dieron (1: «es la persona»; 0: «no lo es»)
strangers.csv      cuánto se parece tu cara a la de la persona que se reconoce
data_quality.csv   lo que se observó en tus fotos (borrosa, oscura, repetida…)
attributes_*.csv   lo que quien lleva el sistema anotó sobre ti
consent.csv        tu consentimiento: desde cuándo, hasta cuándo, cómo se dio. El contacto solo está como hash
models.json        qué modelos se entrenaron con tus fotos
audit.json         cuándo se envió al servicio exactamente una de estas fotos, y qué respondió

Falta el archivo de aquello de lo que no se conserva nada. Lo que no son fotos está en tablas (CSV) y en texto (JSON).

Cuánto tiempo: hasta que termine o se retire el consentimiento, o hasta el plazo que haya fijado quien lleva el sistema.
Lo que se hace con las fotos (recortes, números, puntuaciones) se borra con ellas. El registro de auditoría no contiene
fotos, y se conserva lo que diga quien lleva el sistema.

Tus derechos (RGPD, artículos 15 a 22): ver esto, corregirlo, que se borre, que se limite su uso, llevártelo y
oponerte. Puedes retirar tu consentimiento en cualquier momento, sin dar razones; pídelo a quien te dio este archivo.
Puedes reclamar ante la autoridad de protección de datos (en España, la AEPD: www.aepd.es).
"""

_ENGLISH = """\
WHAT IS HELD OF {who}, ON {day}

It holds photos of faces and biometric data: keep it where nobody else sees it.

photos/            your photos, as they were handed in
crops/             your face, cut out of them
index.csv          which faces are used, and of which photo each is
crop_report.csv    which faces were found on each photo, and why one is not used
embeddings.csv     the numbers that describe your face; these numbers are all that the system compares
groups.csv         which photos are treated as one shot, or one person
predictions.csv    the scores that models which had not seen it gave to your face (1: "is the person"; 0: "is not")
strangers.csv      how much your face is like that of the person who is recognised
data_quality.csv   what was noticed on your photos (blurred, dark, a copy ...)
attributes_*.csv   what the operator has written about you
consent.csv        your consent: since when, until when, how it was given. The contact is there as a hash alone
models.json        which models were trained with your photos
audit.json         when exactly one of these photos was sent to the service, and what it answered

Where nothing of a kind is held, its file is missing. What is no photo is a table (CSV) or text (JSON).

For how long: until the consent ends or is taken back, or until the operator's own limit. What was made of the photos
(crops, numbers, scores) is deleted with them. The audit log holds no photos, and is kept as long as the operator says.

Your rights (GDPR, articles 15 to 22): to see this, to have it corrected, deleted, or used less, to take it elsewhere,
and to object. You can take your consent back at any time, and need give no reason; ask whoever gave you this file. You
can complain to the data protection authority.
"""


def readme(who: str, day: date, missing: Sequence[str]) -> str:
    """The text.

    Args:
        who: the person.
        day: today.
        missing: what could not be looked up.
    """
    parts = []
    for text, heading, catalogue in (
        (_SPANISH, "No se ha podido mirar, porque no está o no se puede leer:", SPANISH),
        (_ENGLISH, "This could not be looked up, since it is not there or cannot be read:", {}),
    ):
        parts.append(text.format(who=who, day=day.isoformat()))
        if missing:
            parts.append("\n".join([heading, *(f"- {translated(one, catalogue)}" for one in missing), ""]))
    return "\n\n".join(parts)
