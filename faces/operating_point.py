"""The threshold chosen for a model, in a file that goes with it: models/operating_point.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from faces.errors import UserError
from faces.files import sha256_of
from faces.message import Message
from faces.records import MadeFrom, RecordError, Trust, write_recorded

STAGE, NAME = "evaluate", "operating_point.json"
"""The stage that writes the file, and what it and its record call it."""

DEFAULT_THRESHOLD = 0.75
"""The threshold if none is set, and if the data are too few to choose one."""


def strangers_are(people: int, effective: int) -> Message:
    """The beginning of a sentence: how many strangers there are and, if they count as fewer, as how many."""
    if effective == people:
        return Message("{people:# stranger is|# strangers are}", people=people)
    return Message(
        "{people:# stranger|# strangers} (they count as only {effective}, because several faces of one "
        "person or photo are not independent) {people:is|are}",
        people=people,
        effective=effective,
    )


Basis = Literal["promised", "measured", "estimated"]

_FIRST_KEYS = {"threshold", "target_far", "supported", "model_sha256"}
"""What the file had before there were estimates, too."""


def _basis(value: Any) -> Basis:
    if value not in get_args(Basis):
        raise ValueError(value)
    known: Basis = value
    return known


class OperatingPointError(UserError):
    """The file cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, and the data that it was chosen with.

    Attributes:
        threshold: 0 to 1; a score at or above it is accepted as "me".
        target_far: share of strangers that may get in, as asked for.
        basis: what says that no more get in: "promised" (own strangers, with 95 % confidence), "measured" (own
            strangers, too few to promise it) or "estimated" (the population; there are no own strangers).
        estimated_threshold: the threshold that `target_far` of all strangers are estimated to reach; None where the
            model knows no population.
        accept_estimate: whether the service may take that one where nothing can be promised.
        people: strangers it was measured on.
        effective_people: how many they count as: fewer if some have more faces than others (more photos, copies, or
            bystanders on a photo).
        people_needed: how many it takes, at least, to promise the target.
    """

    threshold: float
    target_far: float
    basis: Basis
    estimated_threshold: float | None
    accept_estimate: bool
    people: int
    effective_people: int
    people_needed: int

    @property
    def supported(self) -> bool:
        """Whether own strangers promise the target."""
        return self.basis == "promised"

    def write(
        self,
        folder: Path,
        model: Path,
        figures: Mapping[str, Any] | None = None,
        made_from: MadeFrom | None = None,
        backbone: str | None = None,
    ) -> None:
        """Write operating_point.json and the record that names it (`faces.records`).

        Args:
            folder: where to.
            model: the model's file.
            figures: more, for people to read.
            made_from, backbone: for the record.
        """
        content = {**asdict(self), "supported": self.supported, **(figures or {}), "model_sha256": sha256_of(model)}
        text = json.dumps(content, indent=2) + "\n"
        write_recorded(folder, STAGE, {NAME: text.encode()}, made_from, backbone)

    @classmethod
    def read(cls, path: Path, model: Path | str, trust: Trust | None = None) -> OperatingPoint:
        """Read the file that belongs to a model.

        Args:
            path: the file.
            model: the model's file; or its SHA-256, where it has been loaded already and the file may have changed.
            trust: the file has to be the one that the record beside it names, as far as this believes it; None asks
                for no record.

        Raises:
            OperatingPointError: it is missing or damaged, of an earlier version, of another model, or not the one that
                is recorded.
        """
        try:
            data = path.read_bytes()
            if trust is not None:
                trust.check(STAGE, NAME, path, data)
            values = json.loads(data)
            if values.keys() >= _FIRST_KEYS and "basis" not in values:
                text = "{name} is of an earlier version of the project: run 'dvc repro', and copy all of models/"
                raise OperatingPointError(text, name=path.name)
            point = cls(
                float(values["threshold"]), float(values["target_far"]), _basis(values["basis"]),
                None if (estimated := values["estimated_threshold"]) is None else float(estimated),
                values["accept_estimate"] is True,
                int(values["people"]), int(values["effective_people"]), int(values["people_needed"]),
            )  # fmt: skip
            of_model = values["model_sha256"]
        except FileNotFoundError:
            text = "there is no {name} beside the model: run 'dvc repro'"
            raise OperatingPointError(text, name=path.name) from None
        except RecordError as error:
            text = "{name} is not what the pipeline recorded: run 'dvc repro --force {stage}', and copy all of models/"
            raise OperatingPointError(text, name=path.name, stage=STAGE) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            text = "{name} is damaged: run 'dvc repro --force {stage}'"
            raise OperatingPointError(text, name=path.name, stage=STAGE) from error
        for threshold in (point.threshold, point.estimated_threshold):
            if threshold is not None and not 0 <= threshold <= 1:
                text = "{name} gives the threshold {threshold}; expected 0 to 1"
                raise OperatingPointError(text, name=path.name, threshold=threshold)
        loaded = model if isinstance(model, str) else sha256_of(model) if model.is_file() else None
        if loaded != of_model:
            text = "{name} is of another model: run 'dvc repro', and copy all of models/"
            raise OperatingPointError(text, name=path.name)
        return point
