"""Saving the project's state, and going back to a saved one. Photos are saved before anything else happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faces.message import Message
from history.errors import HistoryError
from history.tools import dvc, git, identity, succeeds
from service.client.language import say
from stages.files.paths import DATA
from stages.files.photos import CLASSES, find_misplaced
from stages.language.telling import some

RESULTS = ("params.yaml", "dvc.yaml", "dvc.lock", "reports", "models", ".dvc")
"""What git holds of a run besides the hashes of the photos; ignored files in these folders are left out by git."""

_BROUGHT_BACK = ("params.yaml", "dvc.lock", "reports")
_BEFORE_BACK = "Before going back to "  # how the messages begin of the two saves that `back` makes
_AFTER_BACK = "Back to "
_NAMED = 5  # photos named in a message


@dataclass(frozen=True)
class Saved:
    """What `save` did.

    Attributes:
        commit: short hash of the commit that holds the state.
        new: whether that commit was made now; otherwise nothing had changed since.
        added, changed, deleted: photos, since the last commit.
        compared: whether it is known which photos these are; not where the list of the last commit was deleted.
    """

    commit: str
    new: bool
    added: list[str]
    changed: list[str]
    deleted: list[str]
    compared: bool = True

    def describe(self) -> str:
        """For the terminal: whole sentences."""
        photos = []
        for text, names in (
            ("{count:# photo|# photos} added ({names})", self.added),
            ("{count:# photo|# photos} changed ({names})", self.changed),
            ("{count:# photo|# photos} deleted ({names})", self.deleted),
        ):
            if names:
                photos.append(say(text, count=len(names), names=some(names, _NAMED)))
        text = "Saved as {commit}. {photos}." if self.new else "Nothing is new since the save {commit}. {photos}."
        said = "; ".join(photos) or say("No photo was added, changed or deleted")
        if not self.compared:
            said = say(
                "Which photos were added, changed or deleted cannot be told: the list of the save before is no longer "
                "in DVC's cache, as after 'python -m privacy forget' or 'lock'"
            )
        return say(text, commit=self.commit, photos=said)


def save(message: str) -> Saved:
    """Let DVC track the photos as they are, and commit their hashes, the parameters and the results.

    Args:
        message: of the commit.

    Raises:
        HistoryError: there is no git repository, a folder of photos is gone, or something in it stops DVC.
    """
    if not succeeds("rev-parse", "--git-dir"):
        raise HistoryError(
            "this folder is no git repository, so nothing can be saved: clone the project with git, or run "
            "'git init' here first"
        )
    in_the_way = [misplaced.sentence for misplaced in find_misplaced(DATA) if misplaced.stops_dvc]
    if in_the_way:
        raise HistoryError("\n".join(map(say, in_the_way)))
    folders = _photo_folders()
    before = _photos_at("HEAD")
    dvc("add", "--quiet", *folders)
    git("add", "--", "data", *(path for path in RESULTS if Path(path).exists()))
    paths = ["data", *(path for path in RESULTS if succeeds("ls-files", "--error-unmatch", path))]
    new = _commit(message, paths)
    after = _photos_at("HEAD")
    if before is None or after is None:
        return Saved(_head(), new, [], [], [], compared=False)
    return Saved(_head(), new, *_differences(before, after))


def _commit(message: str, paths: Sequence[str]) -> bool:
    """Commit what is staged in these paths; returns whether anything was."""
    if succeeds("diff", "--cached", "--quiet", "HEAD", "--", *paths):
        return False
    git(*identity(), "commit", "--quiet", "--no-verify", "--message", message, "--", *paths)
    return True


def _head() -> str:
    """The last commit's short hash."""
    return git("rev-parse", "--short", "HEAD").strip()


