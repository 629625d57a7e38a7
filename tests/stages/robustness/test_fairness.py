"""Groups of people compared: which line of attributes.csv speaks of a photo, and what is more than chance."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.errors import StageError
from stages.estimation.held_out import HeldOutScores
from stages.params import Params
from stages.robustness import fairness

PHOTOS = [
    "not_me/ana/1.jpg",
    "not_me/ana/2.jpg",
    "not_me/ana/trip/3.jpg",
    "not_me/alone.jpg",
    "me/2024/a.jpg",
    "me/b.jpg",
]
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes data/not_me/attributes.csv of a project that is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "not_me").mkdir(parents=True)

    def put(text: str) -> None:
        Path("data/not_me/attributes.csv").write_bytes(text.encode("utf-8"))

    return put


def matched(column: str = "light") -> list[str]:
    index = pd.DataFrame({"photo": PHOTOS, "face": "0"})
    values: list[str] = fairness.match(fairness.read_attributes(), index)[column].tolist()
    return values


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["not_me/ana,x"], ["x", "x", "x", "", "", ""]),
        (["not_me/ana,x", "not_me/ana/2.jpg,y"], ["x", "y", "x", "", "", ""]),
        (["not_me/ana,x", "not_me/ana/trip,y", "not_me,z"], ["x", "x", "y", "z", "", ""]),
        (["me,x"], ["", "", "", "", "x", "x"]),
        (["me,x", "me/2024,y"], ["", "", "", "", "y", "x"]),
        ([r"not_me\ana\2.jpg,x", r"not_me\ana\trip\,y", " /me/ ,z"], ["", "x", "y", "", "z", "z"]),
        (["not_me/an,x", "not_me/alone.jpg,y"], ["", "", "", "y", "", ""]),
        (["not_me/ana, x ", '"not_me/alone.jpg","a, b"'], ["x", "x", "x", "a, b", "", ""]),
        (["me,", "not_me,x"], ["x", "x", "x", "x", "", ""]),
        (["not_me/ana,x", "not_me/ana/1.jpg,"], ["x", "x", "x", "", "", ""]),
        (["data/me,x", "./data/not_me/ana/1.jpg,y"], ["y", "", "", "", "x", "x"]),
    ],
)
def test_the_photo_s_own_line_then_the_nearest_folder_s(write: Write, lines: list[str], expected: list[str]) -> None:
    write("\n".join(["photo,light", *lines]) + "\n")
    assert matched() == expected


@pytest.mark.parametrize("start", ["\ufeffphoto,light", "light,photo", "photo , light"])
def test_a_byte_order_mark_the_order_and_spaces_of_columns_mean_nothing(write: Write, start: str) -> None:
    line = "x,me" if start.startswith("light") else "me,x"
    write(f"{start}\r\n{line}\r\n")
    assert matched() == ["", "", "", "", "x", "x"]


def test_columns_come_from_the_nearest_line_that_has_a_value_each(write: Write) -> None:
    write("photo,light,camera\nnot_me/ana,day,old\nnot_me/ana/1.jpg,,new\n")
    assert matched("light")[:3] == ["day", "day", "day"]
    assert matched("camera")[:3] == ["new", "old", "old"]


def test_semicolons_serve_as_well(write: Write) -> None:
    write('photo;light\nme;"x; y"\nnot_me/ana;a, b\n')
    assert matched() == ["a, b", "a, b", "a, b", "", "x; y", "x; y"]


def test_letters_composed_of_two_are_the_same(write: Write) -> None:
    write("photo,light\nnot_me/jose\u0301,x\n")
    index = pd.DataFrame({"photo": ["not_me/jos\u00e9/1.jpg"], "face": ["0"]})
    assert fairness.match(fairness.read_attributes(), index)["light"].tolist() == ["x"]


def test_a_line_speaks_of_the_largest_face_alone(write: Write) -> None:
    write("photo,light\nnot_me/ana/1.jpg,x\n")
    index = pd.DataFrame({"photo": [PHOTOS[0]] * 3, "face": ["0", "1", "2"]})
    assert fairness.match(fairness.read_attributes(), index)["light"].tolist() == ["x", "", ""]


def test_a_line_speaks_of_the_face_of_me_that_is_taken(write: Write) -> None:
    write("photo,light\nme,x\n")
    index = pd.DataFrame({"photo": ["me/1.jpg", "me/2.jpg"], "face": ["0", "2"]})
    assert fairness.match(fairness.read_attributes(), index)["light"].tolist() == ["x", "x"]


def test_without_a_file_nothing_is_said_of_anybody(write: Write) -> None:
    assert list(fairness.read_attributes().columns) == []
    write("photo,light\nme,x\n")
    assert matched()[-1] == "x"


def test_each_class_may_have_its_own_file(write: Write) -> None:
    write("photo,light\nnot_me/ana,x\n")
    Path("data/me").mkdir()
    Path("data/me/attributes.csv").write_text("photo,camera\nme,old\n")
    assert matched("light") == ["x", "x", "x", "", "", ""]
    assert matched("camera") == ["", "", "", "", "old", "old"]


def test_a_file_where_it_was_read_formerly_is_an_error(write: Write) -> None:
    Path("data/attributes.csv").write_text("photo\n")  # as earlier versions made it: it says nothing
    assert list(fairness.read_attributes().columns) == []
    write("photo,light\nme,x\n")
    Path("data/attributes.csv").write_text("photo,light\nme,y\n")
    with pytest.raises(StageError, match=r"data/attributes\.csv is not read .* move it to data/not_me/attributes\.csv"):
        fairness.read_attributes()


def test_lines_of_commas_alone_say_nothing(write: Write) -> None:
    write("photo,light\nme,x\n,y\n,\n")
    assert matched() == ["", "", "", "", "x", "x"]


def test_lines_that_speak_of_no_photo_are_warned_of(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    write("photo,light\nme,x\n")
    matched()
    assert not caplog.records
    write("photo,light\nme,x\nnot_me/eva,y\nme/gone.jpg,y\n" + "".join(f"p{number:02},z\n" for number in range(12)))
    matched()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "names 14 photos or folders of which data/ has no face: me/gone.jpg, not_me/eva, p00" in record.getMessage()
    assert record.getMessage().endswith(", p07 and 4 more")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"photo,light\nme/nobody.jpg,x\nana,y\n",
            "none speaks of a photo with a face in data/; it names ana, me/nobody",
        ),
        (b"name,light\nme,x\n", "has the columns name, light; expected one named photo"),
        (b"photo\tlight\nme\tx\n", "has the columns photo\tlight; expected one named photo"),
        (b"photo,light\nme,x\nme/,y\n", "names me more than once"),
        (b"photo,light\nnot_me\\ana,x\nnot_me/ana,x\n", "names not_me/ana more than once"),
        ("photo,age\nme,años\n".encode("latin-1"), "is not saved as UTF-8"),
        (b"", "is no table with commas or semicolons"),
        (b"photo,light\nme,x\nme/b.jpg,x,y,z\n", "is no table with commas or semicolons"),
    ],
)
def test_what_cannot_be_understood_is_an_error(write: Write, content: bytes, said: str) -> None:
    write("")
    Path("data/not_me/attributes.csv").write_bytes(content)
    with pytest.raises(StageError, match="attributes") as caught:
        matched()
    assert said in str(caught.value)


def people_with_errors(generator: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each of 8 photos a person went wrong, whose it is, the person's group: some people look like "me"."""
    alike = generator.beta(0.3, 3, people)
    member = np.repeat(np.arange(people), 8)
    return generator.random(len(member)) < alike[member], member, generator.choice(["a", "b", "c"], people)


