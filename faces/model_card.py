"""The model's card: on what a model was trained and how often it is wrong, in files that go with it, models/card/.

The stage `report` writes it, so that the service has it where there is nothing of the pipeline. It names nobody and
shows no face. Like all that the service loads it is recorded (`faces.records`), plots and card as one.
"""

from __future__ import annotations

import bisect
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from faces.errors import UserError
from faces.operating_point import Basis
from faces.records import CheckedRecord, MadeFrom, RecordError, Sha256, Trust, read_record, write_recorded

STAGE, FOLDER, NAME = "report", "card", "card.json"
"""The stage that writes it, its folder beside the model, and the file that says all but the plots."""

FORMAT = 1

MOST_BYTES, MOST_PLOT_BYTES, MOST_PLOTS = 2**19, 2**20, 12
"""What is read at most: of the card, of a plot, and how many plots. The service holds all of it in memory."""

MOST_THRESHOLDS = 2000

_PNG = b"\x89PNG\r\n\x1a\n"

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Time = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\Z", description="UTC, in ISO 8601")]
Words = Annotated[str, Meta(min_length=1, max_length=1000)]
PlotName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z", extra_json_schema={"pattern": "^[a-z][a-z0-9_]{0,39}$"})
]
Interval = Annotated[list[Share], Meta(min_length=2, max_length=2)]
FigureName = Literal["far", "frr", "eer", "auc"]
_Column = Annotated[list[Share | None], Meta(max_length=MOST_THRESHOLDS)]


class ModelCardError(UserError):
    """The card cannot be used; the message says why and what to do."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the card: nothing is in it that is not described."""


class Text(_Part, frozen=True):
    """A text for people, in both languages."""

    es: Words
    en: Words


class Photos(_Part, frozen=True):
    """Photos of which a face was used to train the model, and people in not_me, as far as sub-folders say."""

    me: Count
    not_me: Count
    people: Count


class Figure(_Part, frozen=True):
    """How often the model is wrong, or how well it tells people apart."""

    name: Annotated[
        FigureName,
        Meta(
            description="strangers accepted; photos of me rejected; both where they are equal; area under the ROC curve"
        ),
    ]
    value: Share
    interval: Annotated[Interval | None, Meta(description="bounds with 95 % confidence, where they are known")]
    basis: Annotated[
        Basis,
        Meta(
            description="promised: what FAR is below with 95 % confidence, by own strangers; measured: on faces that "
            "the model had not seen; estimated: by how strangers' faces are spread"
        ),
    ]
    threshold: Annotated[Share | None, Meta(description="at which it is so; null for all thresholds together")]
    people: Annotated[Count | None, Meta(description="strangers that it was measured on")]


class Note(_Part, frozen=True):
    """What was not measured, and why; or what the figures do not cover."""

    kind: Literal["not_measured", "limit"]
    text: Text


class Plot(_Part, frozen=True):
    """A chart: its file's name without .png, what it shows, and what is to be seen on it."""

    name: PlotName
    title: Text
    alt: Text


