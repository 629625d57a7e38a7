"""The model's card: what was written is read, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from faces import model_card
from faces.model_card import CardFiles, Figure, ModelCard, ModelCardError
from faces.records import KEY_VARIABLE, Trust, record_path
from tests.model_cards import PLOTS, PNG, RATES, card

MODEL = "a" * 64
KEY = "k" * 32
UNSIGNED = Trust()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a model with its card."""
    model_card.write(tmp_path, card(), PLOTS)
    return tmp_path


def read(folder: Path, trust: Trust = UNSIGNED) -> CardFiles:
    return model_card.read(folder, MODEL, trust)


def test_what_was_written_is_read(folder: Path) -> None:
    found = read(folder)
    assert found.card == card()
    assert found.plots == PLOTS
    assert sorted(path.name for path in (folder / "card").iterdir()) == ["card.json", "robustness.png", "scores.png"]


def test_what_an_earlier_card_left_goes(folder: Path) -> None:
    (folder / "card" / "sub").mkdir()
    (folder / "card" / ".card.json.12345678.tmp").touch()
    model_card.write(folder, card(plots=card().plots[:1]), PLOTS)
    assert sorted(path.name for path in (folder / "card").iterdir()) == ["card.json", "scores.png"]
    assert list(read(folder).plots) == ["scores"]


def test_figures_at_a_threshold_say_in_which_way_they_are_known() -> None:
    assert RATES.at(0.75) == [
        Figure("far", 0.1, [0.05, 0.3], "measured", 0.75, 40),
        Figure("far", 0.3, None, "promised", 0.75, 40),
        Figure("far", 0.0005, None, "estimated", 0.75, None),
        Figure("frr", 0.04, [0.02, 0.14], "measured", 0.75, None),
    ]
    assert [figure.basis for figure in RATES.at(0.9)] == ["measured", "promised", "measured"], "nothing is estimated"
    assert [figure.basis for figure in RATES.at(0.0)] == ["measured", "estimated", "measured"], "100 % is no promise"


def test_between_two_thresholds_neither_rate_is_told_too_low() -> None:
    figures = RATES.at(0.6)
    assert {(figure.name, figure.threshold) for figure in figures} == {("far", 0.5), ("frr", 0.75)}
    assert {(figure.name, figure.threshold) for figure in RATES.at(1.0)} == {("far", 0.9), ("frr", 0.9)}
    assert {figure.threshold for figure in RATES.at(0.75 + 1e-12)} == {0.75}
    assert {figure.threshold for figure in RATES.at(0.75 - 1e-12)} == {0.75}


def test_the_service_gets_its_own_threshold_first_then_that_of_the_card() -> None:
    at = [(figure.name, figure.threshold) for figure in card().figures_at(0.9)]
    assert at == [("far", 0.9)] * 2 + [("frr", 0.9)] + [("far", 0.75)] * 3 + [("frr", 0.75), ("auc", None)]
    assert card().figures_at(0.75) == card().figures


def test_the_card_of_another_model_is_not_read(folder: Path) -> None:
    with pytest.raises(ModelCardError, match=r"card\.json is of another model: run 'dvc repro', and copy all"):
        model_card.read(folder, "b" * 64, UNSIGNED)


@pytest.mark.parametrize(("name", "stem"), [("card.json", "card.json"), ("scores.png", "scores.png")])
def test_what_is_missing_is_named(folder: Path, name: str, stem: str) -> None:
    (folder / "card" / name).unlink()
    with pytest.raises(ModelCardError, match=f"there is no {stem} beside the model: run 'dvc repro'"):
        read(folder)


