"""Processes that are killed, told to end or to reload, while right clients ask."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import joblib

from bench.support import servers
from bench.support.hostile import png
from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import multipart

COSTLY_SIDES = (8000, 6000)
"""Pixels of a PNG that costs about as much as any photo that is accepted."""

_TERM_SECONDS = 40.0


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
        scene.expect("Reload: " not in scene.log, "the log says that something is different")
    return scene.row


def reloaded_with_bad_settings(stand: Stand) -> Row:
    """SIGHUP with a `.env` that cannot be used: the old settings stay, the log says why."""
    root = stand.copied_project()
    (root / ".env").write_text("VERIFY_THRESHOLD=0.4\n", encoding="utf-8")
    with stand.scene("SIGHUP, a bad .env", root=root) as scene:
        (root / ".env").write_text("VERIFY_THRESHOLD=abc\nPORT=many\n", encoding="utf-8")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect("the settings of the start stay" in scene.log, "the log does not say that the settings stay")
        scene.expect("VERIFY_THRESHOLD is 'abc'; expected" in scene.log, "the log does not say what is wrong")
        (root / ".env").write_bytes(b"\xff\xfe\x00")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect("is not UTF-8" in scene.log, "the log does not say that .env is not UTF-8")
    return scene.row


def reloaded_with_another_threshold(stand: Stand) -> Row:
    """SIGHUP with a threshold where none was set: the old one stays, and the log says that a restart is needed."""
    root = stand.copied_project()
    with stand.scene("SIGHUP, another threshold", root=root) as scene:
        (root / ".env").write_text("VERIFY_THRESHOLD=0.9\n", encoding="utf-8")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect("to change VERIFY_THRESHOLD, restart the service" in scene.log, "the log does not name it")
    return scene.row


def reloaded_with_another_model(stand: Stand) -> Row:
    """SIGHUP with another model: the old one stays, and the log says that a restart is needed."""
    models = stand.copied_models()
    with stand.scene("SIGHUP, another model", models=models) as scene:
        before = _version(scene)
        joblib.dump({"another": "model"}, models / "model.joblib")
        scene.hang_up()
        scene.wait_for_answers()
        scene.expect("the model of the start stays" in scene.log, "the log does not say that the model stays")
        scene.expect(_version(scene) == before, "/version names another model than the one that answers")
    return scene.row


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
)
"""Each takes a `Stand` and returns a `Row`."""
