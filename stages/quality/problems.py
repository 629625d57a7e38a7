"""The problems in the photos. Each is a row of data_quality.csv: what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from faces.message import Message
from stages.files.crop_row import NO_FACE_FOUND
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.language.telling import is_told, tell_again
from stages.params import QualityParams
from stages.quality.grouping import NONE, NearDuplicates
from stages.quality.suspects import LabelCheck


@dataclass(frozen=True)
class PhotoProblem:
    """A row of data_quality.csv.

    Attributes:
        photo: path within data/, or the folder of the person who dominates.
        problem: one of `PROBLEM_NAMES`.
        other: the other photo, or the person; "" if there is none.
        value: what was measured; None if nothing was.
        limit: what the value was compared with.
        message: a sentence: what was found and what to do.
        row: of embeddings.npy, for the contact sheet; -1 for none. Not in the file.
    """

    photo: str
    problem: str
    other: str
    value: float | None
    limit: float | None
    message: Message
    row: int = NONE


def find_problems(
    faces: pd.DataFrame, report: pd.DataFrame, near: NearDuplicates, check: LabelCheck, params: QualityParams
) -> list[PhotoProblem]:
    """All problems, the gravest kind first; those of one kind in the order of the photos.

    Args:
        faces: a row for each row of embeddings.npy: label, photo, person, face, faces_found, chosen (from several
            faces of me), size, sharpness, brightness, turned_away, visible.
        report: crop_report.csv, all of it: photo, faces_found, face, kept, reason.
        near: near-duplicates.
        check: which labels look wrong.
        params: the limits.
    """
    found = [
        *_wrong_labels(faces, check, params),
        *_duplicates(faces, near, params),
        *_poor_faces(faces, params),
        *_several_faces(faces),
        *_dominating_person(faces, params),
        *_without_face(report),
    ]
    return sorted(found, key=lambda problem: PROBLEM_NAMES.index(problem.problem))


def _about(face: pd.Series, text: Message) -> Message:
    """The text, with the face that it is about before it, if the photo has several."""
    count = int(face["faces_found"])
    if count < 2:
        return text
    return Message("face {number} of {count}: {text}", number=int(face["face"]) + 1, count=count, text=text)


def _wrong_labels(faces: pd.DataFrame, check: LabelCheck, params: QualityParams) -> Iterator[PhotoProblem]:
    me, scores = faces["label"].to_numpy() == 1, check.scores
    limits = np.where(me, round(1 - params.label_score, 6), params.label_score)
    with np.errstate(invalid="ignore"):
        strange, mine = me & (scores <= limits), ~me & (scores >= limits)
    blurred = faces["sharpness"].to_numpy() < params.min_sharpness
    for row in np.flatnonzero(strange | mine):
        face, score = faces.iloc[row], float(scores[row])
        if me[row] and blurred[row]:
            found = Message(
                "the face is blurred, and perhaps for that alone looks like nobody else in me. Take a sharper photo; "
                "if it is somebody else, move or delete it"
            )
        elif me[row]:
            found = Message("looks like nobody else in me. Look at it: if it is somebody else, move or delete it")
        else:
            found = Message("looks like me. Look at it: if it is, move it to data/me or delete it")
        text = Message("{found} (a model that had not seen it gives it {score:.2f} as me)", found=found, score=score)
        yield PhotoProblem(
            face["photo"], "suspected_not_me" if me[row] else "suspected_me", "", round(score, 4), float(limits[row]),
            _about(face, text), int(row),
        )  # fmt: skip
    strays = int(check.stray.sum())
    for row in np.flatnonzero(check.stray):
        face = faces.iloc[row]
        unlike = (
            "{strays} of {count:# face|# faces} of me, this one among them, are no more like the others than strangers "
            "are. Perhaps me shows two people: then keep one person's photos in data/me. Or these photos are too poor "
            "to be compared (blurred, turned to the side, covered): then take better ones"
        )
        if blurred[row]:
            unlike = (
                "the face is blurred, and perhaps for that alone no more like the others in me than strangers are, as "
                "{strays} of {count:# face|# faces} of me. Take a sharper photo; if it is another person, delete it"
            )
        text = Message(unlike, strays=strays, count=int(me.sum()))
        yield PhotoProblem(
            face["photo"], "two_people", "", round(float(check.likeness[row]), 4), round(check.boundary, 4),
            _about(face, text), int(row),
        )  # fmt: skip


def _duplicates(faces: pd.DataFrame, near: NearDuplicates, params: QualityParams) -> Iterator[PhotoProblem]:
    """A row for each photo and kind, which names the earlier photo that is most like it."""
    photos = faces["photo"].to_numpy(str)
    in_both = Message(
        "{other} is in the other class and the same photo, or nearly so. Delete the one that does not belong"
    )
    nearly = Message(
        "{other} is nearly the same photo. They stay together in every split; one of another moment would teach more"
    )
    copied = Message(
        "{other} is the same shot (mirrored, cropped, resized or tilted). The two count once; one of another moment "
        "would teach more"
    )
    kinds = (
        ("in_both_classes", "in_both_classes", near.other_class, near.distance_other, near.cosine_other),
        ("near_duplicate", "copied_shot", near.same_class, near.distance_same, near.cosine_same),
    )
    texts = {"in_both_classes": in_both, "near_duplicate": nearly, "copied_shot": copied}
    for by_hash, by_face, found, distance, cosine in kinds:
        rows = np.flatnonzero(found != NONE)
        for row in rows[np.unique(photos[rows], return_index=True)[1]]:
            other, value, limit = photos[found[row]], float(distance[row]), float(params.hash_distance)
            problem = by_hash
            if value > limit:  # the hashes differ: the faces alone are that alike
                problem, value, limit = by_face, round(float(cosine[row]), 5), params.copy_cosine
            yield PhotoProblem(
                photos[row], problem, other, value, limit, Message(texts[problem], other=other), int(row)
            )


def _poor_faces(faces: pd.DataFrame, params: QualityParams) -> Iterator[PhotoProblem]:
    large = faces["size"] >= params.min_face  # a tiny face is always blurred, since its crop is enlarged
    checks = (
        ("tiny_face", "size", ~large, params.min_face,
         Message("the face is tiny"), Message("Take a photo where it is larger")),
        ("blurred", "sharpness", large & (faces["sharpness"] < params.min_sharpness), params.min_sharpness,
         Message("the face is blurred"), Message("Take a sharper photo")),
        ("dark_face", "brightness", faces["brightness"] < params.min_brightness, params.min_brightness,
         Message("the face is very dark, or cut off by the edge"),
         Message("Take a photo with more light, all of the face on it")),
        ("turned_away", "turned_away", faces["turned_away"] > params.max_turned_away, params.max_turned_away,
         Message("the face does not look at the camera"), Message("Take a photo from the front")),
        ("cut_off", "visible", faces["visible"] < params.min_visible, params.min_visible,
         Message("the border of the photo cuts the face off"), Message("Take a photo with all of the face on it")),
        ("bright_face", "brightness", faces["brightness"] > params.max_brightness, params.max_brightness,
         Message("the face is overexposed"), Message("Take a photo with less light")),
    )  # fmt: skip
    for problem, measure, wrong, limit, found, advice in checks:
        for row in np.flatnonzero(wrong):
            face = faces.iloc[row]
            value = round(float(face[measure]), 5)
            bystander = face["label"] == 0 and face["face"] > 0  # nobody takes another photo for their sake
            text = found if bystander else Message("{found}. {advice}", found=found, advice=advice)
            yield PhotoProblem(face["photo"], problem, "", value, limit, _about(face, text), int(row))


def _several_faces(faces: pd.DataFrame) -> Iterator[PhotoProblem]:
    kept = faces["photo"].map(faces["photo"].value_counts()).to_numpy()
    for row in np.flatnonzero((faces["faces_found"] > 1) & ~faces["photo"].duplicated()):
        face = faces.iloc[row]
        count = int(face["faces_found"])
        if face["label"] == 1:
            if kept[row] > 1:
                taken = Message("{taken:# of them is|# of them are} taken", taken=kept[row])
            elif not face["chosen"]:
                taken = Message("the largest is taken")
            elif face["face"] > 0:
                taken = Message("the one that agrees with the other photos is taken, which is not the largest")
            else:
                taken = Message("the one that agrees with the other photos is taken, which is also the largest")
            text = "{count:# face|# faces}, {taken} for me. Make sure that this is right, or cut the others off"
            message = Message(text, count=count, taken=taken)
        else:
            text = (
                "{count:# face|# faces}, {taken} taken for others. Make sure that none is me, and that all agreed to it"
            )
            message = Message(text, count=count, taken=kept[row])
        yield PhotoProblem(face["photo"], "several_faces", "", count, 1, message, int(row))


def _dominating_person(faces: pd.DataFrame, params: QualityParams) -> Iterator[PhotoProblem]:
    photos = faces[faces["label"] == 0].drop_duplicates("photo")
    counts = photos.loc[photos["person"] != "", "person"].value_counts()
    if counts.empty:
        return
    count = int(counts.max())
    person = min(counts.index[counts == count])
    share = count / len(photos)
    if count > 1 and share > params.max_person_share:
        text = "{count} of {photos:# photo|# photos} of not_me {count:shows|show} {person}. Add photos of other people"
        message = Message(text, count=count, photos=len(photos), person=person)
        yield PhotoProblem(
            f"not_me/{person}", "dominating_person", person, round(share, 4), params.max_person_share, message
        )


def _without_face(report: pd.DataFrame) -> Iterator[PhotoProblem]:
    for row in report[report["faces_found"] == 0].to_dict("records"):
        if is_told(row["reason"], NO_FACE_FOUND):
            text = "no face was found: it is not used. Take one where the face is well lit and seen from the front"
            yield PhotoProblem(row["photo"], "no_face", "", 0, 1, Message(text))
        else:
            message = Message("it cannot be used: {reason}", reason=tell_again(row["reason"]))
            yield PhotoProblem(row["photo"], "unusable", "", None, None, message)
