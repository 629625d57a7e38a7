"""What the tables of README.md and README.es.md say is what the code says: settings, parameters, errors, licences."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

import pytest
import yaml

from service import errors
from service.config import Settings
from tests.conftest import ROOT
from tests.test_readme_languages import HEADINGS, LANGUAGES, TEXTS

# Attributes of Settings that are not the variable's name in lower case.
ATTRIBUTES = {
    "VERIFY_THRESHOLD": "threshold", "FLASK_HOST": "host", "FLASK_DEBUG": "debug", "WEB_CONCURRENCY": "workers",
}  # fmt: skip

# How a licence is called in the table, and a word that the metadata of a package with it hold.
MARKS = {
    "Apache-2.0": "Apache", "BSD-2-Clause": "BSD", "BSD-3-Clause": "BSD", "MIT": "MIT", "MIT-CMU": "MIT-CMU",
    "MPL-2.0": "MPL-2.0", "ZPL-2.1": "ZPL", "its own": "matplotlib", "propia": "matplotlib",
}  # fmt: skip

# Messages that are not the project's own: torch's, and DVC's (held by tests/test_readme.py).
OF_OTHERS = (
    "dvc: command not found",
    "No module named 'numpy'",
    "No module named 'faces'",
    "CUDA out of memory",
    "missing data 'source': data/me",
)

pytestmark = pytest.mark.parametrize("name", LANGUAGES)


def rows(name: str, heading: str) -> list[list[str]]:
    """The rows of the tables under a heading (its English title), as cells; without the tables' heads."""
    title = heading if name == "README.md" else HEADINGS[heading]
    section = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", TEXTS[name], re.MULTILINE | re.DOTALL)
    assert section is not None, title
    bodies = re.findall(r"^\| ---.*\n((?:\|.*\n)+)", section[1], re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for body in bodies for row in body.splitlines()]


def code(cell: str) -> list[str]:
    """The pieces of code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_settings_and_defaults(name: str) -> None:
    shown = {code(row[0])[0]: code(row[1])[0] for row in rows(name, "Settings")}
    assert shown == dict(re.findall(r"^# ([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE))
    no_file = ROOT / "no-such-file"
    defaults = Settings.load(environment={}, env_file=no_file)
    assert Settings.load(environment=shown, env_file=no_file) == defaults
    for variable in shown:  # one that the service does not read would pass, else
        assert hasattr(defaults, ATTRIBUTES.get(variable, variable.lower())), variable


def test_parameters_and_defaults(name: str) -> None:
    values: dict[str, Any] = yaml.safe_load(read("params.yaml"))
    shown = rows(name, "Parameters")
    assert shown
    for parameter, default, _ in shown:
        section, _, key = code(parameter)[0].partition(".")
        assert yaml.safe_load(code(default)[0]) == values[section][key], parameter


def test_stages_and_what_they_write(name: str) -> None:
    stages: dict[str, Any] = yaml.safe_load(read("dvc.yaml"))["stages"]
    shown = rows(name, "The pipeline")
    assert [code(row[0])[0] for row in shown] == list(stages)
    for stage, _, written in shown:
        declared = yaml.dump(stages[code(stage)[0]])
        for path in code(written):
            folder, _, suffix = path.partition("*")
            kept_out = path.startswith("reports/INFORME_H10.")  # it holds times: in neither git nor DVC
            assert kept_out or re.search(rf"{re.escape(folder.rstrip('/'))}.*{re.escape(suffix)}", declared), path


def test_every_error_of_the_service(name: str) -> None:
    table = {(status, code(error)[0]) for _, status, error in rows(name, "The API")}
    shown = {error for _, error in table}
    fixed = [value for key, value in vars(errors).items() if key.isupper() and isinstance(value, str)]
    assert {value.format(limit=2) for value in fixed} <= shown
    assert {(str(status), error) for status, error in errors._BY_STATUS.items()} <= table
    for error in shown:
        if error.endswith(": …"):  # the rest differs from case to case
            assert f'f"{error[:-1]}{{' in read("service/errors.py"), error


def test_options_of_quickstart(name: str) -> None:
    known = set(re.findall(r'add_argument\("(--[a-z]+)"', read("quickstart.py")))
    named = set(re.findall(r"`(--[a-z-]+)", TEXTS[name])) | set(re.findall(r"quickstart\.py (--[a-z-]+)", TEXTS[name]))
    assert named == known


def test_messages_to_look_up_are_those_that_appear(name: str) -> None:
    """Those in italics in the table of problems."""
    messages = [text for row in rows(name, "When something goes wrong") for text in re.findall(r"\*(.+?)\*", row[0])]
    assert messages
    sources = (
        "quickstart.py",
        "stages/files/photos.py",
        "stages/crop/processes.py",
        "service/errors.py",
        "service/engine.py",
    )
    said = "".join(map(read, sources)).replace("{port}", "5000")
    for message in messages:
        assert message in OF_OTHERS or message in said, message


def test_licences_of_the_packages(name: str) -> None:
    """Every package of requirements.txt has its row, with the licence that its metadata name."""
    shown = {package: row[1] for row in rows(name, "Licences") if len(row) == 2 for package in code(row[0])}
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
