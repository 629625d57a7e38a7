"""What the service stands on fails: the disk, shared memory, the clock, memory, its files; clients that vanish.

Mounts are made in a namespace of the service's own (`unshare -m`), so nothing outside sees them. A file system that
others use is never mounted anew: what is read-only here is so by the flags of the namespace's own mounts.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import mmap
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.support import servers
from bench.support.attacks import ATTACKS, connect, upload_head
from bench.support.hostile import costly
from bench.support.scenes import Row, Scene, Stand
from bench.support.servers import ROOT, multipart

HARD = ROOT.parent / "shared" / "hard"
"""Files that have broken decoders, where this machine has them."""

MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")
MEMORY_BYTES = 4 * 2**30
MEMORY_WORKERS = 4
_HOSTILE_CLIENTS = 8
_DISK_BYTES = 8 * 2**20
_PAGE_BYTES = 4096  # what is left in the log's last page can still be written
_DAY_SECONDS = 86_400


class NotPossibleError(Exception):
    """This system or this user cannot make the fault; the message says why."""


def in_own_mounts(script: str, *arguments: str) -> list[str]:
    """A command that runs what follows it where a script has mounted things that nobody else sees.

    Args:
        script: of sh; its arguments are $1, $2, and so on.
        arguments: those.

    Raises:
        NotPossibleError: it takes Linux, unshare and root.
    """
    if sys.platform != "linux" or shutil.which("unshare") is None:
        raise NotPossibleError("it takes Linux's unshare")
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        raise NotPossibleError("it takes root to mount something")
    whole = f'set -e; {script}; shift {len(arguments)}; exec "$@"'
    return ["unshare", "-m", "sh", "-c", whole, "sh", *arguments]


def disk_full(stand: Stand) -> Row:
    """The disk with the working folder, TMPDIR and the log gets full, /dev/shm is, and a worker has to be replaced.

    Later the disk has room again.
    """
    disk, root = stand.new_path("disk"), stand.copied_project()
    disk.mkdir()
    script = (
        "mount -t tmpfs -o size=64k none /dev/shm; cat /dev/zero > /dev/shm/filler 2>/dev/null || true; "
        f'mount -t tmpfs -o size={_DISK_BYTES} none "$1"; cp -r "$2"/. "$1"; cd "$1"; exec >>"$1/log" 2>&1'
    )
    prefix = in_own_mounts(script, str(disk), str(root))
    with stand.scene("full disk", root=disk, prefix=prefix, log_inside=disk / "log", TMPDIR=str(disk)) as scene:
        filler = scene.inside(disk / "filler")
        fill(filler)
        scene.row.figures["bytes_left"] = shutil.disk_usage(filler.parent).free
        length = len(scene.log)
        scene.wait_for_answers()
        scene.kill_a_worker(stand.clients, told=False)
        scene.wait_for_answers()
        scene.expect(len(scene.log) < length + _PAGE_BYTES, "the disk was not full")
        filler.unlink()
        length = len(scene.log)
        scene.wait_for(lambda: "POST" in scene.log[length:], "the log does not go on when there is room again")
    return scene.row


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (2**16, 2**12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))


def file_system_read_only(stand: Stand) -> Row:
    """Nothing can be written but /dev/shm, as in a container with a read-only root."""
    root = stand.copied_project()
    script = 'mount -t tmpfs none /dev/shm; mount -o remount,bind,ro /; ! touch "$1/x" 2>/dev/null'
    with stand.scene("read-only file system", root=root, prefix=in_own_mounts(script, str(root))) as scene:
        scene.wait_for_answers()
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
    return scene.row


def shared_memory_read_only(stand: Stand) -> Row:
    """/dev/shm cannot be written to."""
    prefix = in_own_mounts("mount -t tmpfs -o ro none /dev/shm; ! touch /dev/shm/x 2>/dev/null")
    with stand.scene("read-only /dev/shm", prefix=prefix) as scene:
        scene.wait_for_answers()
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
    return scene.row


def shared_memory_missing(stand: Stand) -> Row:
    """There is no /dev/shm."""
    devices = stand.new_path("devices")
    devices.mkdir()
    script = (
        'mount -t tmpfs none "$1"; for own in null zero urandom random; do '
        'touch "$1/$own"; mount --bind /dev/$own "$1/$own"; done; mount --rbind "$1" /dev; ! test -e /dev/shm'
    )
    with stand.scene("no /dev/shm", prefix=in_own_mounts(script, str(devices))) as scene:
        scene.wait_for_answers()
        scene.kill_a_worker(stand.clients)
        scene.wait_for_answers()
    return scene.row


def files_damaged(stand: Stand) -> Row:
    """Each file of the models is overwritten with garbage: what has been loaded goes on, and a restart says why not."""
    models = stand.copied_models()
    reasons = {}
    with stand.scene("models damaged on disk", models=models) as scene:
        for name in ("networks/embedder.onnx", "networks/networks.json", "model.joblib", "scaler.joblib"):
            whole = (models / name).read_bytes()
            (models / name).write_bytes(b"garbage" + bytes(len(whole) // 2))
            scene.wait_for_answers()
            if name == "model.joblib":
                scene.kill_a_worker(stand.clients)
                scene.wait_for_answers()
            if name != "networks/networks.json":
                reasons[name] = _reason_of_restart(models)
                scene.expect(Path(name).name in reasons[name], f"after a restart, /healthz does not name {name}")
            (models / name).write_bytes(whole)
    return scene.row


def _reason_of_restart(models: Path) -> str:
    """What /healthz says of a service that is started with these."""
    with servers.ours(models, 1, health=503) as server:
        status, answer = server.get("/healthz")
        told: str = json.loads(answer)["detail"]
        verified, _, _ = server.ask(*multipart(b"\xff\xd8\xff"))
        return told if (status, verified) == (503, 503) else f"{status}, {verified}"


_CLOCK = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long shift(void) {
    static volatile long *seconds;
    if (!seconds) {
        int file = open(getenv("CLOCK_SHIFT_FILE"), O_RDONLY);
        seconds = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
        close(file);
    }
    return *seconds;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec own;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &own);
    now->tv_sec = own.tv_sec;
    now->tv_usec = own.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *result) {
    struct timespec own;
    clock_gettime(CLOCK_REALTIME, &own);
    if (result) *result = own.tv_sec;
    return own.tv_sec;
}
"""
"""A library that stands before the C library's clock, for the service alone: its wall clock is shifted by a file."""


