"""Loading models: what is missing, damaged or does not fit; when sessions are opened; several threads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pytest
from flask.testing import FlaskClient
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from faces.fingerprint import embedding_fingerprint, scoring_fingerprint
from faces.photo_limits import PhotoLimits
from faces.population_classifier import PopulationClassifier
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.verifier import Verifier
from service import create_app
from service.config import PROJECT_ROOT, Settings
from service.engine import OPEN_AFTER_FORK_VARIABLE
from tests.recording import copy_networks, dump, record_networks, record_trained, save
from tests.service.support import post_photo

NOT_FOUND = "Modelos no encontrados. Asegúrate de haber entrenado el modelo ejecutando 'train.py'."


def train(settings: Settings, dimensions: int) -> Settings:
    """Write a model of any embedding size; what it says means nothing."""
    embeddings = np.random.default_rng(0).normal(size=(20, dimensions))
    scaler = StandardScaler().fit(embeddings)
    model = LogisticRegression().fit(scaler.transform(embeddings), np.arange(20) % 2)
    save(settings.model_path.parent, model, scaler)
    return settings


@pytest.fixture
def copied(no_models: Settings, networks_dir: Path) -> Settings:
    """Networks and a model that fits them, in files a test may damage."""
    copy_networks(networks_dir, no_models.networks_path)
    no_models.photo_limits_path.write_text(PhotoLimits(40, 0.003, 40, 200, 0.5, 0.8).to_json(), encoding="utf-8")
    return train(no_models, Networks.load(networks_dir).embedding_size)


def answers(settings: Settings, photo: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What /healthz and /verify say where models cannot be used."""
    client = create_app(settings).test_client()
    health, verify = client.get("/healthz"), post_photo(client, photo)
    assert health.status_code == verify.status_code == 503
    assert health.get_json()["status"] == "unhealthy" and health.get_json()["reason"] == "Models not loaded"
    return health.get_json(), verify.get_json()


def test_models_that_fit_are_used(copied: Settings, faceless_photo: bytes) -> None:
    client = create_app(copied).test_client()
    assert client.get("/healthz").status_code == 200
    assert post_photo(client, faceless_photo).status_code == 400


@pytest.mark.parametrize("name", ["model.joblib", "scaler.joblib", "networks/networks.json", "networks/embedder.onnx"])
def test_one_file_missing(copied: Settings, faceless_photo: bytes, name: str, caplog: pytest.LogCaptureFixture) -> None:
    (copied.model_path.parent / name).unlink()
    health, verify = answers(copied, faceless_photo)
    assert verify["error"] == NOT_FOUND
    assert Path(name).name in verify["detail"] and verify["detail"] == health["detail"]
    (warning,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and record.name != "service.access"
    ]
    assert name in warning and "dvc repro" in warning


def test_everything_missing_is_listed(no_models: Settings, faceless_photo: bytes) -> None:
    _, verify = answers(no_models, faceless_photo)
    assert all(name in verify["detail"] for name in ("model.joblib", "scaler.joblib", "networks.json"))


def test_paths_of_the_project_are_told_relative_to_it(no_models: Settings, faceless_photo: bytes) -> None:
    absent = replace(no_models, model_path=PROJECT_ROOT / "models/absent.joblib")
    _, verify = answers(absent, faceless_photo)
    assert "models/absent.joblib" in verify["detail"] and str(PROJECT_ROOT) not in verify["detail"]


