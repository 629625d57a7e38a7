"""Stage quality: find and show problems in the photos, and say which faces stay together in every split.

Writes data/groups.csv, reports/data_quality.csv (a row for each problem), reports/contact_sheet.png (the faces; those
with a problem have a frame) and reports/data_quality.json (how many problems of each kind, without names). No photo is
left out of the training for it, since a person has to decide that; but blurred faces of me are not enrolled
(`stages.files.dataset.Dataset.left_out`).
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from faces.files import write_bytes
from faces.message import Message
from faces.recognition.quality import hash_bits
from stages.errors import StageError
from stages.files.locked_files import key_like, sealed
from stages.files.paths import CONTACT_SHEET, CROP_REPORT, CROPPED, EMBEDDINGS, GROUPS, INDEX, QUALITY, QUALITY_CSV
from stages.files.photos import CLASSES
from stages.files.problem_kinds import PROBLEM_KINDS, PROBLEM_NAMES, names_of_problems
from stages.files.tables import read_array, read_table, write_json, write_records, write_table
from stages.language.telling import number, spoken, tell
from stages.params import QualityParams, load_params
from stages.quality.contact_sheet import Tile, draw_sheet
from stages.quality.grouping import Numbers, find_near_duplicates, group_rows
from stages.quality.problems import PhotoProblem, find_problems
from stages.quality.suspects import LabelCheck, check_labels

OUTPUTS = (GROUPS, QUALITY_CSV, CONTACT_SHEET, QUALITY)

_NAMED = 10  # photos that a warning names at most; the file names them all
_COLUMNS = ("photo", "problem", "other", "value", "limit", "message")
_SUSPECTED = ("suspected_not_me", "suspected_me")
_NOT_USED = ("no_face", "unusable")
_NOTES = {
    "suspected_not_me": Message("not me? score {value}"),
    "suspected_me": Message("me? score {value}"),
    "two_people": Message("a second person?"),
    "tiny_face": Message("tiny: {value:# pixel|# pixels}"),
    "blurred": Message("blurred"),
    "dark_face": Message("dark: {value}"),
    "bright_face": Message("overexposed: {value}"),
    "turned_away": Message("looks to the side"),
    "cut_off": Message("cut off"),
    "several_faces": Message("{value:# face|# faces}"),
}
"""What stands below a face on the contact sheet."""

_LIKE_ANOTHER = {
    "in_both_classes": Message("in {folder}: {other}"),
    "near_duplicate": Message("like {other}"),
    "copied_shot": Message("copy of {other}"),
}
"""The same, of photos that are like another one."""
logger = logging.getLogger(__name__)


def read_report() -> pd.DataFrame:
    """crop_report.csv with its numbers as numbers.

    Raises:
        StageError: it is missing or damaged.
    """
    measures = ("sharpness", "brightness", "turned_away", "visible")
    numbers = ("faces_found", "face", "left", "top", "right", "bottom", *measures)
    texts = ("photo", "kept", "candidate", "reason", "crop", "crop_sha256", "photo_hash")
    report = read_table(CROP_REPORT, "crop", [*texts, *numbers])
    try:
        for name in numbers:
            report[name] = pd.to_numeric(report[name])
        hash_bits([text for text in report["photo_hash"] if text])
    except ValueError as error:
        raise StageError("{crop_report} is damaged: run 'dvc repro --force crop'", crop_report=CROP_REPORT) from error
    return report


def read_faces(report: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """What is known of each face, and its embedding of length 1, float32 [N, D].

    Returns:
        A table with a row for each of embeddings.npy: label, photo, person, face and crop of index.csv; photo_hash,
        faces_found, sharpness, brightness, turned_away and visible of the report; size, the square root of the box's
        area in pixels; chosen, whether embed took it from several faces of the photo.

    Raises:
        StageError: a file is missing or damaged, or they do not belong together.
    """
    index = read_table(INDEX, "embed", ["label", "photo", "person", "face", "crop", "crop_sha256"])
    embeddings = read_array(EMBEDDINGS, "embed")
    if embeddings.ndim != 2 or len(embeddings) != len(index) or not np.isfinite(embeddings).all():
        raise StageError(
            "{embeddings} has shape {shape}, or values that are not finite, and {index} {rows:# row|# rows}; expected "
            "[N, D] and N: run 'dvc repro --force embed'",
            embeddings=EMBEDDINGS,
            shape=embeddings.shape,
            index=INDEX,
            rows=len(index),
        )
    left_out = (report["candidate"] == "True") & ~report["crop"].isin(index["crop"])  # embed chose another
    kept = report[(report["kept"] == "True") & ~left_out].reset_index(drop=True)
    if list(kept["crop_sha256"]) != list(index["crop_sha256"]) or list(kept["photo"]) != list(index["photo"]):
        raise StageError(
            "{index} is not of this {crop_report}: run 'dvc repro' (or 'python -m stages.embed') first",
            index=INDEX,
            crop_report=CROP_REPORT,
        )
    if not index["label"].isin(["0", "1"]).all() or not len(index):
        raise StageError("{index} is damaged (a label is neither 0 nor 1): run 'dvc repro --force embed'", index=INDEX)
    measures = ["sharpness", "brightness", "turned_away", "visible"]
    faces = kept[["photo", "face", "faces_found", "crop", "photo_hash", *measures]].copy()
    faces["label"], faces["person"] = index["label"].astype(int), index["person"]
    faces["chosen"] = kept["candidate"] == "True"
    width, height = kept["right"] - kept["left"], kept["bottom"] - kept["top"]
    faces["size"] = np.sqrt(width.clip(lower=0) * height.clip(lower=0))
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    return faces, (embeddings / np.maximum(length, 1e-12)).astype(np.float32)


def draw(faces: pd.DataFrame, problems: Sequence[PhotoProblem], check: LabelCheck, params: QualityParams) -> bytes:
    """The contact sheet: first faces with a problem, the gravest first, then those whose label is least certain.

    If there is no room for all, faces with a grave problem are drawn, and both classes share the remaining room.
    """
    own: dict[int, list[PhotoProblem]] = {}
    for problem in problems:  # the gravest kinds come first
        if problem.row >= 0:
            own.setdefault(problem.row, []).append(problem)
    labels = faces["label"].to_numpy()
    doubt = np.where(labels == 1, 1 - np.nan_to_num(check.scores, nan=1.0), np.nan_to_num(check.scores))
    rank = np.array(
        [PROBLEM_NAMES.index(own[row][0].problem) if row in own else len(PROBLEM_NAMES) for row in range(len(faces))]
    )
    order = np.lexsort((-doubt, rank))
    position = np.zeros(len(faces), np.int64)  # its place in its own class: the classes take turns
    for label in (0, 1):
        position[order[labels[order] == label]] = np.arange((labels == label).sum())
    slight = rank >= PROBLEM_NAMES.index("several_faces")  # other people on a photo are common, and seldom a problem
    chosen = set(np.lexsort((position, slight))[: params.sheet_faces].tolist())
    sections = []
    for label, name in ((1, "me"), (0, "not_me")):
        rows = [int(row) for row in order if labels[row] == label]
        tiles = [_tile(faces.iloc[row], own.get(row, [])) for row in rows if row in chosen]
        if len(tiles) < len(rows):
            heading = tell("{name}: {shown} of {count:# face|# faces}", name=name, shown=len(tiles), count=len(rows))
        else:
            heading = tell("{name}: {count:# face|# faces}", name=name, count=len(rows))
        sections.append((heading, tiles))
    title = tell(
        "{shown} of {count:# face|# faces}, the most suspicious of each class first",
        shown=len(chosen), count=len(faces),
    )  # fmt: skip
    blurred = bool(((labels == 1) & are_blurred(faces, params)).any())
    return draw_sheet(title, sections, _footer(problems, len(faces), blurred))


def are_blurred(faces: pd.DataFrame, params: QualityParams) -> NDArray[np.bool_]:
    """Which faces are too blurred to enrol somebody with, bool [N]; tiny ones are, since their crops are enlarged."""
    return faces["sharpness"].to_numpy() < params.min_sharpness


def _footer(problems: Sequence[PhotoProblem], faces: int, blurred: bool) -> str:
    """What stands below the faces: where to read on, what is used, and what is not.

    Args:
        problems: all of them.
        faces: how many there are.
        blurred: whether one of me is blurred.
    """
    lines = [tell("{table} says of each problem what to do.", table=QUALITY_CSV.name)]
    if any(problem.problem == "dominating_person" for problem in problems):
        lines[0] += " " + tell("It also names a person who is on too many of the photos of not_me.")
    used = "{faces:The face is|All # faces are} used, whatever problem is noted there."
    lines.append(tell(used, faces=faces))
    if blurred:
        lines[-1] += " " + tell("But blurred faces of me are not enrolled if three sharp ones are left.")
    lost = len({problem.photo for problem in problems if problem.problem in _NOT_USED})
    if lost:
        text = (
            "{photos:# photo is|# photos are} not used, and not shown: no face was found, or the file cannot be read."
        )
        lines[-1] += " " + tell(text, photos=lost)
    lines.append(tell("Keep this sheet as safe as the photos: it shows and names people."))
    return "\n".join(lines)


def _tile(face: pd.Series, problems: Sequence[PhotoProblem]) -> Tile:
    notes = [_note(problem) for problem in problems]
    if len(notes) > 2:
        notes = [notes[0], tell("and {count} more", count=len(notes) - 1)]
    name = str(face["photo"]).partition("/")[2]
    if face["face"] > 0:
        name += f" ({int(face['face']) + 1})"
    return Tile(CROPPED / face["crop"], name, [problem.problem for problem in problems], notes)


def _note(problem: PhotoProblem) -> str:
    kind, value = problem.problem, problem.value or 0
    if kind in _LIKE_ANOTHER:
        folder, _, file = problem.other.rpartition("/")
        return tell(_LIKE_ANOTHER[kind], other=file, folder=folder.partition("/")[0])
    if kind in _SUSPECTED:
        return tell(_NOTES[kind], value=number(value, ".2f"))
    # Rounded away from the limit: a face of 39.7 pixels, whose limit is 40, does not have "40 pixels".
    return tell(_NOTES[kind], value=math.ceil(value) if kind == "bright_face" else math.floor(value))


def count_cases(problems: Sequence[PhotoProblem]) -> dict[str, int]:
    """How many cases there are of each kind: faces or photos, as the kind's name says. A photo counts once."""
    rows = Counter(problem.problem for problem in problems)
    photos = Counter(kind for kind, _ in {(problem.problem, problem.photo) for problem in problems})
    return {kind.name: (rows if kind.counts_faces else photos)[kind.name] for kind in PROBLEM_KINDS}


