"""The shape of every JSON answer, for /openapi.json. Routes write them; a test holds what they write to these types."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from faces.model_card import Figure, Note, Photos, Plot
from faces.photo_limits import HINTS
from service.error_kinds import KINDS
from service.hints import NO_FACE_FOUND

Probability = Annotated[float, Meta(ge=0, le=1)]
Share = Annotated[float, Meta(ge=0, le=1, description="share of strangers who are estimated to score as high")]
Pixels = Annotated[float, Meta(description="pixels of the photo as displayed")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
HintCode = Annotated[str, Meta(extra_json_schema={"enum": [*HINTS, NO_FACE_FOUND]})]
ErrorCode = Annotated[
    str,
    Meta(description="what programs tell it by", extra_json_schema={"enum": [kind.code for kind in KINDS]}),
]


class Endpoints(Struct):
    """Paths of the two endpoints that most clients need."""

    health: str
    verify: str


class Index(Struct):
    """What this service is."""

    name: str
    version: str
    description: str
    endpoints: Endpoints


class Status(Struct):
    """All is well."""

    status: Literal["ok"]


class Unhealthy(Struct):
    """No photo can be verified."""

    status: Literal["unhealthy"]
    reason: Literal["Models not loaded"]
    detail: Annotated[str, Meta(description="what is missing or wrong, in the language asked for")]


class Reload(Struct):
    """What came of a reload; begun: /readyz tells when it is done."""

    status: Literal["begun", "done", "refused"]
    time: Annotated[str, Meta(description="UTC, in ISO 8601")]
    reason: Annotated[str, Meta(description="why it was refused, in the language asked for")] | UnsetType = UNSET


class Ready(Struct):
    """Photos are verified in time."""

    status: Literal["ok"]
    reload: Annotated[Reload, Meta(description="the last one, if there was one")] | UnsetType = UNSET


class Unready(Struct):
    """Photos should go elsewhere for now."""

    status: Literal["unready"]
    reason: Annotated[str, Meta(description="why, in the language asked for")]
    reload: Annotated[Reload, Meta(description="the last one, if there was one")] | UnsetType = UNSET


class PageSettings(Struct):
    """What a client has to know before it asks for more."""

    max_bytes: Annotated[int, Meta(ge=1, description="largest photo; exactly this many bytes still pass")]
    max_megapixels: Annotated[float, Meta(gt=0, description="largest photo, in millions of pixels")]
    accepted_types: Annotated[list[str], Meta(min_length=1, description="MIME types of photos")]
    key_needed: Annotated[bool, Meta(description="whether /verify asks for a key")]
    threshold: Probability
    threshold_basis: Literal["set", "promised", "estimated", "default"]
    has_card: Annotated[bool, Meta(description="whether there is a card of the model: /model/card")]


class Version(Struct):
    """Which model and which code answer; null is what cannot be known."""

    model_version: str
    backbone: str | None
    model_sha256: Sha256 | None
    verifier_sha256: Sha256 | None
    networks_sha256: Sha256 | None
    git_revision: Annotated[str, Meta(pattern="^[0-9a-f]{40,64}$")] | None
    dvc_lock_sha256: Sha256 | None


class ModelCard(Struct, kw_only=True):
    """What the model that is served was trained on, and how often it is wrong."""

    format: Annotated[int, Meta(description="of this answer; more fields do not change it")]
    model_sha256: Sha256
    backbone: str
    verifier: str
    trained: Annotated[str, Meta(description="when the model's file was written: UTC, in ISO 8601")]
    written: Annotated[str, Meta(description="when the figures were: UTC, in ISO 8601")]
    language: Annotated[Literal["es", "en"], Meta(description="of the words in the charts")]
    photos: Photos
    threshold: Annotated[Probability, Meta(description="that is served")]
    figures: Annotated[
        list[Figure], Meta(description="at the threshold that is served; at the card's own, if another; then of all")
    ]
    notes: Annotated[list[Note], Meta(description="what was not measured, and what the figures do not cover")]
    plots: Annotated[list[Plot], Meta(description="charts: GET /model/plots/<name>.png")]


class Hint(Struct):
    """What the person on the photo can do better."""

    code: HintCode
    text: Annotated[str, Meta(description="a sentence for people, in the language asked for")]


class FaceMeasures(Struct):
    """Where a face is, and how good it is to recognise."""

    box: Annotated[list[Pixels], Meta(min_length=4, max_length=4, description="left, top, right, bottom")]
    probability: Probability
    turned: Annotated[int, Meta(ge=0, lt=360, description="degrees clockwise that the photo was turned to find it")]
    size: Pixels
    sharpness: Annotated[float, Meta(ge=0)]
    brightness: Annotated[float, Meta(ge=0, le=255)]
    turned_away: Annotated[float, Meta(ge=0, description="0 from the front, 0.5 where the nose is below an eye")]
    visible: Probability


class FaceVerdict(FaceMeasures, kw_only=True):
    """One of several faces, with its own decision."""

    is_me: bool
    score: Probability
    strangers_like_this: Share | UnsetType = UNSET
    hints: list[Hint]


class Verdict(Struct, kw_only=True):
    """Whether the largest face on the photo is "me"."""

    model_version: str
    is_me: Annotated[bool, Meta(description="score >= threshold")]
    score: Annotated[float, Meta(ge=0, le=1, description="probability of me")]
    threshold: Probability
    timing_ms: Annotated[float, Meta(ge=0, description="milliseconds that the server spent")]
    threshold_source: Literal["setting", "auto", "default"]
    threshold_basis: Literal["set", "promised", "estimated", "default"]
    threshold_note: (
        Annotated[str, Meta(description="where the source is default: why, in the language asked for")] | UnsetType
    ) = UNSET
    strangers_like_this: Share | UnsetType = UNSET
    backbone: str
    face: FaceMeasures
    hints: list[Hint]
    faces_found: Annotated[int, Meta(ge=1, description="with faces=all")] | UnsetType = UNSET
    faces: Annotated[list[FaceVerdict], Meta(description="with faces=all: the largest ones")] | UnsetType = UNSET


class Error(Struct):
    """Any answer that is no success."""

    error: Annotated[str, Meta(description="what is wrong, in Spanish whatever language is asked for")]
    code: ErrorCode
    message: Annotated[str, Meta(description="what is wrong, in the language asked for")]
    detail: Annotated[str, Meta(description="more about this case, in the language asked for")] | UnsetType = UNSET
    hints: list[Hint] | UnsetType = UNSET


IN_A_LANGUAGE = (Unhealthy, Ready, Unready, Reload, Verdict, Error)
"""The answers with texts in the language that is asked for."""
