"""What each kind of setting may be: types whose description is the second half of "NAME is 'x'; expected …"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from faces.recognition.image import LARGEST_MAX_PIXELS
from faces.recognition.image_kinds import KINDS
from faces.records import LEAST_KEY

TRUE = ("true", "1", "yes", "on")
FALSE = ("false", "0", "no", "off")
BYTES_PER_MB = 2**20
_LARGEST_MEGABYTES = 256  # a photo is held in memory, and so are those that wait
_LARGEST_MEGAPIXELS = LARGEST_MAX_PIXELS // 1_000_000

Probability = Annotated[float, Meta(ge=0, le=1)]
FilePath = Annotated[Path, Meta(description="a path, absolute or relative to the project's root")]
Text = Annotated[str, Meta(min_length=1, description="some text (delete the line to use the default)")]
Threshold = Annotated[Probability | None, Meta(description="a number from 0 to 1, such as 0.75, or auto")]
Megabytes = Annotated[
    float,
    Meta(
        ge=1 / BYTES_PER_MB,
        le=_LARGEST_MEGABYTES,
        description=f"a number of megabytes (2^20 bytes) greater than 0, at most {_LARGEST_MEGABYTES}, such as 1.5",
    ),
]
Megapixels = Annotated[
    float,
    Meta(
        ge=1e-6,
        le=_LARGEST_MEGAPIXELS,
        description=f"a number of megapixels greater than 0, at most {_LARGEST_MEGAPIXELS}, such as 64",
    ),
]
Seconds = Annotated[float, Meta(gt=0, le=600, description="a number of seconds greater than 0, at most 600, such as 5")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port number from 1 to 65535")]
Workers = Annotated[int, Meta(ge=1, description="a whole number of worker processes, 1 or more")]
WholeSeconds = Annotated[int, Meta(ge=1, le=600, description="a whole number of seconds, 1 to 600")]
Proxies = Annotated[
    int, Meta(ge=0, le=10, description="how many proxies stand in front of the service, 0 to 10: 0 trusts no header")
]
OptionalPath = Annotated[Path | None, Meta(description="the path of a PEM file, absolute or relative to the project")]
OptionalFile = Annotated[Path | None, Meta(description="a path, absolute or relative to the project, or nothing")]
Secret = Annotated[str, Meta(pattern=r"^(.{32,})?$", description="a secret of 32 characters or more, or nothing")]
SegmentMegabytes = Annotated[
    float, Meta(ge=0.001, le=4096, description="a number of megabytes (2^20 bytes) from 0.001 to 4096, such as 64")
]
Days = Annotated[int, Meta(ge=0, le=36500, description="a whole number of days, 1 or more, or 0 to keep everything")]
LogFormat = Annotated[Literal["text", "json"], Meta(description="text or json")]
Switch = Annotated[bool, Meta(description=f"one of {', '.join(TRUE + FALSE)}")]
Origins = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^(\*|https?://[A-Za-z0-9.:\[\]-]+)$")], ...] | None,
    Meta(description="* or a list of origins with commas between, such as https://example.org, or nothing"),
]
RateLimit = Annotated[
    str | None, Meta(description="a number of requests for a time, such as 1000/minute or 20/second, or off")
]
OptionalText = Annotated[
    str,
    Meta(
        pattern=r"^$|^(redis|rediss|redis\+unix)://", description="the URL of a Redis, such as redis://localhost:6379"
    ),
]
TYPES = tuple(kind.mime for kind in KINDS)
Types = Annotated[
    tuple[Annotated[str, Meta(pattern=f"^({'|'.join(map(re.escape, TYPES))})$")], ...],
    Meta(min_length=1, description=f"a list of these types with commas between: {', '.join(TYPES)}"),
]

SigningKey = Annotated[
    Annotated[str, Meta(min_length=LEAST_KEY)] | None,
    Meta(description=f"a text of {LEAST_KEY} characters or more, as the stages have it, or nothing"),
]
