"""A project without a model, in which guided enrolment has its networks ready; and a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client

import quickstart
from enrolment import preparation
from enrolment import session as sessions
from enrolment.application import Application
from enrolment.folder import find_existing
from enrolment.judge import Judge
from enrolment.mounted import Mounted
from enrolment.preparation import Prepared, prepare
from enrolment.secret import HEADER, Secret
from enrolment.session import Session
from faces.recognition.networks import Networks
from service.config import Settings
from stages.params import Params, load_params
from tests.conftest import ROOT
from tests.stages.support import new_workspace
from tests.ui.conftest import browser as browser

PORT = 5000
ADDRESS = f"http://127.0.0.1:{PORT}"

MakePrepared = Callable[[], Prepared]


@pytest.fixture
def project(tmp_path: Path, networks_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with parameters and networks and no photos, made the current directory."""
    root = new_workspace(tmp_path / "project", networks_dir).root
    monkeypatch.chdir(root)
    monkeypatch.setattr(quickstart, "ROOT", root)
    (root / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    return root


@pytest.fixture(scope="session")
def judge(networks_dir: Path, dlib_params: Params) -> Judge:
    """What looks at photos; to open the networks takes longest of all."""
    return Judge(Networks.load(networks_dir), dlib_params)


@pytest.fixture
def prepared(project: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch) -> MakePrepared:
    """Gets ready in the project as it is now, but for building the networks."""
    del project
    monkeypatch.setattr(preparation, "Judge", lambda *_: judge)
    return lambda: prepare(load_params(), find_existing())


@pytest.fixture
def session(prepared: MakePrepared) -> Session:
    """A session that is ready."""
    del prepared
    made = Session(lambda: None)
    made._open()
    return made


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What runs were asked for: instead of DVC, a child process that does nothing is started."""
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("enrolment.run.BUILD", ("true",))
    real = sessions.Run

    def run(*arguments: object) -> sessions.Run:
        asked.append(arguments[:3])
        return real(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(sessions, "Run", run)
    return asked


@pytest.fixture
def secret() -> Secret:
    return Secret()


@pytest.fixture
def client(session: Session, secret: Secret, tmp_path: Path) -> Client:
    """Asks the whole application, as the browser's address bar would; there is no model yet."""
    settings = Settings(model_path=tmp_path / "none" / "model.joblib")
    return Client(Application(session, secret, Mounted(settings), PORT))


@pytest.fixture
def token(secret: Secret) -> dict[str, str]:
    """The header of the page's own requests."""
    return {HEADER: secret.token}
