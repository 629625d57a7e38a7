"""Processes that are killed, told to end or to reload, while right clients ask."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

from bench.support import servers
from bench.support.hostile import png
from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import multipart
from faces.verifier import Verifier

COSTLY_SIDES = (8000, 6000)
"""Pixels of a PNG that costs about as much as any photo that is accepted."""

_TERM_SECONDS = 40.0

_REFUSED = "Reload refused: the former model and settings serve on"


def nothing(stand: Stand) -> Row:
    """For comparison."""
    with stand.scene("nothing happens") as scene:
        scene.wait_for_answers()
    return scene.row


def worker_killed(stand: Stand) -> Row:
    """kill -9 of one of two workers: what it had accepted is lost, and nothing else."""
    with stand.scene("kill -9 of a worker") as scene:
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
    return scene.row


def master_killed(stand: Stand) -> Row:
    """kill -9 of the master: its workers answer what has come in, and end; a new master is started at once."""
    with stand.scene("kill -9 of the master") as scene:
        workers = scene.worker_numbers()
        scene.kill(scene.server.process.pid)
        scene.server.process.wait()
        killed = time.monotonic()
        log = stand.new_path("log")
        with servers.ours(stand.models, scene.workers, log=log, port=scene.server.port, MAX_CONTENT_MB="2") as second:
            scene.wait_for(lambda: not any(map(_is_there, workers)), "the old workers are still there")
            scene.wait_for(lambda: "Worker ready" in log.read_text(encoding="utf-8"), "the new master has no worker")
            scene.row.figures["new_master_after_s"] = round(time.monotonic() - killed, 1)
            scene.wait_for_answers()
            scene.expect(second.process.poll() is None, "the new master has ended")
            _end_load_with(scene, stand)
    return scene.row


def _is_there(process: int) -> bool:
    """Whether a process runs; one that has ended is listed until it is waited for."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return False


def _end_load_with(scene: Scene, stand: Stand) -> None:
    """Go on for as long as a scene without an end of its own does, and let the load end while somebody answers."""
    time.sleep(stand.seconds)
    scene.clients.stop()


def told_to_end(stand: Stand) -> Row:
    """SIGTERM: every request that was accepted is answered, then all end."""
    with stand.scene("SIGTERM") as scene:
        _tell_to_end(scene)
    return scene.row


def told_to_end_with_costly_photos(stand: Stand) -> Row:
    """SIGTERM while each worker verifies a costly photo."""
    body, kind = multipart(png(COSTLY_SIDES, 8, 6))
    answers: list[tuple[int, bytes]] = []

    def ask(scene: Scene) -> None:
        try:
            status, _, answer = scene.server.ask(body, kind, timeout=60)
        except OSError as error:
            status, answer = 0, repr(error).encode()
        answers.append((status, answer))

    with stand.scene("SIGTERM with costly photos in work") as scene:
        costly = [threading.Thread(target=ask, args=(scene,)) for _ in range(scene.workers)]
        for thread in costly:
            thread.start()
        time.sleep(0.4)
        scene.row.figures["costly_in_work"] = scene.workers - len(answers)
        scene.expect(len(answers) < scene.workers, "no costly photo was in work")
        _tell_to_end(scene)
        for thread in costly:
            thread.join()
        statuses = sorted(status for status, _ in answers)
        scene.row.figures["costly_answered"] = statuses
        scene.expect(all(status in (200, 400) for status in statuses), f"costly photos were answered with {answers}")
    return scene.row


def _tell_to_end(scene: Scene) -> None:
    process = scene.server.process
    workers = scene.worker_numbers()
    process.send_signal(signal.SIGTERM)
    took = scene.wait_for(lambda: process.poll() is not None, "the service has not ended", _TERM_SECONDS)
    scene.row.figures["ended_after_s"] = round(took, 2)
    scene.expect(process.poll() == 0, f"the master ended with {process.poll()}")
    scene.expect(not any(map(_is_there, workers)), "a worker has outlived its master")
    scene.expect("unanswered" not in scene.log, "a worker says that it left connections unanswered")


