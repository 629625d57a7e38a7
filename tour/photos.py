"""The photos of the tour: copied into data/ where it holds none, and those that the service is asked about."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from quickstart import (
    CLASSES,
    COPIED_FROM,
    DEMO,
    ROOT,
    classes_in,
    copied_from,
    counted,
    is_demo,
    photos_in,
    photos_source,
    same_photos,
)
from stages.files.locked_files import plain_name
from stages.files.photos import ATTRIBUTES_NAME, describe_ignored
from stages.files.problem_kinds import PROBLEM_KINDS
from stages.progress import progress
from tour.language import tell
from tour.service import SERVICE_LIMIT

COMPLAINTS = {kind.name for kind in PROBLEM_KINDS if kind.category != "duplicate"}
"""What stage quality may say of a photo that speaks against asking about it; a duplicate is as good as its original."""


def ensure_photos(given: Path | None) -> None:
    """See to it that data/me holds photos, and that there is a data/not_me, which may be empty.

    Of a class that the folder given has no photos of, data/ keeps what it holds, unless that is the demo's. Photos of
    an earlier --photos make way for others, if the folder that they came from still has them.

    Args:
        given: the folder of --photos, if any.

    Raises:
        Problem: there are none, or those given would get in the way of the user's own.
    """
    source = photos_source(given)
    if source == DEMO and given is None:
        print(tell("data/me and data/not_me hold no photos: the demo's drawn portraits are put there."))
        print(tell("A few of them are poor on purpose: what the stage quality warns of is no failure."))
    if source is not None:
        for name in CLASSES:
            if not photos_in(source / name) and is_demo(name):
                print(tell("The demo's drawn portraits are taken out of {folder}", folder=f"data/{name}"))
                remove_photos(ROOT / "data" / name)
            elif photos_in(source / name) and not same_photos(source / name, ROOT / "data" / name):
                copy_class(source / name, ROOT / "data" / name)
                if source == given:
                    remember_source(name, source / name)
            elif not photos_in(source / name) and photos_in(ROOT / "data" / name):
                kept = counted(photos_in(ROOT / "data" / name))
                text = "{folder} keeps its {photos}, as {given} holds none."
                print(tell(text, folder=f"data/{name}", photos=kept, given=source / name))
    (ROOT / "data" / "not_me").mkdir(exist_ok=True)  # an empty one can be tracked, a missing one cannot
    drawn = [name for name in CLASSES if is_demo(name)]
    if len(drawn) == 1 and len(classes_in(ROOT / "data")) == len(CLASSES):
        print(
            tell(
                "Note: {folder} still holds the demo's drawn portraits, beside photos of real people in the other "
                "class. Put photos of real people there too, or the model learns to tell drawings from photos.",
                folder=f"data/{drawn[0]}",
            )
        )


def copy_class(source: Path, target: Path) -> None:
    """Copy the photos of a class, all or none; other files that the target holds stay."""
    names = photos_in(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    print(tell("Copying {photos} to {folder}", photos=counted(names), folder=f"data/{target.name}"), flush=True)
    for line in describe_ignored(passed_over(source)):
        print(f"  {line}")
    with tempfile.TemporaryDirectory(suffix=".tmp", dir=target.parent) as temporary:
        fresh = Path(temporary) / target.name
        if target.is_dir():
            shutil.copytree(target, fresh)
            remove_photos(fresh)
        for name in progress(names, len(names), tell("copying"), "photo"):
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, fresh / name)
        if target.is_dir():
            target.rename(Path(temporary) / "before")
        fresh.rename(target)


def remember_source(name: str, source: Path) -> None:
    """Write down where the photos of data/<name> were copied from, so that others can take their place one day."""
    sources = {each: str(folder) for each in CLASSES if (folder := copied_from(each)) is not None}
    text = json.dumps({**sources, name: str(source.resolve())}, ensure_ascii=False, indent=1)
    COPIED_FROM.write_text(text + "\n", encoding="utf-8")


def passed_over(folder: Path) -> Counter[str]:
    """How many files of a folder and its sub-folders are not read, by suffix; hidden ones are left out."""
    others = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} - set(photos_in(folder))
    shown = (path for path in others if not any(part.startswith(".") for part in path.parts))
    named = (Path(plain_name(path.as_posix())) for path in shown)
    return Counter(path.suffix.lower() or path.name for path in named if path.as_posix() != ATTRIBUTES_NAME)


def remove_photos(folder: Path) -> None:
    """Remove photos, and the sub-folders that held nothing else; other files (a .gitkeep, notes) stay."""
    for name in photos_in(folder):
        (folder / name).unlink()
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):  # it still holds something
            inner.rmdir()


def photos_to_ask_about(name: str) -> tuple[list[Path], bool]:
    """Photos of a class, the likeliest to be answered first, and whether training has seen them.

    The demo keeps a few that are in neither class; of a user's own photos there are no others. The service answers for
    the largest face, so photos with one face come before others; first of all come those that stage quality did not
    complain of.
    """
    kept = sorted((DEMO / "ask").glob("me*" if name == "me" else "stranger*"))
    if kept and all(is_demo(each) for each in CLASSES):
        return kept, False
    complaints = complaints_of_photos()
    shared = photos_with_several_faces()
    photos = [ROOT / "data" / name / path for path in photos_in(ROOT / "data" / name)]
    return sorted(
        photos,
        key=lambda path: (plain(path) in complaints, path.stat().st_size > SERVICE_LIMIT, plain(path) in shared),
    ), True


def plain(path: Path) -> Path:
    """What tables call a photo that may be locked."""
    return path.with_name(plain_name(path.name))


def complaints_of_photos() -> dict[Path, list[str]]:
    """What stage quality complained of, such as "blurred", by photo; nothing where its table cannot be read."""
    complaints: dict[Path, list[str]] = {}
    path = ROOT / "reports" / "data_quality.csv"
    with contextlib.suppress(OSError, ValueError, KeyError), path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["problem"] in COMPLAINTS:
                complaints.setdefault(ROOT / "data" / row["photo"], []).append(row["problem"])
    return complaints


def photos_with_several_faces() -> set[Path]:
    """Those on which stage crop found several; none where its report cannot be read."""
    try:
        with (ROOT / "reports" / "crop_report.csv").open(encoding="utf-8", newline="") as file:
            rows = [(row["photo"], int(row["faces_found"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError):
        return set()
    return {ROOT / "data" / photo for photo, faces in rows if faces > 1}
