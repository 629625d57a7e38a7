"""The stage quality on tables made for it: what the sheet shows first, what is counted, warned of and read."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from faces.message import Message
from stages.errors import StageError
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.params import load_params
from stages.quality import quality
from stages.quality.contact_sheet import Tile
from stages.quality.problems import PhotoProblem
from stages.quality.suspects import LabelCheck
from tests.stages.support import ROOT

FACES = pd.DataFrame({
    "label": [1, 1, 1, 0, 0, 0, 0], "face": [0, 0, 0, 0, 1, 0, 0],
    "photo": ["me/a", "me/b", "me/c", "not_me/d", "not_me/d", "not_me/e", "not_me/ana/f"],
    "crop": [f"{name}-0.png" for name in "abcdghi"], "sharpness": 0.1,
})  # fmt: skip
SURE = LabelCheck(
    np.array([0.9, 0.6, 0.99, 0.3, 0.01, 0.2, 0.1]), np.zeros(7, bool), np.full(7, np.nan), 0.3, ()
)  # fmt: skip
PARAMS = load_params(ROOT / "params.yaml").quality


def problem(row: int, name: str, value: float | None = None, other: str = "") -> PhotoProblem:
    photo = str(FACES["photo"][row]) if row >= 0 else "not_me/ana"
    return PhotoProblem(photo, name, other, value, None, f"{name} of {photo}", row)


Sections = list[tuple[str, list[Tile]]]


@pytest.fixture
def sheet(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sections]:
    """The sections that the sheet is drawn of."""

    def draw(problems: list[PhotoProblem], check: LabelCheck = SURE, faces: int = 64) -> Sections:
        given: list[Sections] = []
        with monkeypatch.context() as patch:
            patch.setattr(quality, "draw_sheet", lambda _title, sections, _footer: given.append(sections) or b"")
            quality.draw(FACES, problems, check, replace(PARAMS, sheet_faces=faces))
        return given[0]

    return draw


def names(sections: Sections) -> list[list[str]]:
    return [[tile.name for tile in tiles] for _, tiles in sections]


def test_the_sheet_begins_with_problems_then_with_whose_label_is_the_least_certain(
    sheet: Callable[..., Sections],
) -> None:
    """Of me those with a low score, of others those with a high one; a photo's second face is numbered."""
    sections = sheet([problem(4, "suspected_me", 0.8), problem(2, "blurred", 0.001), problem(5, "blurred", 0.002)])
    assert [heading.partition(":")[0] for heading, _ in sections] == ["me", "not_me"]
    assert names(sections) == [["c", "b", "a"], ["d (2)", "e", "d", "ana/f"]]
    assert [list(tile.problems) for tile in sections[1][1]] == [["suspected_me"], ["blurred"], [], []]
    assert [tile.crop.name for tile in sections[0][1]] == ["c-0.png", "b-0.png", "a-0.png"]


def test_a_sheet_of_fewer_faces_shows_what_is_grave_and_shares_the_rest(sheet: Callable[..., Sections]) -> None:
    grave = [problem(4, "suspected_me", 0.8), problem(6, "near_duplicate", 3)]
    assert names(sheet(grave, faces=4)) == [["b", "a"], ["d (2)", "ana/f"]]
    assert names(sheet(grave, faces=3)) == [["b"], ["d (2)", "ana/f"]]
    slight = [problem(row, "several_faces", 2) for row in (3, 4, 5, 6)]
    assert names(sheet(slight, faces=4)) == [["b", "a"], ["d", "e"]], "bystanders push nobody out"
    (own, _), _ = sheet([], faces=3)
    assert re.findall(r"\d+", own) == ["2", "3"], "two of three"


def test_a_face_without_a_score_is_no_suspect(sheet: Callable[..., Sections]) -> None:
    unsure = LabelCheck(np.full(7, np.nan), SURE.stray, SURE.likeness, 0.3, ())
    assert names(sheet([], unsure)) == [["a", "b", "c"], ["d", "d (2)", "e", "ana/f"]]


