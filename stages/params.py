"""params.yaml, validated: an unknown name or a value out of range is an error that names it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from msgspec import Meta, Struct, convert
from msgspec.structs import FieldInfo, fields

from faces.message import Message
from stages.errors import StageError
from stages.language.telling import Language

BackboneName = Literal["facenet-vggface2", "dlib-resnet"]
FacesOfMe = Literal["largest", "matching", "all"]
FacesOfOthers = Literal["largest", "all"]
_LARGEST_MEGAPIXELS = 178  # faces.recognition.image.LARGEST_MAX_PIXELS, rounded down
_MOVED = {"report.language": Message("language, at the top of the file,")}  # names of earlier versions
Probability = Annotated[float, Meta(ge=0, le=1)]


class _Section(Struct, frozen=True, kw_only=True):
    """Some parameters; those that have to fit together are checked in `__post_init__`, which raises a ValueError."""


class BackboneParams(_Section, frozen=True):
    """Which network embeds faces."""

    name: BackboneName
    offline: Literal["dlib-resnet"] | None
    weights_url: str | None = None
    weights_sha256: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}\Z")] | None = None

    def __post_init__(self) -> None:
        if self.weights_url is not None and self.weights_sha256 is None:
            raise ValueError(Message("weights_url needs weights_sha256: weights are never loaded unchecked"))


class DetectorParams(_Section, frozen=True):
    """What decides which faces are found; see `faces.detection.settings.DetectorSettings`."""

    min_face: Annotated[int, Meta(ge=12, le=1000)]
    factor: Annotated[float, Meta(ge=0.3, le=0.95)]
    thresholds: tuple[Probability, Probability, Probability]
    min_probability: Probability
    max_side: Annotated[int, Meta(ge=100, le=10_000)]
    try_turned: bool


class CropParams(_Section, frozen=True):
    """How faces are cut."""

    image_size: Annotated[int, Meta(ge=64, le=512)]
    margin: Annotated[int, Meta(ge=0, le=60)]
    me_faces: FacesOfMe
    not_me_faces: FacesOfOthers
    max_megapixels: Annotated[float, Meta(gt=0, le=_LARGEST_MEGAPIXELS)]


class EmbedParams(_Section, frozen=True):
    """How crops are embedded."""

    batch_size: Annotated[int, Meta(ge=1, le=4096)]
    flip: bool
    device: Literal["auto", "cpu", "cuda"]


class QualityParams(_Section, frozen=True):
    """From where a photo counts as a problem; see `stages.quality`."""

    hash_distance: Annotated[int, Meta(ge=0, le=24)]
    duplicate_cosine: Probability
    copy_cosine: Probability
    label_score: Annotated[float, Meta(ge=0.5, lt=1)]
    min_face: Annotated[int, Meta(ge=0, le=1000)]
    min_sharpness: Annotated[float, Meta(ge=0, le=1)]
    min_brightness: Annotated[int, Meta(ge=0, le=255)]
    max_brightness: Annotated[int, Meta(ge=0, le=255)]
    max_turned_away: Annotated[float, Meta(ge=0, le=10)]
    min_visible: Probability
    max_person_share: Annotated[float, Meta(gt=0, le=1)]
    sheet_faces: Annotated[int, Meta(ge=1, le=1000)]

    def __post_init__(self) -> None:
        if self.min_brightness >= self.max_brightness:
            raise ValueError(Message("min_brightness must be below max_brightness"))


class TrainParams(_Section, frozen=True):
    """How the verifier is trained, and how its errors are estimated; see `stages.estimation.protocol`."""

    verifier: Literal["cosine", "logistic_regression"]
    protocol: Literal["cross_validation", "holdout"]
    folds: Annotated[int, Meta(ge=2, le=20)]
    repeats: Annotated[int, Meta(ge=1, le=100)]
    test_size: Annotated[float, Meta(gt=0, lt=1)]
    validation_size: Annotated[float, Meta(ge=0, lt=1)]
    random_state: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    cosine_C: Annotated[float, Meta(gt=0)]
    cohort_weight: Probability
    population: str
    population_far: Annotated[float, Meta(ge=1e-5, le=0.1)]
    strangers: Literal["anyone", "like_me"]
    C: Annotated[float, Meta(gt=0)]
    max_iter: Annotated[int, Meta(ge=1)]
    class_weight: Literal["balanced"] | None

    def __post_init__(self) -> None:
        if self.test_size + self.validation_size >= 1:
            raise ValueError(
                Message("test_size and validation_size leave nothing to train on: their sum must be below 1")
            )


class EvaluateParams(_Section, frozen=True):
    """How the verifier is evaluated."""

    threshold: Probability
    thresholds: Annotated[int, Meta(ge=2, le=10_001)]
    target_far: Annotated[float, Meta(ge=1e-6, le=0.5)]
    accept_estimate: bool
    bootstrap: Annotated[int, Meta(ge=100, le=100_000)]


class RobustnessParams(_Section, frozen=True):
    """What is degraded; see `stages.robustness`."""

    photos: Annotated[int, Meta(ge=2, le=1000)]
    strangers: Annotated[int, Meta(ge=2, le=1000)]
    random_state: Annotated[int, Meta(ge=0, le=2**32 - 1)]


class ReportParams(_Section, frozen=True):
    """What the report measures itself."""

    latency_photos: Annotated[int, Meta(ge=1, le=1000)]


class PrivacyParams(_Section, frozen=True):
    """What is done for the people on the photos; see `stages.files.consent` and docs/privacy.md."""

    consent: Literal["off", "warn", "require"]
    register: str
    max_age_days: Annotated[int, Meta(ge=1, le=36_500)] | None
    encrypt_derived: bool


class Params(_Section, frozen=True):
    """All of params.yaml."""

    language: Language
    backbone: BackboneParams
    detector: DetectorParams
    crop: CropParams
    embed: EmbedParams
    quality: QualityParams
    train: TrainParams
    evaluate: EvaluateParams
    robustness: RobustnessParams
    report: ReportParams
    privacy: PrivacyParams


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        StageError: it is missing, is not YAML, or a name or value in it is wrong; the message names each one.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StageError("{path} is missing: run from the root of the project", path=path) from error
    except UnicodeDecodeError as error:
        raise StageError("{path} is not saved as UTF-8: save it so in the editor", path=path) from error
    except yaml.YAMLError as error:
        raise StageError("{path} is not YAML: {where}", path=path, where=_where(error)) from error
    if not isinstance(values, dict):
        raise StageError(
            "{path}: the file: expected sections with parameters; given: {values!r}", path=path, values=values
        )
    problems: list[Message] = []
    sections = _checked("", values, Params, problems)
    problems += _missing_population(sections.get("train"), path.parent)
    if problems:
        raise StageError(_lines([Message("{path}: {problem}", path=path, problem=problem) for problem in problems]))
    return Params(**sections)


def _missing_population(train: TrainParams | None, root: Path) -> list[Message]:
    """What is wrong with `train.population` where it names a file that is not there: any stage says so, not only train.

    Args:
        train: the section; None where it has another mistake.
        root: of the project, from which the path goes.
    """
    if train is None or train.verifier != "cosine" or train.population in ("auto", "none"):
        return []
    path = (root / train.population).resolve()
    if path.is_file():
        return []
    text = (
        "train.population: there is no file {path}. Expected: auto, none, or the path of a file that "
        "faces.fit_population wrote, absolute or from the project's root; given: {given!r}"
    )
    return [Message(text, path=path, given=train.population)]


def _lines(messages: Sequence[Message]) -> Message:
    """Messages below each other, as one."""
    named = {f"line{number}": message for number, message in enumerate(messages)}
    return Message("\n".join(f"{{{name}}}" for name in named), **named)


def _where(error: yaml.YAMLError) -> Message:
    """Where a file stops being YAML, as far as that is known."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Message("look for a character that cannot be printed")
    text = "look at line {line}, column {column}, and at the line before"
    return Message(text, line=mark.line + 1, column=mark.column + 1)


