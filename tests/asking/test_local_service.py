"""What is said of a photo without a server is what the service says: the same values, to the last digit."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from asking.language import choose
from asking.local_service import LocalService, NoModelError
from service import create_app
from service.config import Settings
from tests.asking.support import SPANISH, faces
from tests.recording import copy_networks, copy_trained, dump
from tests.service.support import encode, shipped_gunicorn
from tests.stages.support import Workspace

NOT_IN_BOTH = {"timing_ms"}


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


def asked(client: FlaskClient, photo: bytes, **fields: str) -> dict[str, Any]:
    """What /verify answers."""
    answer = client.post(
        "/verify", data={"image": (io.BytesIO(photo), "photo.jpg"), **fields}, headers={"Accept-Language": "es"}
    )
    values: dict[str, Any] = json.loads(answer.data)
    return {name: value for name, value in values.items() if name not in NOT_IN_BOTH}


def darkened(photo: bytes) -> bytes:
    """The same photo, so dark that it gets a hint."""
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    return encode(image.point(lambda value: value * 0.25), "JPEG", quality=95)


@pytest.mark.parametrize(
    ("photo", "change", "hints"),
    [("me_photo", bytes, []), ("stranger_photo", bytes, []), ("me_photo", darkened, ["dark"])],
)
def test_the_answer_is_that_of_the_service(
    service: LocalService, client: FlaskClient, request: pytest.FixtureRequest, photo: str,
    change: Callable[[bytes], bytes], hints: list[str],
) -> None:  # fmt: skip
    choose("es")
    data = change(request.getfixturevalue(photo).read_bytes())
    served = asked(client, data)
    assert list(service.answer(data)) == list(served)
    assert service.answer(data) == served
    assert [hint["code"] for hint in served["hints"]] == hints
    if change is bytes:
        assert served["is_me"] is (photo == "me_photo")


def test_every_face_of_a_group_photo_gets_the_answer_of_the_service(
    service: LocalService, client: FlaskClient, photos_dir: Path
) -> None:
    choose("es")
    data = (photos_dir / "multiface.jpg").read_bytes()
    served = asked(client, data, faces="all")
    assert service.answer(data, all_faces=True) == served
    assert served["faces_found"] == len(served["faces"]) > 3


def test_photos_without_an_answer(service: LocalService, client: FlaskClient, photos_dir: Path) -> None:
    """Their codes are for programs; where the service has hints, they are the same."""
    choose("es")
    cases = {
        "no_face": (photos_dir / "dogs.jpg").read_bytes(), "wrong_type": b"hello", "unreadable": b"\xff\xd8\xff\xe0 hi",
    }  # fmt: skip
    for code, data in cases.items():
        answer, served = service.answer(data), asked(client, data)
        assert answer["code"] == code
        assert answer.get("hints") == served.get("hints")
        assert "is_me" not in answer and "error" in served
    assert service.answer(cases["wrong_type"])["message"].startswith("el contenido es un archivo de texto")
    choose("en")
    assert service.answer(cases["no_face"])["message"] == "no face was found"


@pytest.mark.slow
def test_files_that_are_hard_to_read(service: LocalService, client: FlaskClient, photos_dir: Path) -> None:
    """Judged where the service judges them, refused where it refuses them."""
    choose("es")
    photos = [path for path in sorted((photos_dir.parent / "hard").iterdir()) if path.suffix != ".md"]
    judged = 0
    for photo in photos:
        answer, served = service.answer(photo.read_bytes()), asked(client, photo.read_bytes())
        assert answer.get("score") == served.get("score"), photo.name
        assert ("score" in answer) or answer["code"] in ("no_face", "unreadable")
        judged += "score" in answer
    assert 4 <= judged < len(photos)


def test_what_is_too_large_to_send_is_judged_here(service: LocalService, stranger_photo: Path) -> None:
    """And kinds that the service takes only where it is told to; the score is that of the same pixels."""
    with Image.open(stranger_photo) as image:
        png, webp = (encode(image, kind, **more) for kind, more in (("PNG", {}), ("WEBP", {"lossless": True})))
    assert service.answer(png + bytes(3 * 2**20))["score"] == service.answer(png)["score"]
    assert service.answer(webp)["score"] == service.answer(png)["score"]


@pytest.mark.parametrize(
    ("threshold", "source", "basis"),
    [(0.9999, "setting", "set"), (None, "default", "default"), (0.75, "setting", "default")],
)  # fmt: skip
def test_the_threshold_is_that_of_the_service(
    settings: Settings, me_photo: Path, threshold: float | None, source: str, basis: str
) -> None:
    """A number, or `auto` with too little data for it; then both say why, here in the language of the terminal too."""
    choose("es")
    changed = replace(settings, threshold=threshold)
    service = LocalService(changed, quietly=True)
    service.open()
    data = me_photo.read_bytes()
    answer, served = service.answer(data), asked(create_app(changed).test_client(), data)
    assert answer == served
    assert (served["threshold_source"], served["threshold_basis"]) == (source, basis)
    if source == "default":
        choose("en")
        assert service.answer(data)["threshold_note"].startswith("20 strangers (they count as only ")


def test_a_process_that_is_given_it_loads_it_again(
    service: LocalService, me_photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on Windows and macOS, where processes are not forked; without a second warning."""
    again: LocalService = pickle.loads(pickle.dumps(service))
    again.open()
    assert again.answer(me_photo.read_bytes()) == service.answer(me_photo.read_bytes())
    assert capsys.readouterr().err == ""


