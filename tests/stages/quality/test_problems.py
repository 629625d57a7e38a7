"""Each problem in a table made for it: which limit it was compared with, what was measured, on which side it lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from stages.files.crop_row import NO_FACE_FOUND
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.language.telling import SPANISH
from stages.params import QualityParams, load_params
from stages.quality.grouping import NONE, NearDuplicates
from stages.quality.problems import PhotoProblem, find_problems
from stages.quality.suspects import LabelCheck
from tests.stages.support import ROOT

PARAMS = replace(
    load_params(ROOT / "params.yaml").quality, hash_distance=7, duplicate_cosine=0.9, label_score=0.8, min_face=40,
    min_sharpness=0.003, min_brightness=50, max_brightness=210, max_turned_away=0.5, min_visible=0.8,
    max_person_share=0.5,
)  # fmt: skip
"""Limits no two of which are alike."""

GOOD: dict[str, Any] = {"person": "", "face": 0, "faces_found": 1, "chosen": False, "size": 100.0, "sharpness": 0.1,
                        "brightness": 120.0, "turned_away": 0.1, "visible": 1.0}  # fmt: skip
EMPTY_REPORT = pd.DataFrame({"photo": [], "faces_found": [], "face": [], "kept": [], "reason": []})


def faces_of(*rows: dict[str, Any]) -> pd.DataFrame:
    """Good faces of me but for what is given; photos are numbered unless they are named."""
    table = [{"label": 1, "photo": f"me/{number}.jpg", **GOOD, **row} for number, row in enumerate(rows)]
    return pd.DataFrame(table)


def no_duplicates(count: int) -> NearDuplicates:
    nothing = np.full(count, NONE)
    none = np.zeros(count)
    return NearDuplicates(np.arange(count), nothing, nothing, none.astype(int), none.astype(int), none, none)


def unsuspicious(faces: pd.DataFrame) -> LabelCheck:
    me = faces["label"].to_numpy() == 1
    return LabelCheck(np.where(me, 0.99, 0.01), np.zeros(len(me), bool), np.full(len(me), np.nan), 0.3, ())


def found(
    faces: pd.DataFrame, near: NearDuplicates | None = None, check: LabelCheck | None = None,
    report: pd.DataFrame = EMPTY_REPORT, params: QualityParams = PARAMS,
) -> list[PhotoProblem]:  # fmt: skip
    return find_problems(faces, report, near or no_duplicates(len(faces)), check or unsuspicious(faces), params)


def summary(problems: list[PhotoProblem]) -> list[tuple[Any, ...]]:
    return [(one.problem, one.photo, one.value, one.limit, one.row) for one in problems]


def test_good_faces_have_no_problem() -> None:
    assert found(faces_of({}, {}, {"label": 0, "photo": "not_me/a.jpg"})) == []


@pytest.mark.parametrize(
    ("measure", "limit", "below", "name"),
    [("size", 40, True, "tiny_face"), ("sharpness", 0.003, True, "blurred"), ("brightness", 50, True, "dark_face"),
     ("brightness", 210, False, "bright_face"), ("turned_away", 0.5, False, "turned_away"),
     ("visible", 0.8, True, "cut_off")],
)  # fmt: skip
def test_a_poor_face_is_beyond_its_own_limit(measure: str, limit: float, below: bool, name: str) -> None:
    """The limit itself is no problem."""
    beyond = limit * 0.9 if below else limit * 1.1
    problems = found(faces_of({measure: limit}, {measure: beyond}, {}))
    assert summary(problems) == [(name, "me/1.jpg", pytest.approx(beyond), limit, 1)]


def test_a_tiny_face_is_not_called_blurred_too() -> None:
    problems = found(faces_of({"size": 20.0, "sharpness": 0.001}, {"size": 20.0, "brightness": 10.0}))
    assert [(one.problem, one.row) for one in problems] == [("tiny_face", 0), ("tiny_face", 1), ("dark_face", 1)]


def test_suspects_are_named_with_the_limit_of_their_class() -> None:
    """From 0.8 on others are suspected to be me, up to 0.2 photos of me not to be; the limits themselves count."""
    rows = [{}] * 4 + [{"label": 0, "photo": f"not_me/{number}.jpg"} for number in range(4)]
    scores = np.array([0.2, 0.21, 0.05, np.nan, 0.8, 0.79, 0.95, np.nan])
    faces = faces_of(*rows)
    check = LabelCheck(scores, np.zeros(8, bool), np.full(8, np.nan), 0.3, ())
    assert summary(found(faces, check=check)) == [
        ("suspected_not_me", "me/0.jpg", 0.2, 0.2, 0), ("suspected_not_me", "me/2.jpg", 0.05, 0.2, 2),
        ("suspected_me", "not_me/0.jpg", 0.8, 0.8, 4), ("suspected_me", "not_me/2.jpg", 0.95, 0.8, 6),
    ]  # fmt: skip
    assert all(f"{check.scores[one.row]:.2f}" in one.message for one in found(faces, check=check))


def test_a_second_person_is_named_with_their_likeness_and_the_boundary() -> None:
    faces = faces_of({}, {}, {}, {}, {}, {"label": 0, "photo": "not_me/0.jpg"})
    stray = np.array([False, True, False, True, False, False])
    likeness = np.where(stray, [0, 0.11111, 0, 0.22222, 0, 0], np.nan)
    scores = np.where(stray, np.nan, [0.99] * 5 + [0.01])
    problems = found(faces, check=LabelCheck(scores, stray, likeness, 0.33333, ()))
    assert summary(problems) == [
        ("two_people", "me/1.jpg", 0.1111, 0.3333, 1), ("two_people", "me/3.jpg", 0.2222, 0.3333, 3),
    ]  # fmt: skip
    assert all(one.message.index("2") < one.message.index("5") for one in problems), "two of its five faces"
    assert all("Perhaps me shows two people" in one.message and "too poor" in one.message for one in problems)


def test_of_a_blurred_face_that_is_unlike_the_others_it_is_said_first_that_it_is_blurred() -> None:
    """Whether it is one of several or the only one: the blur alone may be the reason. The limit itself is sharp."""
    faces = faces_of({}, {"sharpness": 0.001}, {"sharpness": 0.003}, {"sharpness": 0.001}, {"sharpness": 0.003}, {})
    stray = np.array([False, True, True, False, False, False])
    scores = np.array([0.99, np.nan, np.nan, 0.1, 0.1, 0.99])
    check = LabelCheck(scores, stray, np.where(stray, 0.1, np.nan), 0.3, ())
    said = {one.photo: one.message for one in found(faces, check=check) if one.problem != "blurred"}
    assert list(said) == ["me/3.jpg", "me/4.jpg", "me/1.jpg", "me/2.jpg"]
    first = {
        photo for photo, message in said.items() if message.startswith("the face is blurred, and perhaps for that")
    }
    assert first == {"me/1.jpg", "me/3.jpg"}
    assert not any("two people" in said[photo] for photo in first)


def test_duplicates_are_named_once_a_photo_with_the_other_and_their_distance() -> None:
    """Row 2 repeats row 0, row 3, whose photo has two faces, rows 0 and 1; row 5 repeats row 1 of the other class."""
    faces = faces_of(
        {"photo": "me/a.jpg"}, {"photo": "me/b.jpg"}, {"photo": "me/c.jpg"},
        {"photo": "me/d.jpg"}, {"photo": "me/d.jpg", "face": 1},
        {"photo": "not_me/e.jpg", "label": 0},
    )  # fmt: skip
    near = NearDuplicates(
        groups=np.array([0, 1, 0, 0, 1, 1]),
        same_class=np.array([NONE, NONE, 0, 0, 1, NONE]), other_class=np.array([NONE, NONE, NONE, NONE, NONE, 1]),
        distance_same=np.array([0, 0, 3, 4, 5, 0]), distance_other=np.array([9, 9, 9, 9, 9, 6]),
        cosine_same=np.array([0, 0, 0.96, 0.97, 0.98, 0]), cosine_other=np.array([0, 0, 0, 0, 0, 0.99]),
    )  # fmt: skip
    problems = found(faces, near=near)
    assert summary(problems) == [
        ("in_both_classes", "not_me/e.jpg", 6, 7, 5), ("near_duplicate", "me/c.jpg", 3, 7, 2),
        ("near_duplicate", "me/d.jpg", 4, 7, 3),
    ]  # fmt: skip
    assert [one.other for one in problems] == ["me/b.jpg", "me/a.jpg", "me/a.jpg"]
    assert all(one.message.startswith(one.other) for one in problems)


def test_photos_that_only_their_faces_give_away_are_copies_of_a_shot() -> None:
    """The hashes differ in more bits than the limit: what is said is the cosine."""
    faces = faces_of({}, {}, {}, {"photo": "not_me/a.jpg", "label": 0})
    near = NearDuplicates(
        groups=np.zeros(4, int), same_class=np.array([NONE, 0, 1, NONE]), other_class=np.array([NONE, NONE, NONE, 2]),
        distance_same=np.array([0, 7, 8, 0]), distance_other=np.array([0, 0, 0, 30]),
        cosine_same=np.array([0, 0.999, 0.9961234, 0]), cosine_other=np.array([0, 0, 0, 0.997]),
    )  # fmt: skip
    problems = found(faces, near=near, params=replace(PARAMS, copy_cosine=0.9931))
    assert summary(problems) == [
        ("in_both_classes", "not_me/a.jpg", 0.997, 0.9931, 3), ("near_duplicate", "me/1.jpg", 7, 7, 1),
        ("copied_shot", "me/2.jpg", 0.99612, 0.9931, 2),
    ]  # fmt: skip
    assert "mirrored" in problems[2].message and "mirrored" not in problems[1].message


def test_photos_with_several_faces_are_named_once_with_how_many_are_used() -> None:
    faces = faces_of(
        {"photo": "me/a.jpg", "faces_found": 3},
        *({"photo": "me/b.jpg", "faces_found": 4, "face": face} for face in (0, 1)),
        *({"photo": "not_me/c.jpg", "label": 0, "faces_found": 2, "face": face} for face in (0, 1)),
        {"photo": "not_me/d.jpg", "label": 0},
    )  # fmt: skip
    problems = found(faces)
    assert summary(problems) == [
        ("several_faces", "me/a.jpg", 3, 1, 0), ("several_faces", "me/b.jpg", 4, 1, 1),
        ("several_faces", "not_me/c.jpg", 2, 1, 3),
    ]  # fmt: skip
    largest, two, others = (one.message for one in problems)
    assert "largest" in largest and "largest" not in two
    assert "2" in two and two.startswith("4") and "me" in two
    assert others.startswith("2 faces, 2 ")


def test_a_face_is_numbered_from_1_where_its_photo_has_several() -> None:
    problems = found(faces_of({"faces_found": 3, "face": 1, "brightness": 10.0}, {"brightness": 10.0}))
    assert [one.message.startswith("face 2 of 3: ") for one in problems if one.problem == "dark_face"] == [True, False]


def test_no_better_photo_is_asked_for_where_only_a_bystanders_face_is_poor() -> None:
    """Of the person in not_me, and of every face in me, one can be taken."""
    poor = {"faces_found": 2, "brightness": 10.0}
    others = {"label": 0, "photo": "not_me/joe/1.jpg"}
    mine = {"photo": "me/b.jpg"}
    rows = [others | poor | {"face": face} for face in (0, 1)] + [mine | poor | {"face": face} for face in (0, 1)]
    dark = [one.message for one in found(faces_of(*rows)) if one.problem == "dark_face"]
    assert ["Take a photo with more light" in message for message in dark] == [True, False, True, True]
    assert dark[1] == "face 2 of 2: the face is very dark, or cut off by the edge"


@pytest.mark.parametrize(
    ("chosen", "face", "said"),
    [(True, 1, "the one that agrees with the other photos is taken, which is not the largest for me"),
     (True, 0, "the one that agrees with the other photos is taken, which is also the largest for me"),
     (False, 0, "3 faces, the largest is taken for me")],
)  # fmt: skip
def test_how_a_face_of_me_was_taken_from_several_is_said_as_it_was(chosen: bool, face: int, said: str) -> None:
    (problem,) = found(faces_of({"faces_found": 3, "face": face, "chosen": chosen}, {}))
    assert problem.problem == "several_faces"
    assert said in problem.message


def test_the_reason_in_the_crop_report_is_known_in_either_language() -> None:
    report = pd.DataFrame(
        {"photo": ["me/a.jpg", "me/b.jpg"], "faces_found": [0, 0], "face": [-1, -1], "kept": ["False", "False"],
         "reason": [NO_FACE_FOUND, SPANISH[NO_FACE_FOUND]]}
    )  # fmt: skip
    assert [one.problem for one in found(faces_of({}), report=report)] == ["no_face", "no_face"]


def not_me(*people: str) -> list[dict[str, Any]]:
    return [{"label": 0, "photo": f"not_me/{number}.jpg", "person": name} for number, name in enumerate(people)]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (("ana", "ana", "ana", "eva"), ("not_me/ana", 0.75, "ana")),
        (("ana", "ana", "eva", "eva"), None),  # a half is the limit itself
        (("ana", "ana", "", ""), None),  # nobody named is nobody
        (("ana",), None),  # one photo dominates nothing
        (("", "", ""), None),
        (("eva", "eva", "ana", "ana", "eva"), ("not_me/eva", 0.6, "eva")),
    ],
)
def test_a_person_dominates_not_me_with_more_than_their_share(
    people: tuple[str, ...], expected: tuple[str, float, str] | None
) -> None:
    """Of me there are many photos more, which are no share of anything."""
    faces = faces_of(*({"person": "me"} for _ in range(9)), *not_me(*people))
    problems = found(faces)
    if expected is None:
        assert problems == []
    else:
        photo, share, other = expected
        (problem,) = problems
        assert (problem.problem, problem.photo, problem.value, problem.limit, problem.other, problem.row) == (
            "dominating_person", photo, pytest.approx(share), 0.5, other, NONE,
        )  # fmt: skip
        assert f"{people.count(other)} of {len(people)} " in problem.message


def test_shares_are_of_photos_not_of_faces() -> None:
    """Ana's one photo has three faces, two other people have a photo each: a third, not three fifths."""
    rows = [{"label": 0, "photo": "not_me/ana/1.jpg", "person": "ana", "face": face} for face in (0, 1, 2)]
    assert found(faces_of(*rows, *not_me("b", "c"))) == []


