"""Forgetting, step by step. Every step may be done twice, so a run that was stopped anywhere is finished by the next.

1. Everything is looked through, and what has to be done is written down (`plan`, `journal`).
2. Working trees, experiments, caches and remotes lose what is the person's (`workspace`, `privacy.dvc`).
3. The photos are tracked as they are now, the pipeline runs, the service takes the model over (`retrain`, `serve`).
4. All of it is looked through again, and the certificate written (`check`, `certificate`).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from faces.message import Message
from privacy.dvc.objects import Purged, purge
from privacy.dvc.owed import owe, pay, read_debts
from privacy.errors import PrivacyError
from privacy.folder import STATE, make_private, write_private
from privacy.forget import certificate, journal, retrain, workspace
from privacy.forget.audit import forget_in_audit
from privacy.forget.check import check, write_certificate
from privacy.forget.describe import describe
from privacy.forget.dvc_files import mend
from privacy.forget.ending import tell_end
from privacy.forget.evidence import NAMING
from privacy.forget.kept import FORMER
from privacy.forget.locked import refuse_closed_tables, refuse_wrong_key, why_not_opened
from privacy.forget.obstacles import find_obstacles
from privacy.forget.plan import Plan
from privacy.forget.planning import make_plan
from privacy.forget.project import Project
from privacy.forget.queue import drop_experiments
from privacy.forget.serve import Served, reload_service
from privacy.forget.similar import Similar
from privacy.held.first_days import remember
from privacy.held.since import known_days
from privacy.language import joined, say_again
from privacy.locking.command import ONE_AT_A_TIME
from service.client.language import say
from stages.files.locked_files import plain_name
from stages.files.photos import CLASSES

_LOCK = STATE / "forget.lock"


def forget(
    root: Path,
    asked: Collection[str],
    *,
    also: Collection[str] = (),
    yes: bool = False,
    dry_run: bool = False,
    resume: bool = False,
    cache_outside: bool = False,
    ask: Callable[[str], bool] = lambda _: False,
    choose: Callable[[str], bool | None] = lambda _: False,
) -> int:
    """Forget people and photos everywhere.

    Args:
        root: of the project.
        asked: names of people, or paths of photos.
        also: photos of others that go, too.
        yes: ask nothing; photos of others that show the person stay, unless `also` names them.
        dry_run: say what would be done, and change nothing.
        resume: finish what an earlier run has begun, and nothing else.
        cache_outside: accept a DVC cache outside the project.
        ask: puts a question and returns whether the answer is yes.
        choose: puts one of several questions; None: no, and to all that would follow.

    Returns:
        Exit status: 0; 1 where all is deleted, but something remains to be done, which is said.

    Raises:
        PrivacyError: nothing was done, or not all; the message says what to do.
    """
    root = root.resolve()
    refuse_wrong_key(root)
    if dry_run:
        project = Project.open(root, cache_outside)
        plan = _plan(project, asked, also, lambda _: False)
        print(describe(project, plan))
        return 0
    with _alone(root):
        journal.remove_half_written(root)
        if journal.was_all_done(root):
            journal.remove(root)
            text = "An earlier run was stopped when all was done. Its certificate says what it found."
            print(say(text), flush=True)
            if resume or certificate.newest_names(root, [*asked, *also]):
                return 0
        unfinished = journal.read(root)
        status = 0
        if unfinished is not None:
            print(say("An earlier run was stopped before its end: it is finished first."), flush=True)
            project = Project.open(root, cache_outside)
            find_obstacles(project, begun=True)
            mend(unfinished.trees)
            status = _carry_out(project, unfinished)
            if resume or (list(asked), list(also)) == (unfinished.asked, unfinished.also):
                return status
        elif resume:
            print(say("There is nothing to finish."))
            return 0
        project = Project.open(root, cache_outside)
        find_obstacles(project)
        plan = _plan(project, asked, also, _deciding(lambda _: None) if yes else _deciding(choose))
        print(describe(project, plan), flush=True)
        find_obstacles(project, plan)
        for tree in plan.trees:
            refuse_closed_tables(Path(tree.root))
        if not yes and not ask(say("Delete all of it, for good?")):
            print(say("Nothing was done."))
            return 1
        journal.write(root, plan)
        return _carry_out(project, plan) or status


def pay_debts(root: Path, cache_outside: bool = False) -> int:
    """Delete what remotes are owed that were away; returns the exit status, 1 where one still is."""
    root = root.resolve()
    if not read_debts(root):
        print(say("No remote is owed anything."))
        return 0
    with _alone(root):
        project = Project.open(root, cache_outside)
        payment = pay(project.workspaces, project.stores, project.unreachable)
    for name, done in payment.done.items():
        print(say("{name}: {objects:# object|# objects} deleted", name=name, objects=done.objects))
    for debt in payment.owed:
        text = "{name} ({address}) is still owed, since {day}: {reason}"
        if debt.by != "forget":
            text = "{name} ({address}) is still owed what 'lock' or 'rekey' was to delete there, since {day}: {reason}"
        print(say(text, name=debt.name, address=debt.address, day=debt.since, reason=say_again(debt.reason)))
    return 1 if payment.owed else 0


def _plan(project: Project, asked: Collection[str], also: Collection[str], decide: Callable[[Similar], bool]) -> Plan:
    if not asked:
        raise PrivacyError(
            "whom? Expected a sub-folder of not_me, 'me', or the path of a photo; --resume finishes an earlier run"
        )
    return make_plan(project, asked, also, decide, now())


def _deciding(choose: Callable[[str], bool | None]) -> Callable[[Similar], bool]:
    """Ask about each photo of somebody else, until the answer is that no more of them are to go."""
    enough = False

    def decide(similar: Similar) -> bool:
        nonlocal enough
        text = "{photo} seems to show them, too (cosine {cosine:.3f}). Delete that photo as well?"
        question = say(text, photo=similar.photo, cosine=similar.cosine)
        answer = None if enough else choose(question)
        enough = answer is None
        return bool(answer)

    return decide


def now() -> str:
    """The time, UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """One process at a time, and none that locks or unlocks photos meanwhile."""
    make_private(root / STATE)
    with contextlib.ExitStack() as stack:
        for path, command in ((_LOCK, "forget"), (ONE_AT_A_TIME, Message("lock, unlock or rekey"))):
            lock = FileLock(str(root / path))
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise PrivacyError(
                    "another 'python -m privacy {command}' runs in this project: wait until it has ended",
                    command=command,
                ) from error
            except OSError as error:
                raise PrivacyError(
                    "{path} cannot be written: {reason}", path=root / STATE, reason=error.strerror
                ) from error
            stack.callback(lock.release)
        yield


