"""What the pages say is what the code says: settings, parameters, stages, errors, licences, in both languages."""

from __future__ import annotations

import importlib.metadata
import math
import re
from functools import cache
from typing import Any

import pytest
import yaml

from bench.peers.environment import VARIABLE as FACE_RECOGNITION
from faces.operating_point import DEFAULT_THRESHOLD
from faces.population import Population
from service.config import Settings
from service.error_kinds import BAD_HTTP, KINDS, of_server
from stages.estimation.population import SHIPPED
from stages.files.problem_kinds import PROBLEM_NAMES
from stages.report.rendering import KNOWN_BIAS
from tests.conftest import ROOT
from tests.docs.pages import PAGES, both_languages, code_in, section_of

# Attributes of Settings that are not the variable's name in lower case.
ATTRIBUTES = {
    "VERIFY_THRESHOLD": "threshold", "FLASK_HOST": "host", "FLASK_DEBUG": "debug", "WEB_CONCURRENCY": "workers",
}  # fmt: skip

# How a licence is called in the table, and a word that the metadata of a package with it hold.
MARKS = {
    "Apache-2.0": "Apache", "BSD-2-Clause": "BSD", "BSD-3-Clause": "BSD", "MIT": "MIT", "MIT-CMU": "MIT-CMU",
    "MPL-2.0": "MPL-2.0", "ZPL-2.1": "ZPL", "its own": "matplotlib", "propia": "matplotlib",
}  # fmt: skip

# Messages that are not the project's own: torch's, Python's, and DVC's (held by test_commands.py).
OF_OTHERS = (
    "dvc: command not found",
    "No module named 'numpy'",
    "No module named 'faces'",
    "CUDA out of memory",
    "missing data 'source': data/me",
    "No such file or directory",
    "'./dvc.lock' validation failed",
)

# What may lie below data/, models/ and reports/ and is no output of a stage.
BY_HAND = (
    "data/", "data/Me", "data/me", "data/not_me", "data/me/", "data/not_me/", "data/*.dvc", "data/remembered/",
    "data/me/attributes.csv", "data/not_me/attributes.csv", "data/not_me/ana/1.jpg", "data/me.dvc",
    "data/consent.csv",
    "models/", "models/weights/", "reports/manual/", "reports/two_people.png", "reports/explained/",
)  # fmt: skip

every_page = pytest.mark.parametrize("name", sorted(PAGES))


def in_both(*english: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for page in english for name in both_languages(page)])


def rows(name: str, heading: str) -> list[list[str]]:
    """The rows of the tables under a heading (its English title)."""
    return section_of(name, heading).rows


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def program() -> str:
    """All of the project's own code that a user runs."""
    folders = ("asking", "enrolment", "faces", "stages", "service", "tour", "history", "privacy")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return read("quickstart.py") + "".join(path.read_text(encoding="utf-8") for path in files)


def default_settings() -> dict[str, str]:
    """The settings and their defaults, as .env.example has them."""
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))


@in_both("docs/deployment.md")
def test_settings_and_defaults(name: str) -> None:
    shown = {code_in(row[0])[0]: next(iter(code_in(row[1])), "") for row in rows(name, "Settings")}
    assert shown == default_settings()
    no_file = ROOT / "no-such-file"
    defaults = Settings.load(environment={}, env_file=no_file)
    assert Settings.load(environment=shown, env_file=no_file) == defaults
    for variable in shown:  # one that the service does not read would pass, else
        assert hasattr(defaults, ATTRIBUTES.get(variable, variable.lower())), variable


@in_both("README.md")
def test_the_most_important_settings(name: str) -> None:
    """Those of the contract."""
    shown = {code_in(row[0])[0]: code_in(row[1])[0] for row in rows(name, "Deploy it")}
    assert shown.items() <= default_settings().items()
    contract = "MODEL_PATH SCALER_PATH VERIFY_THRESHOLD MAX_CONTENT_MB MODEL_VERSION FLASK_HOST PORT FLASK_DEBUG"
    assert {*contract.split(), "NETWORKS_PATH"} <= set(shown)


