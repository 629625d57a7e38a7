"""All that has to be done to forget somebody, known before anything is deleted."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, field

from faces.message import fill
from privacy.errors import PrivacyError
from privacy.forget import unexplained
from privacy.forget.containing import Containing, find_containing
from privacy.forget.exports import find_exports
from privacy.forget.forms import add_forms
from privacy.forget.images import Pictures
from privacy.forget.kept import DIR, Kept, photos_on_disk
from privacy.forget.locked import why_not_opened
from privacy.forget.outputs import hold_person, made_of_photos, read_stages
from privacy.forget.project import Project, git
from privacy.forget.selection import Selection, add_by_bytes, is_photo_name, select
from privacy.forget.similar import Similar, find_similar
from privacy.forget.traces import Traces, find_traces
from stages.files.encryption import plain_name
from stages.files.paths import EMBEDDINGS
from stages.files.photos import CLASSES

METRICS = ("reports/metrics.json", "reports/evaluation_results.json")


class Tree(Struct):
    """What has to be done in one working tree.

    Attributes:
        root: the project's folder in it.
        photos: files within data/me and data/not_me to be deleted, by their path within data/; a locked one as it is
            called there.
        outputs: what was made of photos and has to be made anew; paths.
        exports: zips that `python -m privacy export` wrote of the person; paths.
    """

    root: str
    photos: list[str] = []
    outputs: list[str] = []
    exports: list[str] = []


class Plan(Struct):
    """All that has to be done, and by what the person is recognised. It is kept until that is done, and no longer.

    Attributes:
        asked, also: as it was typed.
        people, photos, classes, sha256s, crops: as `Traces` has them; photos with the paths that they have or had.
        rows: embeddings by their size, as base64 of float32.
        kinds: of each object that has to go, what kind of thing it is.
        unproven: objects of caches that nobody can tell the origin of.
        trees: the working trees, this one first.
        experiments: folders that killed experiments left.
        lost: commits that held the person, as people read them.
        commits: their hashes.
        copies: paths of photos that are copies of others.
        others: photos of other people that show the person and stay.
        former: what `names.json` is to hold.
        metrics: the figures before.
        unhashed: how many photos are locked of which nobody can tell the SHA-256 that the audit log goes by.
        closed: a sentence on locked photos that could not be opened; "" if there was none.
        needs_key: why the pipeline cannot be run, since photos are locked; "" where it can.
        done: what was done and need not be done again.
        begun: UTC.
    """

    asked: list[str]
    also: list[str]
    people: list[str]
    photos: dict[str, list[str]]
    classes: list[str]
    sha256s: list[str]
    crops: list[str]
    rows: dict[str, str]
    kinds: dict[str, str]
    unproven: list[str]
    trees: list[Tree]
    experiments: list[str]
    lost: list[str]
    commits: list[str]
    copies: list[str]
    others: list[str]
    former: dict[str, list[str]]
    metrics: dict[str, float]
    begun: str
    unhashed: int = 0
    closed: str = ""
    needs_key: str = ""
    done: list[str] = field(default_factory=list)

    def traces(self) -> Traces:
        """By what the person is recognised."""
        paths = {path for own in self.photos.values() for path in own}
        traces = Traces(self.people, set(self.photos), set(self.classes), paths, set(self.sha256s), set(self.crops))
        for size, text in self.rows.items():
            traces.rows[int(size)] = np.frombuffer(base64.b64decode(text), np.float32).reshape(-1, int(size)).copy()
        return traces


def make_plan(
    project: Project,
    asked: Collection[str],
    also: Collection[str],
    decide: Callable[[Similar], bool],
    now: str,
) -> Plan:
    """Look through everything that is kept; nothing is written.

    Args:
        project: whose.
        asked: people and photos.
        also: photos of others that go, too.
        decide: whether a photo of somebody else that shows the person is to go.
        now: UTC.

    Raises:
        PrivacyError: somebody is not there, or there are two of that name.
    """
    kept = Kept.look(project)
    selection = select(kept, asked, also)
    crops = unexplained.add_folders(kept, selection)
    add_forms(kept, selection)
    pictures = Pictures(kept)
    copies = unexplained.add_copies(kept, selection, pictures)
    add_forms(kept, selection)
    traces = find_traces(kept, selection)
    others = []
    for similar in find_similar(kept, selection, traces):
        if similar.is_copy:
            copies.update(dict.fromkeys(similar.oids, ""))
        if similar.is_copy or decide(similar):
            add_by_bytes(kept, selection, similar.oids)
        else:
            others.append(similar.photo)
    add_forms(kept, selection)
    if len(selection.photos) != len(traces.photos):
        traces = find_traces(kept, selection)
    traces.crops |= crops
    found = _find_objects(kept, traces, pictures)
    trees = _find_trees(kept, selection, traces, found)
    if not (found.kinds or traces.sha256s or any(tree.photos or tree.exports for tree in trees)):
        raise PrivacyError("{names}: nothing of that is kept anywhere", names=", ".join([*asked, *also]))
    return Plan(
        asked=list(asked),
        also=list(also),
        people=selection.people,
        photos={oid: sorted(paths) for oid, paths in selection.photos.items()},
        classes=sorted(traces.classes),
        sha256s=sorted(traces.sha256s),
        crops=sorted(traces.crops),
        rows={str(size): base64.b64encode(rows.tobytes()).decode() for size, rows in traces.rows.items()},
        kinds=found.kinds,
        unproven=sorted(found.unproven),
        trees=trees,
        experiments=[str(path) for path in _experiments(project)],
        lost=[version.name for version in found.lost if version.commit],
        commits=[version.commit for version in found.lost if version.commit],
        copies=sorted({path for oid in copies for path in selection.photos[oid]}),
        others=sorted(others),
        former=_former(kept, found),
        metrics=read_metrics(project.root),
        begun=now,
        unhashed=len(traces.unhashed),
        closed=_closed(kept),
        needs_key=why_not_opened(project.root),
    )


def _find_objects(kept: Kept, traces: Traces, pictures: Pictures) -> Containing:
    found = find_containing(kept, traces)
    if kept.project.unreachable:  # nobody can look there: it may still have what 'lock' was to delete
        for oid in traces.plain:
            found.add(oid, "photo or crop before it was locked")
    unexplained.find_unexplained(kept, traces, pictures, found)
    if found.unproven:
        records = unexplained.recorded(kept)
        before, found = found, find_containing(kept, traces, records)
        for oid, kind in before.kinds.items():
            found.add(oid, kind)
        proven = {out.oid for made in records - found.made if made.whole for out in made.outs}
        found.unproven = before.unproven - proven - set(found.kinds)
    return found


def _closed(kept: Kept) -> str:
    """What could not be looked for, in one line."""
    photos = {item.oid for item in kept.photo_items if is_photo_name(item.path)}
    closed = sorted(photos & kept.closed.keys())
    if closed:
        return fill(
            "{count:# locked photo|# locked photos} could not be opened, so among {count:it|them} near copies and "
            "faces like theirs were not looked for: {reason}",
            count=len(closed),
            reason=kept.closed[closed[0]],
        )
    arrays = {item.oid for item in kept.items if item.path == EMBEDDINGS.as_posix()}
    arrays |= {str(workspace.root / EMBEDDINGS) for workspace in kept.project.workspaces}
    closed = sorted(arrays & kept.closed.keys())
    if closed:
        return fill(
            "embeddings of {count:# run|# runs} could not be opened, so faces like theirs were not looked for in "
            "{count:it|them}: {reason}. 'dvc repro' makes those of data/ anew with the present key: run it first",
            count=len(closed),
            reason=kept.closed[closed[0]],
        )
    return ""


def _find_trees(kept: Kept, selection: Selection, traces: Traces, found: Containing) -> list[Tree]:
    named = {path for paths in selection.photos.values() for path in paths} | selection.bare
    trees = []
    for number, workspace in enumerate(kept.project.workspaces):
        root = workspace.root
        on_disk = kept.on_disk if number == 0 else photos_on_disk(root)
        photos = sorted(path for path, oid in on_disk.items() if oid in selection.photos or _asked(selection, path))
        outputs = made_of_photos(read_stages(root))
        in_git = _in_git(kept.project, root)
        held = bool(photos) or hold_person(root, outputs, kept.versions[number], found.kinds, in_git)
        exports = find_exports(root, selection.people, named, traces.sha256s)
        trees.append(Tree(str(root), photos, outputs if held else [], exports))
    return trees


def _asked(selection: Selection, path: str) -> bool:
    """Whether a file of the working tree was asked for; tables of a class lose lines, not all of it."""
    plain = plain_name(path)
    return selection.covers(plain) and plain not in {f"{name}/attributes.csv" for name in CLASSES}


def _in_git(project: Project, root: Path) -> set[str]:
    if not project.has_git:
        return set()
    return {os.fsdecode(name) for name in git(root, "ls-files", "-z").split(b"\0")}


def _experiments(project: Project) -> list[Path]:
    return [
        folder
        for workspace in project.workspaces
        for folder in [workspace.root / ".dvc" / "tmp" / "exps"]
        if folder.is_dir()
    ]


def _former(kept: Kept, found: Containing) -> dict[str, list[str]]:
    """Names of photos and crops of others that no list will name any more."""
    names: dict[str, set[str]] = {oid: set(paths) for oid, paths in kept.former.items()}
    staying: set[str] = set()
    for item in kept.items:
        if not item.oid.endswith(DIR) or not item.path.startswith(("data/me", "data/not_me", "data/cropped")):
            continue
        if item.oid not in found.kinds:
            staying.update(oid for _, oid in kept.manifests.get(item.oid, ()))
            continue
        for file in kept.files(item):
            names.setdefault(file.oid, set()).add(file.path)
    return {
        oid: sorted(paths)
        for oid, paths in names.items()
        if oid not in staying and oid not in found.kinds and oid in kept.where
    }


def read_metrics(root: Path) -> dict[str, float]:
    """The figures of the last run, by file and name."""
    figures = {}
    for name in METRICS:
        try:
            content = json.loads((root / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            figures.update({f"{Path(name).stem}.{key}": value for key, value in content.items() if _is_number(value)})
    return figures


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def last_of_class(plan: Plan) -> list[str]:
    """The classes that are left without a photo in this working tree."""
    data = Path(plan.trees[0].root) / "data"
    going = set(plan.trees[0].photos)
    return [
        name
        for name in CLASSES
        if any(path.startswith(f"{name}/") for path in going)
        and not any(
            is_photo_name(path.name) and path.relative_to(data).as_posix() not in going
            for path in (data / name).rglob("*")
        )
    ]
