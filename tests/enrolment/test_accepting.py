"""Accepted photos reach data/me, all or none; nothing there is lost; consent is asked for where it must be."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest
import yaml
from werkzeug.test import Client

import tour.parameters
from enrolment import folder
from enrolment.errors import RefusedError
from enrolment.session import Session
from stages.files.consent import read_register, today
from tests.conftest import ROOT
from tests.enrolment.conftest import ADDRESS
from tests.stages.support import put

DEMO = sorted((ROOT / "demo/me").iterdir())
Begun = list[tuple[object, ...]]


def fill(session: Session, count: int = 3) -> list[str]:
    return [session.add(path.name, path.read_bytes()) for path in DEMO[:count]]


def set_privacy(project: Path, **values: str) -> None:
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["privacy"].update(values)
    path.write_text(yaml.safe_dump(params), encoding="utf-8")


def names(project: Path) -> list[str]:
    return sorted(
        path.relative_to(project / "data").as_posix() for path in (project / "data").rglob("*") if path.is_file()
    )


def test_photos_get_names_of_their_own(project: Path, session: Session, begun: Begun) -> None:
    put(DEMO[9], project / "data/me/holiday/mine.jpg")
    fill(session)
    left_out = session.add("other.jpg", DEMO[5].read_bytes())
    session.choose(left_out, False)
    session.start(False, "es")
    assert len(begun) == 1 and begun[0][1:] == ((), "es")
    fresh = [name for name in names(project) if name.startswith("me/enrolled-")]
    assert names(project) == sorted([*fresh, "me/holiday/mine.jpg"]) and len(fresh) == 3
    assert {(project / "data" / name).read_bytes() for name in fresh} == {path.read_bytes() for path in DEMO[:3]}
    assert (project / "data/not_me").is_dir()
    state = session.state("en")
    assert state["existing"] == 4 and [photo["name"] for photo in state["photos"]] == ["other.jpg"]
    assert folder.put_into_me([DEMO[0].read_bytes()]) == [], "it is there already"


def test_the_demo_makes_way_and_nothing_else(project: Path) -> None:
    for path in (ROOT / "demo/me").iterdir():
        put(path, project / "data/me" / path.name)
    (project / "data/me/notes.txt").write_text("mine", encoding="utf-8")
    put(DEMO[0], project / "data/not_me/ana/1.jpg")
    existing = folder.find_existing()
    assert (len(existing.me), len(existing.not_me), existing.demo) == (0, 1, ("me",))
    (new,) = folder.put_into_me([(ROOT / "demo/ask/me_1.jpg").read_bytes()])
    assert names(project) == [f"me/{new}", "me/notes.txt", "not_me/ana/1.jpg"]


def test_a_full_disk_leaves_all_as_it_was(
    project: Path, session: Session, client: Client, token: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(session)
    written: list[Path] = []
    real = folder.write_flushed

    def write(path: Path, data: bytes) -> None:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        real(path, data)

    monkeypatch.setattr(folder, "write_flushed", write)
    answer = client.post("/enrol/api/run", base_url=ADDRESS, headers=token, json={})
    assert answer.status_code == 500 and "No space left on device" in answer.get_json()["message"]
    assert names(project) == [] and not list((project / "data").glob("tmp*"))
    assert len(session.state("en")["photos"]) == 3, "they wait"


def test_locked_photos_are_to_be_unlocked_first(project: Path, session: Session, begun: Begun) -> None:
    fill(session)
    put(DEMO[9], project / "data/me/1.jpg.locked")
    with pytest.raises(RefusedError, match="python -m privacy unlock"):
        session.start(True, "en")
    with pytest.raises(RefusedError, match="python -m privacy unlock"):
        folder.put_into_me([b"photo"])
    assert names(project) == ["me/1.jpg.locked"] and begun == []
    session._open()
    assert "python -m privacy unlock" in session.state("en")["blocked"]


def test_too_few(session: Session, begun: Begun) -> None:
    fill(session, 2)
    with pytest.raises(RefusedError, match="2 photos are taken; at least 3 are needed, and 10 to 30 are better"):
        session.start(True, "en")
    assert begun == []


@pytest.mark.parametrize("mode", ["warn", "require"])
def test_consent_is_asked_for_and_written_down(project: Path, session: Session, begun: Begun, mode: str) -> None:
    set_privacy(project, consent=mode, register="data/consent.csv")
    session._open()
    fill(session)
    assert session.state("en")["consent"] is True
    with pytest.raises(RefusedError, match="Say first that you agree"):
        session.start(False, "en")
    assert names(project) == [] and begun == []
    session.start(True, "es")
    line = read_register(project / "data/consent.csv").consents["me"]
    assert (line.given, line.until, line.withdrawn) == (today(), None, None)
    assert line.how == "en la página del alta guiada, en esta máquina"
    assert session.state("en")["consent"] is False, "it is there now"


def test_a_consent_that_was_taken_back_is_given_anew(project: Path, session: Session, begun: Begun) -> None:
    set_privacy(project, consent="require", register="data/consent.csv")
    (project / "data").mkdir()
    text = "# mine\nwho,given,until,withdrawn\nana,2020-01-01,,\nme,2020-01-01,,2021-01-01\n"
    (project / "data/consent.csv").write_text(text, encoding="utf-8")
    session._open()
    fill(session)
    assert session.state("en")["consent"] is True
    session.start(True, "en")
    written = (project / "data/consent.csv").read_text(encoding="utf-8")
    assert written.startswith("# mine\n") and "2021" not in written and "ana,2020-01-01" in written
    assert len(begun) == 1


def test_a_table_that_the_pipeline_does_not_see(project: Path, session: Session, begun: Begun) -> None:
    set_privacy(project, consent="require", register="elsewhere.csv")
    session._open()
    fill(session)
    with pytest.raises(RefusedError, match=r"set it to data/consent\.csv"):
        session.start(True, "en")
    assert names(project) == [] and begun == []


def test_where_consent_is_off_no_table_is_made(project: Path, session: Session, begun: Begun) -> None:
    fill(session)
    session.start(False, "en")
    assert not (project / "data/consent.csv").exists() and len(begun) == 1


@pytest.mark.usefixtures("begun")
def test_without_others_the_network_for_which_strangers_are_known(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tour.parameters, "ROOT", project)
    path = project / "params.yaml"
    text = path.read_text(encoding="utf-8").replace("name: dlib-resnet", "name: facenet-vggface2")
    path.write_text(text, encoding="utf-8")
    put(DEMO[0], project / "data/not_me/ana/1.jpg")
    Session(lambda: None).prepare()
    assert "name: facenet-vggface2" in path.read_text(encoding="utf-8")
    (project / "data/not_me/ana/1.jpg").unlink()
    again = Session(lambda: None)
    again.prepare()
    assert "name: dlib-resnet" in path.read_text(encoding="utf-8")
    note = again.state("en")["note"]
    assert note.startswith("In params.yaml, backbone.name is now dlib-resnet. It may be facenet-vggface2 again once")


def test_what_the_page_sends(client: Client, token: dict[str, str]) -> None:
    def ask(method: str, path: str, headers: dict[str, str] | None = None, **more: object) -> object:
        answer = client.open(
            f"/enrol/api/{path}", method=method, base_url=ADDRESS, headers={**token, **(headers or {})}, **more
        )  # type: ignore[arg-type]
        return answer.get_json() if answer.is_json else (answer.status_code, answer.data)

    added = ask("POST", "photos", {"X-Photo-Name": "caf%C3%A9.jpg"}, data=DEMO[0].read_bytes())
    assert isinstance(added, dict)
    (photo,) = added["state"]["photos"]
    assert (photo["name"], photo["taken"], photo["id"]) == ("café.jpg", True, added["id"])
    left = ask("PUT", f"photos/{photo['id']}", json={"taken": False})
    assert isinstance(left, dict) and left["photos"][0]["taken"] is False
    face = ask("GET", f"photos/{photo['id']}/face")
    assert isinstance(face, tuple) and face[0] == 200 and face[1].startswith(b"\xff\xd8\xff")
    gone = ask("DELETE", f"photos/{photo['id']}")
    assert isinstance(gone, dict) and gone["photos"] == []
    for path, method in ((f"photos/{photo['id']}/face", "GET"), (f"photos/{photo['id']}", "PUT"), ("nowhere", "GET")):
        answer = ask(method, path, json={})
        assert isinstance(answer, dict) and {"code", "message"} == answer.keys()
    large = ask(
        "POST",
        "photos",
        {"Accept-Language": "es"},
        input_stream=io.BytesIO(bytes(17 * 2**20)),
        content_length=17 * 2**20,
    )
    assert large == {"code": "too_large", "message": "La foto ocupa más de 16 MB. Guárdala más pequeña"}
