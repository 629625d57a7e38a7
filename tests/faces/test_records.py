"""Only what a record names is loaded: each way of tampering is refused with what to do, and nothing of it runs."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from faces import verifier as verifier_module
from faces.cosine import CosineClassifier
from faces.operating_point import OperatingPoint, OperatingPointError
from faces.records import (
    KEY_VARIABLE,
    MadeFrom,
    Record,
    RecordError,
    Trust,
    read_record,
    record_path,
    write_recorded,
)
from faces.verifier import Verifier, VerifierError, VerifierNotFoundError
from tests.recording import dump, record_trained

pytestmark = pytest.mark.security

KEY, OTHER_KEY = "k" * 32, "o" * 40
LABELS = np.arange(40) % 2
EMBEDDINGS = np.random.default_rng(0).normal(0, 0.1, (40, 16)) + 0.1 * LABELS[:, None]
PROBES = np.random.default_rng(1).normal(0, 0.1, (5, 16)).astype(np.float32)
SIGNED, UNSIGNED = Trust(KEY.encode()), Trust()


class _Trap:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.folder,)


class _TrapAndModel(CosineClassifier):
    """A model that scores as it should; unpickled, it makes a folder besides."""

    def __reduce__(self) -> Any:
        return _spring, (self.folder, vars(self))


def _spring(folder: str, values: dict[str, Any]) -> CosineClassifier:
    Path(folder).mkdir()
    model = CosineClassifier()
    vars(model).update(values)
    return model


def fitted(seed: int = 0, scale: float = 1.0) -> Verifier:
    """A cosine verifier; another seed, another model."""
    noise = np.random.default_rng(seed).normal(0, 0.05, EMBEDDINGS.shape)
    scaler = StandardScaler(with_mean=False, with_std=False).fit(EMBEDDINGS)
    return Verifier(CosineClassifier(C=scale).fit(EMBEDDINGS + noise, LABELS), scaler)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """models/, with a verifier and its record."""
    fitted().save(tmp_path / "models", {"photo_limits.json": b"{}"})
    return tmp_path / "models"


def load(folder: Path, trust: Trust = UNSIGNED) -> Verifier:
    return Verifier.load(folder / "model.joblib", folder / "scaler.joblib", trust)


def change_record(folder: Path, change: Callable[[dict[str, Any]], Any], stage: str = "train") -> None:
    path = record_path(folder, stage)
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


class TestContent:
    """What a record says, and that the same run says the same."""

    def test_what_it_names(self, folder: Path) -> None:
        values = json.loads(record_path(folder, "train").read_text(encoding="utf-8"))
        assert sorted(values["files"]) == ["model.joblib", "photo_limits.json", "scaler.joblib", "verifier.npz"]
        assert (values["format"], values["stage"]) == (1, "train")
        assert "former" not in values and "signature" not in values

    def test_the_same_run_writes_the_same_record(self, folder: Path, tmp_path: Path) -> None:
        made_from = MadeFrom(inputs={"b": "1", "a": "2"}, parameters={"far": 1e-3}, code="c", packages={"numpy": "2"})
        texts = set()
        for name, seed in (("one", 1), ("two", 2)):
            fitted(seed).save(tmp_path / name)  # what was there before leaves no trace
            fitted().save(tmp_path / name, made_from=made_from, backbone="b")
            texts.add(record_path(tmp_path / name, "train").read_bytes())
        assert len(texts) == 1
        record = read_record(tmp_path / "one", "train", folder).record
        assert (record.made_from, record.backbone) == (made_from, "b")

    def test_nothing_temporary_stays(self, folder: Path) -> None:
        assert list(folder.rglob(".*")) == []

    def test_what_has_no_arrays_is_recorded_as_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        model = LogisticRegression().fit(EMBEDDINGS, np.arange(40) % 3)
        Verifier(model, StandardScaler().fit(EMBEDDINGS)).save(tmp_path)
        assert not (tmp_path / "verifier.npz").exists()
        assert type(load(tmp_path, SIGNED).model) is LogisticRegression


class TestTampering:
    """Of the unsigned record, the hashes alone protect; of the signed one, the record itself is protected too."""

    def test_as_it_was_written(self, folder: Path) -> None:
        expected = fitted().score(PROBES)
        assert np.array_equal(load(folder).score(PROBES), expected)

    @pytest.mark.parametrize("name", ["model.joblib", "scaler.joblib", "verifier.npz"])
    def test_another_file(self, folder: Path, tmp_path: Path, name: str) -> None:
        """A planted pickle in the place of each; that of the scaler or the model is not what is scored with."""
        joblib.dump(_Trap(tmp_path / "sprung"), folder / name)
        said = rf"{name} is not the file that the pipeline wrote: its SHA-256 is \w+, and .*train\.json names \w+\. "
        with pytest.raises(VerifierError, match=f"{said}Run 'dvc repro --force train'"):
            load(folder)
        assert not (tmp_path / "sprung").exists()

    def test_a_pickle_inside_a_valid_model(self, folder: Path, tmp_path: Path) -> None:
        planted = _TrapAndModel().fit(EMBEDDINGS, LABELS)
        planted.folder = str(tmp_path / "sprung")
        joblib.dump(planted, folder / "model.joblib")
        with pytest.raises(VerifierError, match=r"model\.joblib is not the file that the pipeline wrote"):
            load(folder)
        assert not (tmp_path / "sprung").exists()
        assert joblib.load(folder / "model.joblib").predict_proba(PROBES).shape == (5, 2), "it is valid"
        assert (tmp_path / "sprung").exists(), "and it would have run"

    def test_the_scaler_in_the_models_place(self, folder: Path) -> None:
        shutil.copy(folder / "scaler.joblib", folder / "model.joblib")
        with pytest.raises(VerifierError, match=r"model\.joblib is not the file"):
            load(folder)

    @pytest.mark.parametrize("name", ["model.joblib", "scaler.joblib", "verifier.npz"])
    def test_a_file_of_another_model_of_the_pipeline(self, folder: Path, tmp_path: Path, name: str) -> None:
        fitted(1).save(tmp_path / "other")
        if name == "scaler.joblib":  # the cosine verifier's scalers are all the same
            joblib.dump(StandardScaler().fit(EMBEDDINGS), tmp_path / "other" / name)
        shutil.copy(tmp_path / "other" / name, folder / name)
        with pytest.raises(VerifierError, match="is not the file that the pipeline wrote"):
            load(folder)

    def test_the_record_of_another_model(self, folder: Path, tmp_path: Path) -> None:
        fitted(1).save(tmp_path / "other")
        shutil.copy(record_path(tmp_path / "other", "train"), record_path(folder, "train"))
        with pytest.raises(VerifierError, match=r"model\.joblib is not the file that the pipeline wrote"):
            load(folder)

    def test_without_a_record(self, folder: Path, tmp_path: Path) -> None:
        """As models of earlier versions are."""
        record_path(folder, "train").unlink()
        joblib.dump(_Trap(tmp_path / "sprung"), folder / "model.joblib")
        with pytest.raises(VerifierError, match=r"there is no .*train\.json, so nothing says .*Run 'dvc repro'"):
            load(folder)
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("keep", [0, 1, 100, -3])
    def test_a_record_half_written(self, folder: Path, keep: int) -> None:
        path = record_path(folder, "train")
        path.write_bytes(path.read_bytes()[:keep])
        with pytest.raises(VerifierError, match=r"train\.json is damaged, or of another version: run 'dvc repro"):
            load(folder)

    @pytest.mark.parametrize(
        "values",
        [
            [], 1, "x", None, {}, {"format": 1},
            {"format": 2, "stage": "train", "backbone": None, "files": {}, "made_from": {}},
            {"format": 1, "stage": "export", "backbone": None, "files": {}, "made_from": {}},
            {"format": 1, "stage": "train", "backbone": None, "files": {"model.joblib": "short"}, "made_from": {}},
            {"format": 1, "stage": "train", "backbone": None, "files": [], "made_from": {}},
            {"format": 1, "stage": "train", "backbone": None, "files": {}, "made_from": {}, "more": 1},
        ],
    )  # fmt: skip
    def test_a_record_of_another_kind(self, folder: Path, values: Any) -> None:
        record_path(folder, "train").write_text(json.dumps(values), encoding="utf-8")
        with pytest.raises(VerifierError, match="is damaged, or of another version"):
            load(folder)

    @pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "\ud800", "\x00"])
    def test_a_record_that_no_reader_likes(self, folder: Path, text: str) -> None:
        record_path(folder, "train").write_bytes(text.encode(errors="surrogatepass"))
        with pytest.raises(VerifierError, match="is damaged, or of another version"):
            load(folder)

    def test_a_record_that_does_not_name_the_model(self, folder: Path) -> None:
        change_record(folder, lambda values: values["files"].pop("model.joblib"))
        with pytest.raises(VerifierError, match=r"train\.json names nothing of that name"):
            load(folder)

    def test_pickles_with_an_unsigned_record(self, folder: Path, tmp_path: Path) -> None:
        """Who can put a pickle there can record it, too."""
        dump(folder, _Trap(tmp_path / "sprung"), _Trap(tmp_path / "sprung"))
        with pytest.raises(
            VerifierError, match=r"train\.json names no verifier\.npz, so .* would have to be unpickled"
        ):
            load(folder)
        assert not (tmp_path / "sprung").exists()

    def test_arrays_taken_out_of_an_unsigned_record(self, folder: Path) -> None:
        change_record(folder, lambda values: values["files"].pop("verifier.npz"))
        with pytest.raises(VerifierError, match=r"names no verifier\.npz"):
            load(folder)

    def test_arrays_that_are_missing(self, folder: Path) -> None:
        (folder / "verifier.npz").unlink()
        with pytest.raises(VerifierNotFoundError, match=r"there is no .*verifier\.npz"):
            load(folder)

    def test_what_is_checked_is_what_is_loaded(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The files are swapped as soon as they have been read: nobody looks at them again."""
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        dump(folder, fitted().model, fitted().scaler)
        original, trap = verifier_module.read_record, tmp_path / "sprung"

        def swap(*arguments: Any) -> Any:
            for name in ("model.joblib", "scaler.joblib"):
                joblib.dump(_Trap(trap), folder / name)
            return original(*arguments)

        monkeypatch.setattr(verifier_module, "read_record", swap)
        assert np.array_equal(load(folder, SIGNED).score(PROBES), fitted().score(PROBES))
        assert not trap.exists()


