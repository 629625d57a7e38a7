"""Groups of people compared: which line of attributes.csv speaks of a photo, and what is more than chance."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages import fairness
from stages.dataset import Dataset
from stages.errors import StageError
from stages.params import Params

PHOTOS = pd.Series(
    ["not_me/ana/1.jpg", "not_me/ana/2.jpg", "not_me/ana/trip/3.jpg", "not_me/alone.jpg", "me/2024/a.jpg", "me/b.jpg"]
)
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes data/attributes.csv of a project that is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()

    def put(text: str) -> None:
        Path("data/attributes.csv").write_bytes(text.encode("utf-8"))

    return put


def matched(column: str = "light") -> list[str]:
    values: list[str] = fairness.match(fairness.read_attributes(), PHOTOS)[column].tolist()
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


def test_lines_of_commas_alone_say_nothing(write: Write) -> None:
    write("photo,light\nme,x\n,y\n,\n")
    assert matched() == ["", "", "", "", "x", "x"]


def test_lines_that_speak_of_no_photo_are_warned_of(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    write("photo,light\nme,x\n")
    matched()
    assert not caplog.records
    write("photo,light\nme/2024,x\nme/b.jpg,x\nme,covered\nnot_me/eva,y\n")
    matched()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "speaks of 2 photos or folders" in record.getMessage()
    assert record.getMessage().endswith(": me, not_me/eva")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"photo,light\nme/nobody.jpg,x\nana,y\n", "2 lines, and none speaks of a photo in data/; it names ana, me/no"),
        (b"name,light\nme,x\n", "has the columns name, light; expected one named photo"),
        (b"photo;light\nme;x\n", "has the columns photo;light; expected one named photo"),
        (b"photo,light\nme,x\nme/,y\n", "names me more than once"),
        (b"photo,light\nnot_me\\ana,x\nnot_me/ana,x\n", "names not_me/ana more than once"),
        ("photo,age\nme,años\n".encode("latin-1"), "is no table in UTF-8 with commas"),
        (b"", "is no table in UTF-8 with commas"),
        (b"photo,light\nme,x\nme/b.jpg,x,y,z\n", "is no table in UTF-8 with commas"),
    ],
)
def test_what_cannot_be_understood_is_an_error(write: Write, content: bytes, said: str) -> None:
    write("")
    Path("data/attributes.csv").write_bytes(content)
    with pytest.raises(StageError, match="attributes") as caught:
        matched()
    assert said in str(caught.value)


def test_no_file_is_an_error_that_names_the_stage_which_makes_one(write: Write) -> None:
    write("")
    Path("data/attributes.csv").unlink()
    with pytest.raises(StageError, match=r"python -m stages\.crop"):
        fairness.read_attributes()


def people_with_errors(generator: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each of 8 photos a person went wrong, whose it is, the person's group: some people look like "me"."""
    alike = generator.beta(0.3, 3, people)
    member = np.repeat(np.arange(people), 8)
    return generator.random(len(member)) < alike[member], member, generator.choice(["a", "b", "c"], people)


