"""What has to be done, for people to read before they say yes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from faces.message import fill
from privacy.forget.plan import Plan, last_of_class
from privacy.forget.project import Project, git
from privacy.forget.workspace import EXPLAINED
from stages.files.encryption import plain_name

_SHOWN = 20


def describe(project: Project, plan: Plan) -> str:
    """The whole list."""
    lines = ["This is to be forgotten:"]
    paths = sorted({path for own in plan.photos.values() for path in own})
    lines += _listed(paths, "photo", "photos")
    if plan.copies:
        lines.append("Of these, copies of the others in another size, format or place:")
        lines += _listed(plan.copies, "copy", "copies")
    both = [own for own in plan.photos.values() if {path.partition("/")[0] for path in own} == {"me", "not_me"}]
    if both:
        lines.append("The same photo lies in both classes, and goes from both:")
        lines += [f"  {', '.join(own)}" for own in both]
    strangers = sorted({path for path in paths if not _is_asked(plan, path)})
    if strangers:
        lines.append("Among them are photos that lie elsewhere than what was asked for:")
        lines += _listed(strangers, "photo", "photos")
    if plan.others:
        lines.append("These photos of others seem to show them, too. They stay, unless you name them with --also:")
        lines += _listed(plan.others, "photo", "photos")
    if plan.closed:
        lines.append(plan.closed)
    if plan.unhashed:
        lines.append(_audit_left(plan.unhashed))
    lines.append("What is deleted:")
    for tree in plan.trees:
        files = fill("{count:# file|# files}", count=len(tree.photos))
        lines.append(
            f"  {tree.root}: {files} in data/me and data/not_me, lines about them in attributes.csv and "
            "consent.csv, what the stages remember of them"
            + (f", and what was made of photos: {len(tree.outputs)} files and folders" if tree.outputs else "")
        )
        lines += [f"  the export {name}" for name in tree.exports]
        if (Path(tree.root) / EXPLAINED).exists():
            lines.append(f"  every picture in {EXPLAINED}, whoever is on it")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(plan.kinds.values()).items()))
    lines.append(f"  objects of DVC: {len(plan.kinds)} ({kinds or 'none'})")
    lines += [f"    in {store.name} ({store.address})" for store in project.stores]
    lines += [f"    owed to {gone.name} ({gone.address}): {gone.reason}" for gone in project.unreachable]
    if plan.unproven:
        lines.append(f"  objects of the cache that no version names and nobody can look into: {len(plan.unproven)}")
    lines += [f"  what experiments left in {folder}" for folder in plan.experiments]
    lines.append("  DVC's notes on files: .dvc/tmp and its folder outside the project")
    if plan.lost:
        lines.append(fill("{count:This version loses|These # versions lose} for good what was made with them:",
                          count=len(plan.lost)))  # fmt: skip
        lines += _listed(plan.lost, "version", "versions")
    lines += _about_classes(plan)
    if project.has_git and git(project.root, "status", "--porcelain").strip():
        lines.append("git has changes that are not committed: they stay as they are.")
    return "\n".join(lines)


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
