"""What the report recommends follows from the figures, and has words in both languages, whose templates agree."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from stages.files.degradation_kinds import DEGRADATION_KINDS
from stages.report import rendering, report
from stages.robustness.degradations import DEGRADATIONS
from tests.stages.report.support import made_up_values

COUNTS = {"photos": 60, "with_face": 60, "no_face": 0, "unusable": 0, "faces_used": 60, "distinct_faces": 60}


def of(count: int) -> dict[str, int]:
    """So many faces of as many shots."""
    return {**COUNTS, "faces_used": count, "distinct_faces": count}


FEW, SOME, MANY = of(12), of(30), of(400)
JUST_FEW, JUST_SOME, LAST_SOME, IDEAL = of(19), of(20), of(49), of(50)
POINT = {"threshold": 0.8125, "target_far": 0.05, "supported": True, "people": 60, "effective_people": 60,
         "people_needed": 60,
         "far": 0.04, "frr": 0.125}  # fmt: skip
UNSUPPORTED = {"supported": False, "target_far": 0.001, "people_needed": 3000}
KNOWN = {"source": "photos of strangers", "used": True, "like_me_factor": 13.5, "strangers": "anyone"}
AT = {"threshold": 0.75, "far": 0.0, "far_interval": {"low": 0.0, "high": 0.05}, "far_estimated": None}
ALONE = {"point": {**UNSUPPORTED, "people": 0, "effective_people": 0, "far": None}, "not_me": of(0),
         "at": {"far": None, "far_interval": {"low": None, "high": None}, "far_estimated": 0.0005}}  # fmt: skip
LANGUAGES = pytest.mark.parametrize("language", ["es", "en"])


def advice(
    me: dict[str, int] = COUNTS,
    not_me: dict[str, int] = COUNTS,
    at: dict[str, Any] | None = None,
    point: dict[str, Any] | None = None,
    in_doubt: int = 0,
    doubled: dict[str, float | None] | None = None,
    requested: str = "dlib-resnet",
    backbone: str = "dlib-resnet",
    population: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Recommendations for plenty of good photos but for what is given."""
    content = {
        "dataset": {"not_me": not_me, "me": me},
        "photos_in_doubt": in_doubt,
        "metrics": {"verifier": "cosine", "population": population or {"used": False, "reason": "contradicted"}},
        "robustness": {
            "frr_doubles_at": {"noise": None} | (doubled or {}),
            "levels": {degradation.name: list(degradation.levels) for degradation in DEGRADATIONS},
        },
        "evaluation": {
            "threshold_analysis": {"at_default": AT | (at or {})},
            "operating_point": POINT | (point or {}),
            "test_faces": {"not_me": 300, "me": 60},
        },
    }
    return report.recommendations(content, backbone, requested)


# What is changed, and the recommendation that must follow; `advice()` itself has the first alone.
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"name": "no_stranger_got_in", "people": 60, "below": 0.05}),
    ({"at": {"far": 0.08}},
     {"name": "strangers_get_in", "far": 0.08, "threshold": 0.8125, "far_there": 0.04, "frr_there": 0.125}),
    ({"point": UNSUPPORTED},
     {"name": "target_unsupported", "target": 0.001, "needed": 3000, "people": 60, "effective": 60}),
    ({"point": {**UNSUPPORTED, "effective_people": 45}},
     {"name": "target_unsupported", "target": 0.001, "needed": 3000, "people": 60, "effective": 45}),
    ({"point": {**UNSUPPORTED, "people": 2, "effective_people": 2}},
     {"name": "target_unsupported", "target": 0.001, "needed": 3000, "people": 2, "effective": 2}),
    ({**ALONE, "population": KNOWN},
     {"name": "no_strangers", "target": 0.001, "needed": 3000, "factor": 13.5, "cautious": False}),
    ({**ALONE, "population": {**KNOWN, "strangers": "like_me"}},
     {"name": "no_strangers", "target": 0.001, "needed": 3000, "factor": 13.5, "cautious": True}),
    ({"population": KNOWN}, {"name": "people_like_me", "factor": 13.5, "cautious": False}),
    ({"population": {**KNOWN, "strangers": "like_me"}}, {"name": "people_like_me", "factor": 13.5, "cautious": True}),
    ({"me": FEW}, {"name": "add_photos", "class": "me", "count": 12, "recommended": 20}),
    ({"not_me": FEW}, {"name": "add_photos", "class": "not_me", "count": 12, "recommended": 20}),
    ({"me": SOME}, {"name": "more_is_better", "class": "me", "count": 30}),
    ({"me": JUST_FEW, "not_me": IDEAL}, {"name": "add_photos", "class": "me", "count": 19, "recommended": 20}),
    ({"me": JUST_SOME, "not_me": IDEAL}, {"name": "more_is_better", "class": "me", "count": 20}),
    ({"me": IDEAL, "not_me": LAST_SOME}, {"name": "more_is_better", "class": "not_me", "count": 49}),
    ({"me": of(70), "not_me": of(400)},  # 14.9 %; 15 % is none
     {"name": "imbalance", "share": 70 / 470}),
    ({"me": {**of(90), "distinct_faces": 55}}, {"name": "copies", "class": "me", "faces": 90, "count": 55}),
    ({"not_me": MANY}, {"name": "imbalance", "share": 60 / 460}),
    ({"me": MANY}, {"name": "imbalance", "share": 400 / 460}),
    ({"requested": "facenet-vggface2"},
     {"name": "stand_in", "backbone": "dlib-resnet", "requested": "facenet-vggface2"}),
    ({"me": {**COUNTS, "no_face": 2}, "not_me": {**COUNTS, "unusable": 1}}, {"name": "unusable_photos", "count": 3}),
    ({"in_doubt": 15}, {"name": "suspected_labels", "count": 15}),
    ({"point": {"frr": 0.9667}},
     {"name": "clear_first", "threshold": 0.8125, "refused": 58, "faces": 60, "suspected": 0}),
    ({"doubled": {"size": 40.0, "blur": 2.0, "jpeg": None, "noise": 50.0, "covered": 50.0}},  # the last two: much worse
     {"name": "fragile", "degradations": ["blur", "size"]}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), CASES, ids=lambda value: value.get("name", ""))