def clock_steps(stand: Stand) -> Row:
    """The wall clock of the service steps by a day, on and back, while a silent socket waits to be closed."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        raise NotPossibleError("it takes Linux and a C compiler, cc")
    source, library, shift = (stand.new_path("clock").with_suffix(suffix) for suffix in (".c", ".so", ".shift"))
    source.write_text(_CLOCK, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    shift.write_bytes(bytes(8))
    variables: dict[str, Any] = {"LD_PRELOAD": str(library), "CLOCK_SHIFT_FILE": str(shift), "HEADER_SECONDS": "2"}
    with stand.scene("clock steps by a day", **variables) as scene, shift.open("r+b") as file:
        shifted = mmap.mmap(file.fileno(), 8)
        for days in (1, 0, -1, 0):
            with connect(scene.server) as silent:
                silent.sendall(b"GET /healthz HT")
                started = time.monotonic()
                time.sleep(0.1)
                shifted[:] = struct.pack("l", days * _DAY_SECONDS)
                scene.wait_for_answers()
                silent.settimeout(20)
                with contextlib.suppress(OSError):
                    while silent.recv(1000):
                        pass
                waited = time.monotonic() - started
                scene.expect(1.5 < waited < 6, f"a silent socket was closed after {waited:.1f} s, not 2")
            if days:
                today = time.strftime("%d/%b/%Y", time.localtime(time.time() + days * _DAY_SECONDS))
                scene.expect(today in scene.log, "the service has not seen the step")
    return scene.row


def clients_vanish(stand: Stand) -> Row:
    """Clients reset the connection within their photo or before its answer, read nothing, or close one direction."""
    body, kind = multipart(stand.photos[0])
    whole = upload_head("/verify", len(body)).replace(b"multipart/form-data; boundary=x", kind.encode()) + body
    vanished = itertools.count()
    halves: list[bytes] = []
    never_reads = next(attack for attack in ATTACKS if "no answer read" in attack.name)
    cut = (whole[:100], whole[: len(whole) // 2], whole)

    def once(scene: Scene) -> None:
        number = next(vanished)
        with contextlib.suppress(OSError), connect(scene.server) as connection:
            connection.sendall(cut[number % 3])
            time.sleep(0.05 * (number % 2))  # some vanish before their photo has been looked at
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.05)  # whole photos are work: more of them than the service can do would be another fault

    with stand.scene("clients vanish") as scene, never_reads.hold(scene.server, 20):
        with meanwhile(lambda: once(scene), 2):
            scene.wait_for_answers(50)
            for _ in range(3):  # a client may close its sending side and read on
                with connect(scene.server) as connection:
                    connection.sendall(whole.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost", 1))
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(20)
                    halves.append(connection.recv(12))
            time.sleep(stand.seconds)
        scene.row.figures["vanished"] = next(vanished)
        scene.expect(halves == [b"HTTP/1.1 200"] * 3, f"clients that close one direction were answered with {halves}")
    return scene.row


@contextmanager
def meanwhile(work: Callable[[], None], threads: int) -> Iterator[None]:
    """Do something again and again, in several threads."""
    end = threading.Event()

    def run() -> None:
        while not end.is_set():
            work()

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        end.set()
        for thread in running:
            thread.join()


@contextmanager
def memory_group(most: int) -> Iterator[Path]:
    """A control group in which all processes together may have so much memory, bytes.

    Raises:
        NotPossibleError: this user cannot make one, or this system has none of version 1.
    """
    group = MEMORY_GROUPS / f"face-verification-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise NotPossibleError(f"no control group can be made in {MEMORY_GROUPS} ({error.strerror})") from error
    try:
        (group / "memory.limit_in_bytes").write_text(str(most))
        yield group
    finally:
        for _ in range(100):  # until the last process is gone
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.1)


def hostile_files() -> list[bytes]:
    """Files that cost most, of up to 2 MB, and those that have broken decoders where this machine has them."""
    files = [file.data for file in costly(np.random.default_rng(0))]
    if HARD.is_dir():
        files += [path.read_bytes() for path in sorted(HARD.iterdir()) if path.suffix != ".md"]
    return [data for data in files if len(data) <= 2 * 2**20]


def memory_is_short(stand: Stand, files: Sequence[bytes] = ()) -> Row:
    """Four workers that may have 4 GB together, under all hostile files: the kernel must not kill one."""
    bodies = [multipart(data) for data in files or hostile_files()]
    turn = itertools.count()
    sent: list[int] = []

    def once(scene: Scene) -> None:
        place = next(turn) % len(bodies)
        sent.append(place)
        with contextlib.suppress(OSError):
            scene.server.ask(*bodies[place], timeout=60)

    with memory_group(MEMORY_BYTES) as group:
        prefix = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"]
        with stand.scene("hostile files, 4 workers, 4 GB", workers=MEMORY_WORKERS, prefix=prefix) as scene:
            with meanwhile(lambda: once(scene), _HOSTILE_CLIENTS):
                scene.wait_for(lambda: len(sent) > 2 * len(bodies), "not all files were sent twice", 90)
            control = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())
            most = int((group / "memory.max_usage_in_bytes").read_text())
            scene.row.figures |= {
                "hostile": len(sent),
                "most_megabytes": round(most / 1e6),
                "kernel_kills": int(control.get("oom_kill", 0)),
                "limit_reached": int((group / "memory.failcnt").read_text()),
            }
            scene.expect(scene.row.figures["kernel_kills"] == 0, "the kernel has killed")
            scene.wait_for_answers()
    return scene.row


SURROUNDINGS = (
    disk_full,
    file_system_read_only,
    shared_memory_read_only,
    shared_memory_missing,
    files_damaged,
    clock_steps,
    clients_vanish,
    memory_is_short,
)
"""Each takes a `Stand` and returns a `Row`, or raises `NotPossibleError`."""