def test_chance_alone_is_called_a_difference_in_one_of_twenty_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 data sets without a difference 10 are expected; 3 to 20 are all but 4 in 1,000 times (binomial).

    A person's photos go wrong together: were photos what chance deals out, far more would be called one.
    """
    monkeypatch.setattr(fairness, "_PERMUTATIONS", 199)
    generator = np.random.default_rng(0)
    found = 0
    for seed in range(200):
        wrong, member, group = people_with_errors(generator, 40)
        found += fairness.chance(wrong, group[member], member, seed) <= 0.05
    assert 3 <= found <= 20


def test_a_real_difference_is_found() -> None:
    generator = np.random.default_rng(0)
    wrong, member, group = people_with_errors(generator, 60)
    worse = (group[member] == "a") & (generator.random(len(member)) < 0.4)
    assert fairness.chance(wrong | worse, group[member], member) < 0.005


@pytest.mark.parametrize(
    ("values", "people"),
    [([], []), (["a"] * 6, [0, 1, 2, 3, 4, 5]), (["a", "b"] * 3, [0, 0, 1, 1, 2, 2])],
)
def test_without_two_groups_there_is_no_difference(values: list[str], people: list[int]) -> None:
    """The last: everybody has photos in both, and counts in the first."""
    wrong = np.array([index % 2 == 0 for index in range(len(values))], bool)
    assert fairness.chance(wrong, np.array(values, str), np.array(people, np.int64)) == 1.0


def test_chance_is_exact_where_it_can_be_counted() -> None:
    """Of two groups of three, one always wrong: 2 of the 20 ways to deal six people show that much."""
    p = fairness.chance(np.array([True] * 3 + [False] * 3), np.array(["a"] * 3 + ["b"] * 3), np.arange(6))
    assert p == pytest.approx(0.1, abs=0.02)


def test_no_error_at_all_is_no_difference() -> None:
    assert fairness.chance(np.zeros(6, bool), np.array(["a"] * 3 + ["b"] * 3), np.arange(6)) == 1.0


def test_holm_by_hand() -> None:
    """4 questions: 0.01 × 4, 0.02 × 3, then 0.025 × 2 = 0.05, raised to the 0.06 before it, and 0.9 × 1."""
    asked = {("a", "far"): 0.02, ("a", "frr"): 0.9, ("b", "far"): 0.01, ("b", "frr"): 0.025}
    corrected = fairness.holm(asked)
    assert corrected == pytest.approx({("b", "far"): 0.04, ("a", "far"): 0.06, ("b", "frr"): 0.06, ("a", "frr"): 0.9})
    assert fairness.holm({("a", "far"): 0.7, ("a", "frr"): 0.8}) == {("a", "far"): 1.0, ("a", "frr"): 1.0}
    assert fairness.holm({}) == {}


STRANGERS, ME = 150, 30


@pytest.fixture
def predictions(write: Write) -> tuple[pd.DataFrame, pd.DataFrame, Dataset]:
    """Faces of 150 strangers and 30 of me, scored twice: in bad light strangers get in far oftener, shoes tell nothing.

    Strangers' attributes are of their folders, "me" has light and no shoes.
    """
    generator = np.random.default_rng(4)
    labels = np.array([0] * STRANGERS + [1] * ME)
    photos = [f"not_me/p{number}/1.jpg" for number in range(STRANGERS)] + [f"me/{number}.jpg" for number in range(ME)]
    light = generator.choice(["bad", "good"], STRANGERS)
    shoes = generator.choice(["black", "brown"], STRANGERS)
    lines = [f"not_me/p{number},{light[number]},{shoes[number]}" for number in range(STRANGERS)]
    write("\n".join(["photo,light,shoes", *lines, "me,good,"]) + "\n")
    accepted = np.where(light == "bad", generator.random(STRANGERS) < 0.4, generator.random(STRANGERS) < 0.02)
    first = np.concatenate([np.where(accepted, 0.9, 0.1), np.where(generator.random(ME) < 0.1, 0.2, 0.9)])
    once = pd.DataFrame({"row": np.arange(len(labels)), "label": labels, "score": first})
    table = pd.concat([once.assign(repeat=repeat) for repeat in range(2)], ignore_index=True)
    data = Dataset(np.zeros((len(labels), 2), np.float32), labels, np.arange(len(labels)))
    return table, pd.DataFrame({"photo": photos}), data


def test_the_column_that_matters_is_found_and_the_other_is_not(
    predictions: tuple[pd.DataFrame, pd.DataFrame, Dataset], dlib_params: Params, caplog: pytest.LogCaptureFixture
) -> None:
    table, index, data = predictions
    results = fairness.compare(table, index, data, dlib_params)
    by_group = {(result["column"], result["group"]): result for result in results}
    assert list(by_group) == [("light", "bad"), ("light", "good"), ("shoes", "black"), ("shoes", "brown")]
    attributes = pd.read_csv("data/attributes.csv", keep_default_na=False)
    strangers = table[table["label"] == 0]
    for (column, group), result in by_group.items():
        own = (attributes[column] == group)[:STRANGERS]
        scores = strangers["score"][strangers["row"].isin(np.flatnonzero(own))]
        assert result["far"] == pytest.approx((scores >= 0.75).mean())
        assert result["people"] == own.sum() + ((column, group) == ("light", "good"))  # me, however many photos
        for rate in ("far", "frr"):
            interval = result[f"{rate}_interval"]
            assert (result[rate] is None) == (interval is None) == (rate == "frr" and group != "good")
            assert interval is None or interval["low"] <= result[rate] <= interval["high"]
    me = table[table["label"] == 1]
    assert by_group["light", "good"]["frr"] == pytest.approx((me["score"] < 0.75).mean())
    assert by_group["light", "bad"]["p_far"] == by_group["light", "good"]["p_far"] < 0.01
    assert 0.05 < by_group["shoes", "black"]["p_far"] < 1
    assert [result["p_frr"] for result in results] == [1.0] * 4, "nothing to compare me with"
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    rates = [f"{group} {by_group['light', group]['far']:.1%}" for group in ("bad", "good")]
    assert warning == f"FAR differs between groups of light beyond chance: {rates[0]}, {rates[1]}"


def test_the_table_says_the_same(predictions: tuple[pd.DataFrame, pd.DataFrame, Dataset], dlib_params: Params) -> None:
    results = fairness.compare(*predictions, dlib_params)
    table = fairness.as_table(results)
    assert list(table.columns) == [
        "column", "group", "people", "far", "far_low", "far_high", "frr", "frr_low", "frr_high", "p_far", "p_frr",
    ]  # fmt: skip
    assert len(table) == len(results)
    for row, result in zip(table.to_dict("records"), results, strict=True):
        assert row["far_high"] == result["far_interval"]["high"]
        assert row["far_low"] == result["far_interval"]["low"]
        assert pd.isna(row["frr_low"]) == (result["frr"] is None)


@pytest.mark.parametrize("content", ["photo\n", "photo,light,shoes\n", "photo\nme\n", "photo,light\nme,\n"])
def test_without_attributes_there_are_no_groups(
    predictions: tuple[pd.DataFrame, pd.DataFrame, Dataset], dlib_params: Params, content: str
) -> None:
    Path("data/attributes.csv").write_text(content)
    assert fairness.compare(*predictions, dlib_params) == []
    assert list(fairness.as_table([]).columns)[:3] == ["column", "group", "people"]
    assert fairness.as_table([]).empty
