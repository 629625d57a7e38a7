"""params.yaml, validated: an unknown name or a value out of range is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from faces.image import LARGEST_MAX_PIXELS
from stages.errors import StageError

BackboneName = Literal["facenet-vggface2", "dlib-resnet"]
FacesWanted = Literal["largest", "all"]
Probability = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackboneParams(_Section):
    """Which network embeds faces."""

    name: BackboneName
    offline: Literal["dlib-resnet"] | None
    weights_url: str | None = None
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = None

    @model_validator(mode="after")
    def _both(self) -> BackboneParams:
        if self.weights_url is not None and self.weights_sha256 is None:
            raise ValueError("weights_url needs weights_sha256: weights are never loaded unchecked")
        return self


class DetectorParams(_Section):
    """What decides which faces are found; see `faces.detector.DetectorSettings`."""

    min_face: Annotated[int, Field(ge=12, le=1000)]
    factor: Annotated[float, Field(ge=0.3, le=0.95)]
    thresholds: tuple[Probability, Probability, Probability]
    min_probability: Probability
    max_side: Annotated[int, Field(ge=100, le=10_000)]


class CropParams(_Section):
    """How faces are cut."""

    image_size: Annotated[int, Field(ge=64, le=512)]
    margin: Annotated[int, Field(ge=0, le=60)]
    me_faces: FacesWanted
    not_me_faces: FacesWanted
    max_megapixels: Annotated[float, Field(gt=0, le=LARGEST_MAX_PIXELS / 1e6)]


class EmbedParams(_Section):
    """How crops are embedded."""

    batch_size: Annotated[int, Field(ge=1, le=4096)]
    flip: bool
    device: Literal["auto", "cpu", "cuda"]


class QualityParams(_Section):
    """From where a photo counts as a problem; see `stages.quality`."""

    hash_distance: Annotated[int, Field(ge=0, le=24)]
    duplicate_cosine: Probability
    label_score: Annotated[float, Field(ge=0.5, lt=1)]
    min_face: Annotated[int, Field(ge=0, le=1000)]
    min_sharpness: Annotated[float, Field(ge=0, le=1)]
    min_brightness: Annotated[int, Field(ge=0, le=255)]
    max_brightness: Annotated[int, Field(ge=0, le=255)]
    max_person_share: Annotated[float, Field(gt=0, le=1)]
    sheet_faces: Annotated[int, Field(ge=1, le=1000)]

    @model_validator(mode="after")
    def _some_are_right(self) -> QualityParams:
        if self.min_brightness >= self.max_brightness:
            raise ValueError("min_brightness must be below max_brightness")
        return self


class TrainParams(_Section):
    """How the verifier is trained, and how its errors are estimated; see `stages.protocol`."""

    verifier: Literal["cosine", "logistic_regression"]
    protocol: Literal["cross_validation", "holdout"]
    folds: Annotated[int, Field(ge=2, le=20)]
    repeats: Annotated[int, Field(ge=1, le=100)]
    test_size: Annotated[float, Field(gt=0, lt=1)]
    validation_size: Annotated[float, Field(ge=0, lt=1)]
    random_state: Annotated[int, Field(ge=0, le=2**32 - 1)]
    cosine_C: Annotated[float, Field(gt=0)]
    cohort_weight: Probability
    C: Annotated[float, Field(gt=0)]
    max_iter: Annotated[int, Field(ge=1)]
    class_weight: Literal["balanced"] | None

    @model_validator(mode="after")
    def _leaves_something(self) -> TrainParams:
        if self.test_size + self.validation_size >= 1:
            raise ValueError("test_size and validation_size leave nothing to train on: their sum must be below 1")
        return self


class EvaluateParams(_Section):
    """How the verifier is evaluated."""

    threshold: Probability
    thresholds: Annotated[int, Field(ge=2, le=10_001)]
    target_far: Annotated[float, Field(ge=1e-6, le=0.5)]
    bootstrap: Annotated[int, Field(ge=100, le=100_000)]


class RobustnessParams(_Section):
    """What is degraded; see `stages.robustness`."""

    photos: Annotated[int, Field(ge=2, le=1000)]
    strangers: Annotated[int, Field(ge=2, le=1000)]
    random_state: Annotated[int, Field(ge=0, le=2**32 - 1)]


class ReportParams(_Section):
    """What the report measures itself."""

    language: Literal["es", "en"]
    latency_photos: Annotated[int, Field(ge=1, le=1000)]


class Params(_Section):
    """All of params.yaml."""

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
        raise StageError(f"{path} is not saved as UTF-8 ({error}): save it so in the editor") from error
    except yaml.YAMLError as error:
        raise StageError(f"{path} is not YAML: {error}") from error
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        lines = [_explain(path, problem["type"], problem["loc"], problem["msg"], problem["input"])
                 for problem in error.errors()]  # fmt: skip
        raise StageError("\n".join(lines)) from error


def _explain(path: Path, kind: str, location: tuple[int | str, ...], message: str, given: object) -> str:
    name = ".".join(str(part) for part in location) or "the file"
    if kind == "extra_forbidden":
        return f"{path}: there is no parameter {name}: a typo? Known names stand in stages/params.py"
    if kind == "missing":
        return f"{path}: {name} is missing"
    return f"{path}: {name}: {message}; given: {given!r}"
