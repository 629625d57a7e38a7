"""S3 buckets: one may keep versions of its own, so what was deleted or replaced is still there; and parts of uploads.

Each version is a file of its own here, with the path "bucket/key?versionId=…". Marks of deletion and unfinished uploads
have no content; their paths end with "?marker=…" and "?uploadId=…".
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_VERSION, _MARKER, _UPLOAD = "?versionId=", "?marker=", "?uploadId="


def key_of(path: str) -> str:
    """The path of an object, without what says which version of it is meant."""
    for kind in (_VERSION, _MARKER, _UPLOAD):
        path = path.partition(kind)[0]
    return path


def has_content(path: str) -> bool:
    """Whether there is something to read at a path."""
    return _MARKER not in path and _UPLOAD not in path


def find_all(fs: Any, folder: str) -> tuple[list[str], str]:
    """Everything below a folder, in every version that the bucket keeps.

    Args:
        fs: of s3fs.
        folder: "bucket/prefix".

    Returns:
        Paths, and why nobody can tell whether there are versions; "" where one can.

    Raises:
        OSError: the bucket cannot be listed.
    """
    fs.invalidate_cache()  # it would list what it has seen before
    bucket, _, prefix = folder.rstrip("/").partition("/")
    prefix = f"{prefix}/" if prefix else ""
    try:
        found = list(_versions(fs, bucket, prefix))
    except OSError as error:
        known = error.errno in (errno.ENOENT, errno.ENOSYS)  # no such bucket; a store that knows no versions
        reason = "" if known else str(error) or repr(error)
        with suppress(OSError):
            if reason and not fs.call_s3("get_bucket_versioning", Bucket=bucket).get("Status"):
                reason = ""
        return fs.find(folder), reason
    with suppress(OSError):
        found += _uploads(fs, bucket, prefix)
    return found, ""


def read(fs: Any, path: str) -> bytes:
    """The content of a version."""
    key, _, version = path.partition(_VERSION)
    options = {"version_id": version, "max_concurrency": 1} if version else {}  # several would ask for the newest size
    data: bytes = fs.cat_file(key, **options)
    return data


def delete(fs: Any, path: str) -> None:
    """Delete a version, a mark or an upload for good.

    Raises:
        OSError: the right is missing, or the bucket keeps it under a lock.
    """
    bucket, _, key = key_of(path).partition("/")
    if _UPLOAD in path:
        fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=path.partition(_UPLOAD)[2])
        return
    version = path.partition(_VERSION)[2] or path.partition(_MARKER)[2]
    fs.call_s3("delete_object", Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))


def _versions(fs: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in _pages(fs, "list_object_versions", bucket, prefix, ("KeyMarker", "VersionIdMarker")):
        for kind, name in ((_VERSION, "Versions"), (_MARKER, "DeleteMarkers")):
            for entry in page.get(name) or ():
                yield f"{bucket}/{entry['Key']}{kind}{entry['VersionId']}"


def _uploads(fs: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in _pages(fs, "list_multipart_uploads", bucket, prefix, ("KeyMarker", "UploadIdMarker")):
        for entry in page.get("Uploads") or ():
            yield f"{bucket}/{entry['Key']}{_UPLOAD}{entry['UploadId']}"


def _pages(fs: Any, method: str, bucket: str, prefix: str, markers: tuple[str, str]) -> Iterator[dict[str, Any]]:
    where: dict[str, str] = {}
    while True:
        page: dict[str, Any] = fs.call_s3(method, Bucket=bucket, Prefix=prefix, **where)
        yield page
        where = {name: page[f"Next{name}"] for name in markers if page.get(f"Next{name}")}
        if not page.get("IsTruncated") or not where:
            return
