"""What has to be done, for people to read before they say yes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from faces.message import fill
from privacy.forget.git import git
from privacy.forget.plan import Plan, Tree, last_of_class
from privacy.forget.project import Project
from privacy.forget.workspace import EXPLAINED
from stages.files.locked_files import plain_name

_SHOWN = 20


def describe(project: Project, plan: Plan) -> str:
    """The whole list."""
    lines = ["This is to be forgotten:", *_photos(plan), *_undecided(plan), "What is deleted:"]
    for tree in plan.trees:
        lines += _tree(tree)
    lines += _objects(project, plan)
    lines += [f"  what experiments left in {folder}" for folder in plan.experiments]
    lines.append("  DVC's notes on files: .dvc/tmp and its folder outside the project")
    if plan.lost:
        lines.append(fill("{count:This version loses|These # versions lose} for good what was made with them:",
                          count=len(plan.lost)))  # fmt: skip
        lines += _listed(plan.lost, "version", "versions")
    lines += _about_classes(plan)
    lines += _not_deleted(project, plan)
    if project.has_git and git(project.root, "status", "--porcelain").strip():
        lines.append("git has changes that are not committed: they stay as they are.")
    return "\n".join(lines)


def _photos(plan: Plan) -> Iterator[str]:
    """The person's photos, and why those are among them that were not asked for."""
    paths = sorted({path for own in plan.photos.values() for path in own})
    yield from _listed(paths, "photo", "photos")
    if plan.renamed:
        yield "Other names that the same folder had:"
        yield from _listed(plan.renamed, "folder", "folders")
    if plan.copies:
        yield "Of these, copies of the others in another size, format or place:"
        yield from _listed(plan.copies, "copy", "copies")
    both = [own for own in plan.photos.values() if {path.partition("/")[0] for path in own} == {"me", "not_me"}]
    if both:
        yield "The same photo lies in both classes, and goes from both:"
        yield from (f"  {', '.join(own)}" for own in both)
    strangers = sorted({path for path in paths if not _is_asked(plan, path)})
    if strangers:
        yield "Among them are photos that lie elsewhere than what was asked for:"
        yield from _listed(strangers, "photo", "photos")


def _undecided(plan: Plan) -> Iterator[str]:
    """What may be the person's and stays, and what could not be looked for."""
    if plan.others:
        yield "These photos of others seem to show them, too. They stay, unless you name them with --also:"
        yield from _listed(plan.others, "photo", "photos")
    if plan.unsure:
        yield "At another time, these folders held some of these photos. If they are the same person's, name them, too:"
        yield from _listed(plan.unsure, "folder", "folders")
    if plan.closed:
        yield plan.closed
    if plan.unseen:
        yield plan.unseen
    if plan.unhashed:
        yield _audit_left(plan.unhashed)


def _tree(tree: Tree) -> Iterator[str]:
    """What is deleted in a working tree."""
    files = fill("{count:# file|# files}", count=len(tree.photos))
    yield (
        f"  {tree.root}: {files} in data/me and data/not_me, lines about them in attributes.csv and "
        "consent.csv, what the stages remember of them"
        + (f", and what was made of photos: {len(tree.outputs)} files and folders" if tree.outputs else "")
    )
    yield from (f"  the export {name}" for name in tree.exports)
    if (Path(tree.root) / EXPLAINED).exists():
        yield f"  every picture in {EXPLAINED}, whoever is on it"
    if tree.files:
        yield "  other files that show them:"
        yield from (f"  {line}" for line in _listed(tree.files, "file", "files"))
    if tree.packed:
        yield "  pictures of them and what was made of these, out of files of which the rest stays:"
        yield from (f"  {line}" for line in _listed(tree.packed, "file", "files"))


def _objects(project: Project, plan: Plan) -> Iterator[str]:
    """What is deleted of DVC's objects, and where."""
    counts = Counter(kind.partition("/")[0] for kind in plan.kinds.values())  # the certificate has them one by one
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    yield f"  objects of DVC: {len(plan.kinds)} ({kinds or 'none'})"
    yield from (f"    in {store.name} ({store.address})" for store in project.stores)
    yield from (f"    owed to {gone.name} ({gone.address}): {gone.reason}" for gone in project.unreachable)
    if plan.faces:
        yield f"  pictures of the cache that no version names, with a face like theirs: {len(plan.faces)}"
    if plan.unproven:
        yield f"  objects of the cache that no version names and nobody can look into: {len(plan.unproven)}"


def _not_deleted(project: Project, plan: Plan) -> Iterator[str]:
    """What shows the person and stays."""
    own = [str(Path(tree.root) / name) for tree in plan.trees for name in tree.own]
    if own:
        yield "Not done: these files of other programs show them, and nothing can be taken out of them here:"
        yield from _listed(own, "file", "files")
    closed = [str(Path(tree.root) / name) for tree in plan.trees for name in tree.closed]
    if closed:
        yield "Not done: nobody can look into these here (too large, unreadable, an archive of another kind, a model):"
        yield from _listed(closed, "file", "files")
    if plan.in_git:
        yield "Not done: git's own history holds these files, which show them:"
        yield from _listed(plan.in_git, "file", "files")
    for gone in project.former:
        yield f"Not done: {gone.name} ({gone.address}), to which an earlier version pushed: {gone.reason}"


def _about_classes(plan: Plan) -> list[str]:
    lines = []
    for name in last_of_class(plan):
        if name == "me":
            lines.append("No photo of me is left: there will be no model, and the service answers 503.")
        else:
            lines.append(f"No photo of {name} is left: 'dvc repro' says whether a model can be made without.")
    if plan.trees[0].outputs and "me" not in last_of_class(plan):
        if plan.needs_key:
            lines.append(
                "Then everything would be made anew without them, but 'dvc repro' needs the key of the locked photos: "
                f"{plan.needs_key}. Without it there is no model afterwards, until you run 'dvc repro' with the key."
            )
        else:
            lines.append("Then everything is made anew without them (dvc repro).")
    return lines


def _audit_left(count: int) -> str:
    return fill(
        "Not done without the key: records about {count:# of these photos|# of these photos} stay in the audit log, "
        "if there is one.",
        count=count,
    )


def _is_asked(plan: Plan, path: str) -> bool:
    names = {
        plain_name(Path(name.replace("\\", "/")).as_posix().removeprefix("data/")) for name in [*plan.asked, *plan.also]
    }
    return any(path in (name, f"not_me/{name}") or path.startswith((f"{name}/", f"not_me/{name}/")) for name in names)


def _listed(names: list[str], one: str, many: str) -> list[str]:
    shown = [f"  {name}" for name in names[:_SHOWN]]
    rest = len(names) - _SHOWN
    return [*shown, f"  … and {rest} {one if rest == 1 else many} more"] if rest > 0 else shown