@pytest.mark.security
@pytest.mark.parametrize("what", ["missing", "another file", "no record", "other weights", "no pickle"])
def test_strangers_read_no_digest_and_no_path(
    copied: Settings, faceless_photo: bytes, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """They read what is wrong and which command helps; the log has all of it."""
    folder = copied.model_path.parent
    if what == "missing":
        copied.model_path.unlink()
    elif what == "another file":
        copied.model_path.write_bytes(b"another")
    elif what == "no record":
        (folder / "records/train.json").unlink()
    elif what == "other weights":
        model = joblib.load(copied.model_path)
        recipe = Networks.load(copied.networks_path).manifest.recipe(flip=True)
        model.embedding_recipe_ = {**recipe, "weights": dict.fromkeys(recipe["weights"], "ab" * 32)}
        save(folder, model, joblib.load(copied.scaler_path))
    else:
        dump(folder, {}, StandardScaler())
    client = create_app(copied).test_client()
    answers = [client.get("/healthz"), client.get("/readyz"), post_photo(client, faceless_photo)]
    for answer in answers:
        text = answer.get_data(as_text=True)
        assert answer.status_code == 503 and str(folder) not in text and str(folder.parent) not in text
        assert not re.search("[0-9a-f]{64}", text), text
        assert re.search("jecuta 'dvc repro", text)
    said = next(record.getMessage() for record in caplog.records if "Models not loaded" in record.getMessage())
    assert str(folder) in said or what == "other weights"
    assert bool(re.search("[0-9a-f]{64}", said)) == (what in ("another file", "other weights"))


@pytest.mark.security
@pytest.mark.parametrize("recipe", [["flip"], "flip", 7, {"flip": True, "weights": []}, None])
@pytest.mark.parametrize("made_with", [["numpy"], "numpy", 7, {"numpy": []}])
def test_odd_texts_of_an_artifact_do_not_end_the_start(
    copied: Settings, faceless_photo: bytes, caplog: pytest.LogCaptureFixture, recipe: Any, made_with: Any
) -> None:
    """Recorded, so that they are believed; where no check has foreseen them, the log gets the traceback."""
    verifier = Verifier(joblib.load(copied.model_path), joblib.load(copied.scaler_path))
    verifier.model.embedding_recipe_ = recipe
    verifier.model.made_with_ = made_with
    verifier.save(copied.model_path.parent)
    client = create_app(copied).test_client()
    unusable = not isinstance(made_with, dict) or recipe is not None
    assert client.get("/livez").status_code == 200
    assert (client.get("/healthz").status_code == 503) == unusable
    if unusable:
        answer = post_photo(client, faceless_photo)
        assert answer.status_code == 503 and answer.json is not None
        assert "ejecuta 'dvc repro" in answer.json["detail"]
        assert "Models not loaded" in caplog.text


def test_model_of_another_embedding_size(copied: Settings, faceless_photo: bytes) -> None:
    _, verify = answers(train(copied, 64), faceless_photo)
    assert verify["error"].startswith("El modelo y las redes no corresponden: ")
    assert "64" in verify["error"] and "128" in verify["error"]


DETAILS = {
    "missing": r"Falta: \S+\. Ejecuta 'dvc repro'",
    "a network missing": r"no existe \S+embedder\.onnx: ejecuta 'dvc repro export' .* para escribir las redes otra vez",
    "another size": r"el escalador toma embeddings de 64 valores y las redes \(dlib-resnet\) calculan 128: ejecuta .*",
    "another recipe": r"el modelo se entrenó con backbone 'another' y las redes tienen 'dlib-resnet': ejecuta .*",
    "pickles alone": r"\S+train\.json no nombra ningún verifier\.npz, así que habría que abrir \S+ con pickle, .*",
    "damaged": r"no se puede cargar \S+verifier\.npz \(está dañado\): ejecuta 'dvc repro' otra vez",
    "no JSON": r"no se puede leer \S+networks\.json \(no es JSON\): ejecuta 'dvc repro export' .*",
    "another format": r"\S+networks\.json tiene el formato 1; esta versión lee el 2: ejecuta .*",
}


@pytest.mark.parametrize("what", DETAILS)
def test_the_detail_is_in_the_language_of_the_answers(
    copied: Settings, faceless_photo: bytes, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    manifest = copied.networks_path / "networks.json"
    if what == "missing":
        copied.scaler_path.unlink()
    elif what == "a network missing":
        (copied.networks_path / "embedder.onnx").unlink()
    elif what == "another size":
        train(copied, 64)
    elif what == "another recipe":
        model = joblib.load(copied.model_path)
        recipe = Networks.load(copied.networks_path).manifest.recipe(flip=True)
        model.embedding_recipe_ = {**recipe, "backbone": "another"}
        save(copied.model_path.parent, model, joblib.load(copied.scaler_path))
    elif what == "pickles alone":
        dump(copied.model_path.parent, {}, StandardScaler())
    elif what == "damaged":
        (copied.model_path.parent / "verifier.npz").write_bytes(b"no arrays")
        record_trained(copied.model_path.parent)
    elif what == "no JSON":
        manifest.write_text("{")
        record_networks(manifest.parent)
    elif what == "another format":
        manifest.write_text('{"format": 1}')
        record_networks(manifest.parent)
    health, verify = answers(copied, faceless_photo)
    assert re.fullmatch(DETAILS[what], health["detail"]), health["detail"]
    assert verify["detail"] == health["detail"]
    (warning,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and record.name != "service.access"
    ]
    assert warning.startswith("Models not loaded, /verify will answer 503: ")
    assert health["detail"] not in warning, "the log is in English"


@pytest.mark.parametrize("name", ["model.joblib", "scaler.joblib", "networks/networks.json", "networks/embedder.onnx"])
def test_one_file_damaged(copied: Settings, faceless_photo: bytes, name: str) -> None:
    path = copied.model_path.parent / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\x00" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    _, verify = answers(copied, faceless_photo)
    assert verify["error"].startswith("No se pudieron leer los modelos: ") and path.name in verify["error"]


class Opened:
    """Counts how often sessions are made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        original = Recognizer.open

        def count(recognizer: Recognizer, threads: int = 1) -> None:
            self.count += 1
            original(recognizer, threads)

        monkeypatch.setattr(Recognizer, "open", count)


def test_sessions_are_opened_once_by_create_app(
    copied: Settings, faceless_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OPEN_AFTER_FORK_VARIABLE, raising=False)
    opened = Opened(monkeypatch)
    client = create_app(copied).test_client()
    assert opened.count == 1
    for _ in range(2):
        assert post_photo(client, faceless_photo).status_code == 400
    client.application.extensions["engine"].open()
    assert opened.count == 1


def test_sessions_are_left_to_whoever_forks(
    copied: Settings, faceless_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPEN_AFTER_FORK_VARIABLE, "1")
    opened = Opened(monkeypatch)
    client = create_app(copied).test_client()
    assert opened.count == 0 and client.get("/healthz").status_code == 200
    client.application.extensions["engine"].open()
    assert opened.count == 1
    assert post_photo(client, faceless_photo).status_code == 400
    assert opened.count == 1


def test_a_forked_process_opens_its_own(
    copied: Settings, faceless_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(monkeypatch)
    client = create_app(copied).test_client()
    forked = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: forked)
    for _ in range(2):
        assert post_photo(client, faceless_photo).status_code == 400
    assert opened.count == 2


def test_threads_get_the_scores_of_one(client: FlaskClient, trained_models: Any) -> None:
    photos = [Path(path).read_bytes() for path in [*trained_models.me_photos[:4], *trained_models.stranger_photos[:4]]]
    engine = client.application.extensions["engine"]
    expected = [engine.verify(photo).score for photo in photos]
    assert len(set(expected)) == len(expected)
    with ThreadPoolExecutor(8) as threads:
        scores = list(threads.map(lambda photo: engine.verify(photo).score, photos * 6))
    assert scores == expected * 6


def test_a_model_without_a_population_says_nothing_of_strangers(copied: Settings, me_photo: bytes) -> None:
    answer = post_photo(create_app(copied).test_client(), me_photo).get_json()
    assert "score" in answer and "strangers_like_this" not in answer


@pytest.mark.parametrize("flip", [True, False])
def test_a_photo_is_asked_about_as_the_model_was_trained(
    settings: Settings, no_models: Settings, me_photo: bytes, flip: bool
) -> None:
    """Rebuilt from the face's crop with ONNX Runtime and scikit-learn alone: with the mirrored face, or without."""
    networks = Networks.load(settings.networks_path)
    recognizer = Recognizer(networks)
    recognizer.open()
    face = recognizer.largest_face(me_photo)
    assert face is not None and face.crop is not None
    session = onnxruntime.InferenceSession(settings.networks_path / "embedder.onnx")
    plain, mirrored = session.run(None, {"pixels": np.stack([face.crop, face.crop[:, ::-1]])})[0]
    embeddings = {True: (plain + mirrored) / 2, False: plain}

    generator, labels = np.random.default_rng(0), np.arange(40) % 2  # a model to which the difference matters
    others = generator.normal(plain, np.abs(plain - mirrored).mean(), (40, len(plain)))
    others[labels == 1] += 2 * (plain - mirrored)
    scaler = StandardScaler().fit(others)
    model = LogisticRegression(C=0.01).fit(scaler.transform(others), labels)
    scores = {way: float(model.predict_proba(scaler.transform(given[None]))[0, 1]) for way, given in embeddings.items()}
    assert abs(scores[True] - scores[False]) > 0.01
    model.embedding_recipe_ = networks.manifest.recipe(flip)
    changed = replace(no_models, networks_path=settings.networks_path)
    save(changed.model_path.parent, model, scaler)

    answer = post_photo(create_app(changed).test_client(), me_photo).get_json()
    assert answer["score"] == pytest.approx(scores[flip], abs=2e-6)
    assert answer["face"] == {**face.as_json(), **face.quality.as_json()}


def test_time_is_told_from_the_request_to_its_answer(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = client.application.extensions["engine"]
    seen = engine.verify(me_photo)

    def slow(*_: Any) -> Any:
        time.sleep(0.06)
        return seen

    monkeypatch.setattr(engine, "verify", slow)
    started = time.perf_counter()
    told = post_photo(client, me_photo).get_json()["timing_ms"]
    assert 60 <= told <= 1000 * (time.perf_counter() - started)


LEAN = """
import io, sys
from pathlib import Path

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in "torch facenet_pytorch pandas dvc matplotlib onnx sklearn scipy".split():
            raise ImportError(name + " is not the service's to import")

sys.meta_path.insert(0, Refuse())
from service import create_app
from service.config import Settings
model, scaler, networks, photo = map(Path, sys.argv[1:])
client = create_app(Settings(model_path=model, scaler_path=scaler, networks_path=networks)).test_client()
answer = client.post("/verify", data={"image": (io.BytesIO(photo.read_bytes()), "photo.jpg")})
print(answer.status_code, answer.get_json())
import service.__main__, service.waitress_server
"""


BEFORE_THE_FORK = """
import sys
from pathlib import Path
from service import create_app
from service.config import Settings
print("onnxruntime" in sys.modules)
model, scaler, networks = map(Path, sys.argv[1:])
create_app(Settings(model_path=model, scaler_path=scaler, networks_path=networks))
print("onnxruntime" in sys.modules)
"""


def test_onnx_runtime_is_imported_once_before_workers_are_forked(settings: Settings) -> None:
    paths = (settings.model_path, settings.scaler_path, settings.networks_path)
    command = [sys.executable, "-c", BEFORE_THE_FORK, *map(str, paths)]
    environment = {**os.environ, OPEN_AFTER_FORK_VARIABLE: "1"}
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_needs_neither_torch_nor_pandas_nor_scikit_learn(settings: Settings, trained_models: Any) -> None:
    assert isinstance(joblib.load(settings.model_path), PopulationClassifier), "what the pipeline makes by default"
    paths = (settings.model_path, settings.scaler_path, settings.networks_path, trained_models.me_photos[0])
    command = [sys.executable, "-c", LEAN, *map(str, paths)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("200 ") and "strangers_like_this" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="the place of the cache differs")
def test_onnx_runtime_reports_nothing_to_its_maker(settings: Settings, trained_models: Any, tmp_path: Path) -> None:
    # Nothing else of the environment: where CI is set, ONNX Runtime is silent anyway.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def traces(code: str, *arguments: object) -> list[Path]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, timeout=120, check=True)
        return sorted(tmp_path.rglob("*"))

    paths = (settings.model_path, settings.scaler_path, settings.networks_path, trained_models.me_photos[0])
    assert traces(LEAN, *paths) == []
    assert traces("import onnxruntime") != []  # it does by itself, and that leaves an identifier behind


class TestMadeWith:
    """A model says with which code and packages it was made: where others serve it, the log warns and it is served."""

    def started_with(self, settings: Settings, caplog: pytest.LogCaptureFixture, **changes: str) -> list[str]:
        """Warnings at the start of a service whose model says so."""
        model = joblib.load(settings.model_path)
        made_with = {**embedding_fingerprint(), "scoring": scoring_fingerprint(), **changes}
        verifier = Verifier(model, joblib.load(settings.scaler_path))
        verifier.describe(Networks.load(settings.networks_path).manifest.recipe(flip=True), made_with)
        verifier.save(settings.model_path.parent, {"photo_limits.json": settings.photo_limits_path.read_bytes()})
        caplog.clear()
        client = create_app(settings).test_client()
        assert client.get("/healthz").status_code == 200
        return [
            record.getMessage()
            for record in caplog.records
            if record.levelname == "WARNING" and record.name != "service.access"
        ]

    def test_the_same(self, copied: Settings, caplog: pytest.LogCaptureFixture) -> None:
        assert self.started_with(copied, caplog) == []

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"code": "0" * 16}, "the code that turns a photo into an embedding (faces/detection, faces/recognition)"),
            ({"scoring": "0" * 16}, "the code that turns an embedding into a score (faces/verifier.py"),
            ({"pillow": "9.9"}, f"pillow is {version('pillow')}, and was 9.9"),
            ({"numpy": "1.26"}, f"numpy is {version('numpy')}, and was 1.26"),
            ({"onnxruntime": "1.0"}, f"onnxruntime is {version('onnxruntime')}, and was 1.0"),
        ],
    )
    def test_something_else(
        self, copied: Settings, caplog: pytest.LogCaptureFixture, changes: dict[str, str], said: str
    ) -> None:
        (warning,) = self.started_with(copied, caplog, **changes)
        assert f"Since the model was trained, {said}" in warning
        assert "Run 'dvc repro', or serve with the code and the packages that it was trained with" in warning

    def test_a_model_of_another_program_says_nothing(self, copied: Settings, caplog: pytest.LogCaptureFixture) -> None:
        create_app(copied)
        assert [
            record for record in caplog.records if record.levelname == "WARNING" and record.name != "service.access"
        ] == []