def test_chance_alone_is_called_a_difference_in_one_of_twenty_cases() -> None:
    """Of 200 data sets without a difference 10 are expected; 3 to 20 are all but 4 in 1,000 times (binomial).

    A person's photos go wrong together: were photos what chance deals out, far more would be called one.
    """
    generator = np.random.default_rng(0)
    found = 0
    for seed in range(200):
        wrong, member, group = people_with_errors(generator, 40)
        found += fairness.permutation_p_value(wrong, group[member], member, 199, seed) <= 0.05
    assert 3 <= found <= 20


def test_a_real_difference_is_found() -> None:
    generator = np.random.default_rng(0)
    wrong, member, group = people_with_errors(generator, 60)
    worse = (group[member] == "a") & (generator.random(len(member)) < 0.4)
    assert fairness.permutation_p_value(wrong | worse, group[member], member) < 0.005


def test_chance_is_exact_where_it_can_be_counted() -> None:
    """Of two groups of three, one always wrong: 2 of the 20 ways to deal six people show that much."""
    p = fairness.permutation_p_value(np.array([True] * 3 + [False] * 3), np.array(["a"] * 3 + ["b"] * 3), np.arange(6))
    assert p == pytest.approx(0.1, abs=0.02)


def test_a_group_weighs_by_its_people() -> None:
    """A group of one and two of three, an error in each: of all 35 ways to deal three errors none differs less.

    If every group weighed alike, the one that is wrong altogether would stand out, in 17 of the 35.
    """
    wrong = np.array([True, True, False, False, True, False, False])
    assert fairness.permutation_p_value(wrong, np.array(list("abbbccc")), np.arange(7)) == 1.0