@every_page
def test_settings_named_in_the_text_exist(name: str) -> None:
    known = {*default_settings(), FACE_RECOGNITION, "FACENET_WEIGHTS", "LOKY_MAX_CPU_COUNT", "OMP_NUM_THREADS"}
    for section in PAGES[name].sections:
        for piece in section.code:
            for variable in re.findall(r"^([A-Z][A-Z]+(?:_[A-Z]+)+)(?:=|$)", piece):
                assert variable in known or variable in program(), variable


@cache
def load(name: str) -> Any:
    return yaml.safe_load(read(name))


def parameter(name: str) -> Any:
    """The value in params.yaml of `section.key`, or of a key at the top."""
    value = load("params.yaml")
    for key in name.split("."):
        value = value[key]
    return value


@in_both("docs/pipeline.md")
def test_parameters_and_defaults(name: str) -> None:
    shown = rows(name, "Parameters")
    assert shown
    for names, defaults, _ in shown:
        for one, default in zip(code_in(names), code_in(defaults), strict=True):
            assert yaml.safe_load(default) == parameter(one), one


@every_page
def test_parameters_named_in_the_text_exist(name: str) -> None:
    sections = {key for key, value in load("params.yaml").items() if isinstance(value, dict)}
    for section in PAGES[name].sections:
        for piece in section.code:
            found = re.fullmatch(r"(\w+)\.(\w+)(?:[:=] ?(\S+))?", piece)
            if found and found[1] in sections and found[2] not in ("py", "json"):
                parameter(f"{found[1]}.{found[2]}")


def stages() -> dict[str, Any]:
    found: dict[str, Any] = load("dvc.yaml")["stages"]
    return found


@in_both("README.md", "docs/pipeline.md")
def test_stages_in_their_order(name: str) -> None:
    assert [code_in(row[0])[0] for row in rows(name, "The stages")] == list(stages())


@in_both("docs/pipeline.md")
def test_what_stages_write(name: str) -> None:
    for stage, _, written in rows(name, "The stages"):
        declared = yaml.dump(stages()[code_in(stage)[0]])
        for path in code_in(written):
            folder, _, suffix = path.partition("*")
            assert re.search(rf"{re.escape(folder.rstrip('/'))}.*{re.escape(suffix)}", declared), path


@in_both("docs/photos.md")
def test_every_kind_of_problem_is_listed(name: str) -> None:
    """Once, as data_quality.csv names it; "several faces" holds for photos of others as well as for those of `me`."""
    listed = rows(name, "What the pipeline finds in them")
    assert sorted(kind for _, kinds, _ in listed for kind in code_in(kinds)) == sorted(PROBLEM_NAMES)
    (several,) = [row[0] for row in listed if "several_faces" in row[1]]
    assert "other" in several or "otros" in several


@every_page
def test_files_of_runs_are_declared(name: str) -> None:
    """Every path below data/, models/ and reports/ is an output of a stage, or one of those known to be no output."""
    declared = "".join(yaml.dump(stage) for stage in stages().values()) + "models/networks/networks.json"
    for section in PAGES[name].sections:
        for piece in section.code:
            if re.match(r"(data|models|reports)/\S*$", piece) and piece not in BY_HAND:
                folder, _, suffix = piece.partition("*")
                assert re.search(rf"{re.escape(folder.rstrip('/'))}.*{re.escape(suffix)}", declared), piece


@in_both("docs/api.md")
def test_every_error_of_the_service(name: str) -> None:
    values = {"limit": 2, "types": "image/jpeg o image/png"}
    said = {kind.code: kind.as_json("es", **values)["error"] for kind in KINDS if kind != BAD_HTTP}
    said |= {BAD_HTTP.code: of_server(400, "…")["error"].removesuffix(": …")}
    table = {
        (status[:3], code_in(code)[0], code_in(error)[0].removesuffix(": …"))  # the rest differs from case to case
        for _, status, code, error in rows(name, "Errors")
    }
    assert table == {(str(kind.status), kind.code, said[kind.code]) for kind in KINDS}


