"""Thousands of requests, good and hostile: every answer stays what it was, and memory what it has become."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench import soak
from bench.support.attacks import ATTACKS
from bench.support.hostile import png
from bench.support.memory import proportional_megabytes
from bench.support.scenes import Stand
from bench.support.surroundings import hostile_files
from service.config import Settings
from tests.recording import copy_networks, copy_trained
from tests.service.support import LIMIT_BYTES, shipped_gunicorn

CLIENTS = 4
WARM_UP = 400
REQUESTS = 4_000

LONG_SECONDS = 600.0
SHORT_SECONDS = 15.0

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memory is read in /proc")


@pytest.fixture
def stand(settings: Settings, tmp_path: Path, me_photo: bytes, stranger_photo: bytes) -> Stand:
    models = tmp_path / "models"
    copy_networks(settings.networks_path, models / "networks")
    copy_trained(settings.model_path.parent, models)
    (tmp_path / "scenes").mkdir()
    return Stand(models, [me_photo, stranger_photo], tmp_path / "scenes", seconds=1.0)


@linux_only
@pytest.mark.slow
def test_good_and_hostile_load_for_a_short_time(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    """All attacks, and small ones of the hostile files."""
    files = [b"no photo", png((8, 8), 8, 3), png((2000, 2000), 8, 6), png((1, 70_000), 8, 0)]
    row = soak.soak(stand, SHORT_SECONDS, workers=2, sockets=10, files=files, warm_rounds=5)
    assert row.problems == [], row.seen.notes
    assert row.figures["kinds"] == len(ATTACKS) and row.figures["hostile_files"] >= len(files)
    assert [part["lost"] for part in row.figures["parts"]] == [0] * soak.TENTHS
    assert len(capsys.readouterr().out.splitlines()) == soak.TENTHS


@linux_only
@pytest.mark.slow
def test_memory_that_grows_is_noticed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter(range(100, 100_000))
    monkeypatch.setattr(soak, "proportional_megabytes", lambda _: float(next(sizes)))
    row = soak.soak(stand, 3.0, workers=1, sockets=1, files=[b"no photo"], tell=False)
    assert any(problem.startswith("memory has grown by ") for problem in row.problems)


@linux_only
@pytest.mark.long
@pytest.mark.timeout(3600)
def test_good_and_hostile_load_for_ten_minutes(stand: Stand) -> None:
    row = soak.soak(stand, LONG_SECONDS, workers=2, sockets=30, files=hostile_files())
    assert row.problems == [], row.seen.notes
    assert row.seen.right > 1_000 and row.figures["kinds"] == len(ATTACKS)


@pytest.mark.long
@pytest.mark.timeout(3600)
@linux_only
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