class TestSignature:
    """With a key, a record without its signature is worth nothing."""

    @pytest.fixture
    def signed(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        fitted().save(folder)
        return folder

    def test_right(self, signed: Path) -> None:
        assert np.array_equal(load(signed, SIGNED).score(PROBES), fitted().score(PROBES))
        assert load(signed, UNSIGNED), "who has no key cannot check it"
        assert Verifier.load(signed / "model.joblib", signed / "scaler.joblib"), "the stages take the environment's"

    def test_missing(self, folder: Path) -> None:
        with pytest.raises(VerifierError, match=r"train\.json is not signed, and MODEL_SIGNING_KEY is set: run 'dvc"):
            load(folder, SIGNED)

    def test_of_another_key(self, signed: Path) -> None:
        with pytest.raises(VerifierError, match=r"signature of .*train\.json does not belong to MODEL_SIGNING_KEY"):
            load(signed, Trust(OTHER_KEY.encode()))

    @pytest.mark.parametrize("signature", ["", "0" * 64, None, 1, ["x"], "\ud800"])
    def test_wrong(self, signed: Path, signature: Any) -> None:
        change_record(signed, lambda values: values.update(signature=signature))
        with pytest.raises(VerifierError, match=r"not signed|does not belong"):
            load(signed, SIGNED)

    @pytest.mark.parametrize(
        "change",
        [
            lambda values: values.update(backbone="another"),
            lambda values: values["files"].update({"model.joblib": "0" * 64}),
            lambda values: values["files"].pop("verifier.npz"),
            lambda values: values.update(former=values["files"]),
            lambda values: values["made_from"].update(code="another"),
        ],
        ids=["backbone", "a hash", "without arrays", "a former run", "made from"],
    )
    def test_a_record_that_was_changed(self, signed: Path, change: Callable[[dict[str, Any]], Any]) -> None:
        change_record(signed, change)
        with pytest.raises(VerifierError, match="does not belong to MODEL_SIGNING_KEY: somebody changed the record"):
            load(signed, SIGNED)

    def test_a_planted_model_with_a_record_of_its_own(
        self, signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(KEY_VARIABLE)
        dump(signed, _Trap(tmp_path / "sprung"), _Trap(tmp_path / "sprung"))
        with pytest.raises(VerifierError, match="is not signed"):
            load(signed, SIGNED)
        assert not (tmp_path / "sprung").exists()

    def test_of_another_stage(self, signed: Path) -> None:
        """It is signed, and says of another file that it is right."""
        data = (signed / "model.joblib").read_bytes()
        write_recorded(signed, "evaluate", {"model.joblib": data})
        shutil.copy(record_path(signed, "evaluate"), record_path(signed, "train"))
        with pytest.raises(VerifierError, match="is damaged, or of another version"):
            load(signed, SIGNED)

    def test_a_planted_file_is_not_signed_as_the_former_run(
        self, signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It lies there when the next training begins, beside the record that names another, and this is killed."""
        joblib.dump(_Trap(tmp_path / "sprung"), signed / "model.joblib")
        stop_after(monkeypatch, 1)  # the record has been moved, no file has
        with pytest.raises(KeyboardInterrupt):
            fitted(1).save(signed)
        with pytest.raises(VerifierError, match=r"model\.joblib is not the file"):
            load(signed, SIGNED)
        assert not (tmp_path / "sprung").exists()

    def test_what_nobody_vouches_for_is_not_signed_as_the_former_run(
        self, signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A planted file with a record of its own lies there when the next training begins, and this one is killed."""
        monkeypatch.delenv(KEY_VARIABLE)
        dump(signed, _Trap(tmp_path / "sprung"), StandardScaler())
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        stop_after(monkeypatch, 1)  # the record has been moved, no file has
        with pytest.raises(KeyboardInterrupt):
            fitted(1).save(signed)
        with pytest.raises(VerifierError, match=r"model\.joblib is not the file"):
            load(signed, SIGNED)
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("key", ["x", "k" * 31])
    def test_a_short_key(self, folder: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv(KEY_VARIABLE, key)
        for use in (lambda: fitted().save(folder), Trust.of_environment):
            with pytest.raises(RecordError, match=rf"has {len(key)} characters?; expected 32 or more") as caught:
                use()
            assert key not in str(caught.value) or key == "x"

    def test_an_empty_key_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(KEY_VARIABLE, " ")
        assert Trust.of_environment() == UNSIGNED

    def test_the_key_is_not_shown(self) -> None:
        assert KEY not in repr(SIGNED)


class TestAllowed:
    """ALLOW_UNRECORDED_MODEL: for models of one's own, with a warning."""

    ALLOWED = Trust(allow_unrecorded=True)

    def test_a_model_of_another_program(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        model = LogisticRegression().fit(EMBEDDINGS, LABELS)
        dump(tmp_path, model, StandardScaler().fit(EMBEDDINGS))
        record_path(tmp_path, "train").unlink()
        loaded = load(tmp_path, self.ALLOWED)
        assert type(loaded.model) is LogisticRegression
        (warning,) = [record.getMessage() for record in caplog.records]
        assert warning.startswith("Loaded all the same, since ALLOW_UNRECORDED_MODEL is true: there is no ")

    def test_a_recorded_model_is_loaded_as_always(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        assert type(load(folder, self.ALLOWED).model).__module__ == "faces.scoring"
        assert caplog.records == []

    def test_a_short_form_for_one_file(self, folder: Path) -> None:
        path = folder / "photo_limits.json"
        UNSIGNED.check("train", "photo_limits.json", path, b"{}")
        with pytest.raises(RecordError, match=r"photo_limits\.json is not the file"):
            UNSIGNED.check("train", "photo_limits.json", path, b"{ }")
        self.ALLOWED.check("train", "photo_limits.json", path, b"{ }")


def stop_after(monkeypatch: pytest.MonkeyPatch, moves: int) -> None:
    """Stop, as by Ctrl-C, just before the n-th file more is moved into its place; without cleaning up, as by a kill."""
    original = Path.replace
    left = [moves]

    def replace(path: Path, target: Path) -> Path:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return original(path, target)

    monkeypatch.setattr(Path, "replace", replace)


class TestStopped:
    """Whenever the writing stops, the last good verifier is there with its record, or the new one is."""

    MOVES = 6  # the record, the limits, the scaler, the model, the arrays, the record

    @pytest.mark.parametrize("moves", range(MOVES))
    @pytest.mark.parametrize("key", [None, KEY])
    def test_between_any_two_moves(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, moves: int, key: str | None
    ) -> None:
        trust = Trust(key.encode() if key else None)
        if key:
            monkeypatch.setenv(KEY_VARIABLE, key)
            fitted().save(folder, {"photo_limits.json": b"{}"})
        before, after = fitted(), fitted(1)
        with monkeypatch.context() as stopped:
            stop_after(stopped, moves)
            with pytest.raises(KeyboardInterrupt):
                after.save(folder, {"photo_limits.json": b"{ }"})
        loaded = load(folder, trust)
        expected = after if moves == self.MOVES - 1 else before
        assert np.array_equal(loaded.score(PROBES), expected.score(PROBES))
        for name in ("photo_limits.json",):
            trust.check("train", name, folder / name, (folder / name).read_bytes())
        after.save(folder, {"photo_limits.json": b"{ }"})
        assert np.array_equal(load(folder, trust).score(PROBES), after.score(PROBES))
        assert "former" not in json.loads(record_path(folder, "train").read_text(encoding="utf-8"))

    def test_all_moves_are_known(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stop_after(monkeypatch, self.MOVES)
        fitted(1).save(folder, {"photo_limits.json": b"{ }"})

    @pytest.mark.parametrize(("first", "second"), [(2, 3), (3, 2), (4, 1), (2, 5)])
    def test_twice(self, folder: Path, monkeypatch: pytest.MonkeyPatch, first: int, second: int) -> None:
        """A second run is stopped too, and the files are those of three runs."""
        for seed, moves in ((1, first), (2, second)):
            with monkeypatch.context() as stopped:
                stop_after(stopped, moves)
                with pytest.raises(KeyboardInterrupt):
                    fitted(seed).save(folder, {"photo_limits.json": b"{ }"})
        served = load(folder).score(PROBES)
        assert any(np.array_equal(served, fitted(seed).score(PROBES)) for seed in (0, 1, 2))

    def test_pickles_of_two_trainings_are_not_put_together(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without arrays, nothing but the two files says which verifier this is."""
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        for seed in (0, 1):
            embeddings = np.random.default_rng(seed).normal(size=(60, 16))
            verifier = Verifier(
                LogisticRegression().fit(embeddings, np.arange(60) % 3), StandardScaler().fit(embeddings)
            )
            if seed == 1:
                stop_after(monkeypatch, 2)  # the record and the scaler
                with pytest.raises(KeyboardInterrupt):
                    verifier.save(tmp_path)
            else:
                verifier.save(tmp_path)
        with pytest.raises(VerifierError, match=r"are of two trainings, one of which was stopped: run 'dvc repro"):
            load(tmp_path, SIGNED)

    def test_the_model_that_is_named_is_the_one_that_scores(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = load(folder).model_sha256
        stop_after(monkeypatch, 4)  # model.joblib is new, verifier.npz is not
        with pytest.raises(KeyboardInterrupt):
            fitted(1).save(folder, {"photo_limits.json": b"{ }"})
        assert load(folder).model_sha256 == before


class TestOperatingPoint:
    """A changed threshold lets strangers in."""

    POINT = OperatingPoint(0.61, 0.01, "promised", 0.52, False, 412, 350, 300)

    def test_it_is_recorded(self, folder: Path) -> None:
        model, path = folder / "model.joblib", folder / "operating_point.json"
        self.POINT.write(folder, model)
        assert OperatingPoint.read(path, model, UNSIGNED) == self.POINT
        path.write_text(path.read_text(encoding="utf-8").replace("0.61", "0.01"), encoding="utf-8")
        with pytest.raises(OperatingPointError, match=r"operating_point\.json is not what .*--force evaluate"):
            OperatingPoint.read(path, model, UNSIGNED)
        assert OperatingPoint.read(path, model, Trust(allow_unrecorded=True)).threshold == 0.01

    def test_without_a_record(self, folder: Path) -> None:
        model = folder / "model.joblib"
        self.POINT.write(folder, model)
        record_path(folder, "evaluate").unlink()
        with pytest.raises(OperatingPointError, match=r"operating_point\.json is not what the pipeline recorded"):
            OperatingPoint.read(folder / "operating_point.json", model, UNSIGNED)


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faces.records.write_flushed", full)
    with pytest.raises(OSError, match="No space left"):
        fitted(1).save(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_files_of_other_names_are_known_by_what_they_are(folder: Path) -> None:
    """MODEL_PATH may name a file that was renamed; the record says what it is."""
    (folder / "model.joblib").rename(folder / "mine.joblib")
    assert Verifier.load(folder / "mine.joblib", folder / "scaler.joblib", UNSIGNED)


def test_a_compressed_pickle_that_is_recorded_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    model = LogisticRegression().fit(EMBEDDINGS, LABELS)
    for name, value in (("model.joblib", model), ("scaler.joblib", StandardScaler().fit(EMBEDDINGS))):
        file = io.BytesIO()
        joblib.dump(value, file, compress=3)
        (tmp_path / name).write_bytes(file.getvalue())
    record_trained(tmp_path)
    assert type(load(tmp_path, SIGNED).model) is LogisticRegression


def test_record_of_the_same_run() -> None:
    record = Record(
        format=1, stage="train", backbone=None, files={"a": "1", "b": "2"}, former={"a": "3", "b": "4"},
        made_from=MadeFrom(),
    )  # fmt: skip
    assert record.is_one_run({"a": "1", "b": "2"}) and record.is_one_run({"a": "3", "b": "4"})
    assert not record.is_one_run({"a": "1", "b": "4"})
    assert (record.of_the_same_run("a", "3", "b"), record.of_the_same_run("a", "5", "b")) == ("4", None)