@pytest.mark.parametrize(
    ("name", "value", "other", "note"),
    [
        ("suspected_not_me", 0.123, "", ("not me", "0.12")), ("suspected_me", 0.876, "", ("me", "0.88")),
        ("in_both_classes", 3, "me/sub/other.jpg", ("in me: other.jpg",)),
        ("near_duplicate", 3, "me/x.jpg", ("like x.jpg",)), ("copied_shot", 0.998, "me/x.jpg", ("copy of x.jpg",)),
        ("two_people", 0.1, "", ("second",)), ("tiny_face", 23.4, "", ("23",)), ("blurred", 0.001, "", ("blurred",)),
        ("tiny_face", 39.678, "", ("39 ",)), ("dark_face", 39.9, "", ("39",)), ("bright_face", 235.2, "", ("236",)),
        ("dark_face", 12.3, "", ("dark", "12")), ("bright_face", 234.5, "", ("over", "235")),
        ("several_faces", 4, "", ("4",)),
    ],
)  # fmt: skip
def test_a_note_says_what_was_found(
    sheet: Callable[..., Sections], name: str, value: float, other: str, note: tuple[str, ...]
) -> None:
    tile = next(tile for tile in sheet([problem(0, name, value, other)])[0][1] if tile.problems)
    assert len(tile.notes) == 1
    for part in note:
        assert part in tile.notes[0]
    assert tile.notes[0].startswith("not me") == (name == "suspected_not_me")


def test_of_many_problems_the_first_and_how_many_more_are_noted(sheet: Callable[..., Sections]) -> None:
    grave = [problem(0, name, 1.0) for name in ("suspected_not_me", "tiny_face", "dark_face", "several_faces")]
    tile = sheet(grave)[0][1][0]
    assert len(tile.notes) == 2 and "3" in tile.notes[1]
    assert len(tile.problems) == 4


def test_figures_count_problems_photos_groups_and_labels() -> None:
    """A person's folder is no photo; a photo with two problems is one; strays were looked at without a score.

    Rows 3 and 4 are two faces of one photo: two blurred faces, but one photo that may be of me.
    """
    problems = [problem(0, "blurred"), problem(0, "dark_face"), problem(3, "blurred"), problem(4, "suspected_me"),
                problem(3, "suspected_me"), problem(4, "blurred"), problem(3, "in_both_classes"),
                problem(-1, "dominating_person")]  # fmt: skip
    groups, labels = np.array([0, 1, 1, 2, 2, 3, 4]), FACES["label"].to_numpy()
    shots = np.array([0, 1, 1, 2, 3, 4, 5])
    scores = np.array([0.9, np.nan, np.nan, 0.3, np.nan, 0.2, 0.1])
    stray = np.array([False, True, False, False, False, False, False])
    figures = quality.describe(problems, groups, shots, labels, LabelCheck(scores, stray, SURE.likeness, 0.3, ()))
    counts = {"blurred": 3, "dark_face": 1, "suspected_me": 1, "in_both_classes": 1, "dominating_person": 1}
    assert figures == {
        "problems": dict.fromkeys(PROBLEM_NAMES, 0) | counts,
        "photos_in_doubt": 1,
        "photos_with_problems": 2,
        "groups": {"not_me": 3, "me": 2},
        "distinct_faces": {"not_me": 4, "me": 2},
        "labels_checked": {"not_me": 3, "me": 2},
    }


def test_suspects_are_warned_of_one_by_one_and_others_by_kind(caplog: pytest.LogCaptureFixture) -> None:
    unsure = LabelCheck(SURE.scores, SURE.stray, SURE.likeness, 0.3, ("a sentence",))
    problems = [problem(row, "suspected_me") for row in (3, 4)] + [problem(row, "blurred") for row in (0, 1)]
    problems += [problem(5, "near_duplicate", 3, "not_me/d"), problem(6, "near_duplicate", 3, "not_me/d"),
                 problem(2, "dark_face"), problem(-1, "no_face"), problem(-1, "unusable")]  # fmt: skip
    quality.warn(problems, unsure)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "a sentence",
        "not_me/d: suspected_me of not_me/d", "not_me/d: suspected_me of not_me/d",
        "near-duplicates (2): not_me/e (like not_me/d), not_me/ana/f (like not_me/d)",
        "blurred faces (2): me/a, me/b",
        "me/c: dark_face of me/c",
    ]  # fmt: skip