@in_both("docs/api.md")
def test_every_endpoint(name: str) -> None:
    routes = re.findall(
        r'@(?:api|monitoring|ui)\.(get|post)\("(.+?)"\)',
        "".join(read(f"service/{module}.py") for module in ("routes", "model_card", "monitoring/routes", "ui/routes")),
    )
    parts_of_the_page = ("/ui/", "/ui/<name>")
    routes = [(verb, path) for verb, path in routes if path not in parts_of_the_page]
    assert [code_in(row[0])[0] for row in rows(name, "API")] == [f"{verb.upper()} {path}" for verb, path in routes]


def options_of_quickstart() -> set[str]:
    alone = read("quickstart.py").partition("def run_tests(")[0]  # `test` has options of its own
    sources = alone + "".join(path.read_text("utf-8") for path in sorted(ROOT.glob("tour/*.py")))
    return set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', sources))


@in_both("docs/installation.md")
def test_options_of_quickstart(name: str) -> None:
    shown = {code_in(row[0])[0].split()[0] for row in rows(name, "One command")}
    assert shown == options_of_quickstart()


@every_page
def test_options_of_quickstart_named_elsewhere(name: str) -> None:
    named = set(re.findall(r"quickstart\.py (--[a-z-]+)", PAGES[name].text))
    assert named <= options_of_quickstart()


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        *((name, "When something goes wrong") for name in both_languages("README.md")),
        *(
            (name, heading)
            for name in both_languages("docs/troubleshooting.md")
            for heading in ("Installation", "Photos and pipeline", "Service")
        ),
    ],
)
def test_messages_to_look_up_are_those_that_appear(name: str, heading: str) -> None:
    """Those in italics in the tables of problems."""
    messages = [text for row in rows(name, heading) for text in re.findall(r"\*(.+?)\*", row[0])]
    assert messages
    for message in messages:
        assert message in OF_OTHERS or message in program().replace("{port}", "5000"), message


@in_both("docs/licences.md")
def test_licences_of_the_packages(name: str) -> None:
    """Every package of requirements.txt has its row, with the licence that its metadata name."""
    shown = {package: row[1] for row in rows(name, "The packages") for package in code_in(row[0])}
    assert set(shown) == set(re.findall(r"^([\w-]+)==", read("requirements.txt"), re.MULTILINE))
    for package, licence in shown.items():
        try:
            metadata = importlib.metadata.metadata(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # not for this system
        fields = ("License-Expression", "License", "Classifier")
        said = "\n".join(text for field in fields for text in metadata.get_all(field, []))
        mark = max((mark for mark in MARKS if licence.startswith(mark)), key=len)
        assert MARKS[mark] in said, package


@in_both("docs/benchmarks.md")
def test_every_bench_is_named(name: str) -> None:
    named = set(re.findall(r"python -m bench\.(\w+)", PAGES[name].text))
    files = {path.stem for path in (ROOT / "bench").glob("*.py")} - {"__init__", "picture"}
    there = files | {path.parent.name for path in (ROOT / "bench").glob("*/__main__.py")}
    assert named == there


@in_both("docs/evaluation.md")
def test_the_bias_of_the_estimate_is_the_one_that_the_report_gives(name: str) -> None:
    words = section_of(name, "Promised, measured, estimated").prose.replace(",", ".").split()
    assert all(f"{factor}" in words for factor in KNOWN_BIAS.values())


@in_both("docs/evaluation.md")
def test_the_threshold_that_auto_takes_by_an_estimate_is_the_one_named(name: str) -> None:
    """The same for everybody: what a person's photos decide is how like them a face is, not which likeness is rare."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    served, target = params["train"]["population_far"], params["evaluate"]["target_far"]
    population = Population.read(SHIPPED / "dlib_resnet.npz")
    distance = population.slope * (population.likeness_at(target) - population.likeness_at(served))
    odds = DEFAULT_THRESHOLD / (1 - DEFAULT_THRESHOLD) * math.exp(distance)
    prose = re.sub(r"(?<=\d),(?=\d)", ".", section_of(name, "Choose a threshold").prose).replace("\n", " ")
    assert f"{odds / (1 + odds):.2f}" == "0.60"
    for share, threshold in ((target, "0.60"), (served, "0.75")):
        assert re.search(rf"\b{threshold} (for|para el) {100 * share:g} %", prose), prose
