"""Making everything anew without the person: the photos are tracked as they are now, and the pipeline runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from faces.files import replacing, write_text
from faces.message import Message
from privacy.forget.outputs import made_of_photos, read_stages
from privacy.forget.plan import Plan, last_of_class
from privacy.forget.versions import Version, dvc_files
from privacy.forget.workspace import remove
from service.client.language import say

FORGOTTEN = Path("models/forgotten")
"""A file that is there while no model is, because `me` was forgotten: the service takes that over as it is."""

_COMMAND = re.compile(rb"(?m)^cmd:")
"""A stage of old versions of DVC in a .dvc file of its own: `dvc repro` makes it anew."""


def track(root: Path, kinds: Collection[str]) -> list[str]:
    """Let DVC track the photos as they are now, wherever a .dvc file names what is gone.

    Args:
        root: of the project.
        kinds: objects that are gone.

    Returns:
        The .dvc files that changed.

    Raises:
        OSError: `dvc add` failed.
    """
    changed = []
    for path, data in tracking(root):
        version = Version("")
        version.add(path.relative_to(root).as_posix(), data)
        if _COMMAND.search(data) or not any(item.oid in kinds for item in version.tracked):
            continue
        targets = [item.path for item in version.tracked if (root / item.path).exists()]
        if targets:
            _run(root, "add", "--quiet", *targets)
        else:
            remove(path)
            _drop_ignored(path)
        changed.append(path.relative_to(root).as_posix())
    return sorted(changed)


def sources(root: Path, kinds: Collection[str]) -> list[str]:
    """Where photos that go were imported from (`dvc import`, `dvc import-url`): these are not the project's to delete.

    Args:
        root: of the project.
        kinds: objects that go.
    """
    found = set()
    for path, data in tracking(root):
        version = Version("")
        version.add(path.relative_to(root).as_posix(), data)
        content = yaml.safe_load(data) if any(item.oid in kinds for item in version.tracked) else None
        for dep in (content or {}).get("deps") or ():
            found.add(str(dep["repo"]["url"] if "repo" in dep else dep.get("path", "?")))
    return sorted(found)


def tracking(root: Path) -> Iterator[tuple[Path, bytes]]:
    """The .dvc files of a working tree, and their contents."""
    yield from ((path, path.read_bytes()) for path in dvc_files(root) if path.suffix == ".dvc")


def _drop_ignored(path: Path) -> None:
    """Take what a .dvc file tracked out of the .gitignore beside it: the line is a person's name or a photo's."""
    ignore = path.parent / ".gitignore"
    if not ignore.is_file():
        return
    lines = ignore.read_text(encoding="utf-8").splitlines(keepends=True)
    name = f"/{path.name.removesuffix('.dvc')}"
    kept = [line for line in lines if re.sub(r"\\(.)", r"\1", line.rstrip("\r\n")) != name]  # DVC escapes #, !, [ …
    if kept != lines:
        write_text(ignore, "".join(kept))


def why_not(plan: Plan) -> str:
    """Why no model can be made any more; "" where it can be tried."""
    return Message("no photo of me is left") if "me" in last_of_class(plan) else ""


def reproduce(root: Path) -> bool:
    """Run the pipeline, its messages on the terminal; returns whether it ended well."""
    print(say("Making everything anew: dvc repro"), flush=True)
    return _start(root, "repro").returncode == 0


def give_up_model(root: Path, kinds: Collection[str]) -> None:
    """No model can be made: take what was made of what is gone out of dvc.lock, delete what a stage that failed has
    written, and say so to the service."""
    lock = root / "dvc.lock"
    done: set[str] = set()
    if lock.is_file():
        from dvc.utils.serialize import dump_yaml, load_yaml

        content = load_yaml(str(lock))
        version = Version("")
        for name, stage in list((content.get("stages") or {}).items()):
            version.made.clear()
            version.add("dvc.lock", f"stages: {{one: {json.dumps(stage)}}}".encode())
            if any(item.oid in kinds for item in version.items()):
                del content["stages"][name]
            else:
                done.update(out.path for made in version.made for out in made.outs)
        with replacing(lock) as temporary:
            dump_yaml(str(temporary), content)
    for name in set(made_of_photos(read_stages(root))) - done:  # what a stage had written when it failed
        remove(root / name)
    if any("models/model.joblib" in stage.outs for stage in read_stages(root)):
        write_text(root / FORGOTTEN, "no model: me was forgotten\n")


def _run(root: Path, *arguments: str) -> None:
    done = _start(root, *arguments)
    if done.returncode:
        raise OSError(Message("'dvc {words}' failed; its message is above", words=" ".join(arguments)))


def _start(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run DVC, with the running Python first: dvc.yaml says `python`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", "PYTHONUNBUFFERED": "1"}
    return subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=root, env=environment, check=False)
