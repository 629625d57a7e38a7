"""All faces of a photo, what is said of a poor one, and photos that lie on their side."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageEnhance, ImageFilter

from faces import verification
from faces.photo_limits import HINTS, PhotoLimits
from service import create_app
from service.config import Settings
from service.error_kinds import BAD_REQUEST, NO_FACE
from service.hints import NO_FACE_FOUND, SENTENCES
from service.language import tell
from tests.recording import put_photo_limits
from tests.service.support import Server, encode, post_photo


@pytest.fixture(scope="module")
def group(me_photo: bytes, stranger_photo: bytes) -> bytes:
    """A stranger, large, beside me."""
    canvas = Image.new("RGB", (900, 520), (120, 130, 140))
    for photo, side, place in ((stranger_photo, 500, (10, 10)), (me_photo, 330, (540, 90))):
        image = Image.open(io.BytesIO(photo)).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        canvas.paste(image, place)
    return encode(canvas, "PNG")


def ask(client: FlaskClient, photo: bytes, query: str = "", **fields: str) -> Any:
    data = {**fields, "image": (io.BytesIO(photo), "photo.jpg")}
    return client.post(f"/verify{query}", data=data)


class TestAllFaces:
    """Asked with faces=all, every face has a score."""

    def test_who_is_on_a_group_photo(self, client: FlaskClient, group: bytes) -> None:
        largest = ask(client, group).get_json()
        answer = ask(client, group, faces="all").get_json()
        assert answer["faces_found"] == len(answer["faces"]) == 2
        stranger, me = answer["faces"]
        assert stranger["score"] < 0.75 <= me["score"]
        assert (stranger["is_me"], me["is_me"]) == (False, True)
        assert stranger["box"][2] < me["box"][0]
        assert {key: stranger[key] for key in answer["face"]} == answer["face"]
        assert stranger["hints"] == answer["hints"]
        assert me.keys() == stranger.keys() == {"is_me", "score", "strangers_like_this", "hints", *answer["face"]}
        assert me["strangers_like_this"] < 1e-3 < stranger["strangers_like_this"]
        assert me["size"] < stranger["size"]
        same = ("is_me", "score", "strangers_like_this", "face", "hints", "threshold")
        assert {name: answer[name] for name in same} == {name: largest[name] for name in same}
        assert "faces" not in largest and "faces_found" not in largest

    def test_each_face_has_hints_of_its_own(
        self, photo_client: Callable[..., FlaskClient], group: bytes, tmp_path: Any
    ) -> None:
        path = tmp_path / "photo_limits.json"
        sizes = [face["size"] for face in ask(photo_client(), group, faces="all").get_json()["faces"]]
        put_photo_limits(path, PhotoLimits(sum(sizes) / 2, 0, 0, 255, 10, 0))
        answer = ask(photo_client(photo_limits_path=path), group, faces="all").get_json()
        codes = [[hint["code"] for hint in face["hints"]] for face in answer["faces"]]
        assert (answer["hints"], codes) == ([], [[], ["small"]])

    def test_field_or_query(self, client: FlaskClient, group: bytes) -> None:
        in_query = ask(client, group, "?faces=all").get_json()
        assert in_query["faces_found"] == 2
        assert "faces" not in ask(client, group, "?faces=all", faces="largest").get_json()
        after_the_photo = {"image": (io.BytesIO(group), "photo.jpg"), "faces": "all"}
        assert client.post("/verify", data=after_the_photo).get_json()["faces"] == in_query["faces"]

    @pytest.mark.parametrize("given", ["", "ALL", "each", "x" * 5000])
    def test_another_value(self, client: FlaskClient, me_photo: bytes, given: str) -> None:
        for answer in (ask(client, me_photo, faces=given), ask(client, me_photo, f"?faces={given}")):
            assert (answer.status_code, answer.get_json()["code"]) == (400, BAD_REQUEST.code)
            assert answer.get_json()["detail"].startswith(
                f"'faces' debe ser 'largest' (la cara más grande) o 'all'; es '{given[:50]}"
            )

    def test_at_most_so_many(self, client: FlaskClient, group: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(verification, "MOST_FACES", 1)
        answer = ask(client, group, faces="all").get_json()
        assert (answer["faces_found"], len(answer["faces"])) == (2, 1)

    def test_no_face(self, client: FlaskClient, faceless_photo: bytes) -> None:
        assert ask(client, faceless_photo, faces="all").get_json()["code"] == NO_FACE.code

    def test_through_gunicorn(self, gunicorn: Server, group: bytes) -> None:
        assert gunicorn.verify(group, data={"faces": "all"}).json()["faces_found"] == 2


def test_a_photo_that_lies_on_its_side(client: FlaskClient, me_photo: bytes) -> None:
    upright = post_photo(client, me_photo).get_json()
    assert upright["face"]["turned"] == 0
    for degrees in (90, 180, 270):
        lying = Image.open(io.BytesIO(me_photo)).rotate(degrees, expand=True)
        answer = post_photo(client, encode(lying, "PNG")).get_json()
        assert answer["face"]["turned"] == degrees
        assert answer["score"] == pytest.approx(upright["score"], abs=0.05)


def dark(image: Image.Image) -> Image.Image:
    """So dark that the face is still found."""
    return ImageEnhance.Brightness(image).enhance(0.27)


@pytest.fixture(scope="module")
def face(me_photo: bytes) -> Image.Image:
    return Image.open(io.BytesIO(me_photo)).convert("RGB")


class TestHints:
    """What the person can do better."""

    def hints(self, client: FlaskClient, image: Image.Image) -> list[str]:
        answer = post_photo(client, encode(image, "PNG")).get_json()
        assert all(
            hint == {"code": hint["code"], "text": tell(SENTENCES[hint["code"]], "es")} for hint in answer["hints"]
        )
        return [hint["code"] for hint in answer["hints"]]

    def test_a_good_photo_has_none(self, client: FlaskClient, face: Image.Image) -> None:
        assert self.hints(client, face) == []

    def test_measures(self, client: FlaskClient, face: Image.Image) -> None:
        answer = post_photo(client, encode(face, "PNG")).get_json()["face"]
        left, top, right, bottom = answer["box"]
        assert answer["size"] == pytest.approx(np.sqrt((right - left) * (bottom - top)), abs=0.2)
        assert 0.003 < answer["sharpness"] < 1
        assert 45 < answer["brightness"] < 200
        assert answer["visible"] == 1

    def test_poor_photos(self, client: FlaskClient, face: Image.Image) -> None:
        small = Image.new("RGB", face.size, (120, 120, 120))
        small.paste(face.resize((70, 70)), (90, 90))
        assert "small" in self.hints(client, small)
        large = face.resize((1000, 1000), Image.Resampling.LANCZOS)
        assert "blurred" in self.hints(client, large.filter(ImageFilter.GaussianBlur(20)))
        assert "dark" in self.hints(client, dark(face))
        assert "bright" in self.hints(client, Image.blend(face, Image.new("RGB", face.size, "white"), 0.7))
        left, _, right, _ = post_photo(client, encode(face, "PNG")).get_json()["face"]["box"]
        cut = face.crop((round(left + 0.3 * (right - left)), 0, 250, 250))
        assert "cut_off" in self.hints(client, cut)

    def test_every_hint_has_its_sentence(self) -> None:
        assert set(SENTENCES) == {*HINTS, NO_FACE_FOUND}

    def test_no_face(self, client: FlaskClient, faceless_photo: bytes) -> None:
        answer = post_photo(client, faceless_photo, "photo.png", "image/png").get_json()
        assert answer["hints"] == [{"code": NO_FACE_FOUND, "text": tell(SENTENCES[NO_FACE_FOUND], "es")}]
        assert not re.search("girad|derech", answer["hints"][0]["text"]), "the service turns a photo itself"
        for helps in ("de frente", "la cara entera", "bien iluminada"):
            assert helps in answer["hints"][0]["text"]

    def test_limits_are_those_beside_the_model(
        self, photo_client: Callable[..., FlaskClient], face: Image.Image, tmp_path: Any
    ) -> None:
        path = tmp_path / "photo_limits.json"
        put_photo_limits(path, PhotoLimits(10_000, 0.003, 40, 200, 0.5, 0.8))
        assert self.hints(photo_client(photo_limits_path=path), face) == ["small"]

    def test_without_limits_there_are_none(
        self, settings: Settings, face: Image.Image, tmp_path: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            client = create_app(
                Settings(**{**vars(settings), "photo_limits_path": tmp_path / "none.json"})
            ).test_client()
        assert "Answers will have no hints about the photo: there is no none.json beside the model" in caplog.text
        assert self.hints(client, dark(face)) == []
