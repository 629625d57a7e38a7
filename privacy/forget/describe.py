"""What has to be done, for people to read before they say yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from faces.message import Message
from privacy.forget.git import git
from privacy.forget.plan import Plan, Tree, last_of_class
from privacy.forget.project import Project
from privacy.forget.workspace import EXPLAINED
from privacy.language import say_again
from service.client.language import say
from stages.files.locked_files import plain_name

_SHOWN = 20
_MORE_PHOTOS = Message("  … and {count:# photo|# photos} more")
_MORE_FOLDERS = Message("  … and {count:# folder|# folders} more")
_MORE_FILES = Message("  … and {count:# file|# files} more")


def describe(project: Project, plan: Plan) -> str:
    """The whole list."""
    lines = [say("This is to be forgotten:"), *_photos(plan), *_undecided(plan), say("What is deleted:")]
    for tree in plan.trees:
        lines += _tree(tree)
    lines += _objects(project, plan)
    lines += [say("  what experiments left in {folder}", folder=folder) for folder in plan.experiments]
    lines.append(say("  DVC's notes on files: .dvc/tmp and its folder outside the project"))
    if plan.lost:
        lines.append(say("{count:This version loses|These # versions lose} for good what was made with them:",
                         count=len(plan.lost)))  # fmt: skip
        lines += _listed(plan.lost, Message("  … and {count:# version|# versions} more"))
    lines += _about_classes(plan)
    lines += _not_deleted(project, plan)
    if project.has_git and git(project.root, "status", "--porcelain").strip():
        lines.append(say("git has changes that are not committed: they stay as they are."))
    return "\n".join(lines)


def _photos(plan: Plan) -> Iterator[str]:
    """The person's photos, and why those are among them that were not asked for."""
    paths = sorted({path for own in plan.photos.values() for path in own})
    yield from _listed(paths, _MORE_PHOTOS)
    if plan.renamed:
        yield say("Other names that the same folder had:")
        yield from _listed(plan.renamed, _MORE_FOLDERS)
    if plan.copies:
        yield say("Of these, copies of the others in another size, format or place:")
        yield from _listed(plan.copies, Message("  … and {count:# copy|# copies} more"))
    both = [own for own in plan.photos.values() if {path.partition("/")[0] for path in own} == {"me", "not_me"}]
    if both:
        yield say("The same photo lies in both classes, and goes from both:")
        yield from (f"  {', '.join(own)}" for own in both)
    strangers = sorted({path for path in paths if not _is_asked(plan, path)})
    if strangers:
        yield say("Among them are photos that lie elsewhere than what was asked for:")
        yield from _listed(strangers, _MORE_PHOTOS)


def _undecided(plan: Plan) -> Iterator[str]:
    """What may be the person's and stays, and what could not be looked for."""
    if plan.others:
        yield say("These photos of others seem to show them, too. They stay, unless you name them with --also:")
        yield from _listed(plan.others, _MORE_PHOTOS)
    if plan.unsure:
        text = (
            "At another time, these folders held some of these photos. If they are the same person's, name them, too:"
        )
        yield say(text)
        yield from _listed(plan.unsure, _MORE_FOLDERS)
    if plan.closed:
        yield plan.closed
    if plan.unseen:
        yield plan.unseen
    if plan.unhashed:
        yield _audit_left(plan.unhashed)


def _tree(tree: Tree) -> Iterator[str]:
    """What is deleted in a working tree."""
    text = (
        "  {folder}: {files:# file|# files} in data/me and data/not_me, lines about them in attributes.csv and "
        "consent.csv, what the stages remember of them"
    )
    made = ""
    if tree.outputs:
        made = say(", and what was made of photos: {count} files and folders", count=len(tree.outputs))
    yield say(text, folder=tree.root, files=len(tree.photos)) + made
    yield from (say("  the export {name}", name=name) for name in tree.exports)
    if (Path(tree.root) / EXPLAINED).exists():
        yield say("  every picture in {folder}, whoever is on it", folder=EXPLAINED)
    if tree.files:
        yield say("  other files that show them:")
        yield from (f"  {line}" for line in _listed(tree.files, _MORE_FILES))
    if tree.packed:
        yield say("  pictures of them and what was made of these, out of files of which the rest stays:")
        yield from (f"  {line}" for line in _listed(tree.packed, _MORE_FILES))