def test_recommendations_follow_from_the_figures(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    found = {entry["name"]: entry for entry in advice(**changes)}
    assert found[expected["name"]] == expected
    strangers = {"no_stranger_got_in", "strangers_get_in", "no_strangers"}
    assert set(found) - strangers == {expected["name"]} - strangers
    assert len(set(found) & strangers) == 1


@pytest.mark.parametrize(
    ("backbone", "reason", "point", "advised"),
    [
        ("facenet-vggface2", "none", UNSUPPORTED, True),
        ("facenet-vggface2", "none", {}, False),  # own strangers promise the target
        ("facenet-vggface2", "contradicted", UNSUPPORTED, False),
        ("dlib-resnet", "none", UNSUPPORTED, False),  # it has a population, so none is wanted
    ],
)
def test_a_network_with_a_population_is_named_where_strangers_are_few_and_nothing_is_estimated(
    backbone: str, reason: str, point: dict[str, Any], advised: bool
) -> None:
    found = advice(backbone=backbone, requested=backbone, population={"used": False, "reason": reason}, point=point)
    assert ({"name": "estimate_with", "backbone": backbone} in found) == advised


@pytest.mark.parametrize(("frr", "warned"), [(0.33, False), (0.34, True)])
def test_a_threshold_that_refuses_a_third_of_me_is_not_advised_without_a_word(frr: float, warned: bool) -> None:
    """The word comes before all others, and says how many photos are to be looked at."""
    found = advice(point={"frr": frr, "threshold": 0.9}, at={"far": 0.5}, in_doubt=7)
    assert (found[0]["name"] == "clear_first") == warned
    assert not warned or (found[0]["refused"], found[0]["faces"], found[0]["suspected"]) == (20, 60, 7)
    assert any(entry["name"] == "suspected_labels" for entry in found) != warned, "said once"


@pytest.mark.parametrize(("low", "estimated", "said"), [(0.02, 0.0005, True), (0.02, 0.02, False), (0.0, 0.0005, False),
                                                        (0.02, None, False)])  # fmt: skip
@pytest.mark.parametrize("strangers", ["anyone", "like_me"])
def test_more_strangers_than_estimated_are_spoken_of_beyond_chance(
    low: float, estimated: float | None, said: bool, strangers: str
) -> None:
    """The lower end of what is measured decides: with few strangers, one who gets in says nothing."""
    at = {"far": 0.08, "far_interval": {"low": low, "high": 0.2}, "far_estimated": estimated}
    found = advice(at=at, population={**KNOWN, "strangers": strangers}, in_doubt=3)
    assert ("more_than_estimated" in [entry["name"] for entry in found]) == said
    if said:
        assert found[1] == {
            "name": "more_than_estimated", "threshold": 0.75, "far": 0.08, "low": low, "estimated": estimated,
            "source": "photos of strangers", "cautious": strangers == "like_me",
        }  # fmt: skip


def test_of_photos_of_others_that_are_not_necessary_one_advice_speaks() -> None:
    """Not three: that there are none, that some should be added, and that look-alikes should."""
    assert [entry["name"] for entry in advice(**ALONE, population=KNOWN)] == ["no_strangers"]


def test_copies_of_a_shot_do_not_count_as_photos() -> None:
    """Of 100 faces of me and 300 of others, 15 and 60 are left: too few, more is better, and no imbalance."""
    few = advice(me={**of(100), "distinct_faces": 15}, not_me={**of(300), "distinct_faces": 45})
    assert few[1:] == [
        {"name": "copies", "class": "not_me", "faces": 300, "count": 45},
        {"name": "more_is_better", "class": "not_me", "count": 45},
        {"name": "copies", "class": "me", "faces": 100, "count": 15},
        {"name": "add_photos", "class": "me", "count": 15, "recommended": 20},
    ]
    unbalanced = advice(me={**of(100), "distinct_faces": 50}, not_me=of(300))
    assert unbalanced[-1] == {"name": "imbalance", "share": 50 / 350}


def test_a_higher_threshold_is_not_advised_where_it_would_be_lower() -> None:
    """Fewer strangers get in than were asked for: the operating point is below the service's threshold."""
    assert advice(at={"far": 0.01}, point={"threshold": 0.6}) == []


def test_the_gravest_comes_first() -> None:
    found = advice(
        me={**FEW, "no_face": 1}, not_me=MANY, at={"far": 0.5}, point=UNSUPPORTED, in_doubt=1,
        doubled={"blur": 2.0}, requested="facenet-vggface2",
    )  # fmt: skip
    assert [entry["name"] for entry in found] == [
        "suspected_labels", "strangers_get_in", "target_unsupported", "add_photos", "imbalance", "fragile", "stand_in",
        "unusable_photos",
    ]  # fmt: skip


def test_every_kind_is_among_the_cases() -> None:
    assert set(re.findall(r'"name": "(\w+)"', inspect.getsource(report))) == {
        "estimate_with",
        "more_than_estimated",
        *(expected["name"] for _, expected in CASES),
    }


@pytest.fixture
def values() -> dict[str, Any]:
    return made_up_values()


def said(values: dict[str, Any], language: str, recommendations: list[dict[str, Any]]) -> list[str]:
    """The lines that recommendations become."""
    text = rendering.render_markdown(language, values | {"recommendations": recommendations})
    heading = {"es": "\n## Recomendaciones\n", "en": "\n## Recommendations\n"}[language]
    return text.partition(heading)[2].partition("\n## ")[0].strip().splitlines()


@LANGUAGES
def test_each_has_words_and_its_numbers_in_both_languages(values: dict[str, Any], language: str) -> None:
    for _, expected in CASES:
        (line,) = said(values, language, [expected])
        assert re.fullmatch(r"- (?:\*\*)?\w.{40,}[.`]", line), line
        for name, value in expected.items():
            if name == "effective":
                assert (str(value) in line) == (value <= expected["people"])
            elif name in (
                "refused",
                "faces",
                "count",
                "people",
                "needed",
                "recommended",
                "class",
                "backbone",
                "requested",
            ):
                assert str(value) in line, (name, line)
            elif name == "factor":
                factor = f"{float(f'{value:.2g}'):g} ".replace(".", "," if language == "es" else ".")
                assert (factor in line and "`train.strangers: like_me`" in line) != expected["cautious"]
            elif name == "threshold":
                assert f"{value:.4f}".replace(".", "," if language == "es" else ".") in line
            elif isinstance(value, float):
                assert (
                    f"{100 * value:.{1 if value >= 0.01 else 2}f} %".replace(".", "," if language == "es" else ".")
                    in line
                )
    lines = said(values, language, [expected for _, expected in CASES])
    assert len(lines) == len(set(lines)) == len(CASES)
    assert all(line.startswith("- ") for line in lines)


@LANGUAGES
def test_degradations_and_problems_have_words(values: dict[str, Any], language: str) -> None:
    names = [degradation.name for degradation in DEGRADATIONS]
    (line,) = said(values, language, [{"name": "fragile", "degradations": names}])
    named = line.partition(": ")[2].partition(". ")[0].split(", ")
    assert len(set(named)) == len(names)
    assert set(names) == set(DEGRADATION_KINDS)
    assert "(" not in line