class Rates(_Part, frozen=True):
    """FAR and FRR along the threshold, for whichever threshold the service has. None is not known.

    Attributes:
        threshold: rising.
        far, far_low, far_high: measured, and the bounds with 95 % confidence.
        far_estimated: by how strangers' faces are spread.
        frr, frr_low, frr_high: as of FAR.
        people: strangers that FAR was measured on.
    """

    threshold: Annotated[list[Share], Meta(min_length=1, max_length=MOST_THRESHOLDS)]
    far: _Column
    far_low: _Column
    far_high: _Column
    far_estimated: _Column
    frr: _Column
    frr_low: _Column
    frr_high: _Column
    people: Count

    def __post_init__(self) -> None:
        """Raises:
        ValueError: columns of different lengths, or thresholds that do not rise.
        """
        lengths = {len(getattr(self, name)) for name in self.__struct_fields__ if name != "people"}
        if len(lengths) > 1 or any(a >= b for a, b in zip(self.threshold, self.threshold[1:], strict=False)):
            raise ValueError("not a table of thresholds that rise")

    def at(self, threshold: float) -> list[Figure]:
        """FAR in the ways that are known, and FRR, at a threshold.

        At one that is not in the table, FAR is that of the next lower one and FRR that of the next higher one, so that
        neither is told too low; each figure has the threshold that it is of.

        Args:
            threshold: 0 to 1.
        """
        lower = max(bisect.bisect_right(self.threshold, threshold + _SAME) - 1, 0)
        upper = min(bisect.bisect_left(self.threshold, threshold - _SAME), len(self.threshold) - 1)
        figures = []
        far, high, estimated = self.far[lower], self.far_high[lower], self.far_estimated[lower]
        at = self.threshold[lower]
        if far is not None:
            figures.append(Figure("far", far, _bounds(self.far_low[lower], high), "measured", at, self.people))
        if high is not None and high < _NO_BOUND:
            figures.append(Figure("far", high, None, "promised", at, self.people))
        if estimated is not None:
            figures.append(Figure("far", estimated, None, "estimated", at, None))
        frr = self.frr[upper]
        if frr is not None:
            bounds = _bounds(self.frr_low[upper], self.frr_high[upper])
            figures.append(Figure("frr", frr, bounds, "measured", self.threshold[upper], None))
        return figures


_SAME = 1e-9  # thresholds that differ by less are one
_NO_BOUND = 0.9995  # from here on an upper bound is shown as 100 %, and says nothing