@pytest.mark.security
class TestPlanted:
    """What the record does not name is not read, and no error has a path."""

    def refused(self, folder: Path, trust: Trust = UNSIGNED) -> str:
        with pytest.raises(ModelCardError) as caught:
            read(folder, trust)
        assert str(folder) not in str(caught.value)
        return str(caught.value)

    @pytest.mark.parametrize("name", ["card.json", "scores.png"])
    def test_another_file(self, folder: Path, name: str) -> None:
        path = folder / "card" / name
        path.write_bytes(path.read_bytes() + b" ")
        assert f"{name} is not what the pipeline recorded: run 'dvc repro --force report'" in self.refused(folder)

    def test_no_record(self, folder: Path) -> None:
        record_path(folder, "report").unlink()
        assert "card.json is not what the pipeline recorded" in self.refused(folder)
        assert read(folder, Trust(None, True)).card == card(), "where unrecorded files are allowed, it is read"

    def test_a_record_without_the_signature(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        signing = Trust(KEY.encode())
        assert "card.json is not what the pipeline recorded" in self.refused(folder, signing)
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        model_card.write(folder, card(), PLOTS)
        assert read(folder, signing).card == card()

    def test_a_plot_of_the_run_before(self, folder: Path) -> None:
        """While a card is replaced, its record names the files of both runs; but each card has its own plots."""
        before = {name: (folder / "card" / name).read_bytes() for name in ("card.json", "scores.png", "robustness.png")}
        model_card.write(folder, card(written="2027-01-01T00:00:00+00:00"), dict.fromkeys(PLOTS, PNG))
        path = record_path(folder, "report")
        record = json.loads(path.read_text(encoding="utf-8"))
        former = {f"card/{name}": hashlib.sha256(data).hexdigest() for name, data in before.items()}
        path.write_text(json.dumps(record | {"former": former}), encoding="utf-8")
        assert read(folder).card.written.startswith("2027")
        (folder / "card" / "scores.png").write_bytes(before["scores.png"])
        assert "scores.png is damaged" in self.refused(folder)

    def rewritten(self, folder: Path, change: Callable[[Any], Any]) -> str:
        """What is said of a card that was changed, and recorded all the same."""
        path = folder / "card" / "card.json"
        data = change(json.loads(path.read_bytes()))
        path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
        return self.refused(folder, Trust(None, True))

    @pytest.mark.parametrize(
        "change",
        [
            lambda _: b"{",
            lambda _: b"[" * 100_000,
            lambda _: b"\xff",
            lambda _: [],
            lambda _: {"format": 1},
            lambda values: values | {"more": 1},
            lambda values: values | {"threshold": 2},
            lambda values: json.dumps(values).replace("0.75", "NaN").encode(),
            lambda values: values | {"trained": "yesterday"},
            lambda values: values | {"language": "xx"},
            lambda values: values | {"plots": values["plots"] * 7},
            lambda values: values | {"plots": values["plots"][:1] * 2},
            lambda values: values | {"plots": [values["plots"][0] | {"name": "../../secret"}]},
            lambda values: values | {"plots": [values["plots"][0] | {"name": "scores\n"}]},
            lambda values: values | {"rates": values["rates"] | {"far": [0.1]}},
            lambda values: values | {"rates": values["rates"] | {"threshold": [0.9, 0.75, 0.5, 0.0]}},
            lambda values: values | {"notes": [{"kind": "limit", "text": {"es": "a" * 1001, "en": "a"}}]},
            lambda _: b" " * model_card.MOST_BYTES + b"{}",
        ],
    )
    def test_a_damaged_card(self, folder: Path, change: Callable[[Any], Any]) -> None:
        assert self.rewritten(folder, change) == "card.json is damaged: run 'dvc repro --force report'"

    def test_a_card_of_another_version(self, folder: Path) -> None:
        assert "card.json is of another version of the project" in self.rewritten(
            folder, lambda _: {"format": 2, "all": "new"}
        )

    def test_a_plot_that_is_no_png_or_too_large(self, folder: Path) -> None:
        for data in (b"<svg onload='alert(1)'>", PNG + bytes(model_card.MOST_PLOT_BYTES)):
            (folder / "card" / "scores.png").write_bytes(data)
            assert self.refused(folder, Trust(None, True)) == "scores.png is damaged: run 'dvc repro --force report'"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
    def test_a_pipe_is_not_waited_for(self, folder: Path) -> None:
        path = folder / "card" / "scores.png"
        path.unlink()
        os.mkfifo(path)
        assert "there is no scores.png" in self.refused(folder)


def test_it_says_nothing_that_is_not_described(folder: Path) -> None:
    """The file has the fields of the type, in its order, and is read by eye."""
    text = (folder / "card" / "card.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == list(ModelCard.__struct_fields__)
    assert "\n" in text and msgspec.json.decode(text, type=ModelCard) == card()
