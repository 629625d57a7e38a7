"""Everything is looked through again at the end, by other means than it was deleted by."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from faces.message import Message
from privacy.dvc.objects import still_there
from privacy.dvc.owed import read_debts
from privacy.dvc.stores import Listing, Store
from privacy.forget import certificate
from privacy.forget.evidence import Evidence
from privacy.forget.exports import find_exports
from privacy.forget.git import files_in_git
from privacy.forget.images import is_image
from privacy.forget.kept import photos_on_disk
from privacy.forget.outputs import made_of_photos, read_stages, touches
from privacy.forget.plan import Plan, read_metrics
from privacy.forget.project import Project
from privacy.forget.serve import Served
from privacy.forget.strays import LARGEST, files_of, name_of
from privacy.forget.tables import tables_of
from privacy.forget.versions import workspace_version
from service.client.language import say
from stages.files.encryption import LockedError
from stages.files.locked_files import plain_name, reveal
from stages.progress import progress

_ALSO_MADE = (".dvc/tmp", "data/remembered")


@dataclass
class Findings:
    """What a search at the end has found.

    Attributes:
        wrong: what is still there, a sentence each; it names nobody.
        gone: hashes of objects that are nowhere.
        yours: files that name them and that the user has written: for them to change.
        searched: how many objects and files were looked at, by place.
        unsure: remotes of which nobody can tell whether they keep old versions, and why.
    """

    wrong: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    yours: list[str] = field(default_factory=list)
    searched: dict[str, int] = field(default_factory=dict)
    unsure: dict[str, str] = field(default_factory=dict)


def check(project: Project, plan: Plan) -> Findings:
    """Look for the person in every place."""
    findings = Findings()
    traces = plan.traces()
    # What the new run has made without them may be, byte for byte, what an older one had made: the networks' recipe.
    new = {item.oid for item in workspace_version("", project.root).items()}
    made_again = {oid for oid in new if oid in plan.kinds and oid not in plan.photos and oid not in plan.crops}
    gone = sorted(set(plan.kinds) - made_again)
    evidence = plan.evidence(gone)
    for store in project.stores:
        left = still_there(store, gone)
        listing = store.list()
        findings.searched[store.name] = sum(map(len, listing.objects.values()))
        if left:
            findings.wrong.append(Message("{name} still holds {count} objects", name=store.name, count=len(left)))
        if listing.unsure:
            findings.unsure[store.name] = listing.unsure
        if not store.remote and (count := _shown_in_new(store, listing, plan, evidence)):
            text = "{name} has {count} new objects that show them"
            findings.wrong.append(Message(text, name=store.name, count=count))
    findings.gone = gone
    for number, workspace in enumerate(project.workspaces):
        if sum(oid in plan.photos for oid in photos_on_disk(workspace.root).values()):
            findings.wrong.append(Message("{folder}/data still holds photos of them", folder=workspace.root))
        if find_exports(workspace.root, plan.people, traces.paths, traces.sha256s):
            findings.wrong.append(Message("{folder}/private still holds an export of theirs", folder=workspace.root))
        own = plan.trees[number].own if number < len(plan.trees) else []
        _search(project, workspace.root, plan, evidence, own, findings)
    return findings


def _shown_in_new(store: Store, listing: Listing, plan: Plan, evidence: Evidence) -> int:
    """How many objects that were made since show the person."""
    looked = set(plan.looked)
    new = sorted(path for oid, paths in listing.objects.items() if oid not in looked for path in paths)
    count = 0
    for path in progress(new, len(new), say("looking into what is new"), say("object")):
        with contextlib.suppress(LockedError, OSError):
            count += bool(evidence.of(reveal(store.read(path), Path(path))))
    return count


def _search(
    project: Project, root: Path, plan: Plan, evidence: Evidence, own: Collection[str], findings: Findings
) -> None:
    """Look into every file of a working tree for pictures, embeddings, names and hashes."""
    traces, looked = plan.traces(), set(plan.looked)
    made = {*made_of_photos(read_stages(root)), *tables_of(root), *_ALSO_MADE}
    in_git = files_in_git(root) if project.has_git else set()
    more = (path for name in _ALSO_MADE for path in sorted((root / name).rglob("*")) if path.is_file())
    files = list(dict.fromkeys([*files_of(project, root), *more]))
    findings.searched[str(root)] = len(files)
    wrong: Counter[str] = Counter()
    for path in progress(files, len(files), say("looking through the folder"), say("file")):
        name = name_of(path, root)
        try:
            data = path.read_bytes() if path.stat().st_size <= LARGEST else b""
            data = reveal(data, path)
        except (LockedError, OSError):  # it is not what was deleted, which was told by hashes
            continue
        known = hashlib.md5(data, usedforsecurity=False).hexdigest() in looked
        is_made = any(touches(plain_name(name), place) for place in made)
        if not known and name not in own and evidence.of(data):
            text = "{folder} still holds a file that shows them or has embeddings of them"
            wrong[Message(text, folder=root / name.partition("/")[0])] += 1
        elif not is_image(data) and (is_made or name not in in_git) and traces.named_inside(data):
            if is_made:
                text = "{folder} still holds a file that names them"
                wrong[Message(text, folder=root / name.partition("/")[0])] += 1
            else:
                findings.yours.append(name)
    findings.wrong += sorted(wrong)


def write_certificate(
    project: Project, plan: Plan, findings: Findings, served: Served, problem: str, ended: str
) -> Path:
    """Write what was done, where, when and how it was checked."""
    key = certificate.load_key(project.root, make=True)
    after, debts = read_metrics(project.root), read_debts(project.root)
    asked = sorted(certificate.keyed(key, name) for name in [*plan.people, *plan.asked, *plan.also])
    content: dict[str, Any] = {
        "begun": plan.begun,
        "ended": ended,
        "who": {"people": len(plan.people), "photos": len(plan.photos), "keyed_names": asked},
        "what": dict(sorted(Counter(map(_category, plan.kinds.values())).items())),
        "unproven_objects_deleted": len(plan.unproven),
        "nameless_pictures_with_a_face_like_theirs_deleted": len(plan.faces),
        "where": {
            "working_trees": len(plan.trees),
            "caches": sum(not store.remote for store in project.stores),
            "remotes": sum(store.remote for store in project.stores),
            "experiments": len(plan.experiments),
        },
        "owed": [{"remote": debt.name, "since": debt.since} for debt in debts if debt.by == "forget"],
        "owed_by_lock": [{"remote": debt.name, "objects": len(debt.oids)} for debt in debts if debt.by == "lock"],
        "checked": {
            "how": "every object of caches and remotes and every file of the working trees was looked into, also what "
            "archives and notebooks hold, for their pictures, copies of them and embeddings; at the end, every cache "
            "and remote was listed for each deleted object and for entries of the run cache that name one, and what is "
            "new and every file of the working trees was looked into again, also for names and hashes",
            "searched": list(findings.searched.values()),
            "found": 0,
        },
        "not_done": {
            "files_of_other_programs_that_show_them": sum(len(tree.own) for tree in plan.trees),
            "files_that_nobody_could_look_into": sum(len(tree.closed) for tree in plan.trees),
            "files_in_git_history_that_show_them": len(plan.in_git),
            "photos_of_others_that_seem_to_show_them": len(plan.others),
            "buckets_that_may_keep_old_versions": len(findings.unsure),
            "remotes_of_earlier_versions_that_do_not_answer": len(project.former),
        },
        "service": {
            "told_and_serves_what_is_there_now": served.reloaded,
            "to_be_restarted_here": served.to_do,
            "elsewhere": "not known to this command",
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
