"""The image of a multipart request and the fields beside it, read in memory: an uploaded photo never touches the disk.

Flask's own `request.files` is not used for two reasons. It writes files above 500 KB to a temporary file. And it drops
the whole form if a file's name is not UTF-8; curl on Windows sends such a name for `mamá.jpg`.
"""

from __future__ import annotations

import io
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from faces.message import Message
from service.config import MULTIPART_FRAME_BYTES
from service.error_kinds import NO_IMAGE, TOO_SLOW
from service.errors import ApiError
from service.monitoring.metrics import observe_step

_READ_BYTES = 64 * 1024  # the decoder is slow on a larger chunk if the end of a part lies in it
_MAX_PARTS = 1000
_MAX_BOUNDARY = 100  # RFC 2046 allows 70, and some send a few more; one of 3,800 can take a second for each block
# Of a part, and of all; to read 2 MB of them can take seconds, in which no other connection is answered.
_MAX_HEAD_BYTES = 8 * 1024
_MAX_HEADS_BYTES = MULTIPART_FRAME_BYTES
_MAX_TEXT_BYTES = 100  # of a field that is asked for; those have values of one word


class _LenientDecoder(MultipartDecoder):
    """Reads part headers in any encoding; bytes that are not UTF-8 are replaced."""

    _heads_bytes = 0

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        self._heads_bytes += len(data)
        if len(data) > _MAX_HEAD_BYTES or self._heads_bytes > _MAX_HEADS_BYTES:
            raise ValueError("the heads of the parts are too long")
        return super()._parse_headers(bytes(data).decode("utf-8", "replace").encode())


@dataclass
class Upload:
    """What a request sent.

    Attributes:
        image: the file's bytes, at least one.
        texts: values of the text fields that were asked for and sent, by name; the last one where a name is repeated.
    """

    image: bytes
    texts: dict[str, str]


def read_upload(request: Request, field: str, max_bytes: int, texts: Collection[str] = ()) -> Upload:
    """Read the first file sent in a field, some text fields, and the request's body to its end.

    Args:
        request: the request; its body must not have been read.
        field: the form field's name.
        max_bytes: largest file accepted; reading stops as soon as a file is larger.
        texts: names of text fields; others are passed over.

    Raises:
        ApiError: 400, there is no such file, it is empty, or the body is not multipart; 408, it took too long.
        RequestEntityTooLarge: the file, or the request around it, is too large.
    """
    began = time.perf_counter()
    boundary = request.mimetype_params.get("boundary", "").encode("utf-8", "replace")
    if request.mimetype != "multipart/form-data" or not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise ApiError(NO_IMAGE, Message("The request must be multipart/form-data"))
    try:
        upload = _parts(request, boundary, field, max_bytes, texts)
    except ValueError:  # the decoder's, if the body breaks the format or ends early
        text = "The body of the request is not valid multipart/form-data"
        raise ApiError(NO_IMAGE, Message(text)) from None
    if not upload.image:
        raise ApiError(NO_IMAGE)
    observe_step("upload", time.perf_counter() - began)
    return upload


def _read_block(request: Request) -> bytes:
    """The next bytes of the body. A ValueError says that the client sent a wrong body."""
    try:
        return request.stream.read(_READ_BYTES)
    except HTTPException:
        raise
    except TimeoutError:
        raise ApiError(TOO_SLOW) from None
    except Exception as error:  # each server has errors of its own for this, such as gunicorn's InvalidChunkSize
        raise ValueError("the body cannot be read") from error


def _parts(request: Request, boundary: bytes, field: str, max_bytes: int, texts: Collection[str]) -> Upload:
    """The first file of a field (empty where there is none) and the text fields asked for."""
    decoder = _LenientDecoder(boundary, max_parts=_MAX_PARTS)
    image: io.BytesIO | None = None
    found: dict[str, bytes] = {}
    in_image, in_text = False, ""
    for chunk in _chunks(request):
        decoder.receive_data(chunk)
        while not isinstance(event := decoder.next_event(), (NeedData, Epilogue)):
            if isinstance(event, (File, Field)):
                in_image = image is None and isinstance(event, File) and event.name == field
                image = io.BytesIO() if in_image else image
                in_text = event.name if isinstance(event, Field) and event.name in texts else ""
                if in_text:
                    found[in_text] = b""
            elif isinstance(event, Data) and in_image and image is not None:
                if image.tell() + len(event.data) > max_bytes:
                    raise RequestEntityTooLarge
                image.write(event.data)
            elif isinstance(event, Data) and in_text:
                found[in_text] = (found[in_text] + event.data)[:_MAX_TEXT_BYTES]
    decoded = {name: value.decode("utf-8", "replace") for name, value in found.items()}
    if image is not None and not image.tell():
        raise ApiError(NO_IMAGE, Message("The file in this field is empty"))
    return Upload(b"" if image is None else image.getvalue(), decoded)


def _chunks(request: Request) -> Iterator[bytes | None]:
    """The body in small parts, then None."""
    while block := _read_block(request):
        yield block
    yield None
