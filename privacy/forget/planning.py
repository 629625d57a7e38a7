"""Finding all that has to be done, before anything is deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import numpy as np

from faces.message import Message
from privacy.dvc.objects import DIR
from privacy.errors import PrivacyError
from privacy.forget import unexplained
from privacy.forget.containing import Containing, find_containing
from privacy.forget.evidence import Evidence, showing
from privacy.forget.forms import add_forms
from privacy.forget.images import Originals, Pictures
from privacy.forget.in_git import find_in_git
from privacy.forget.kept import Kept
from privacy.forget.locked import why_not_opened
from privacy.forget.looking import evidence_of, find_everywhere
from privacy.forget.plan import Plan, read_metrics
from privacy.forget.project import Project
from privacy.forget.renamed import add_elsewhere, add_other_names
from privacy.forget.retrain import sources
from privacy.forget.selection import Selection, add_by_bytes, is_photo_name, select
from privacy.forget.similar import Similar, find_similar
from privacy.forget.traces import Traces, find_traces
from privacy.forget.trees import experiments, find_trees
from privacy.forget.unseen import Unseen, find_unseen
from service.client.language import say
from stages.files.paths import EMBEDDINGS

Decide = Callable[[Similar], bool]


def make_plan(
    project: Project,
    asked: Collection[str],
    also: Collection[str],
    decide: Decide,
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
    unsure = add_other_names(kept, selection)
    add_elsewhere(kept, selection)
    search = _Search(kept, selection, decide)
    search.photos()
    traces, originals = search.traces, search.originals
    found = _find_objects(search)
    evidence = evidence_of(kept, traces, originals, showing(found.kinds))
    looked = kept.where.keys() - found.kinds.keys() - found.unproven - set(search.unseen.theirs)
    trees = find_trees(kept, selection, traces, found, evidence, looked)
    if not (found.kinds or traces.sha256s or any(tree.photos or tree.exports for tree in trees)):
        raise PrivacyError("{names}: nothing of that is kept anywhere", names=", ".join([*asked, *also]))
    lost = [version for version in found.lost if version.commit]
    return Plan(
        asked=list(asked),
        also=list(also),
        people=selection.people,
        photos={oid: sorted(paths) for oid, paths in selection.photos.items()},
        classes=sorted(traces.classes),
        sha256s=sorted(traces.sha256s),
        crops=sorted(traces.crops),
        rows={size: rows.tobytes() for size, rows in traces.rows.items()},
        kinds=found.kinds,
        unproven=sorted(found.unproven),
        trees=trees,
        experiments=experiments(project),
        lost=[version.name for version in lost],
        commits=[version.commit for version in lost],
        copies=sorted({path for oid in search.copies for path in selection.photos.get(oid, ())}),
        others=sorted(set(search.others)),
        former=_former(kept, found),
        metrics=read_metrics(project.root),
        begun=now,
        unhashed=len(traces.unhashed),
        closed=say(_closed(kept)),
        needs_key=say(why_not_opened(project.root)),
        renamed=selection.renamed,
        unsure=unsure,
        faces=sorted(search.unseen.theirs - found.kinds.keys()),
        unseen=say(_unseen(search.unseen)),
        sources=sources(project.root, found.kinds),
        in_git=find_in_git(project, Evidence(traces, originals, traces.photos | traces.crops)),
        bits=originals.bits.tobytes(),
        pixels=originals.pixels.astype(np.float16).tobytes(),
        looked=sorted(looked),
    )


class _Search:
    """Finds the person's photos: those asked for, their copies, and those on which a face is like theirs.

    Args:
        kept: what is kept.
        selection: what was asked for; it grows.
        decide: as `make_plan` has it.

    Attributes:
        pictures: what is known of pictures.
        traces: what identifies the person.
        originals: their photos and crops.
        copies: photos that are copies of others.
        others: photos of others that show the person and stay.
        unseen: what was found on pictures that no run has looked at.
    """

    def __init__(self, kept: Kept, selection: Selection, decide: Decide) -> None:
        self.kept = kept
        self.selection = selection
        self._decide = decide
        self._crops = unexplained.add_folders(kept, selection)
        self.pictures = Pictures(kept)
        self.copies: set[str] = set()
        self.others: list[str] = []
        self.unseen = Unseen()
        self.traces: Traces
        self.originals: Originals

    def photos(self) -> None:
        """Find all of them."""
        self._add_copies()
        self._trace()
        self._ask(find_similar(self.kept, self.selection, self.traces, self.pictures, self.originals))
        self._trace()
        self.unseen = find_unseen(self.kept, self.selection, self.traces, self.originals)
        self._ask(self._seen())
        self._trace()

    def _add_copies(self) -> None:
        add_forms(self.kept, self.selection)
        originals = self.pictures.originals(self.selection.photos)
        self.copies |= unexplained.add_copies(self.kept, self.selection, self.pictures, originals)

    def _trace(self) -> None:
        """Find by what the person is recognised, where photos were added since the last time."""
        add_forms(self.kept, self.selection)
        if not hasattr(self, "traces") or self.selection.photos.keys() != self.traces.photos:
            self.traces = find_traces(self.kept, self.selection, self._crops)
            self.originals = self.pictures.originals(self.traces.photos | self.traces.crops)

    def _seen(self) -> list[Similar]:
        """What was found on pictures that no run has looked at, but for what goes without a question."""
        unseen = self.unseen
        files = (file for item in self.kept.items for file in self.kept.files(item))
        paths = {file.oid: file.path.removeprefix("data/") for file in files if file.oid in unseen.objects}
        similar = [
            Similar(paths.get(oid) or self._place(oid), (oid,), face.cosine, face.pixels)
            for oid, face in unseen.objects.items()
            if oid not in unseen.theirs
        ]
        similar += [Similar(path, (), face.cosine, face.pixels) for path, face in unseen.files.items()]
        return sorted(similar, key=lambda one: -one.cosine)

    def _place(self, oid: str) -> str:
        """Where an object lies, for people."""
        store, path = self.kept.where[oid][0]
        root = self.kept.project.root
        inside = store.local and Path(path).is_relative_to(root)
        return Path(path).relative_to(root).as_posix() if inside else path

    def _ask(self, found: Iterable[Similar]) -> None:
        """Add photos that show the person where they are copies, or the user says so.

        Where single photos were asked for, that the person's other photos show them goes without saying.
        """
        for similar in found:
            if not similar.is_copy and self.selection.is_owners(similar.photo):
                continue
            if not (similar.is_copy or self._decide(similar)):
                self.others.append(similar.photo)
            elif similar.oids:
                self.copies.update(similar.oids if similar.is_copy else ())
                add_by_bytes(self.kept, self.selection, similar.oids)
            else:
                self.selection.files.add(similar.photo)


def _find_objects(search: _Search) -> Containing:
    """All objects that go; where nobody can tell of some, the records of models are asked, too."""
    kept, traces = search.kept, search.traces
    found, held = find_everywhere(kept, traces, search.pictures, search.originals)
    if kept.project.unreachable:  # nobody can look there: it may still have what 'lock' was to delete
        for oid in traces.plain:
            found.add(oid, Message("photo or crop before it was locked"))
    unexplained.find_unexplained(kept, traces, found)
    if found.unproven:
        records = unexplained.recorded(kept)
        before, found = found, find_containing(kept, traces, records, held)
        for oid, kind in before.kinds.items():
            found.add(oid, kind)
        clean = {out.oid for made in records - found.made if made.whole for out in made.outs}
        found.unproven = before.unproven - clean - set(found.kinds)
    return found


def _unseen(unseen: Unseen) -> str:
    """On which pictures no face was looked for, in one sentence."""
    if not unseen.left:
        return ""
    too_long = Message("it would take too long; run 'dvc repro', or 'dvc gc', and this again")
    return Message(
        "{count:# picture|# pictures} that no run of the pipeline has looked at could not be searched for their face: "
        "{reason}",
        count=unseen.left,
        reason=unseen.reason or too_long,
    )


def _closed(kept: Kept) -> str:
    """What could not be looked for, in one line."""
    photos = {item.oid for item in kept.photo_items if is_photo_name(item.path)}
    arrays = {item.oid for item in kept.items if item.path == EMBEDDINGS.as_posix()}
    arrays |= {str(workspace.root / EMBEDDINGS) for workspace in kept.project.workspaces}
    for oids, text in (
        (
            photos,
            "{count:# locked photo|# locked photos} could not be opened, so among {count:it|them} near copies and "
            "faces like theirs were not looked for: {reason}",
        ),
        (
            arrays,
            "embeddings of {count:# run|# runs} could not be opened, so faces like theirs were not looked for in "
            "{count:it|them}: {reason}. 'dvc repro' makes those of data/ anew with the present key: run it first",
        ),
    ):
        if closed := sorted(oids & kept.closed.keys()):
            return Message(text, count=len(closed), reason=kept.closed[closed[0]])
    return ""


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