def reloaded(stand: Stand) -> Row:
    """SIGHUP, and nothing is different."""
    root = stand.copied_project()
    (root / ".env").write_text("VERIFY_THRESHOLD=0.4\n", encoding="utf-8")
    with stand.scene("SIGHUP, the same settings", root=root) as scene:
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect(_reload(scene) == "done", "/readyz does not say that the reload is done")
    return scene.row


def reloaded_with_bad_settings(stand: Stand) -> Row:
    """SIGHUP with a `.env` that cannot be used: the former settings serve on, the log and /readyz say why."""
    root = stand.copied_project()
    (root / ".env").write_text("VERIFY_THRESHOLD=0.4\n", encoding="utf-8")
    with stand.scene("SIGHUP, a bad .env", root=root) as scene:
        (root / ".env").write_text("VERIFY_THRESHOLD=abc\nPORT=many\n", encoding="utf-8")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect(_REFUSED in scene.log, "the log does not say that the reload was refused")
        scene.expect("VERIFY_THRESHOLD is 'abc'; expected" in scene.log, "the log does not say what is wrong")
        scene.expect(_reload(scene) == "refused", "/readyz does not say that the reload was refused")
        (root / ".env").write_bytes(b"\xff\xfe\x00")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect("is not UTF-8" in scene.log, "the log does not say that .env is not UTF-8")
    return scene.row


def reloaded_with_another_threshold(stand: Stand) -> Row:
    """SIGHUP with another threshold and version: each answer has both former ones, or both new ones."""
    root = stand.copied_project()
    (root / ".env").write_text("VERIFY_THRESHOLD=0.4\n", encoding="utf-8")
    with stand.scene("SIGHUP, another threshold", root=root) as scene:
        scene.clients.allow(threshold=0.45, model_version="two")
        (root / ".env").write_text("VERIFY_THRESHOLD=0.45\nMODEL_VERSION=two\n", encoding="utf-8")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect(_version(scene)["model_version"] == "two", "/version has the former settings")
        scene.expect(_reload(scene) == "done", "/readyz does not say that the reload is done")
    return scene.row


def reloaded_with_another_model(stand: Stand) -> Row:
    """SIGHUP with another file of a model that scores the same: it is taken over, also by a worker that comes later."""
    models = stand.copied_models()
    with stand.scene("SIGHUP, another model", models=models) as scene:
        before = _version(scene)["model_sha256"]
        verifier = Verifier.load(models / "model.joblib", models / "scaler.joblib")
        verifier.model.trained_again = True
        verifier.save(models)
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect(_reload(scene) == "done", "/readyz does not say that the reload is done")
        after = _version(scene)["model_sha256"]
        scene.expect(after != before, "/version has the former model")
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
        scene.expect(_version(scene)["model_sha256"] == after, "a new worker has the former model")
    return scene.row


def reloaded_with_a_bad_model(stand: Stand) -> Row:
    """SIGHUP with a model that is damaged: the former one serves on, also in a worker that is started later."""
    models = stand.copied_models()
    with stand.scene("SIGHUP, a damaged model", models=models) as scene:
        before = _version(scene)["model_sha256"]
        path = models / "model.joblib"
        path.write_bytes(path.read_bytes()[:-20])
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect(_REFUSED in scene.log, "the log does not say that the reload was refused")
        scene.expect(_reload(scene) == "refused", "/readyz does not say that the reload was refused")
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
        scene.expect(_version(scene)["model_sha256"] == before, "a new worker has the damaged model")
    return scene.row


def _reload(scene: Scene) -> str | None:
    """What /readyz says of the last reload."""
    said = json.loads(scene.server.get("/readyz")[1]).get("reload", {}).get("status")
    return None if said is None else str(said)


def _version(scene: Scene) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(scene.server.get("/version")[1])
    return values


BREAKDOWNS = (
    nothing,
    worker_killed,
    master_killed,
    told_to_end,
    told_to_end_with_costly_photos,
    reloaded,
    reloaded_with_bad_settings,
    reloaded_with_another_threshold,
    reloaded_with_another_model,
    reloaded_with_a_bad_model,
)
"""Each takes a `Stand` and returns a `Row`."""
