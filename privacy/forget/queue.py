"""Experiments that wait in DVC's queue, or were left in its stash, and can never run again: their photos are gone."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


def drop_experiments(root: Path, commits: Collection[str]) -> int:
    """Take experiments out of DVC's queue and stash.

    Args:
        root: of the project.
        commits: hashes of the versions that held the person.

    Returns:
        How many were taken out.
    """
    from dvc.repo import Repo
    from dvc.repo.experiments.queue.remove import remove_tasks
    from dvc.scm import NoSCM

    with Repo(str(root)) as repo:
        if isinstance(repo.scm, NoSCM):
            return 0
        count = 0
        experiments = repo.experiments
        if (root / ".dvc/tmp/exps/celery").is_dir():
            queue = experiments.celery_queue
            waiting = [entry for entry in queue.iter_queued() if entry.stash_rev in commits]
            remove_tasks(queue, waiting)
            count += len(waiting)
            stashes = [queue.stash, queue.failed_stash]
        else:
            stashes = []
        for stash in (*stashes, experiments.workspace_queue.stash, experiments.tempdir_queue.stash):
            if stash is None:
                continue
            entries = [entry for rev, entry in stash.stash_revs.items() if rev in commits]
            stash.remove_revs(entries)
            count += len(entries)
        return count