def _checked(name: str, values: dict[Any, Any], expected: type[Struct], problems: list[Message]) -> dict[str, Any]:
    """The values of a section by the names of its fields, sections within it made; what is wrong is added to problems.

    Field by field, since msgspec by itself stops at the first mistake.
    """
    known = {field.name: field for field in fields(expected)}
    checked = {}
    problems += [_unknown(f"{name}{key}") for key in values if key not in known]
    for key, field in known.items():
        if key in values:
            checked[key] = _value(f"{name}{key}", values[key], field, problems)
        elif field.required:
            problems.append(Message("{name} is missing", name=f"{name}{key}"))
    return checked


def _unknown(name: str) -> Message:
    """What is wrong with a name that is no parameter."""
    if name in _MOVED:
        return Message("{name} is called {new} now: move the line there", name=name, new=_MOVED[name])
    return Message("there is no parameter {name}: a typo? Known names stand in stages/params.py", name=name)


def _value(name: str, given: Any, field: FieldInfo, problems: list[Message]) -> Any:
    """A value as its field has it; where it cannot be, problems get one more, and the value is None."""
    section = isinstance(field.type, type) and issubclass(field.type, _Section)
    before = len(problems)
    try:
        if given is False and _is_choice(field.type):
            given = "off" if "off" in _choices(field.type) else given  # YAML 1.1 reads a bare off so
        if not (section and isinstance(given, dict)):
            return convert(given, field.type, strict=False)
        values = _checked(f"{name}.", given, field.type, problems)
        return field.type(**values) if len(problems) == before else None
    except ValueError as error:  # msgspec's own, "Expected `int` >= 1", is one
        text = "{name}: {expected}; given: {given!r}"
        problems.append(Message(text, name=name, expected=_expected(error, field), given=given))
    return None


