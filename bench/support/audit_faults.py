"""Workers are killed, or the disk gets full, while each use is recorded: nothing that was answered may be lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import ROOT
from bench.support.surroundings import fill, in_own_mounts

_SECRET = "a secret of the bench alone, 32 characters or more"
_DISK_BYTES = 2 * 2**20
_KILLS = 4


def recorded_while_killed(stand: Stand) -> Row:
    """kill -9 of a worker, several times, in the middle of records."""
    folder = stand.new_path("audit")
    settings = _settings(folder)
    with stand.scene(f"audit log, kill -9 of a worker, {_KILLS} times", **settings) as scene:
        for _ in range(_KILLS):
            scene.kill_a_worker(stand.clients)
            scene.wait_for_answers()
    _judge(scene, folder, settings)
    return scene.row


def recorded_on_a_full_disk(stand: Stand) -> Row:
    """The disk of the log gets full: 503 until there is room. Twice, and a worker is killed while it is full."""
    disk = stand.new_path("disk")
    disk.mkdir()
    settings = _settings(disk)
    prefix = in_own_mounts(f'mount -t tmpfs -o size={_DISK_BYTES} none "$1"', str(disk))
    kept = stand.new_path("kept")
    with stand.scene("audit log, full disk", prefix=prefix, **settings) as scene:
        for kills in (False, True):
            filler = scene.inside(disk / "filler")
            fill(filler)
            enough = scene.row.seen.saturated + 5
            scene.wait_for(partial(_refused, scene, enough), "answers in spite of a full disk")
            if kills:
                scene.kill_a_worker(stand.clients)
            moment = time.monotonic()
            time.sleep(0.5)
            scene.expect(scene.clients.answered_since(moment) == 0, "photos are answered while the disk is full")
            filler.unlink()
            scene.wait_for_answers()
        scene.expect("can be recorded again" in scene.log, "the log does not say that uses are recorded again")
        scene.clients.stop()
        time.sleep(1)
        shutil.copytree(scene.inside(disk), kept)  # the mount ends with the service
    _judge(scene, kept, _settings(kept))
    return scene.row


def _refused(scene: Scene, count: int) -> bool:
    return scene.row.seen.saturated > count


def _settings(folder: Path) -> dict[str, Any]:
    return {
        "AUDIT_PATH": str(folder / "audit"),
        "AUDIT_HEAD_PATH": str(folder / "kept-apart/head"),
        "AUDIT_SALTS_PATH": str(folder / "kept-apart/salts"),
        "AUDIT_KEY": _SECRET,
    }


def _judge(scene: Scene, folder: Path, settings: dict[str, Any]) -> None:
    """The log is whole, and has each right answer; a record without an answer is one whose worker was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "service", "audit", "verify"], cwd=ROOT, env=os.environ | settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    scene.expect(done.returncode == 0, f"the audit log is not whole: {done.stdout}{done.stderr}")
    lines = [
        line for path in sorted((folder / "audit").glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]
    recorded = sum(record["act"] == "verify" and record["status"] == 200 for record in records)
    answered = scene.row.seen.right + len(scene.clients.photos)  # the first answers, with which others are compared
    scene.row.figures |= {"records": recorded, "records_lost": max(0, answered - recorded)}
    scene.expect(recorded >= answered, f"{answered - recorded} of {answered} answers have no record")
    most = answered + scene.allowed_unanswered
    scene.expect(recorded <= most, f"{recorded} records of {answered} answers; at most {most} could be explained")


AUDIT_FAULTS = (recorded_while_killed, recorded_on_a_full_disk)