@pytest.mark.security
def test_a_model_that_nobody_recorded_is_not_asked(
    settings: Settings, built: Workspace, networks_dir: Path, tmp_path: Path
) -> None:
    models = copy_trained(built.path("models"), tmp_path / "models")
    with (models / "verifier.npz").open("ab") as file:
        file.write(b"x")
    changed = replace(settings, model_path=models / "model.joblib", scaler_path=models / "scaler.joblib")
    with pytest.raises(NoModelError, match="is not the file that the pipeline wrote: its SHA-256 is"):
        LocalService(changed)
    networks = copy_networks(networks_dir, tmp_path / "other" / "networks")
    (networks / "networks.json").write_bytes((networks / "networks.json").read_bytes() + b"\n")
    with pytest.raises(NoModelError, match="is not the file that the pipeline wrote"):
        LocalService(replace(settings, networks_path=networks))


def test_a_model_that_scores_with_no_number_is_told(settings: Settings, tmp_path: Path) -> None:
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    values = np.eye(128)[:4]
    model, scaler = LogisticRegression().fit(values, [0, 1, 0, 1]), StandardScaler().fit(values)
    model.coef_[:] = np.nan
    dump(tmp_path, model, scaler)
    changed = replace(
        settings, model_path=tmp_path / "model.joblib", scaler_path=tmp_path / "scaler.joblib",
        allow_unrecorded_model=True,
    )  # fmt: skip
    service = LocalService(changed)
    with pytest.raises(NoModelError, match="the model is damaged: it scores with nan"):
        service.open()


def test_without_a_model_a_sentence_says_what_to_do(settings: Settings, tmp_path: Path, me_photo: Path) -> None:
    missing = replace(settings, model_path=tmp_path / "model.joblib")
    done = faces(missing, tmp_path, "explain", me_photo)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: there is no trained model here (missing: {tmp_path}/model.joblib): run 'dvc repro', or 'python3 "
        "quickstart.py', which does all that it takes\n"
    )
    done = faces(missing, tmp_path, "verify", me_photo, **SPANISH)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: aquí no hay ningún modelo entrenado (falta: ")


@pytest.mark.slow
def test_a_real_server_gives_the_same_scores(
    settings: Settings, built: Workspace, tmp_path: Path, photos_dir: Path
) -> None:
    """The program, in as many processes as there are cores, and gunicorn as shipped."""
    photos = sorted([*built.path("data/me").glob("*.jpg"), *photos_dir.glob("*.jpg")])
    done = faces(settings, tmp_path, "verify", "--json", *photos)
    here = {line["photo"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert list(here) == [str(photo) for photo in photos]
    with shipped_gunicorn(settings, tmp_path) as server:
        judged = 0
        for photo in photos:
            if photo.stat().st_size <= settings.max_image_bytes:
                served = server.verify(photo.read_bytes()).json()
                for name in ("is_me", "score", "threshold", "strangers_like_this", "face"):
                    assert here[str(photo)].get(name) == served.get(name), (photo, name)
                judged += "score" in served
    assert judged > 20
