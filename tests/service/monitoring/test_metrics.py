"""/metrics: what is counted, as what, and that no client can make it grow."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text
from werkzeug.test import TestResponse

from service import create_app, error_kinds
from service.admission import Admission, Costly, SaturatedError
from service.config import Settings
from service.errors import ApiError
from service.monitoring import metrics
from service.monitoring.metrics import Decision, Model, Reason, Step, choose_slot
from tests.service.monitoring.support import figures, more
from tests.service.support import LIMIT_BYTES, post_photo


def asked(client: FlaskClient) -> dict[str, float]:
    return figures(client.get("/metrics").get_data(as_text=True))


def test_a_photo_counts_with_its_decision_its_score_and_each_step(client: FlaskClient, me_photo: bytes) -> None:
    before = asked(client)
    answer = post_photo(client, me_photo).get_json()
    after = asked(client)
    assert more(before, after) == {
        'decisions_total{decision="me"}': 1,
        "score_count": 1,
        'requests_total{endpoint="/verify",status="200"}': 1,
        'answer_seconds_count{endpoint="/verify"}': 1,
        **{f'step_seconds_count{{step="{step}"}}': 1 for step in get_args(Step)},
    }
    name = "face_verification_score_sum"
    assert after[name] - before[name] == pytest.approx(answer["score"])
    sums = {step: f'face_verification_step_seconds_sum{{step="{step}"}}' for step in get_args(Step)}
    took = {step: 1000 * (after[name] - before[name]) for step, name in sums.items()}
    assert all(milliseconds > 0 for milliseconds in took.values())
    assert 0.7 * answer["timing_ms"] < sum(took.values()) < answer["timing_ms"], "the steps are the whole of it"


def test_a_stranger_and_everybody_on_a_photo(client: FlaskClient, stranger_photo: bytes) -> None:
    before = asked(client)
    post_photo(client, stranger_photo)
    client.post("/verify?faces=all", data={"image": (io.BytesIO(stranger_photo), "a.jpg")})
    grown = more(before, asked(client))
    assert grown['decisions_total{decision="not_me"}'] == 2
    assert grown['step_seconds_count{step="score"}'] == grown['step_seconds_count{step="embed"}'] == 2


REFUSED: dict[str, Callable[[FlaskClient, bytes], TestResponse]] = {
    "no_image": lambda client, _: client.post("/verify"),
    "wrong_type": lambda client, _: post_photo(client, b"GIF89a" + bytes(50)),
    "unreadable": lambda client, photo: post_photo(client, photo[:2000]),
    "too_large": lambda client, _: post_photo(client, bytes(LIMIT_BYTES + 1)),
    "invalid": lambda client, photo: client.post("/verify?faces=x", data={"image": (io.BytesIO(photo), "a.jpg")}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refusal_counts_by_its_reason(client: FlaskClient, me_photo: bytes, reason: str) -> None:
    before = asked(client)
    answer = REFUSED[reason](client, me_photo)
    grown = more(before, asked(client))
    assert grown.get(f'refusals_total{{reason="{reason}"}}') == 1, (answer.status_code, answer.get_json(), grown)
    assert grown[f'requests_total{{endpoint="/verify",status="{answer.status_code}"}}'] == 1
    assert sum(value for name, value in grown.items() if name.startswith(("refusals", "decisions"))) == 1


@pytest.mark.parametrize("path", ["/nowhere", "/model/card", "/model/plots/scores.png"])
def test_what_is_not_there_is_no_refusal(client: FlaskClient, path: str) -> None:
    before = asked(client)
    assert client.get(path).status_code == 404
    assert not [name for name in more(before, asked(client)) if name.startswith("refusals")]


def test_no_face_has_steps_and_no_score(client: FlaskClient, faceless_photo: bytes) -> None:
    before = asked(client)
    post_photo(client, faceless_photo)
    grown = more(before, asked(client))
    assert grown['refusals_total{reason="no_face"}'] == 1
    steps = {step for step in get_args(Step) if f'step_seconds_count{{step="{step}"}}' in grown}
    assert steps == {"upload", "queue", "decode", "detect"}


def test_no_models(no_models: Settings, faceless_photo: bytes) -> None:
    client = create_app(no_models).test_client()
    before = asked(client)
    post_photo(client, faceless_photo)
    after = asked(client)
    assert more(before, after)['refusals_total{reason="no_models"}'] == 1
    assert after["face_verification_workers_ready"] == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SaturatedError(1), "saturated"), (RuntimeError(), "failure"), (ApiError(error_kinds.TOO_SLOW), "too_slow"),
        (ApiError(error_kinds.KEY_MISSING), "no_key"), (ApiError(error_kinds.ROLE_MISSING), "role"),
        (ApiError(error_kinds.KEY_MISSING, reason="wrong_key"), "wrong_key"),
        (ApiError(error_kinds.TOO_MANY), "limit"), (ApiError(error_kinds.NOT_RECORDED, reason="no_audit"), "no_audit"),
    ],
)  # fmt: skip
@pytest.mark.security
def test_errors_from_below_a_route_count(
    client: FlaskClient, me_photo: bytes, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(client.application.extensions["engine"], "verify", fail)
    before = asked(client)
    post_photo(client, me_photo)
    grown = more(before, asked(client))
    assert {name: value for name, value in grown.items() if name.startswith("refusals")} == {
        f'refusals_total{{reason="{reason}"}}': 1
    }


@pytest.mark.security
def test_no_client_can_make_it_grow(client: FlaskClient) -> None:
    """Whatever path, method, query, header or field it invents."""
    chance = random.Random(0)

    def ask() -> None:
        for _ in range(50):
            name = f"{chance.random():.12f}"
            headers = {"X-Request-ID": name, "User-Agent": name, "X-API-Key": name, "Host": f"{name}.example"}
            client.get(f"/{name}?{name}={name}", headers=headers)
            client.open("/verify", method=name.replace("0.", "M"), headers=headers)
            client.post("/verify", data={name: name}, headers=headers)
            client.open("/verify", method="OPTIONS", headers={**headers, "Origin": f"https://{name}.example"})

    ask()
    before = asked(client)
    ask()
    after = asked(client)
    assert after.keys() == before.keys()
    grown = more(before, after)
    assert grown['requests_total{endpoint="unknown",status="404"}'] == 50
    assert grown['requests_total{endpoint="unknown",status="405"}'] == 50


def test_every_series_is_there_from_the_start(no_models: Settings) -> None:
    found = asked(create_app(no_models).test_client())
    for name, label, kinds in (
        ("decisions_total", "decision", Decision), ("refusals_total", "reason", Reason),
        ("step_seconds_count", "step", Step),
    ):  # fmt: skip
        assert {f'face_verification_{name}{{{label}="{kind}"}}' for kind in get_args(kinds)} <= found.keys()


def test_both_formats_of_prometheus(client: FlaskClient) -> None:
    plain = client.get("/metrics")
    assert plain.content_type.startswith("text/plain; version=")
    assert "face_verification_score" in {family.name for family in read_text(plain.get_data(as_text=True))}
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    opened = client.get("/metrics", headers=accept)
    assert opened.content_type.startswith("application/openmetrics-text")
    assert "face_verification_score" in {family.name for family in read_openmetrics(opened.get_data(as_text=True))}


@pytest.mark.parametrize("version", ["x", "1.0.é", "1..0", "²", "1.0.0;escaping=x", ""])
def test_a_format_of_a_version_that_there_is_not(client: FlaskClient, version: str) -> None:
    answer = client.get("/metrics", headers={"Accept": f"application/openmetrics-text;version={version}"})
    assert answer.status_code == 200 and b"face_verification_score" in answer.data


def test_the_model_the_threshold_and_readiness(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = client.get("/version").get_json()
    labels = (
        f'backbone="{version["backbone"]}",model_sha256="{version["model_sha256"]}",'
        f'model_version="{settings.model_version}"'
    )
    found = asked(client)
    assert found[f"face_verification_model_workers{{{labels}}}"] == 1
    assert found["face_verification_threshold"] == 0.75
    assert found["face_verification_workers"] == found["face_verification_workers_ready"] == 1
    monkeypatch.setattr(type(client.application.extensions["engine"]), "delay", "La cola está llena")
    assert asked(client)["face_verification_workers_ready"] == 0


def test_another_model_takes_the_place_of_the_first() -> None:
    for name in ("first", "second"):
        metrics.show_state(True, Model(name, "b", "v"), 0.5)
    found = figures(metrics.exposition("")[0].decode())
    label = 'face_verification_model_workers{{backbone="b",model_sha256="{}",model_version="v"}}'
    assert (found[label.format("first")], found[label.format("second")]) == (0, 1)


def test_the_queue_is_told_at_each_change() -> None:
    told: list[tuple[int, int]] = []
    admission = Admission(1, 10, report=lambda *numbers: told.append(numbers))
    begun, go_on = Event(), Event()

    def first() -> None:
        begun.set()
        go_on.wait(10)

    threads = [Thread(target=admission.run, args=(first,))]
    threads[0].start()
    assert begun.wait(10)
    threads.append(Thread(target=admission.run, args=(lambda: None,)))
    threads[1].start()
    while len(told) < 3:
        pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert told == [(1, 0), (0, 1), (1, 1), (1, 0), (0, 1), (0, 0)]


def test_costly_photos_are_told_with_the_others() -> None:
    told: list[tuple[int, int]] = []
    admission = Admission(1, 10, report=lambda *numbers: told.append(numbers))
    assert admission.run(lambda: Costly(lambda: admission.run(lambda: 7))) == 7
    assert told == [(1, 0), (0, 1), (0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (0, 1), (0, 0)]


def test_a_photo_that_is_given_up_waits_no_longer() -> None:
    told: list[tuple[int, int]] = []
    admission = Admission(1, 0.2, report=lambda *numbers: told.append(numbers))
    begun, go_on = Event(), Event()
    thread = Thread(target=admission.run, args=(lambda: (begun.set(), go_on.wait(10)),))
    thread.start()
    assert begun.wait(10)
    with pytest.raises(SaturatedError):
        admission.run(lambda: None)
    assert told[-2:] == [(1, 1), (0, 1)]
    go_on.set()
    thread.join(10)
    assert told[-1] == (0, 0)


def test_a_worker_gets_the_lowest_slot_that_no_living_one_has() -> None:
    living: list[Any] = []
    for expected in (0, 1, 2):
        worker = SimpleNamespace()
        choose_slot(worker, living)
        assert worker.metrics_slot == expected
        living.append(worker)
    del living[1]
    choose_slot(worker := SimpleNamespace(), living)
    assert worker.metrics_slot == 1
