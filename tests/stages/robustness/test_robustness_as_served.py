"""The stage robustness against what it stands for: the service's answers, large photos, ten thousand of them."""

from __future__ import annotations

import io
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from faces.recognition.recognizer import Recognizer
from faces.verifier import Verifier
from service import create_app
from service.config import Settings
from stages.errors import StageError
from stages.files.dataset import Dataset, load_dataset
from stages.params import Params, load_params
from stages.robustness import robustness
from stages.robustness.degradations import DEGRADATIONS, encode
from tests.stages.support import Workspace


def index_of(workspace: Workspace) -> pd.DataFrame:
    """index.csv as the stage reads it."""
    return pd.read_csv(workspace.path("data/index.csv"), dtype=str, keep_default_na=False)


@pytest.fixture
def inside(built: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The built workspace as the current folder, to be read."""
    monkeypatch.chdir(built.root)
    return built


@pytest.fixture
def params(inside: Workspace) -> Params:
    return load_params(inside.path("params.yaml"))


@pytest.mark.usefixtures("inside")
def test_boxes_are_of_the_reduced_photo(params: Params, recognizer: Recognizer, lfw_dir: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with Image.open(sorted((lfw_dir / "images" / "Hans_Blix").glob("*.jpg"))[0]) as image:
        image.resize((3000, 3000), Image.Resampling.BICUBIC).save(large, quality=95)
    data = load_dataset()
    index = index_of(Workspace(Path.cwd()))
    row = int(np.flatnonzero(data.labels)[0])
    index.loc[row, "photo"] = large.as_posix()  # an absolute path stays one
    (sample,) = robustness.load_samples([row], index, data, recognizer, params.train)
    assert max(sample.image.size) <= 1000
    found = recognizer.largest_face(encode(sample.image))
    assert found is not None
    assert sample.box == pytest.approx(found.box, abs=0.06 * (found.box[2] - found.box[0]))
    assert sample.label == 1


def test_a_degraded_photo_is_judged_as_the_service_does(
    inside: Workspace, params: Params, recognizer: Recognizer
) -> None:
    data, index = load_dataset(), index_of(inside)
    row = int(np.flatnonzero(data.labels)[0])
    (sample,) = robustness.load_samples([row], index, data, recognizer, params.train)
    served = Verifier.load(Path("models/model.joblib"), Path("models/scaler.joblib"))
    sample = replace(sample, verifier=served)
    paths = {name: inside.path(f"models/{name}") for name in ("model.joblib", "scaler.joblib", "networks")}
    settings = Settings(
        model_path=paths["model.joblib"], scaler_path=paths["scaler.joblib"], networks_path=paths["networks"]
    )
    client = create_app(settings).test_client()
    for degradation in DEGRADATIONS:
        for level in (degradation.levels[0], degradation.levels[-1]):
            photo = degradation.apply(sample.image, sample.box, level, sample.seed)
            answer = client.post("/verify", data={"image": (io.BytesIO(photo), "photo.jpg", "image/jpeg")})
            score = robustness.score_of(photo, sample, recognizer)
            if answer.status_code == 400:
                assert math.isnan(score)
                assert answer.get_json()["error"] == "No se detectó un rostro en la imagen"
            else:
                assert answer.get_json()["score"] == pytest.approx(score, abs=1e-5)


@pytest.mark.slow
def test_ten_thousand_photos_cost_little_more(params: Params) -> None:
    """What grows with the data: choosing, splitting, and training a model for each fold."""
    draw = np.random.default_rng(0)
    labels = np.array([0] * 9_800 + [1] * 200)
    embeddings = draw.normal(size=(10_000, 128)).astype(np.float32)
    embeddings[labels == 1] += 1
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    data = Dataset(embeddings, labels, np.arange(10_000))
    index = pd.DataFrame({"label": labels.astype(str), "face": "0"})
    started = time.process_time()
    rows = robustness.choose_rows(index, data, (12, 12), 42)
    assert sorted(robustness.fit_verifiers(rows, data, params.train, None)) == rows
    assert time.process_time() - started < 30


def test_too_few_faces_are_an_error(params: Params) -> None:
    data = Dataset(np.eye(4, dtype=np.float32), np.array([0, 0, 1, 1]), np.arange(4))
    with pytest.raises(StageError, match="too few of me"):
        robustness.fit_verifiers([0, 3], data, params.train, None)