def describe(
    problems: Sequence[PhotoProblem], groups: Numbers, shots: Numbers, labels: Numbers, check: LabelCheck
) -> dict[str, Any]:
    """The content of data_quality.json: counts, no names. `photos_in_doubt` are those that may lie in the wrong folder.

    Args:
        problems: all of them.
        groups: int64 [N], rows that stay together in every split.
        shots: int64 [N], rows that are copies of one shot.
        labels: int64 [N], 1 = me.
        check: which labels were checked.
    """
    doubtful = {kind.name for kind in PROBLEM_KINDS if kind.doubts_the_class}
    return {
        "problems": count_cases(problems),
        "photos_in_doubt": len({problem.photo for problem in problems if problem.problem in doubtful}),
        "photos_with_problems": len({problem.photo for problem in problems if problem.problem != "dominating_person"}),
        "groups": {name: len(np.unique(groups[labels == label])) for label, name in enumerate(CLASSES)},
        "distinct_faces": {name: len(np.unique(shots[labels == label])) for label, name in enumerate(CLASSES)},
        "labels_checked": {
            name: int(np.isfinite(check.scores[labels == label]).sum() + check.stray[labels == label].sum())
            for label, name in enumerate(CLASSES)
        },
    }


def warn(problems: Sequence[PhotoProblem], check: LabelCheck) -> None:
    """A warning for each face with a suspected label, and one for each other kind of problem.

    Photos that are not used are left to the file: stage crop has warned of each.
    """
    named, counts = names_of_problems(spoken()), count_cases(problems)
    blurred = {problem.row for problem in problems if problem.problem in ("blurred", "tiny_face")}
    for sentence in check.unchecked:
        logger.log(logging.INFO if check.without_others else logging.WARNING, tell(sentence))
    for kind in PROBLEM_NAMES:
        own = [problem for problem in problems if problem.problem == kind]
        if not own or kind in _NOT_USED:
            continue
        if kind in _SUSPECTED or len(own) == 1:
            shown = own[:_NAMED]
            for problem in shown:
                logger.warning(f"{problem.photo}: {tell(problem.message)}")
        else:
            names = list(dict.fromkeys(_pair(problem) for problem in own))
            shown = [problem for problem in own if _pair(problem) in names[:_NAMED]]
            of_them = len({problem.photo for problem in own if problem.row in blurred}) if kind == "two_people" else 0
            text = "{kind} ({count}, {blurred} of them blurred): {names}" if of_them else "{kind} ({count}): {names}"
            said = {"kind": named[kind], "count": counts[kind], "blurred": of_them, "names": ", ".join(names[:_NAMED])}
            logger.warning(tell(text, **said))
        more = counts[kind] - count_cases(shown)[kind]
        if more:
            text = "{kind}: {count} more, see {table}"
            logger.warning(tell(text, kind=named[kind], count=more, table=QUALITY_CSV))


