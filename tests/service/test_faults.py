"""The service, or what it stands on, breaks: right clients are answered, and it says what is wrong.

The scenes are those of `python -m bench.faults`, with less load.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import requests
from flask.testing import FlaskClient
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bench.support import audit_faults, breakdowns, surroundings
from bench.support.good_clients import GoodClients, Seen
from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import Server as BenchServer
from service import create_app
from service.config import PROJECT_ROOT, Settings
from tests.recording import copy_networks, copy_trained, record_networks, save
from tests.service.support import Server, posix_only, post_photo, server_environment, shipped_gunicorn

Fault = Callable[[Stand], Row]

QUICK: tuple[Fault, ...] = (
    breakdowns.worker_killed,
    breakdowns.master_killed,
    breakdowns.told_to_end,
    breakdowns.reloaded_with_bad_settings,
    breakdowns.reloaded_with_another_threshold,
    breakdowns.reloaded_with_another_model,
    breakdowns.reloaded_with_a_bad_model,
    surroundings.shared_memory_missing,
    surroundings.file_system_read_only,
)
THOROUGH = tuple(
    fault
    for fault in (*breakdowns.BREAKDOWNS, *surroundings.SURROUNDINGS, *audit_faults.AUDIT_FAULTS)
    if fault not in (*QUICK, breakdowns.nothing)
)


@pytest.fixture(scope="session")
def models_folder(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """networks/, model.joblib and scaler.joblib in one folder."""
    folder = tmp_path_factory.mktemp("faults") / "models"
    copy_networks(settings.networks_path, folder / "networks")
    return copy_trained(settings.model_path.parent, folder)


@pytest.fixture
def stand(models_folder: Path, tmp_path: Path, me_photo: bytes, stranger_photo: bytes) -> Stand:
    return Stand(models_folder, [me_photo, stranger_photo], tmp_path, seconds=0.2, clients=3)


def assert_right(fault: Fault, stand: Stand) -> None:
    try:
        row = fault(stand)
    except surroundings.NotPossibleError as error:
        pytest.skip(str(error))
    assert row.problems == [], row.seen.notes
    assert row.seen.sent > 10


@posix_only
@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.__name__)
def test_right_clients_notice_little(stand: Stand, fault: Fault) -> None:
    assert_right(fault, stand)


@posix_only
@pytest.mark.slow
@pytest.mark.parametrize("fault", THOROUGH, ids=lambda fault: fault.__name__)
def test_right_clients_notice_little_of_the_rest(stand: Stand, fault: Fault) -> None:
    assert_right(fault, replace(stand, seconds=1.0))


@posix_only
class TestScenes:
    """They notice what is wrong: else they would say nothing."""

    def row(self, stand: Stand, spoil: Callable[[Scene], object]) -> Row:
        with stand.scene("spoilt") as scene:
            scene.wait_for_answers()
            spoil(scene)
        return scene.row

    def test_a_worker_that_is_lost(self, stand: Stand) -> None:
        def kill(scene: Scene) -> None:
            scene.kill(min(scene.worker_numbers()))
            scene.wait_for_answers()

        row = self.row(stand, kill)
        assert row.workers_lost == 1 and "1 workers lost" in row.problems

    def test_another_score_another_threshold_and_a_failure(self, stand: Stand) -> None:
        def other_answers(scene: Scene) -> None:
            for place, value in ((0, {"score": 0.5}), (1, {"threshold": 0.1})):
                scene.clients._expected[place] |= value
            scene.wait_for(lambda: scene.row.seen.wrong > 3, "never wrong")

        problems = self.row(stand, other_answers).problems
        assert len(problems) == 1 and problems[0].endswith("wrong answers")

    def test_what_is_counted_as_what(self, gunicorn: Server, me_photo: bytes) -> None:
        clients = GoodClients(BenchServer("127.0.0.1", gunicorn.port, gunicorn.process), [me_photo])
        good = json.dumps(clients._expected[0]).encode()
        for status, retry, answer, kind in (
            (200, False, good, "right"),
            (200, False, b"no JSON", "wrong"),
            (200, False, b"{}", "wrong"),
            (400, False, good, "wrong"),
            (503, True, b"", "saturated"),
            (503, False, b"", "failures"),
            (500, True, b"", "failures"),
            (404, False, b"", "others"),
        ):
            assert clients._kind(0, status, retry, answer) == kind
        counts = Seen(right=1, saturated=2, not_accepted=4, unanswered=8, wrong=16, failures=32, others=64)
        assert counts.sent == 127


@posix_only
def test_where_nothing_can_be_written_it_says_what_it_needs(no_models: Settings, tmp_path: Path) -> None:
    script = "mount -t tmpfs -o ro none /dev/shm; mount -o remount,bind,ro /; ! touch /tmp/x 2>/dev/null"
    try:
        prefix = surroundings.in_own_mounts(script)
    except surroundings.NotPossibleError as error:
        pytest.skip(str(error))
    command = [*prefix, sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]
    environment = server_environment(no_models, 5123, tmp_path)
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("No folder can be written to, ")


# Models that are wrong in ways that a hash does not tell.


@pytest.fixture
def copied(no_models: Settings, models_folder: Path) -> Settings:
    """Settings of models that a test may damage."""
    shutil.copytree(models_folder, no_models.model_path.parent, dirs_exist_ok=True)
    return no_models


def refused(settings: Settings, photo: bytes) -> tuple[str, str]:
    """What /healthz and /verify say of models that cannot be used: the detail of both, and the error."""
    client = create_app(settings).test_client()
    assert client.get("/livez").status_code == 200
    ready, health, verify = client.get("/readyz"), client.get("/healthz"), post_photo(client, photo)
    assert (ready.status_code, health.status_code, verify.status_code) == (503, 503, 503)
    assert health.get_json()["detail"] == verify.get_json()["detail"] == ready.get_json()["reason"]
    return verify.get_json()["detail"], verify.get_json()["error"]


def test_a_model_that_scores_nan(copied: Settings, me_photo: bytes) -> None:
    dimensions = json.loads((copied.networks_path / "networks.json").read_text(encoding="utf-8"))["embedding_size"]
    embeddings = np.random.default_rng(0).normal(size=(20, dimensions))
    model = LogisticRegression().fit(embeddings, np.arange(20) % 2)
    model.coef_[:] = np.nan
    save(copied.model_path.parent, model, StandardScaler().fit(embeddings))
    detail, error = refused(copied, me_photo)
    assert detail == "el modelo está dañado: da la puntuación nan; ejecuta 'dvc repro --force train'"
    assert error == f"No se pudieron leer los modelos: {detail}"


@pytest.mark.parametrize("score", [math.nan, math.inf, -0.5, 1.5])
def test_a_model_that_scores_nan_only_now_and_then(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch, score: float
) -> None:
    engine = client.application.extensions["engine"]
    seen = engine.verify(me_photo)
    spoilt = replace(seen, scored=[replace(seen.scored[0], score=score)])
    monkeypatch.setattr("service.photo_work.verify", lambda *_: spoilt)
    answer = post_photo(client, me_photo)
    assert answer.status_code == 503 and answer.get_json()["detail"].startswith(
        "el modelo está dañado: da la puntuación "
    )
    monkeypatch.undo()
    assert post_photo(client, me_photo).status_code == 200


def with_garbage(settings: Settings, name: str, data: bytes) -> Settings:
    """A network of other bytes, of which networks.json says that they are right."""
    manifest = settings.networks_path / "networks.json"
    values = json.loads(manifest.read_text(encoding="utf-8"))
    (settings.networks_path / f"{name}.onnx").write_bytes(data)
    values["files"][name] = hashlib.sha256(data).hexdigest()
    manifest.write_text(json.dumps(values), encoding="utf-8")
    record_networks(settings.networks_path)
    return settings


GARBAGE = (b"", b"garbage", bytes(10_000), b"\x08\x07" + b"\xff" * 5_000)


@pytest.mark.parametrize("name", ["pnet", "embedder"])
@pytest.mark.parametrize("data", GARBAGE, ids=["empty", "text", "zeros", "cut"])
def test_garbage_in_a_network_whose_hash_fits(copied: Settings, me_photo: bytes, name: str, data: bytes) -> None:
    detail, _ = refused(with_garbage(copied, name, data), me_photo)
    assert "dvc repro --force export" in detail


def test_another_network_whose_hash_fits(copied: Settings, me_photo: bytes) -> None:
    """It can be opened, and does not do what is asked of it."""
    other = (copied.networks_path / "rnet.onnx").read_bytes()
    detail, _ = refused(with_garbage(copied, "embedder", other), me_photo)
    assert "dvc repro --force export" in detail


@posix_only
def test_garbage_in_a_network_does_not_end_the_workers(copied: Settings, tmp_path: Path, me_photo: bytes) -> None:
    with shipped_gunicorn(with_garbage(copied, "embedder", b"garbage"), tmp_path) as server:
        assert requests.get(f"{server.url}/livez", timeout=10).status_code == 200
        answer = server.verify(me_photo)
        assert answer.status_code == 503 and "dvc repro --force export" in answer.json()["detail"]
        assert server.log.count("Booting worker") == 2 and "Traceback" not in server.log


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format":' * 50_000, "[" * 100_000 + "]" * 100_000])
def test_networks_json_nested_without_end(copied: Settings, me_photo: bytes, text: str) -> None:
    (copied.networks_path / "networks.json").write_text(text, encoding="utf-8")
    record_networks(copied.networks_path)
    detail, _ = refused(copied, me_photo)
    assert "networks.json" in detail


@posix_only
@pytest.mark.parametrize("value", ["1e308", "-1e308", "257", "1e-320", "9" * 400])
def test_a_limit_that_is_no_limit_is_told_in_a_sentence(no_models: Settings, tmp_path: Path, value: str) -> None:
    environment = server_environment(no_models, 5123, tmp_path) | {"MAX_CONTENT_MB": value}
    command = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert f"MAX_CONTENT_MB is '{value}'; expected a number of megabytes" in done.stderr


WALL_CLOCK = {
    "access/command.py": "shows when a key was made",
    "access/keys.py": "a key ends on a day of the calendar",
    "access/limits.py": "the library of limits says in it when a limit ends",
    "audit/": "a record says when it was made, and old ones are removed by their age; numbers order them",
    "client/client.py": "a server may name the moment in which it wants to be asked again",
    "monitoring/": "lines of the log say when",
    "reload.py": "/readyz says when",
}
"""Files of the service that may read a clock that somebody can set, and what for."""


def test_only_clocks_that_nobody_sets_decide() -> None:
    """Nothing else of the service reads the wall clock, so a step of it changes nothing: `clock_steps` shows it."""
    read: list[str] = []
    folder = PROJECT_ROOT / "service"
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).as_posix()
        if place.startswith(tuple(WALL_CLOCK)):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = ast.unparse(node)
                if name in ("time.time", "time.time_ns") or name.startswith(("datetime.", "date.")):
                    read.append(f"{place}:{node.lineno} {name}")
            elif isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime"):
                read.append(f"{place}:{node.lineno} from {node.module}")
    assert read == []