def _carry_out(project: Project, plan: Plan) -> int:
    """Do what has to be done, from where it was stopped."""
    root = project.root
    if "purged" not in plan.done:
        _delete(project, plan)
        journal.done(root, plan, "purged")
    problem = ""
    if "made anew" not in plan.done:
        problem = _make_anew(root, plan)
        _drop_again(project, plan)
        journal.done(root, plan, "made anew")
    # What `lock` owes: a remote first gets the photos as DVC tracks them, and until now that was with the person's.
    for name, done in pay(project.workspaces, project.stores, project.unreachable).done.items():
        _say(name, done)
    served = reload_service(root) if plan.trees[0].outputs else Served()
    for line in served.lines:
        print(say(line))
    # What ran meanwhile may have looked at files again, and what nobody can use any more stays nowhere.
    with _dvc_locked(root):
        for tree in plan.trees:
            workspace.remove_state(Path(tree.root))
    project = Project.open(root, cache_outside=True)
    findings = check(project, plan)
    if findings.wrong:
        plan.done.clear()
        journal.write(root, plan)
        raise PrivacyError(
            "not all is gone: {wrong}. Run this again; if that does not help, stop other programs that work in the "
            "project first",
            wrong=joined("; ", findings.wrong),
        )
    certificate = write_certificate(project, plan, findings, served, problem, now())
    journal.remove(root)
    status = tell_end(project, plan, findings, certificate, problem)
    return 1 if served.to_do else status


