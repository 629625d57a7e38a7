"""Thousands of requests: every answer stays what it was, and the workers' memory what it has become."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench.support.memory import proportional_megabytes
from service.config import Settings
from tests.service.support import LIMIT_BYTES, shipped_gunicorn

CLIENTS = 4
WARM_UP = 400
REQUESTS = 4_000


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")
def test_answers_and_memory_stay(
    settings: Settings, tmp_path: Path, me_photo: bytes, stranger_photo: bytes, faceless_photo: bytes
) -> None:
    photos = (me_photo, stranger_photo, faceless_photo, b"no photo", bytes(LIMIT_BYTES + 1))
    with shipped_gunicorn(settings, tmp_path) as server, ThreadPoolExecutor(CLIENTS) as pool:

        def ask(number: int) -> dict[str, Any]:
            answer = server.verify(photos[number % len(photos)])
            values: dict[str, Any] = answer.json()
            values.pop("timing_ms", None)
            if "score" in values:  # how many are asked at once changes the last digits
                values["score"] = pytest.approx(values["score"], abs=1e-4)
            return {"status": answer.status_code, **values}

        expected = [ask(number) for number in range(len(photos))]
        assert [answer["status"] for answer in expected] == [200, 200, 400, 400, 413]
        sizes = []
        for count in (WARM_UP, REQUESTS):
            answers = list(pool.map(ask, range(count)))
            wrong = [(number, got) for number, got in enumerate(answers) if got != expected[number % len(photos)]]
            assert wrong == []
            sizes.append(proportional_megabytes(server.process.pid))
        assert sizes[1] - sizes[0] < 20, f"{sizes[0]:.0f} MB after {WARM_UP} requests, {sizes[1]:.0f} MB at the end"
