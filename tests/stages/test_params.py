"""params.yaml is right as shipped, and every mistake in it is named."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec import json

from stages.errors import StageError
from stages.language.telling import speak, tell
from stages.params import Params, load_params
from tests.faces.support import ROOT

NAN = float("nan")
TYPES = re.compile(r"\b(int|float|bool|str|array|object|got|length|regex)\b|[<>|]")
SHIPPED: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))

# Values of each parameter that are out of range or of the wrong kind.
WRONG: dict[str, list[Any]] = {
    "backbone.name": ["facenet", "", None, 3],
    "backbone.offline": ["facenet-vggface2", "none", True],
    "backbone.weights_url": [3, ["https://example.org"]],
    "backbone.weights_sha256": ["abc", "g" * 64, "a" * 65, "a" * 64 + "\n", 5],
    "detector.min_face": [11, 1001, 20.5, "small", None],
    "detector.factor": [0.2, 0.96, 1, NAN, None],
    "detector.thresholds": [0.6, [], [0.6, 0.7], [0.6, 0.7, 0.7, 0.7], [0.6, 0.7, 1.1], [-0.1, 0.7, 0.7], [NAN, 0, 0]],
    "detector.min_probability": [-0.01, 1.01, NAN, "sure", None],
    "detector.max_side": [99, 10_001, 640.5, None],
    "detector.try_turned": ["perhaps", 2, None],
    "crop.image_size": [63, 513, "160px", None],
    "crop.margin": [-1, 61, 1.5, None],
    "crop.me_faces": ["first", 1, None],
    "crop.not_me_faces": ["none", True, None],
    "crop.max_megapixels": [0, -1, 1000, NAN, None],
    "embed.batch_size": [0, 4097, 1.5, None],
    "embed.flip": ["perhaps", 2, None],
    "embed.device": ["gpu", 0, None],
    "quality.hash_distance": [-1, 25, 1.5, None],
    "quality.duplicate_cosine": [-0.1, 1.1, NAN, None],
    "quality.copy_cosine": [-0.1, 1.1, NAN, None],
    "quality.label_score": [0.49, 1, NAN, None],
    "quality.min_face": [-1, 1001, 4.5, None],
    "quality.min_sharpness": [-0.1, 1.1, NAN, "sharp", None],
    "quality.min_brightness": [-1, 256, 1.5, None],
    "quality.max_brightness": [-1, 256, 1.5, None],
    "quality.max_turned_away": [-0.1, 10.1, NAN, None],
    "quality.min_visible": [-0.1, 1.1, NAN, None],
    "quality.max_person_share": [0, 1.1, NAN, None],
    "quality.sheet_faces": [0, 1001, 1.5, None],
    "train.verifier": ["svm", None],
    "train.protocol": ["leave_one_out", None],
    "train.folds": [1, 21, 2.5, None],
    "train.repeats": [0, 101, 1.5, None],
    "train.cosine_C": [0, -1, NAN, None],
    "train.cohort_weight": [-0.1, 1.1, NAN, None],
    "train.population": [None],
    "train.population_far": [0, 0.2, -1, NAN, None],
    "train.strangers": ["family", None],
    "train.test_size": [0, 1, -0.2, 20, NAN, None],
    "train.validation_size": [-0.1, 1, NAN, None],
    "train.random_state": [-1, 2**32, 0.5, None],
    "train.C": [0, -1, NAN, "strong", None],
    "train.max_iter": [0, 1.5, None],
    "train.class_weight": ["none", True, {0: 1}],
    "privacy.encrypt_derived": ["perhaps", 2, None],
    "evaluate.threshold": [-0.1, 1.1, NAN, None],
    "evaluate.thresholds": [1, 10_002, 50.5, None],
    "evaluate.target_far": [0, 0.6, -1, NAN, None],
    "evaluate.accept_estimate": ["perhaps", 2, None],
    "evaluate.bootstrap": [99, 100_001, 1.5, None],
    "robustness.photos": [1, 1001, 2.5, None],
    "robustness.strangers": [1, 1001, 2.5, None],
    "robustness.random_state": [-1, 2**32, 0.5, None],
    "language": ["fr", None],
    "report.latency_photos": [0, 1001, None],
    "privacy.consent": ["on", True, None, "", 0],
    "privacy.register": [None, 3, []],
    "privacy.max_age_days": [0, -1, 1.5, 36_501, "a year"],
}
NAMES = [
    name
    for section, values in SHIPPED.items()
    for name in ([f"{section}.{key}" for key in values] if isinstance(values, dict) else [section])
]
OPTIONAL = {"backbone.weights_url", "backbone.weights_sha256"}


def load_changed(folder: Path, name: str, value: Any) -> Params:
    """Load params.yaml with one parameter changed, or removed with `...`."""
    values = copy.deepcopy(SHIPPED)
    section, _, key = name.partition(".")
    inside, last = (values[section], key) if key else (values, section)
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return load_text(folder, yaml.safe_dump(values))


def load_text(folder: Path, text: str | bytes) -> Params:
    path = folder / "params.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_params(path)


class TestShipped:
    """The file in the repository."""

    def test_loads(self) -> None:
        params = load_params(ROOT / "params.yaml")
        assert json.decode(json.encode(params)) == SHIPPED

    @pytest.mark.parametrize("given", ["off", "'off'", "false"])
    def test_off_may_be_written_in_any_way(self, tmp_path: Path, given: str) -> None:
        text, count = re.subn(
            r'(?m)^  consent: "off"', f"  consent: {given}", (ROOT / "params.yaml").read_text("utf-8")
        )
        assert count == 1
        assert load_text(tmp_path, text).privacy.consent == "off"

    def test_is_that_of_the_contract(self) -> None:
        params = load_params(ROOT / "params.yaml")
        assert (params.backbone.name, params.backbone.offline) == ("facenet-vggface2", "dlib-resnet")
        assert (params.crop.image_size, params.crop.me_faces, params.crop.not_me_faces) == (160, "matching", "all")
        assert params.embed.batch_size == 32
        assert (params.train.test_size, params.train.validation_size, params.train.random_state) == (0.2, 0.0, 42)
        assert params.train.class_weight == "balanced"
        assert params.evaluate.threshold == 0.75

    def test_is_looked_for_in_the_current_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(SHIPPED))
        monkeypatch.chdir(tmp_path)
        assert load_params() == load_params(ROOT / "params.yaml")

    def test_cannot_be_changed_afterwards(self) -> None:
        with pytest.raises(AttributeError, match="immutable"):
            load_params(ROOT / "params.yaml").train.C = 2.0


class TestValues:
    """Each parameter has a range, and a message that says which one is out of it."""

    @pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
    def test_wrong(self, tmp_path: Path, name: str, value: Any) -> None:
        with pytest.raises(StageError) as caught:
            load_changed(tmp_path, name, value)
        for line in str(caught.value).splitlines():  # more than one where values of a list are missing
            assert line.startswith(f"{tmp_path / 'params.yaml'}: {name}")
            assert line.endswith(" is missing") or "; given: " in line
            assert not TYPES.search(line.partition("; given: ")[0]), "a newcomer knows no types of Python or JSON"

    @pytest.mark.parametrize(
        ("name", "value", "english", "spanish"),
        [
            ("train.test_size", 1.5, "a number below 1", "un número menor que 1"),
            ("train.C", "strong", "a number", "un número"),
            ("train.C", 0, "a number above 0", "un número mayor que 0"),
            ("evaluate.target_far", 0, "a number of at least 1e-06", "un número igual o mayor que 1e-06"),
            ("train.random_state", 2**32, "a whole number of at most 4294967295",
             "un número entero igual o menor que 4294967295"),
            ("embed.batch_size", 1.5, "a whole number", "un número entero"),
            ("embed.flip", "perhaps", "true or false", "true o false"),
            ("embed.device", None, "auto, cpu or cuda", "auto, cpu o cuda"),
            ("backbone.weights_url", 3, "a text or null", "un texto o null"),
            ("detector.thresholds", 0.6, "a list", "una lista"),
            ("detector.thresholds", [0.6], "a list of 3 values, not of 1", "una lista de 3 valores, no de 1"),
            ("detector.thresholds", [0.6, 0.7, 1.1], "a number of at most 1 as value 3 of the list",
             "un número igual o menor que 1 en el valor 3 de la lista"),
            ("embed", 3, "a section with parameters", "una sección con parámetros"),
        ],
    )  # fmt: skip
    def test_what_is_expected_is_said_in_words(
        self, tmp_path: Path, name: str, value: Any, english: str, spanish: str
    ) -> None:
        with pytest.raises(StageError) as caught:
            load_changed(tmp_path, name, value)
        assert f"{name}: expected {english}; given: {value!r}" in str(caught.value)
        speak("es")
        try:
            assert f"{name}: debe ser {spanish}; contiene: {value!r}" in tell(caught.value.args[0])
        finally:
            speak("en")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("language", "es or en"),
            ("backbone.offline", "null or dlib-resnet|dlib-resnet or null"),
            ("train.verifier", "cosine or logistic_regression"),
        ],
    )
    def test_a_wrong_word_is_told_the_right_ones(self, tmp_path: Path, name: str, expected: str) -> None:
        with pytest.raises(StageError, match=rf"{name}: expected ({expected}); given: 'wrong'$"):
            load_changed(tmp_path, name, "wrong")

    def test_none_was_forgotten(self) -> None:
        assert sorted(WRONG) == sorted(NAMES)

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in OPTIONAL])
    def test_missing(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(StageError, match=rf"params\.yaml: {name} is missing$"):
            load_changed(tmp_path, name, ...)

    @pytest.mark.parametrize("name", sorted(OPTIONAL))
    def test_may_be_missing(self, tmp_path: Path, name: str) -> None:
        assert load_changed(tmp_path, name, ...) == load_params(ROOT / "params.yaml")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("backbone.offline", None),
            ("backbone.weights_sha256", "A" * 64),
            ("detector.thresholds", [0, 1, 0.5]),
            ("detector.max_side", 10_000),
            ("crop.image_size", 64),
            ("crop.margin", 60),
            ("train.validation_size", 0.15),
            ("train.class_weight", None),
            ("evaluate.threshold", 1),
        ],
    )
    def test_right(self, tmp_path: Path, name: str, value: Any) -> None:
        section, key = name.split(".")
        given = json.decode(json.encode(load_changed(tmp_path, name, value)))[section][key]
        assert given == value

    @pytest.mark.parametrize(
        "name", ["tpyo", *(f"{section}.tpyo" for section, values in SHIPPED.items() if isinstance(values, dict))]
    )
    def test_unknown(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(StageError, match=rf"there is no parameter {name}: a typo\?"):
            load_changed(tmp_path, name, 1)

    def test_a_name_of_an_earlier_version_is_told_the_new_one(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"report\.language is called language, at the top of the file, now"):
            load_changed(tmp_path, "report.language", "es")

    @pytest.mark.parametrize(("test", "validation"), [(0.5, 0.5), (0.2, 0.9)])
    def test_nothing_left_to_train_on(self, tmp_path: Path, test: float, validation: float) -> None:
        values = {**SHIPPED, "train": {**SHIPPED["train"], "test_size": test, "validation_size": validation}}
        with pytest.raises(StageError, match=r"train: .*test_size and validation_size leave nothing to train on"):
            load_text(tmp_path, yaml.safe_dump(values))

    @pytest.mark.parametrize(("low", "high"), [(50, 50), (60, 50)])
    def test_a_face_cannot_be_darker_than_brighter(self, tmp_path: Path, low: int, high: int) -> None:
        values = {**SHIPPED, "quality": {**SHIPPED["quality"], "min_brightness": low, "max_brightness": high}}
        with pytest.raises(StageError, match=r"quality: .*min_brightness must be below max_brightness"):
            load_text(tmp_path, yaml.safe_dump(values))

    def test_other_weights_need_their_checksum(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"backbone: .*weights_url needs weights_sha256"):
            load_changed(tmp_path, "backbone.weights_url", "https://example.org/weights.pt")

    def test_all_mistakes_at_once(self, tmp_path: Path) -> None:
        values = {**SHIPPED, "embed": {"batch_size": 0, "device": "tpu", "flips": True}, "crops": {}}
        with pytest.raises(StageError) as caught:
            load_text(tmp_path, yaml.safe_dump(values))
        told = str(caught.value)
        for name in (
            "embed.batch_size:",
            "embed.device:",
            "embed.flip is missing",
            "parameter embed.flips",
            "parameter crops",
        ):
            assert name in told


class TestFile:
    """What is no such file at all."""

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match=r"params\.yaml is missing: run from the root of the project"):
            load_params(tmp_path / "params.yaml")

    @pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "\tembed:", "embed: {batch_size: 32", "a: 1\x00"])
    def test_not_yaml(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(StageError, match=r"params\.yaml is not YAML: "):
            load_text(tmp_path, text)

    @pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "text", "3"])
    def test_not_a_mapping(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(StageError, match=r"params\.yaml: the file: "):
            load_text(tmp_path, text)

    @pytest.mark.parametrize("section", SHIPPED)
    @pytest.mark.parametrize("value", [..., None, 3, []])
    def test_section(self, tmp_path: Path, section: str, value: Any) -> None:
        values = {name: keys for name, keys in SHIPPED.items() if name != section}
        if value is not ...:
            values[section] = value
        with pytest.raises(StageError, match=rf"params\.yaml: {section}( is missing|: )"):
            load_text(tmp_path, yaml.safe_dump(values))

    def test_not_saved_as_utf8(self, tmp_path: Path) -> None:
        text = "# tamaño\n" + yaml.safe_dump(SHIPPED)
        with pytest.raises(StageError, match=r"params\.yaml is not saved as UTF-8"):
            load_text(tmp_path, text.encode("cp1252"))

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_utf8(self, tmp_path: Path, encoding: str) -> None:
        text = "# tamaño\n" + yaml.safe_dump(SHIPPED)
        assert load_text(tmp_path, text.encode(encoding)) == load_params(ROOT / "params.yaml")
