"""What is told at the end: what was done, and what remains to be done by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from privacy.dvc.owed import Debt, read_debts
from privacy.forget.check import Findings
from privacy.forget.plan import Plan
from privacy.forget.project import Project
from privacy.language import say_again
from service.client.language import say
from stages.language.telling import some

_SHOWN = 10


def tell_end(project: Project, plan: Plan, findings: Findings, certificate: Path, problem: str) -> int:
    """Print it; returns the exit status, 1 where something remains to be done.

    Args:
        project: whose.
        plan: what was done.
        findings: what the search at the end has found.
        certificate: its file.
        problem: why there is no model; "" where there is one.
    """
    root = project.root
    print(say("Forgotten. The certificate: {path}", path=certificate.relative_to(root).as_posix()))
    if plan.lost:
        print(say("{count:# version has|# versions have} lost what was made with them.", count=len(plan.lost)))
    if project.has_git:
        print(say("To keep the new state: python -m history save 'Without one person'"))
    status = 0
    for debt in read_debts(root):
        print(_owed(debt))
        status = 1
    if problem:
        print(say("There is no model now: {problem}. The service answers 503.", problem=problem))
        status = status if "no photo of me" in problem else 1
    for tree in plan.trees[1:]:
        if tree.outputs and Path(tree.root).is_dir():
            print(say("In the worktree {folder}, 'dvc repro' makes everything anew.", folder=tree.root))
    for line in _by_hand(plan, findings):
        print(line)
        status = 1
    for line in _outside(project, plan, findings):
        print(line)
    return status


def _owed(debt: Debt) -> str:
    """What a remote is owed, in a sentence or two."""
    if debt.by == "forget":
        text = (
            "Owed: {name} ({address}) may still have what was forgotten: {reason}. The next run deletes it there, or "
            "'python -m privacy forget --owed'."
        )
    else:  # nobody could read its lists: the person's photos may be among them, plain or under an earlier key
        text = (
            "Owed: {name} ({address}) still has {count:# object|# objects} that 'python -m privacy lock' or 'rekey' "
            "was to delete: {reason}. What was forgotten may be among {count:it|them}. The next run deletes it there, "
            "or 'python -m privacy forget --owed'."
        )
    return say(text, name=debt.name, address=debt.address, reason=say_again(debt.reason), count=len(debt.oids))


def _by_hand(plan: Plan, findings: Findings) -> Iterator[str]:
    """What shows the person still and can only be changed by the user."""
    for tree in plan.trees:
        for name in tree.own:
            text = "{path} is a file of another program and shows them: take them out by hand."
            yield say(text, path=Path(tree.root) / name)
        for name in tree.closed:
            text = "{path} could not be looked into: look yourself whether it shows them or was made of them."
            yield say(text, path=Path(tree.root) / name)
    if plan.in_git:
        text = (
            "git's own history holds files that show them: {files}. Take these out of it ('git filter-repo "
            "--invert-paths --path FILE'), here and wherever it was pushed."
        )
        yield say(text, files=some(plan.in_git, _SHOWN))
    for name in findings.unsure:
        text = (
            "{name}: give this client the right to list and delete old versions, and run 'forget --owed'; or delete "
            "them there."
        )
        yield say(text, name=name)


def _outside(project: Project, plan: Plan, findings: Findings) -> Iterator[str]:
    """What this command does not reach, or does not change."""
    for path in findings.yours:
        text = "{path} is your own and names them: change it by hand, and if DVC tracks it, run 'dvc add' on it then."
        yield say(text, path=path)
    for gone in project.former:
        text = (
            "An earlier version pushed to {name} ({address}), which does not answer: {reason}. If it is there still, "
            "add it again ('dvc remote add') before you forget somebody."
        )
        yield say(text, name=gone.name, address=gone.address, reason=say_again(gone.reason))
    for source in plan.sources:
        text = "Photos were imported from {source}, which has theirs still: 'dvc update' would bring them back."
        yield say(text, source=source)
    for tree in plan.trees:
        for target in tree.outside:
            yield say("A link led to {target}, outside the project: delete theirs there, too.", target=target)
    for folder in _copied_from(project.root):
        text = "The photos in data/ were copied from {folder}: delete theirs there, too, and in your backups."
        yield say(text, folder=folder)


def _copied_from(root: Path) -> list[str]:
    """Where `quickstart.py --photos` has copied the photos from; those are the user's own to delete."""
    try:
        content = json.loads((root / "quickstart-photos.json").read_text(encoding="utf-8"))
        return sorted(set(map(str, content.values())))
    except (OSError, ValueError, AttributeError):
        return []