def _bounds(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


class ModelCard(_Part, frozen=True, kw_only=True):
    """The content of card.json.

    Attributes:
        format: `FORMAT`.
        model_sha256: of model.joblib, to which it belongs.
        backbone: name of the network that embeds faces.
        verifier: "cosine" or "logistic_regression".
        trained: when the model's file was written, as the file system has it.
        written: when the card was.
        language: of the plots' words.
        photos: what the model was trained on.
        threshold: that the figures are of; the service may have another one, and then takes them from `rates`.
        figures: at that threshold, then those of all thresholds together.
        rates: along the threshold.
        notes: what was not measured, and why; what the figures do not cover.
        plots: in the order in which they are to be shown.
    """

    format: int
    model_sha256: Sha256
    backbone: Words
    verifier: Words
    trained: Time
    written: Time
    language: Literal["es", "en"]
    photos: Photos
    threshold: Share
    figures: Annotated[list[Figure], Meta(max_length=50)]
    rates: Rates
    notes: Annotated[list[Note], Meta(max_length=50)]
    plots: Annotated[list[Plot], Meta(max_length=MOST_PLOTS)]

    def figures_at(self, threshold: float) -> list[Figure]:
        """The figures for a service with this threshold: at it; at the card's own, if that is another; of all.

        Args:
            threshold: 0 to 1.
        """
        own = [] if abs(threshold - self.threshold) < _SAME else self.rates.at(self.threshold)
        return [*self.rates.at(threshold), *own, *(figure for figure in self.figures if figure.threshold is None)]


@dataclass(frozen=True)
class CardFiles:
    """A card that was read, and its plots as PNG, by name."""

    card: ModelCard
    plots: Mapping[str, bytes]


def write(folder: Path, card: ModelCard, plots: Mapping[str, bytes], made_from: MadeFrom | None = None) -> None:
    """Write the card, its plots and the record that names them. What an earlier one left in its folder is deleted.

    Args:
        folder: of the model.
        card: what it says.
        plots: PNG, by the names that the card has.
        made_from: for the record.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
        RecordError: the key to sign with is too short.
    """
    files = {f"{FOLDER}/{plot.name}.png": plots[plot.name] for plot in card.plots}
    files[f"{FOLDER}/{NAME}"] = msgspec.json.format(msgspec.json.encode(card)) + b"\n"
    write_recorded(folder, STAGE, files, made_from, card.backbone)
    for path in (folder / FOLDER).iterdir():
        if f"{FOLDER}/{path.name}" not in files:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def read(folder: Path, model_sha256: str, trust: Trust) -> CardFiles:
    """Read the card that belongs to a model. Nothing is believed of the files but what the record says of them.

    Args:
        folder: of the model.
        model_sha256: of the model that is served.
        trust: what is believed.

    Raises:
        ModelCardError: card or plots are missing, damaged or too large, of another model or version, or not those that
            are recorded.
    """
    path = folder / FOLDER / NAME
    data = _read(path, MOST_BYTES)
    record = _Recorded.read(folder, path, data, trust)
    try:
        form = msgspec.json.decode(data, type=_Format).format
        card = msgspec.json.decode(data, type=ModelCard) if form == FORMAT else None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if card is None:
        text = "{name} is of another version of the project: run 'dvc repro', and copy all of models/"
        raise ModelCardError(text, name=path.name)
    if card.model_sha256 != model_sha256:
        raise ModelCardError("{name} is of another model: run 'dvc repro', and copy all of models/", name=path.name)
    plots = {}
    for plot in card.plots:
        of_plot = folder / FOLDER / f"{plot.name}.png"
        plots[plot.name] = _read(of_plot, MOST_PLOT_BYTES)
        record.check(of_plot, plots[plot.name])
        if not plots[plot.name].startswith(_PNG):
            raise _damaged(of_plot)
    if len(plots) != len(card.plots):
        raise _damaged(path)
    return CardFiles(card, plots)


class _Format(Struct):
    """As much of a card as says which version it is of."""

    format: int


@dataclass(frozen=True)
class _Recorded:
    """The record of a card, whose signature is right; None where nothing is asked for, and none can be believed.

    Attributes:
        trust: what is believed.
        record: as read.
        digest: SHA-256 of card.json.
    """

    trust: Trust
    record: CheckedRecord | None
    digest: str

    @classmethod
    def read(cls, folder: Path, path: Path, data: bytes, trust: Trust) -> _Recorded:
        """Of the card in a file, with this content.

        Raises:
            ModelCardError: it is not the one that is recorded.
        """
        try:
            record = read_record(folder, STAGE, path, trust.key)
            return cls(trust, record, record.check(f"{FOLDER}/{NAME}", path, data))
        except RecordError as error:
            _tolerate(trust, error, path)
            return cls(trust, None, "")

    def check(self, path: Path, data: bytes) -> None:
        """Make sure that a plot is of the same run as the card.

        Raises:
            ModelCardError: it is not.
        """
        if self.record is None:
            return
        name = f"{FOLDER}/{path.name}"
        try:
            digest = self.record.check(name, path, data)
        except RecordError as error:
            _tolerate(self.trust, error, path)
            return
        if self.record.record.of_the_same_run(f"{FOLDER}/{NAME}", self.digest, name) != digest:
            raise _damaged(path)


def _tolerate(trust: Trust, error: RecordError, path: Path) -> None:
    """As `Trust.tolerate`; the error of this module says less, since anybody may read it.

    Raises:
        ModelCardError: unrecorded files are not allowed.
    """
    try:
        trust.tolerate(error)
    except RecordError:
        text = "{name} is not what the pipeline recorded: run 'dvc repro --force {stage}', and copy all of models/"
        raise ModelCardError(text, name=path.name, stage=STAGE) from error


def _read(path: Path, most: int) -> bytes:
    """A file's content.

    Raises:
        ModelCardError: it is missing, is no file, cannot be read or is too large.
    """
    try:
        if not path.is_file():  # nor a pipe, on which reading would wait
            raise ModelCardError("there is no {name} beside the model: run 'dvc repro'", name=path.name)
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise _damaged(path) from error
    if len(data) > most:
        raise _damaged(path)
    return data


def _damaged(path: Path) -> ModelCardError:
    return ModelCardError("{name} is damaged: run 'dvc repro --force {stage}'", name=path.name, stage=STAGE)
