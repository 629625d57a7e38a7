"""A trained model is loaded whole, scores as the contract says, and is refused with networks of another kind."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from faces.recognition.networks import Networks
from faces.records import Trust
from faces.verifier import NetworksMismatchError, Verifier, VerifierError, VerifierNotFoundError
from faces.verifier_arrays import RECIPE_ATTRIBUTE
from tests.recording import dump, record_trained

ALLOWED = Trust(allow_unrecorded=True)  # pickles are opened


def trained(size: int = 128, recipe: dict[str, Any] | None = None) -> Verifier:
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    embeddings = rng.normal(0, 0.1, (40, size)) + 0.05 * labels[:, None]
    scaler = StandardScaler().fit(embeddings)
    model = LogisticRegression().fit(scaler.transform(embeddings), labels)
    if recipe is not None:
        setattr(model, RECIPE_ATTRIBUTE, recipe)
    return Verifier(model, scaler)


@pytest.fixture
def networks(networks_dir: Path) -> Networks:
    return Networks.load(networks_dir)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "models").mkdir()
    return tmp_path / "models" / "model.joblib", tmp_path / "models" / "scaler.joblib"


def files_of(paths: tuple[Path, Path]) -> list[str]:
    """All files of the models' folder by name, temporary ones too."""
    folder = paths[0].parent
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class TestFiles:
    """Both files or an error."""

    def test_round_trip(self, paths: tuple[Path, Path], networks: Networks) -> None:
        verifier = trained(recipe=networks.manifest.recipe(flip=False))
        verifier.save(paths[0].parent)
        loaded = Verifier.load(*paths)
        embeddings = np.random.default_rng(1).normal(0, 0.1, (5, 128)).astype(np.float32)
        assert loaded.score(embeddings) == pytest.approx(verifier.score(embeddings), rel=1e-12)
        assert loaded.recipe == networks.manifest.recipe(flip=False)
        assert loaded.flip is False
        assert files_of(paths) == ["model.joblib", "records/train.json", "scaler.joblib", "verifier.npz"]
        assert loaded.model_sha256 == hashlib.sha256(paths[0].read_bytes()).hexdigest()

    @pytest.mark.parametrize("missing", [0, 1])
    def test_missing(self, paths: tuple[Path, Path], missing: int) -> None:
        trained().save(paths[0].parent)
        paths[missing].unlink()
        with pytest.raises(
            VerifierNotFoundError, match=rf"there is no .*{paths[missing].name}: run 'dvc repro' to train"
        ):
            Verifier.load(*paths)

    @pytest.mark.parametrize("damaged", [0, 1])
    @pytest.mark.parametrize("content", [b"", b"not a pickle", "half"])
    def test_damaged(self, paths: tuple[Path, Path], damaged: int, content: bytes | str) -> None:
        dump(paths[0].parent, trained().model, trained().scaler)
        whole = paths[damaged].read_bytes()
        paths[damaged].write_bytes(whole[: len(whole) // 2] if content == "half" else content)
        record_trained(paths[0].parent)
        with pytest.raises(VerifierError, match=rf"{paths[damaged].name} cannot be loaded .*: run 'dvc repro' again"):
            Verifier.load(*paths, ALLOWED)

    @pytest.mark.parametrize(
        ("place", "value", "told"),
        [
            (0, StandardScaler(), r"holds a StandardScaler; expected something with predict_proba\(\)"),
            (1, LogisticRegression(), r"holds a LogisticRegression; expected something with transform\(\)"),
            (0, {"a": 1}, r"holds a dict; expected"),
            (1, None, r"holds a NoneType; expected"),
        ],
    )
    def test_not_a_model(self, paths: tuple[Path, Path], place: int, value: object, told: str) -> None:
        given = [trained().model, trained().scaler]
        given[place] = value
        dump(paths[0].parent, *given)
        with pytest.raises(VerifierError, match=told):
            Verifier.load(*paths, ALLOWED)

    def test_failing_save_leaves_the_old_pair(self, paths: tuple[Path, Path]) -> None:
        trained().save(paths[0].parent)
        before = [path.read_bytes() for path in paths]
        with pytest.raises(Exception, match="pickle"):
            Verifier(lambda: None, StandardScaler()).save(paths[0].parent)  # a lambda cannot be pickled
        assert [path.read_bytes() for path in paths] == before
        assert files_of(paths) == ["model.joblib", "records/train.json", "scaler.joblib", "verifier.npz"]


class TestNetworks:
    """Embeddings of other networks would be scored without any sense."""

    def test_same(self, networks: Networks) -> None:
        trained(recipe=networks.manifest.recipe(flip=True)).check_recipe(networks.manifest.recipe(flip=True))

    @pytest.mark.parametrize(
        ("key", "changes"),
        [
            ("backbone", {"backbone": "facenet-vggface2"}),
            ("embedding_size", {"embedding_size": 512}),
            ("weights", {"weights": {"pnet": "1", "rnet": "2", "onet": "3", "embedder": "4"}}),
        ],
    )
    def test_other_networks(self, networks: Networks, key: str, changes: dict[str, Any]) -> None:
        verifier = trained(recipe=networks.manifest.recipe(flip=True))
        networks.manifest = replace(networks.manifest, **changes)
        with pytest.raises(NetworksMismatchError, match=f"trained with {key} .+, the networks have .+"):
            verifier.check_recipe(networks.manifest.recipe(verifier.flip))

    @pytest.mark.parametrize(("part", "change"), [("crop", {"image_size": 128}), ("detector", {"max_side": 1000})])
    def test_other_parameters(self, networks: Networks, part: str, change: dict[str, int]) -> None:
        verifier = trained(recipe=networks.manifest.recipe(flip=True))
        networks.manifest = replace(networks.manifest, **{part: replace(getattr(networks.manifest, part), **change)})
        with pytest.raises(NetworksMismatchError, match=f"trained with {part} .*'{next(iter(change))}'"):
            verifier.check_recipe(networks.manifest.recipe(verifier.flip))

    @pytest.mark.parametrize("key", ["backbone", "weights", "crop", "detector"])
    def test_recipe_that_lacks_something(self, networks: Networks, key: str) -> None:
        recipe = networks.manifest.recipe(flip=True)
        del recipe[key]
        with pytest.raises(NetworksMismatchError, match=f"trained with {key} None"):
            trained(recipe=recipe).check_recipe(networks.manifest.recipe(flip=recipe["flip"]))

    def test_model_of_another_program_is_taken_if_its_size_fits(self, networks: Networks) -> None:
        verifier = trained(128)
        verifier.check_recipe(networks.manifest.recipe(verifier.flip))
        assert verifier.recipe is None
        assert verifier.flip is True

    @pytest.mark.parametrize(
        ("verifier", "told"),
        [
            (trained(512), "the scaler takes embeddings of 512 values, .*dlib-resnet.* make 128"),
            (Verifier(trained(512).model, trained(128).scaler), "the model takes embeddings of 512 values"),
            (Verifier(trained(128).model, trained(512).scaler), "the scaler takes embeddings of 512 values"),
        ],
        ids=["both", "model", "scaler"],
    )
    def test_model_of_another_program_of_another_size(self, networks: Networks, verifier: Verifier, told: str) -> None:
        with pytest.raises(NetworksMismatchError, match=told):
            verifier.check_recipe(networks.manifest.recipe(verifier.flip))


def test_scores_are_of_scaled_embeddings() -> None:
    """With a scaler that changes them, which the default verifier's does not."""
    verifier = trained(16)
    embeddings = np.random.default_rng(2).normal(0, 0.2, (9, 16)).astype(np.float32)
    expected = verifier.model.predict_proba(verifier.scaler.transform(embeddings))[:, 1]
    assert verifier.score(embeddings) == pytest.approx(expected)
    assert verifier.score(embeddings) != pytest.approx(verifier.model.predict_proba(embeddings)[:, 1], abs=0.01)


@pytest.mark.parametrize(
    ("recipe", "flip"), [(None, True), ({}, True), ({"flip": True}, True), ({"flip": False}, False)]
)
def test_mirroring_is_as_it_was_trained(recipe: dict[str, Any] | None, flip: bool) -> None:
    assert trained(16, recipe).flip is flip


def test_each_file_holds_its_own(paths: tuple[Path, Path]) -> None:
    trained().save(paths[0].parent)
    assert [type(joblib.load(path)) for path in paths] == [LogisticRegression, StandardScaler]


def test_score_is_the_contracts(trained_models: Any) -> None:
    model, scaler = (joblib.load(trained_models.path / f"{name}.joblib") for name in ("model", "scaler"))
    verifier = Verifier.load(trained_models.path / "model.joblib", trained_models.path / "scaler.joblib")
    embeddings = np.random.default_rng(0).normal(0, 0.1, (7, 128)).astype(np.float32)
    expected = model.predict_proba(scaler.transform(embeddings))[:, 1]
    scores = verifier.score(embeddings)
    assert np.array_equal(scores, expected)
    assert scores.dtype == np.float64
    assert ((scores >= 0) & (scores <= 1)).all()
    assert len(set(scores)) == 7