_KINDS = {
    "int": Message("a whole number"),
    "float": Message("a number"),
    "bool": Message("true or false"),
    "str": Message("a text"),
    "array": Message("a list"),
    "object": Message("a section with parameters"),
}
"""What msgspec calls a kind of value, and the same in words."""

_BOUNDS = {
    ">=": Message("{kind} of at least {bound}"),
    "<=": Message("{kind} of at most {bound}"),
    ">": Message("{kind} above {bound}"),
    "<": Message("{kind} below {bound}"),
}


def _expected(error: ValueError, field: FieldInfo) -> Message:
    """What a parameter should be, from the error of reading it: msgspec's, or one with a message of this file."""
    if error.args and isinstance(error.args[0], Message):
        return error.args[0]
    if _is_choice(field.type):  # msgspec does not name the right ones
        return Message("expected {choices}", choices=_either(_choices(field.type)))
    text, _, place = str(error).replace("`", "").partition(" - at $")
    said = _in_words(text)
    if number := re.fullmatch(r"\[(\d+)\]", place):
        return Message("{said} as value {number} of the list", said=said, number=int(number[1]) + 1)
    return said


def _in_words(text: str) -> Message:
    """A sentence of msgspec's, such as "Expected int >= 1", for those who know no types. What was given is told beside.

    Args:
        text: without the quotes and without the place that msgspec may add.
    """
    expected = text.removeprefix("Expected ")
    if found := re.fullmatch(r"array of length (?P<length>\d+), got (?P<got>\d+)", expected):
        return Message("expected a list of {length:# value|# values}, not of {got}", **found.groupdict())
    if found := re.fullmatch(r"str matching regex (?P<pattern>.+)", expected):
        return Message("expected a text that matches the regular expression {pattern}", **found.groupdict())
    if (found := re.fullmatch(r"(\w+) ([<>]=?) (\S+)", expected)) and found[1] in _KINDS:
        bound = Message(_BOUNDS[found[2]], kind=_KINDS[found[1]], bound=f"{float(found[3]):.10g}")
        return Message("expected {kind}", kind=bound)
    kinds = [_KINDS.get(name, name) for name in expected.partition(", got ")[0].split(" | ")]
    return Message("expected {kind}", kind=_either(kinds))


def _either(choices: Sequence[str]) -> Message | str:
    """Some words or messages as alternatives."""
    if len(choices) == 1:
        return choices[0]
    others = choices[0] if len(choices) == 2 else ", ".join(choices[:-1])  # a message alone is told in Spanish too
    return Message("{others} or {last}", others=others, last=choices[-1])


def _is_choice(expected: Any) -> bool:
    """Whether a type is a Literal, alone or with None."""
    return any(get_origin(part) is Literal for part in (expected, *get_args(expected)))


def _choices(expected: Any) -> list[str]:
    """The values of a Literal, alone or with None, as params.yaml has them."""
    return [
        choice
        for part in get_args(expected)
        for choice in (["null"] if part is type(None) else _choices(part) if get_args(part) else [str(part)])
    ]
