"""params.yaml, validated: an unknown name or a value out of range is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from msgspec import Meta, Struct, convert
from msgspec.structs import FieldInfo, fields

from stages.errors import StageError

BackboneName = Literal["facenet-vggface2", "dlib-resnet"]
FacesWanted = Literal["largest", "all"]
Language = Literal["es", "en"]
_LARGEST_MEGAPIXELS = 178  # faces.recognition.image.LARGEST_MAX_PIXELS, rounded down
_MOVED = {"report.language": "language, at the top of the file,"}  # names of earlier versions
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
            raise ValueError("weights_url needs weights_sha256: weights are never loaded unchecked")


class DetectorParams(_Section, frozen=True):
    """What decides which faces are found; see `faces.detection.settings.DetectorSettings`."""

    min_face: Annotated[int, Meta(ge=12, le=1000)]
    factor: Annotated[float, Meta(ge=0.3, le=0.95)]
    thresholds: tuple[Probability, Probability, Probability]
    min_probability: Probability
    max_side: Annotated[int, Meta(ge=100, le=10_000)]


class CropParams(_Section, frozen=True):
    """How faces are cut."""

    image_size: Annotated[int, Meta(ge=64, le=512)]
    margin: Annotated[int, Meta(ge=0, le=60)]
    me_faces: FacesWanted
    not_me_faces: FacesWanted
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
    label_score: Annotated[float, Meta(ge=0.5, lt=1)]
    min_face: Annotated[int, Meta(ge=0, le=1000)]
    min_sharpness: Annotated[float, Meta(ge=0, le=1)]
    min_brightness: Annotated[int, Meta(ge=0, le=255)]
    max_brightness: Annotated[int, Meta(ge=0, le=255)]
    max_person_share: Annotated[float, Meta(gt=0, le=1)]
    sheet_faces: Annotated[int, Meta(ge=1, le=1000)]

    def __post_init__(self) -> None:
        if self.min_brightness >= self.max_brightness:
            raise ValueError("min_brightness must be below max_brightness")


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
    C: Annotated[float, Meta(gt=0)]
    max_iter: Annotated[int, Meta(ge=1)]
    class_weight: Literal["balanced"] | None

    def __post_init__(self) -> None:
        if self.test_size + self.validation_size >= 1:
            raise ValueError("test_size and validation_size leave nothing to train on: their sum must be below 1")


class EvaluateParams(_Section, frozen=True):
    """How the verifier is evaluated."""

    threshold: Probability
    thresholds: Annotated[int, Meta(ge=2, le=10_001)]
    target_far: Annotated[float, Meta(ge=1e-6, le=0.5)]
    bootstrap: Annotated[int, Meta(ge=100, le=100_000)]


class RobustnessParams(_Section, frozen=True):
    """What is degraded; see `stages.robustness`."""

    photos: Annotated[int, Meta(ge=2, le=1000)]
    strangers: Annotated[int, Meta(ge=2, le=1000)]
    random_state: Annotated[int, Meta(ge=0, le=2**32 - 1)]


class ReportParams(_Section, frozen=True):
    """What the report measures itself."""

    latency_photos: Annotated[int, Meta(ge=1, le=1000)]


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


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises:
        StageError: it is missing, is not YAML, or a name or value in it is wrong; the message names each one.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StageError(f"{path} is missing: run from the root of the project") from error
    except UnicodeDecodeError as error:
        raise StageError(f"{path} is not saved as UTF-8: save it so in the editor") from error
    except yaml.YAMLError as error:
        raise StageError(f"{path} is not YAML{_where(error)}") from error
    if not isinstance(values, dict):
        raise StageError(f"{path}: the file: expected sections with parameters; given: {values!r}")
    problems: list[str] = []
    sections = _checked("", values, Params, problems)
    if problems:
        raise StageError("\n".join(f"{path}: {problem}" for problem in problems))
    return Params(**sections)


def _where(error: yaml.YAMLError) -> str:
    """Where a file stops being YAML, as far as that is known."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return ": look for a character that cannot be printed"
    return f": look at line {mark.line + 1}, column {mark.column + 1}, and at the line before"


def _checked(name: str, values: dict[Any, Any], expected: type[Struct], problems: list[str]) -> dict[str, Any]:
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
            problems.append(f"{name}{key} is missing")
    return checked


def _unknown(name: str) -> str:
    """What is wrong with a name that is no parameter."""
    if name in _MOVED:
        return f"{name} is called {_MOVED[name]} now: move the line there"
    return f"there is no parameter {name}: a typo? Known names stand in stages/params.py"


def _value(name: str, given: Any, field: FieldInfo, problems: list[str]) -> Any:
    """A value as its field has it; where it cannot be, problems get one more, and the value is None."""
    section = isinstance(field.type, type) and issubclass(field.type, _Section)
    before = len(problems)
    try:
        if not (section and isinstance(given, dict)):
            return convert(given, field.type, strict=False)
        values = _checked(f"{name}.", given, field.type, problems)
        return field.type(**values) if len(problems) == before else None
    except ValueError as error:  # msgspec's own, "Expected `int` >= 1", is one
        told = str(error).replace("Expected", "expected").replace("`", "")
        if told.startswith("Invalid enum value"):  # msgspec does not name the right ones
            told = f"expected {' or '.join(_choices(field.type))}"
        problems.append(f"{name}: {told}; given: {given!r}")
    return None


def _choices(expected: Any) -> list[str]:
    """The values of a Literal, alone or with None, as params.yaml has them."""
    return [
        choice
        for part in get_args(expected)
        for choice in (["null"] if part is type(None) else _choices(part) if get_args(part) else [str(part)])
    ]