def test_chance_is_never_excluded() -> None:
    """What none of 199 permutations reaches is 1 in 200, the measured one among them."""
    wrong = np.repeat([True, False], 20)
    assert fairness.permutation_p_value(wrong, np.repeat(["a", "b"], 20), np.arange(40), 199) == 1 / 200


def test_no_error_at_all_is_no_difference() -> None:
    assert fairness.permutation_p_value(np.zeros(6, bool), np.array(["a"] * 3 + ["b"] * 3), np.arange(6)) == 1.0


def test_holm_by_hand() -> None:
    """4 questions: 0.01 × 4, 0.02 × 3, then 0.025 × 2 = 0.05, raised to the 0.06 before it, and 0.9 × 1."""
    asked = {("a", "far"): 0.02, ("a", "frr"): 0.9, ("b", "far"): 0.01, ("b", "frr"): 0.025}
    corrected = fairness.holm(asked)
    assert corrected == pytest.approx({("b", "far"): 0.04, ("a", "far"): 0.06, ("b", "frr"): 0.06, ("a", "frr"): 0.9})
    assert fairness.holm({("a", "far"): 0.7, ("a", "frr"): 0.8}) == {("a", "far"): 1.0, ("a", "frr"): 1.0}
    assert fairness.holm({}) == {}


def test_many_numbers_are_compared_by_quarters() -> None:
    """8 unknown, 8 of each of 20 to 27.5 in halves: four ranges of as many, a decimal comma understood."""
    ages = np.array([""] * 8 + [f"{age / 2:g}".replace(".", ",") for age in range(40, 56)] * 8)
    ranges = fairness.by_quarters(ages)
    assert (ranges[:8] == "").all()
    names, counts = np.unique(ranges[8:], return_counts=True)
    assert list(names) == ["20 – 21.5", "22 – 23.5", "24 – 25.5", "26 – 27.5"]
    assert list(counts) == [32] * 4
    assert len(set(fairness.by_quarters(np.array([*map(str, range(9))] * 4)))) == 4, "nine are many"
    uneven = fairness.by_quarters(np.array([*map(str, range(1, 12)), "1000"]))
    assert uneven.tolist() == ["1 – 3"] * 3 + ["4 – 6"] * 3 + ["7 – 9"] * 3 + ["10 – 1000"] * 3
    for few in (
        ["1", "2", "10"] * 9,
        [*map(str, range(8))] * 4,
        ["young", "old"] * 9,
        [*map(str, range(20)), "unsure"],
        [""] * 3,
    ):
        assert fairness.by_quarters(np.array(few)).tolist() == few


