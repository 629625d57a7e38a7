"""deploy/grafana.json, prometheus.yml and alerts.yml: what Grafana and Prometheus expect, of metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from service import create_app
from service.config import Settings
from service.monitoring.metrics import Decision, Reason, Step
from tests.conftest import ROOT

DASHBOARD = json.loads((ROOT / "deploy/grafana.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
EXPRESSIONS = {
    **{f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]},
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
}

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What /metrics shows of a service that has been asked something."""
    nothing = tmp_path_factory.mktemp("nothing")
    client = create_app(
        Settings(
            model_path=nothing / "m", scaler_path=nothing / "s", networks_path=nothing, photo_limits_path=nothing / "p"
        )
    ).test_client()
    client.post("/verify")
    return client.get("/metrics").get_data(as_text=True)


def series(text: str) -> dict[str, dict[str, set[str]]]:
    """By the name of a metric, its labels and their values."""
    found: dict[str, dict[str, set[str]]] = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        of_name = found.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            of_name.setdefault(label, set()).add(value)
    return found


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_name_metrics_labels_and_values_that_there_are(exposed: str, name: str) -> None:
    known = series(exposed)
    own = {"job", "instance"}  # Prometheus adds them
    used = re.findall(r"(face_verification_\w+)(?:\{([^}]*)\})?", EXPRESSIONS[name])
    assert used or name == "FaceVerificationDown"
    for metric, selectors in used:
        assert metric in known, metric
        for label, value in re.findall(r'(\w+)=~?"([^"]*)"', selectors):
            assert label in own or value in known[metric][label], f"{metric} {label}={value}"
    labels = {label for metric, _ in used for label in known[metric]} | own
    for by in re.findall(r"by \(([^)]*)\)", EXPRESSIONS[name]):
        assert {label.strip() for label in by.split(",")} <= labels, by


def test_grafana_takes_it() -> None:
    assert DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["title"] and DASHBOARD["uid"]
    assert "id" not in DASHBOARD, "Grafana gives it when it imports"
    (source, job) = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert (job["name"], job["type"]) == ("job", "query")
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers) > 15
    for panel in PANELS:
        assert panel["title"] and panel["targets"]
        for target in [panel, *panel["targets"]]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_panels_do_not_lie_over_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_is_on_the_dashboard(exposed: str) -> None:
    families = set(re.findall(r"^# TYPE (\w+) ", exposed, re.MULTILINE))
    shown = " ".join(EXPRESSIONS.values())
    assert [name for name in families if name not in shown] == []


def test_the_example_scrapes_what_there_is(exposed: str) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("face-verification", "/metrics")
    assert all((ROOT / "deploy" / name).is_file() for name in config["rule_files"])
    kinds = series(exposed)
    for metric, label, values in (
        ("refusals_total", "reason", Reason), ("decisions_total", "decision", Decision),
        ("step_seconds_count", "step", Step),
    ):  # fmt: skip
        assert kinds[f"face_verification_{metric}"][label] == set(get_args(values))


def promtool(*words: str, text: str | None = None) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *words], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_prometheus_reads_them(exposed: str, tmp_path: Path) -> None:
    promtool("check", "config", str(ROOT / "deploy/prometheus.yml"))
    promtool("check", "metrics", text=exposed)
    rules: list[dict[str, Any]] = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m").replace("$job", ".*")}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]
    every = tmp_path / "expressions.yml"
    every.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", str(every))