def _objects(project: Project, plan: Plan) -> Iterator[str]:
    """What is deleted of DVC's objects, and where."""
    counts = Counter(kind.partition("/")[0] for kind in plan.kinds.values())  # the certificate has them one by one
    kinds = ", ".join(f"{_kind(kind)} {count}" for kind, count in sorted(counts.items()))
    yield say("  objects of DVC: {count} ({kinds})", count=len(plan.kinds), kinds=kinds or say("none"))
    yield from (say("    in {name} ({address})", name=store.name, address=store.address) for store in project.stores)
    for gone in project.unreachable:
        text = "    owed to {name} ({address}): {reason}"
        yield say(text, name=gone.name, address=gone.address, reason=say_again(gone.reason))
    if plan.faces:
        text = "  pictures of the cache that no version names, with a face like theirs: {count}"
        yield say(text, count=len(plan.faces))
    if plan.unproven:
        text = "  objects of the cache that no version names and nobody can look into: {count}"
        yield say(text, count=len(plan.unproven))


def _kind(kind: str) -> str:
    """A kind of object, which a plan has in English; many are folders."""
    return say_again(kind) if " " in kind else say(kind)


def _not_deleted(project: Project, plan: Plan) -> Iterator[str]:
    """What shows the person and stays."""
    own = [str(Path(tree.root) / name) for tree in plan.trees for name in tree.own]
    if own:
        yield say("Not done: these files of other programs show them, and nothing can be taken out of them here:")
        yield from _listed(own, _MORE_FILES)
    closed = [str(Path(tree.root) / name) for tree in plan.trees for name in tree.closed]
    if closed:
        text = "Not done: nobody can look into these here (too large, unreadable, an archive of another kind, a model):"
        yield say(text)
        yield from _listed(closed, _MORE_FILES)
    if plan.in_git:
        yield say("Not done: git's own history holds these files, which show them:")
        yield from _listed(plan.in_git, _MORE_FILES)
    for gone in project.former:
        text = "Not done: {name} ({address}), to which an earlier version pushed: {reason}"
        yield say(text, name=gone.name, address=gone.address, reason=say_again(gone.reason))


def _about_classes(plan: Plan) -> list[str]:
    lines = []
    for name in last_of_class(plan):
        if name == "me":
            lines.append(say("No photo of me is left: there will be no model, and the service answers 503."))
        else:
            text = "No photo of {name} is left: 'dvc repro' says whether a model can be made without."
            lines.append(say(text, name=name))
    if plan.trees[0].outputs and "me" not in last_of_class(plan):
        if plan.needs_key:
            text = (
                "Then everything would be made anew without them, but 'dvc repro' needs the key of the locked photos: "
                "{reason}. Without it there is no model afterwards, until you run 'dvc repro' with the key."
            )
            lines.append(say(text, reason=plan.needs_key))
        else:
            lines.append(say("Then everything is made anew without them (dvc repro)."))
    return lines


def _audit_left(count: int) -> str:
    return say(
        "Not done without the key: records about {count:# of these photos|# of these photos} stay in the audit log, "
        "if there is one.",
        count=count,
    )


def _is_asked(plan: Plan, path: str) -> bool:
    names = {
        plain_name(Path(name.replace("\\", "/")).as_posix().removeprefix("data/")) for name in [*plan.asked, *plan.also]
    }
    return any(path in (name, f"not_me/{name}") or path.startswith((f"{name}/", f"not_me/{name}/")) for name in names)


def _listed(names: list[str], more: str) -> list[str]:
    shown = [f"  {name}" for name in names[:_SHOWN]]
    rest = len(names) - _SHOWN
    return [*shown, say(more, count=rest)] if rest > 0 else shown