def test_each_answer_is_corrected_and_stands_under_its_own_rate(
    dlib_params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two columns, two rates: 0.01 × 4 is below 0.05, 0.02 × 3 is not. A score at the threshold is accepted."""
    chances = {"far a": 0.9, "frr a": 0.01, "far b": 0.02, "frr b": 0.5}
    asked: list[tuple[str, list[bool]]] = []

    def p_value(wrong: np.ndarray, values: np.ndarray, people: np.ndarray, permutations: int) -> float:
        rate = "far" if people.max() < 4 else "frr"
        asked.append((rate, wrong.tolist()))
        assert permutations >= 2000
        return chances[f"{rate} {values[0][0]}"]

    monkeypatch.setattr(fairness, "permutation_p_value", p_value)
    labels, groups = np.array([0] * 6 + [1] * 6), np.array([0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    threshold = dlib_params.evaluate.threshold
    scores = np.array([threshold, 0.1, 0.1, 0.1, 0.1, 0.1, threshold, 0.9, 0.9, 0.1, 0.9, 0.9])
    tested = HeldOutScores(np.arange(12), labels, scores, groups)
    columns = pd.DataFrame({"a": ["a1", "a1", "a2", "a2", "a2", "a2"] * 2, "b": ["b1", "b2", "b2", "b2", "", "b1"] * 2})
    found = fairness.compare(tested, columns, dlib_params.evaluate)
    assert [rate for rate, _ in asked] == ["far", "frr", "far", "frr"]
    assert asked[0][1] == [True] + [False] * 5 and asked[1][1] == [False, False, False, True, False, False]
    assert [len(wrong) for _, wrong in asked[2:]] == [5, 5], "nothing is said of one of each class"
    told = [column[f"p_{rate}"] for column in found.columns for rate in ("far", "frr")]
    assert told == pytest.approx([1.0, 0.04, 0.06, 1.0])
    assert [column["differs"] for column in found.columns] == [["frr"], []]
    counts = {group["group"]: (group["people"], group["photos_not_me"], group["photos_me"]) for group in found.groups}
    assert counts["a2"] == (3, 4, 4), "two photos are of one stranger"
    assert counts["b2"] == (2, 3, 3)


def test_groups_stand_in_the_order_of_their_numbers() -> None:
    assert fairness.in_order({"10", "9,5", "100 – 120", "b", "a"}) == ["9,5", "10", "100 – 120", "a", "b"]


STRANGERS, ME = 150, 30
Made = tuple[HeldOutScores, pd.DataFrame]


@pytest.fixture
def made(write: Write) -> Made:
    """Faces of 150 strangers and 30 of me, scored twice: in bad light strangers get in far oftener, shoes tell nothing.

    Strangers' attributes are of their folders, "me" has light and no shoes.
    """
    generator = np.random.default_rng(0)
    labels = np.array([0] * STRANGERS + [1] * ME)
    photos = [f"not_me/p{number}/1.jpg" for number in range(STRANGERS)] + [f"me/{number}.jpg" for number in range(ME)]
    light = generator.choice(["bad", "good"], STRANGERS)
    shoes = generator.choice(["black", "brown"], STRANGERS)
    lines = [f"not_me/p{number},{light[number]},{shoes[number]}" for number in range(STRANGERS)]
    write("\n".join(["photo,light,shoes", *lines, "me,good,"]) + "\n")
    accepted = np.where(light == "bad", generator.random(STRANGERS) < 0.4, generator.random(STRANGERS) < 0.02)
    scores = np.concatenate([np.where(accepted, 0.9, 0.1), np.where(generator.random(ME) < 0.1, 0.2, 0.9)])
    rows = np.arange(len(labels))
    tested = HeldOutScores(np.tile(rows, 2), np.tile(labels, 2), np.tile(scores, 2), np.tile(rows, 2))
    return tested, pd.DataFrame({"photo": photos, "face": "0"})


def compared(made: Made, params: Params) -> fairness.Comparison:
    tested, index = made
    return fairness.compare(tested, fairness.match(fairness.read_attributes(), index), params.evaluate)


def test_the_column_that_matters_is_found_and_the_other_is_not(
    made: Made, dlib_params: Params, caplog: pytest.LogCaptureFixture
) -> None:
    comparison = compared(made, dlib_params)
    groups = {(result["column"], result["group"]): result for result in comparison.groups}
    assert list(groups) == [("light", "bad"), ("light", "good"), ("shoes", "black"), ("shoes", "brown")]
    attributes = pd.read_csv("data/not_me/attributes.csv", keep_default_na=False)
    tested = made[0]
    once = slice(len(tested.rows) // 2)
    for (column, group), result in groups.items():
        own = np.flatnonzero((attributes[column] == group)[:STRANGERS])
        assert result["far"] == pytest.approx((tested.scores[once][own] >= 0.75).mean())
        assert result["people"] == result["photos_not_me"] == len(own)
        assert result["photos_me"] == (ME if group == "good" else 0)
        for rate in ("far", "frr"):
            interval = result[f"{rate}_interval"]
            assert (result[rate] is None) == (interval is None) == (rate == "frr" and group != "good")
            assert interval is None or interval["low"] <= result[rate] <= interval["high"]
    assert groups["light", "good"]["frr"] == pytest.approx((tested.scores[tested.labels == 1] < 0.75).mean())
    light, shoes = comparison.columns
    assert light["p_far"] < 0.01
    assert 0.05 < shoes["p_far"] < 1
    assert (light["differs"], shoes["differs"]) == (["far"], [])
    assert light["p_frr"] is None, "all photos of me are of one group"
    assert shoes["p_frr"] is None, "of none"
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    bad, good = (f"{group} {100 * groups['light', group]['far']:.1f} %" for group in ("bad", "good"))
    assert warning.startswith(f"FAR differs between groups of light beyond chance: {bad}, {good} (p = ")


def test_the_table_says_the_same(made: Made, dlib_params: Params) -> None:
    comparison = compared(made, dlib_params)
    table = fairness.as_table(comparison)
    assert list(table.columns) == [
        "column", "group", "people", "photos_me", "photos_not_me", "far", "far_low", "far_high", "frr", "frr_low",
        "frr_high", "p_far", "p_frr",
    ]  # fmt: skip
    chances = {column["column"]: column["p_far"] for column in comparison.columns}
    for row, group in zip(table.to_dict("records"), comparison.groups, strict=True):
        assert row["far_high"] == group["far_interval"]["high"]
        assert row["far_low"] == group["far_interval"]["low"]
        assert row["p_far"] == chances[group["column"]]
        assert pd.isna(row["frr_low"]) == (group["frr"] is None)


@pytest.mark.parametrize("content", ["photo\n", "photo", "photo,light,shoes\n", "photo\nme\n", "photo,light\nme,\n"])
def test_without_attributes_there_are_no_groups(made: Made, dlib_params: Params, content: str) -> None:
    Path("data/not_me/attributes.csv").write_text(content)
    comparison = compared(made, dlib_params)
    assert comparison.groups == []
    assert all(column["groups"] == 0 and column["differs"] == [] for column in comparison.columns)
    assert list(fairness.as_table(comparison).columns)[:3] == ["column", "group", "people"]
    assert fairness.as_table(comparison).empty


def test_groups_that_say_little_are_warned_of(
    made: Made, dlib_params: Params, caplog: pytest.LogCaptureFixture
) -> None:
    Path("data/not_me/attributes.csv").write_text("photo,light,hat\nnot_me,good,no\nnot_me/p1,bad,\n")
    compared(made, dlib_params)
    said = [record.getMessage().replace("\\", "/") for record in caplog.records]
    assert "data/not_me/attributes.csv: one person says little of a group's FAR; in column light: bad" in said
    assert "data/not_me/attributes.csv: column hat has one group, no: nothing to compare" in said