def back(revision: str | None, photos: bool) -> str:
    """Bring back what was saved at a revision: parameters, results, models and, if wanted, the photos.

    What was there before is saved first, and what was brought back is saved at the end, so that the last commit is what
    lies there: `dvc metrics diff` compares with it, and not with what was thrown away.

    Args:
        revision: a commit, as git names it; None for the last one that `back` has not made itself. So whoever goes back
            twice does not get what they threw away the first time.
        photos: the photos of then, too, in the place of today's, which are saved first.

    Returns:
        What was done, for the terminal.

    Raises:
        HistoryError: there is no such revision, or what it speaks of is in DVC's cache no more.
    """
    revision = revision or _last_save()
    if not succeeds("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"):
        raise HistoryError("{revision} is no saved state; 'git log --oneline' lists them", revision=revision)
    wanted = git("rev-parse", f"{revision}^{{commit}}").strip()  # HEAD moves with the next lines
    short, title = git("log", "-1", "--format=%h%n%s", wanted).splitlines()[:2]
    saved = save(f"{_BEFORE_BACK}{short}")
    kept = [path for path in _BROUGHT_BACK if succeeds("cat-file", "-e", f"{wanted}:{path}")]
    if "dvc.lock" not in kept:
        text = "{revision} holds no dvc.lock: no pipeline had run then. {saved}"
        raise HistoryError(text, revision=revision, saved=saved.describe())
    tracked = [f"data/{name}.dvc" for name in CLASSES if succeeds("cat-file", "-e", f"{wanted}:data/{name}.dvc")]
    git("checkout", wanted, "--", *kept, *(tracked if photos else ()))
    # --force only where nothing can be lost: outputs of stages, and photos that were saved above.
    dvc("checkout", "--force", "--quiet", "dvc.yaml", *(tracked if photos else ()))
    _commit(f"{_AFTER_BACK}{short}", [*kept, *(tracked if photos else ())])
    undo = f"python -m history back {saved.commit}{' --photos' if photos else ''}"
    text = (
        "The parameters, the results and the models are those of {short} ({title}) again. From now on 'dvc metrics "
        "diff' compares with them; 'dvc metrics diff {commit}' compares with what was there."
    )
    lines = [
        say("What was there: {saved} '{undo}' brings it back.", saved=saved.describe(), undo=undo),
        say(text, short=short, title=title, commit=saved.commit),
        say("The photos are those of {short}, too.", short=short)
        if photos
        else say(
            "The photos have stayed as they were. With --photos, those of {short} come back as well.", short=short
        ),
    ]
    if not succeeds("diff", "--quiet", wanted, "HEAD", "--", "stages", "faces", "dvc.yaml", "requirements.txt"):
        lines.append(say("The code has changed since then: 'dvc repro' runs again what depends on it."))
    return "\n".join(lines)


def _last_save() -> str:
    """The last commit that `back` has not made."""
    for line in git("log", "--format=%H %s").splitlines():
        commit, _, title = line.partition(" ")
        if not title.startswith((_BEFORE_BACK, _AFTER_BACK)):
            return commit
    return "HEAD"


def apply(experiment: str) -> str:
    """Take over an experiment's parameters and results; the photos stay.

    Args:
        experiment: its name, as `dvc exp show` lists it.

    Returns:
        What was done, for the terminal.

    Raises:
        HistoryError: there is no such experiment.
    """
    names = git("for-each-ref", "--format=%(refname)", "refs/exps").splitlines()
    if not any(name.endswith(f"/{experiment}") for name in names) and not succeeds(
        "rev-parse", "--verify", "--quiet", f"{experiment}^{{commit}}"
    ):
        raise HistoryError("there is no experiment {name}; 'dvc exp list --all-commits' lists them", name=experiment)
    saved = save(f"Before applying the experiment {experiment}")
    tracked = [f"data/{name}.dvc" for name in CLASSES]
    try:
        dvc("exp", "apply", experiment)
    finally:
        # DVC brings back the photos that the experiment saw; today's are in its cache, and take their place again.
        git("checkout", "HEAD", "--", *tracked)
        dvc("checkout", "--force", "--quiet", *tracked)
    text = (
        "The parameters, the results and the models are those of {name}. Until the next save, 'dvc metrics diff' "
        "compares them with what was there.\nThe photos have stayed as they were."
    )
    undo = f"python -m history back {saved.commit}"
    before = say("What was there: {saved} '{undo}' brings it back.", saved=saved.describe(), undo=undo)
    return f"{before}\n{say(text, name=experiment)}"


def _photo_folders() -> list[str]:
    """The folders of both classes.

    Raises:
        HistoryError: one is not there.
    """
    for name in CLASSES:
        if not (DATA / name).is_dir():
            hint = (
                Message("'dvc checkout data/{name}.dvc' brings back what was saved last", name=name)
                if (DATA / f"{name}.dvc").is_file()
                else Message("make it, and put photos in")
            )
            raise HistoryError("there is no folder {folder}: {hint}", folder=DATA / name, hint=hint)
    return [f"data/{name}" for name in CLASSES]


def _photos_at(revision: str) -> dict[str, str] | None:
    """MD5 by path of the photos that DVC tracked at a revision; none where there is no such revision.

    Returns:
        None where a list of the photos is in DVC's cache no more.
    """
    if not succeeds("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"):
        return {}
    from dvc.api import DVCFileSystem  # takes a second
    from dvc_data.index import DataIndexDirError

    files = DVCFileSystem(".", rev=revision)
    try:
        return {
            path: str(details["md5"])
            for name in CLASSES
            if succeeds("cat-file", "-e", f"{revision}:data/{name}.dvc")
            for path, details in files.find(f"data/{name}", detail=True).items()
        }
    except DataIndexDirError:
        return None


def _differences(before: dict[str, str], after: dict[str, str]) -> tuple[list[str], list[str], list[str]]:
    """Photos added, changed and deleted."""
    changed = sorted(path for path in before.keys() & after.keys() if before[path] != after[path])
    return sorted(after.keys() - before.keys()), changed, sorted(before.keys() - after.keys())
