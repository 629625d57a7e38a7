"""Which models were trained with a person's faces, as far as the records of the runs still say."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import yaml

from privacy.dvc.stores import Store
from privacy.held.since import git, open_cache
from service.client.language import say
from stages.files.locked_files import sha256_of_content
from stages.files.paths import EMBEDDINGS, INDEX, MODEL, TRAIN_RECORD
from stages.progress import progress


def models_trained_with(names: Collection[str], faces: int) -> dict[str, Any]:
    """The model in models/, and those of earlier commits.

    Args:
        names: paths of the person's photos within data/.
        faces: how many rows of the present index are theirs.

    Returns:
        For JSON: `current` says whether the model in models/ was trained with their faces (None where its record is
        not of the present embeddings), and `earlier` names commits whose model was.
    """
    current: dict[str, Any] = {"model": MODEL.as_posix(), "trained_with_their_faces": None, "faces": None}
    with suppress(OSError, ValueError, LookupError, TypeError):
        record = json.loads(TRAIN_RECORD.read_text(encoding="utf-8"))
        current["model_sha256"] = record["files"][MODEL.name]
        if record["made_from"]["inputs"].get(EMBEDDINGS.as_posix()) == sha256_of_content(EMBEDDINGS):
            current |= {"trained_with_their_faces": faces > 0, "faces": faces}
    return {"current": current, "earlier": list(_earlier(set(names)))}


def _earlier(names: set[str]) -> Iterator[dict[str, Any]]:
    """Commits whose model was trained with one of these photos, if DVC's cache still has their index; oldest first."""
    listed = git("log", "--all", "--reverse", "--format=%H %ct", "--diff-filter=AM", "--", "dvc.lock").decode("ascii")
    commits = [line.split() for line in listed.splitlines()]
    cache = open_cache() if commits else None
    if cache is None:
        return
    counts: dict[str, int] = {}
    for commit, seconds in progress(commits, len(commits), say("reading versions"), say("version")):
        locked = git("show", f"{commit}:dvc.lock")
        with suppress(yaml.YAMLError, LookupError, TypeError):
            stages = yaml.load(locked, yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)["stages"]
            index = _hash_of(stages["train"]["deps"], INDEX.as_posix())
            model = _hash_of(stages["train"]["outs"], MODEL.as_posix())
            if index not in counts:
                counts[index] = _faces_in(cache, index, names)
            if counts[index]:
                day = datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds")
                yield {"commit": commit, "day": day, "model_md5": model, "faces": counts[index]}


def _hash_of(entries: list[dict[str, str]], path: str) -> str:
    """The hash of a file that a stage read or wrote.

    Raises:
        LookupError: it was none of these, as in versions whose pipeline was another one.
    """
    return {entry["path"]: entry["md5"] for entry in entries if "md5" in entry}[path]


def _faces_in(cache: Store, oid: str, names: set[str]) -> int:
    """How many rows of an index in the cache are of these photos."""
    try:
        text = (cache.read_object(oid) or b"").decode("utf-8")
    except UnicodeDecodeError:
        return 0
    return sum(row.get("photo") in names for row in csv.DictReader(io.StringIO(text, newline="")))