def warn_of_copies(faces: pd.DataFrame, groups: Numbers) -> None:
    """A warning that says how many photos of `me` are copies of how many shots.

    Args:
        faces: columns label and photo, a row for each face.
        groups: int64 [N], rows that belong together.
    """
    mine = faces["label"].to_numpy() == 1
    photos, shots = faces.loc[mine, "photo"].nunique(), len(np.unique(groups[mine]))
    if shots < photos:
        text = (
            "me has {photos:# photo|# photos} of only {shots:# shot|# shots}: {copies:# is a copy|# are copies} "
            "(mirrored, cropped, resized, tilted, or of one burst). Copies add nothing, so each shot counts once. Add "
            "photos of other moments"
        )
        logger.warning(tell(text, photos=photos, shots=shots, copies=photos - shots))


def _pair(problem: PhotoProblem) -> str:
    return tell("{photo} (like {other})", photo=problem.photo, other=problem.other) if problem.other else problem.photo


def write_problems(path: Path, problems: Sequence[PhotoProblem]) -> None:
    """Write data_quality.csv."""
    write_records(
        path,
        _COLUMNS,
        (
            [tell(value) if isinstance(value := getattr(problem, name), Message) else value for name in _COLUMNS]
            for problem in problems
        ),
    )


def main() -> None:
    """Run the stage with params.yaml."""
    params = load_params().quality
    report = read_report()
    faces, embeddings = read_faces(report)
    labels = faces["label"].to_numpy(np.int64)
    near = find_near_duplicates(
        hash_bits(list(faces["photo_hash"])), embeddings, labels, pd.factorize(faces["photo"])[0].astype(np.int64),
        params.hash_distance, params.duplicate_cosine, params.copy_cosine,
    )  # fmt: skip
    groups = group_rows(faces, near.groups)
    check = check_labels(embeddings, labels, groups)
    problems = find_problems(faces, report, near, check, params)
    sheet = draw(faces, problems, check, params)
    figures = describe(problems, groups, near.groups, labels, check)
    warn(problems, check)
    warn_of_copies(faces, groups)
    blurred = are_blurred(faces, params).astype(int)
    shots = pd.factorize(near.groups)[0]
    table = pd.DataFrame({"row": np.arange(len(groups)), "group": groups, "shot": shots, "blurred": blurred})
    # Locked where the embeddings are. The largest file first: if the disk is full, the other files stay as they are.
    write_bytes(CONTACT_SHEET, sealed(sheet, key_like(EMBEDDINGS)))
    write_problems(QUALITY_CSV, problems)
    write_table(GROUPS, table)
    write_json(QUALITY, figures)
    named = names_of_problems(spoken())
    found = [f"{named[name]}: {count}" for name, count in figures["problems"].items() if count]
    text = "quality: {faces:# face|# faces} in {groups:# group|# groups}; problems: {found} → {sheet}"
    figures_said = {"faces": len(faces), "groups": len(np.unique(groups)), "sheet": CONTACT_SHEET}
    print(tell(text, found=", ".join(found) or tell("none"), **figures_said))
