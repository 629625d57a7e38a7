"""Everything is looked through again at the end, by other means than it was deleted by."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy.forget import certificate
from privacy.forget.exports import find_exports
from privacy.forget.kept import photos_on_disk
from privacy.forget.plan import Plan, read_metrics
from privacy.forget.project import Project
from privacy.forget.purge import owed_by_lock, read_debts, still_there
from privacy.forget.traces import Traces
from privacy.forget.versions import workspace_version
from privacy.forget.workspace import TABLES
from stages.files.encryption import LockedError, plain_name, reveal

_LARGEST = 512 * 2**20
_PASSED_OVER = ("data/me/", "data/not_me/", "models/networks/")
_SEARCHED = ("data", "models", "reports", ".dvc/tmp")


@dataclass
class Findings:
    """What a search at the end has found.

    Attributes:
        wrong: what is still there, a sentence each; it names nobody.
        gone: hashes of objects that are nowhere.
        yours: files that name them and that the user has written: for them to change.
        searched: how many objects and files were looked at, by place.
    """

    wrong: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    yours: list[str] = field(default_factory=list)
    searched: dict[str, int] = field(default_factory=dict)


def check(project: Project, plan: Plan) -> Findings:
    """Look for the person in every place."""
    findings = Findings()
    traces = plan.traces()
    # What the new run has made without them may be, byte for byte, what an older one had made: the networks' recipe.
    new = {item.oid for item in workspace_version("", project.root).items()}
    made_again = {oid for oid in new if oid in plan.kinds and oid not in plan.photos and oid not in plan.crops}
    gone = sorted(set(plan.kinds) - made_again)
    for store in project.stores:
        left = still_there(store, gone)
        findings.searched[store.name] = sum(map(len, store.list().objects.values()))
        if left:
            findings.wrong.append(f"{store.name} still holds {len(left)} objects")
    findings.gone = gone
    for workspace in project.workspaces:
        if sum(oid in plan.photos for oid in photos_on_disk(workspace.root).values()):
            findings.wrong.append(f"{workspace.root}/data still holds photos of them")
        if find_exports(workspace.root, plan.people, traces.paths, traces.sha256s):
            findings.wrong.append(f"{workspace.root}/private still holds an export of theirs")
        _search(workspace.root, traces, findings)
    return findings


def _search(root: Path, traces: Traces, findings: Findings) -> None:
    """Look into every file that stages write for names, hashes and embeddings."""
    count = 0
    for place in _SEARCHED:
        for path in sorted((root / place).rglob("*")):
            relative = path.relative_to(root).as_posix()
            if relative.startswith(_PASSED_OVER) and plain_name(relative) not in TABLES:
                continue
            if not path.is_file() or path.stat().st_size > _LARGEST:
                continue
            data = path.read_bytes()
            count += 1
            with contextlib.suppress(LockedError):  # it is not what was deleted, which was told by hashes
                data = reveal(data, path)
            if traces.names_in(data) or traces.rows_in(data):
                if relative.startswith("reports/manual/"):
                    findings.yours.append(relative)
                else:
                    findings.wrong.append(
                        f"{root / place} still holds a file that names them or has embeddings of them"
                    )
    findings.searched[str(root)] = count


def write_certificate(project: Project, plan: Plan, findings: Findings, problem: str, ended: str) -> Path:
    """Write what was done, where, when and how it was checked."""
    key = certificate.load_key(project.root, make=True)
    after = read_metrics(project.root)
    asked = sorted(certificate.keyed(key, name) for name in [*plan.people, *plan.asked, *plan.also])
    content: dict[str, Any] = {
        "begun": plan.begun,
        "ended": ended,
        "who": {"people": len(plan.people), "photos": len(plan.photos), "keyed_names": asked},
        "what": dict(sorted(Counter(map(_category, plan.kinds.values())).items())),
        "unproven_objects_deleted": len(plan.unproven),
        "where": {
            "working_trees": len(plan.trees),
            "caches": sum(not store.remote for store in project.stores),
            "remotes": sum(store.remote for store in project.stores),
            "experiments": len(plan.experiments),
        },
        "owed": [{"remote": debt.name, "since": debt.since} for debt in read_debts(project.root)],
        "owed_by_lock": [{"remote": name, "objects": count} for name, count in owed_by_lock(project).items()],
        "checked": {
            "how": "every cache and remote was listed for each deleted object and for entries of the run cache that "
            "name one; every file of data, models, reports and .dvc/tmp was searched for names, hashes and embeddings",
            "searched": list(findings.searched.values()),
            "found": 0,
        },
        "audit_log": {"photos_not_looked_for": plan.unhashed},
        "versions_that_lost_artefacts": len(plan.lost),
        "model": {
            "retrained": bool(plan.trees[0].outputs) and not problem,
            "none_because": problem,
            "metrics": {
                name: {"before": plan.metrics.get(name), "after": after.get(name)}
                for name in sorted({*plan.metrics, *after})
            },
        },
        "gone": sorted(certificate.keyed(key, oid) for oid in findings.gone),
        "gone_content": sorted(certificate.keyed(key, sha256) for sha256 in plan.sha256s),
    }
    when = datetime.fromisoformat(ended).strftime("%Y-%m-%dT%H-%M-%SZ")
    name, number = f"{when}.json", 1
    while (project.root / certificate.FOLDER / name).exists():
        number += 1
        name = f"{when}-{number}.json"
    return certificate.write(project.root, content, name)


def _category(kind: str) -> str:
    """A kind without anything that could be a name: files of data/ that stages do not write are just data."""
    return kind if not kind.startswith("data/") or kind.count("/") == 1 else "data"