def _drop_again(project: Project, plan: Plan) -> None:
    """Delete from caches what DVC has stored again of texts that name the person: the user has yet to change these."""
    again = {oid for oid, kind in plan.kinds.items() if kind == NAMING}
    with _dvc_locked(project.root):
        for store in project.stores:
            if again and not store.remote:
                purge(store, again)


def _delete(project: Project, plan: Plan) -> None:
    """Delete everything that is the person's, first where people look."""
    root = project.root
    forget_in_audit(plan.sha256s)
    drop_experiments(root, plan.commits)
    _remember_days(root, plan)
    with _dvc_locked(root):
        _remember_names(root, plan)
        for tree in plan.trees:
            if Path(tree.root).is_dir():
                workspace.purge_tree(plan, tree)
        for folder in plan.experiments:
            workspace.remove_experiments(Path(folder))
        for store in project.stores:
            if not store.remote:  # nobody can tell what is unproven; in a remote it may be another project's
                going = {*plan.kinds, *plan.unproven, *plan.faces}
                _say(store.name, purge(store, going, all_leftovers=True))
        for tree in plan.trees:
            if Path(tree.root).is_dir():
                workspace.remove_state(Path(tree.root))
    remotes = [store for store in project.stores if store.remote]
    owe(root, [*remotes, *project.unreachable], plan.kinds, "forget", now())
    payment = pay(project.workspaces, remotes, project.unreachable, "forget")
    for name, done in payment.done.items():
        _say(name, done)


def _say(name: str, done: Purged) -> None:
    text = "{name}: deleted {objects:# object|# objects}, {runs:# entry|# entries} of the run cache"
    print(say(text, name=name, objects=done.objects, runs=done.runs), flush=True)


def _remember_names(root: Path, plan: Plan) -> None:
    """Keep the names of others' photos that only lists have which go: else nobody could find those to forget them."""
    path = root / FORMER
    if plan.former:
        write_private(path, json.dumps(plan.former, ensure_ascii=False).encode())
    else:
        path.unlink(missing_ok=True)


def _remember_days(root: Path, plan: Plan) -> None:
    """Keep since when others' photos are here: with the lists that go, `expire` would find them young."""
    data = root / "data"
    files = [path for name in CLASSES for path in (data / name).rglob("*") if path.is_file()]
    names = {plain_name(path.relative_to(data).as_posix()) for path in files}
    going = {path for paths in plan.photos.values() for path in paths} | set(map(plain_name, plan.trees[0].photos))
    remember(known_days(names - going), root)


def _make_anew(root: Path, plan: Plan) -> str:
    """Track the photos and run the pipeline; returns what stands in the way of a model, "" if nothing does."""
    (root / retrain.FORGOTTEN).unlink(missing_ok=True)
    retrain.track(root, plan.kinds)
    for tree in plan.trees[1:]:
        if Path(tree.root).is_dir():
            retrain.track(Path(tree.root), plan.kinds)
    if not plan.trees[0].outputs:
        return ""
    problem = retrain.why_not(plan)
    if not problem and (reason := why_not_opened(root)):
        text = "'dvc repro' needs the key of the locked photos ({reason}), so run it when you have set that"
        problem = Message(text, reason=reason)
    if not problem and not retrain.reproduce(root):
        problem = Message("'dvc repro' failed, its message is above")
    if problem:
        retrain.give_up_model(root, plan.kinds)
    return problem


@contextlib.contextmanager
def _dvc_locked(root: Path) -> Iterator[None]:
    """No DVC command runs meanwhile.

    Raises:
        PrivacyError: one runs.
    """
    from dvc.lock import LockError
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        try:
            repo.lock.lock()
        except LockError as error:
            raise PrivacyError("a command of DVC runs in this project: wait until it has ended") from error
        try:
            repo.state.close()
            yield
        finally:
            repo.lock.unlock()