def test_how_many_photos_of_me_are_copies_of_how_many_shots_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Two photos of me are of one shot; those of others are not counted, nor is a photo's second face."""
    quality.warn_of_copies(FACES, np.array([0, 1, 1, 2, 2, 2, 3]))
    (said,) = [record.getMessage() for record in caplog.records]
    assert re.findall(r"\d+", said) == ["3", "2", "1"] and "add nothing" in said
    caplog.clear()
    quality.warn_of_copies(
        FACES.assign(photo=["me/a", "me/a", "me/c", *FACES["photo"][3:]]), np.array([0, 0, 1, 2, 2, 2, 2])
    )
    assert not caplog.records


def test_more_than_ten_of_a_kind_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Photos are: of those that are not named, the last two are two faces of one."""
    many = [replace_photo(problem(0, "suspected_not_me"), f"me/{number}") for number in (*range(12), 11)]
    quality.warn(many, SURE)
    assert len(caplog.records) == 11
    assert "2 more" in caplog.records[-1].getMessage()
    caplog.clear()
    quality.warn([replace_photo(problem(0, "two_people"), f"me/{number}") for number in (*range(12), 11)], SURE)
    assert [record.getMessage().count("me/") for record in caplog.records] == [10, 0]
    assert "(12): " in caplog.records[0].getMessage() and "2 more" in caplog.records[1].getMessage()


@pytest.mark.parametrize(
    ("poor", "said"), [((), "(3): me/a"), (("blurred", "tiny_face"), "(3, 2 of them blurred): me/a")]
)
def test_how_many_that_may_be_a_second_person_are_blurred_is_said(
    caplog: pytest.LogCaptureFixture, poor: tuple[str, ...], said: str
) -> None:
    strays = [problem(row, "two_people") for row in range(3)]
    quality.warn([*strays, *(problem(row, name) for row, name in enumerate(poor)), problem(5, "blurred")], SURE)
    assert (
        caplog.records[0]
        .getMessage()
        .startswith(f"photos in `me` that may be of a second person, or too poor to compare {said}")
    )


@pytest.mark.parametrize("without_others", [True, False])
def test_that_nobody_is_in_not_me_is_no_warning(caplog: pytest.LogCaptureFixture, without_others: bool) -> None:
    check = dataclasses.replace(SURE, unchecked=(Message("not checked"),), without_others=without_others)
    with caplog.at_level(logging.INFO, quality.logger.name):
        quality.warn([], check)
    levels = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert levels == [(logging.INFO if without_others else logging.WARNING, "not checked")]


def replace_photo(one: PhotoProblem, photo: str) -> PhotoProblem:
    return dataclasses.replace(one, photo=photo)


def footer(monkeypatch: pytest.MonkeyPatch, problems: list[PhotoProblem]) -> str:
    given: list[str] = []
    monkeypatch.setattr(quality, "draw_sheet", lambda _title, _sections, footer: given.append(footer) or b"")
    quality.draw(FACES, problems, SURE, PARAMS)
    return given[0]


def test_the_sheet_says_what_is_used_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = "1 photo is not used", "2 photos are not used"
    plain = footer(monkeypatch, [problem(0, "blurred")])
    assert "All 7 faces are used" in plain and "not used" not in plain and "too many" not in plain
    lost = [replace_photo(problem(-1, "no_face"), "me/x"), replace_photo(problem(-1, "unusable"), "me/y")]
    assert one in footer(monkeypatch, lost[:1]) and two in footer(monkeypatch, lost)
    assert "nothing" not in footer(monkeypatch, lost).lower()
    assert "too many of the photos" in footer(monkeypatch, [problem(-1, "dominating_person")])


@pytest.fixture
def crop_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """What crop and embed leave of a photo with two faces, of one whose second face was not kept, and of a bad one."""
    monkeypatch.chdir(tmp_path)
    for name in ("data", "reports"):
        (tmp_path / name).mkdir()
    hashes = dict(zip(("not_me/ana/1.jpg", "me/a.jpg"), ("0" * 16, "f" * 16), strict=True))
    rows = [
        ("not_me/ana/1.jpg", 2, 0, 10, 20, 40, 60, True, "", "n0.png", "s0", 0.5, 100),
        ("not_me/ana/1.jpg", 2, 1, 0, 0, 16, 4, True, "", "n1.png", "s1", 0.25, 50),
        ("me/a.jpg", 2, 0, 5, 5, 105, 105, True, "", "m0.png", "s2", 0.125, 200),
        ("me/a.jpg", 2, 1, 0, 0, 9, 9, False, "not the largest face", "", "", 0, 0),
        ("me/bad.jpg", 0, -1, 0, 0, 0, 0, False, "no face found", "", "", 0, 0),
    ]  # fmt: skip
    names = ["photo", "faces_found", "face", "left", "top", "right", "bottom", "kept", "reason", "crop", "crop_sha256",
             "sharpness", "brightness"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    table["candidate"], table["turned_away"], table["visible"] = False, 0.25, 0.75
    table["photo_hash"] = table["photo"].map(hashes).fillna("")
    table.to_csv("reports/crop_report.csv", index=False)
    kept = table[table["kept"]]
    index = kept[["photo", "face", "crop", "crop_sha256"]].assign(label=[0, 0, 1], person=["ana", "ana", "me"])
    index.to_csv("data/index.csv", index=False)
    np.save("data/embeddings.npy", np.array([[3, 4], [0, 2], [-5, 0]], np.float32))
    return table


@pytest.mark.usefixtures("crop_report")
def test_each_face_has_what_crop_and_embed_know_of_it() -> None:
    faces, embeddings = quality.read_faces(quality.read_report())
    assert faces["size"].tolist() == pytest.approx([np.sqrt(30 * 40), 8, 100])
    assert faces["sharpness"].tolist() == [0.5, 0.25, 0.125]
    assert faces["brightness"].tolist() == [100, 50, 200]
    assert faces["turned_away"].tolist() == [0.25] * 3 and faces["visible"].tolist() == [0.75] * 3
    assert faces["label"].tolist() == [0, 0, 1] and faces["person"].tolist() == ["ana", "ana", "me"]
    assert faces["face"].tolist() == [0, 1, 0] and faces["faces_found"].tolist() == [2, 2, 2]
    assert faces["crop"].tolist() == ["n0.png", "n1.png", "m0.png"]
    assert faces["photo_hash"].tolist() == ["0" * 16] * 2 + ["f" * 16]
    assert embeddings == pytest.approx(np.array([[0.6, 0.8], [0, 1], [-1, 0]]))


def test_a_face_that_embed_did_not_choose_is_left_out(crop_report: pd.DataFrame) -> None:
    chosen = crop_report["photo"] == "me/a.jpg"
    crop_report.loc[chosen, ["kept", "candidate"]] = True
    crop_report.loc[chosen, "crop"] = ["m0.png", "m1.png"]
    crop_report.to_csv("reports/crop_report.csv", index=False)
    faces, _ = quality.read_faces(quality.read_report())
    assert faces["crop"].tolist() == ["n0.png", "n1.png", "m0.png"]
    assert faces["chosen"].tolist() == [False, False, True]


@pytest.mark.parametrize("column", ["crop_sha256", "photo"])
def test_an_index_of_another_report_is_refused(crop_report: pd.DataFrame, column: str) -> None:
    crop_report.assign(**{column: crop_report[column].iloc[[1, 0, 2, 3, 4]].tolist()}).replace(
        {"photo": {"me/a.jpg": "me/other.jpg"} if column == "photo" else {}}
    ).to_csv("reports/crop_report.csv", index=False)
    with pytest.raises(StageError, match=r"is not of this .*stages\.embed"):
        quality.read_faces(quality.read_report())