def test_photos_without_a_face_and_unusable_ones_are_told_apart() -> None:
    report = pd.DataFrame(
        {"photo": ["me/a.jpg", "me/b.jpg", "me/c.jpg"], "faces_found": [0, 0, 2], "face": [-1, -1, 0],
         "kept": ["False", "False", "True"], "reason": [NO_FACE_FOUND, "a damaged JPEG: cut", ""]}
    )  # fmt: skip
    problems = found(faces_of({}), report=report)
    assert summary(problems) == [("no_face", "me/a.jpg", 0, 1, NONE), ("unusable", "me/b.jpg", None, None, NONE)]
    assert "a damaged JPEG: cut" in problems[1].message and "cut" not in problems[0].message


def test_the_gravest_kind_comes_first_and_within_a_kind_photos_in_their_order() -> None:
    faces = faces_of({"brightness": 10.0}, {"brightness": 10.0, "faces_found": 2}, {}, *not_me("a", "a"))
    check = unsuspicious(faces)
    check.scores[2] = 0.1
    problems = found(faces, check=check)
    assert [(one.problem, one.row) for one in problems] == [
        ("suspected_not_me", 2), ("dark_face", 0), ("dark_face", 1), ("several_faces", 1), ("dominating_person", NONE),
    ]  # fmt: skip
    assert [one.problem for one in problems] == sorted((one.problem for one in problems), key=PROBLEM_NAMES.index)
