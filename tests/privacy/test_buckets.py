"""What is done where a bucket does not say which versions it keeps."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from privacy.dvc.buckets import find_all, has_content, key_of

pytestmark = pytest.mark.security


class Client:
    """Stands in for s3fs with rights that no store on loopback takes away."""

    def __init__(self, error: OSError, status: str | OSError) -> None:
        self._error = error
        self._status = status

    def invalidate_cache(self) -> None:
        pass

    def find(self, folder: str) -> list[str]:
        return [f"{folder}/files/md5/00/1"]

    def call_s3(self, method: str, **_: Any) -> dict[str, Any]:
        if method != "get_bucket_versioning":
            raise self._error
        if isinstance(self._status, OSError):
            raise self._status
        return {"Status": self._status} if self._status else {}


DENIED = PermissionError(errno.EACCES, "AccessDenied")


@pytest.mark.parametrize(
    ("error", "status", "unsure"),
    [
        (DENIED, "Enabled", True),
        (DENIED, "Suspended", True),
        (DENIED, DENIED, True),
        (DENIED, "", False),
        (OSError(errno.ENOSYS, "NotImplemented"), DENIED, False),
    ],
)
def test_it_is_said_where_old_versions_may_stay(error: OSError, status: str | OSError, unsure: bool) -> None:
    found, reason = find_all(Client(error, status), "bucket/project")
    assert found == ["bucket/project/files/md5/00/1"]
    assert bool(reason) is unsure


def test_paths_of_versions() -> None:
    assert key_of("b/k?versionId=x") == key_of("b/k?marker=x") == key_of("b/k?uploadId=x") == key_of("b/k") == "b/k"
    assert has_content("b/k?versionId=x") and not has_content("b/k?marker=x") and not has_content("b/k?uploadId=x")
