"""S3 buckets: one may keep versions of its own, so what was deleted or replaced is still there; and parts of uploads.

Each version is a file of its own here, with the path "bucket/key?versionId=…". Marks of deletion and unfinished uploads
have no content; their paths end with "?marker=…" and "?uploadId=…".
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

_VERSION, _MARKER, _UPLOAD = "?versionId=", "?marker=", "?uploadId="
_AT_ONCE = 500  # files that one request deletes; 1,000 are allowed


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


def read(fs: Any, path: str, count: int = -1) -> bytes:
    """The content of a version, or its first bytes.

    Args:
        fs: of s3fs.
        path: of the version.
        count: how many bytes at most; negative for all.
    """
    key, _, version = path.partition(_VERSION)
    options: dict[str, Any] = {"version_id": version, "max_concurrency": 1} if version else {}  # others: newest size
    first = {"start": 0, "end": count} if count >= 0 else {}
    try:
        data: bytes = fs.cat_file(key, **options, **first)
    except OSError as error:
        if not first or error.errno != errno.EINVAL:
            raise
        data = fs.cat_file(key, **options)  # an empty one has no first bytes
    return data


def delete(fs: Any, paths: Sequence[str]) -> None:
    """Delete versions, marks and uploads for good, in this order; those that are not there are passed over.

    Raises:
        OSError: the right is missing, or the bucket keeps one under a lock.
    """
    for path in paths:
        if _UPLOAD in path:
            bucket, _, key = key_of(path).partition("/")
            with suppress(FileNotFoundError):
                fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=path.partition(_UPLOAD)[2])
    stored = [path for path in paths if _UPLOAD not in path]
    for start in range(0, len(stored), _AT_ONCE):
        some = [_named(path) for path in stored[start : start + _AT_ONCE]]
        bucket = stored[start].partition("/")[0]
        answer = fs.call_s3("delete_objects", Bucket=bucket, Delete={"Objects": some, "Quiet": True})
        for failed in answer.get("Errors") or ():
            raise OSError(errno.EIO, f"{failed.get('Code')}: {failed.get('Message')}", f"{bucket}/{failed.get('Key')}")


def _named(path: str) -> dict[str, str]:
    """How a request names a version or a mark."""
    version = path.partition(_VERSION)[2] or path.partition(_MARKER)[2]
    return {"Key": key_of(path).partition("/")[2], **({"VersionId": version} if version else {})}


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
