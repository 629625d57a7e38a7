"""Every command that a document shows is run as it is printed; what is different is the address, and paths of folders.

The Spanish pages have the same commands (test_languages.py), so they are run once.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from faces.records import Trust, read_record
from faces.verifier import Verifier
from service.config import Settings
from tests.clone import Clone, new_clone, stages_run
from tests.conftest import ROOT, TrainedModels
from tests.docs.pages import ENGLISH, PAGES, commands
from tests.service.support import Server, posix_only, running
from tests.test_slim_install import INSTALL, PACK, START
from tests.test_update import COMMIT, RESOLVED, UPDATE

SERVICE = "http://127.0.0.1:5000"
GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]

pytestmark = posix_only

# Where commands are run that are not run here: by quickstart itself, which every run of CI starts with, or by a test.
RUN_ELSEWHERE = {
    "python3 quickstart.py": "tests/test_quickstart.py::test_first_and_second_run",
    "python3 quickstart.py --photos FOLDER":
        "tests/tour/test_photos.py::test_photos_are_copied_once_and_then_left_alone",
    "python -m faces.fit_population FOLDER --to faces/populations/facenet.npz":
        "tests/faces/test_fit_population.py::test_the_command",
    "python3 quickstart.py test": "tests/test_quickstart.py::test_test_command",
    "python3 -m venv .venv": "quickstart.py::make_venv",
    "source .venv/bin/activate": "quickstart.py::environment",
    "pip install -r requirements.txt": "quickstart.py::install",
    "python -m service": "tests/service/test_other_servers.py::test_development_server",
    "python -m service --enrol": "tests/enrolment/test_whole_way.py::test_from_photos_to_the_answer",
    START: "tests/test_slim_install.py::test_gunicorn_as_documented",
    PACK: "tests/test_slim_install.py::deployed",
    INSTALL: "tests/test_slim_install.py::installed",
    COMMIT: "tests/test_update.py::test_the_documented_way",
    f"{UPDATE} && python3 quickstart.py": "tests/test_update.py::test_the_documented_way",
    f"{RESOLVED} && python3 quickstart.py":
        "tests/test_update.py::test_a_parameter_that_both_changed_is_an_ordinary_conflict",
    "cp ../old-folder/params.yaml .": "tests/test_update.py::test_a_newer_archive_given_the_photos_of_the_old_folder",
    "python3 quickstart.py --photos ../old-folder/data":
        "tests/test_update.py::test_a_newer_archive_given_the_photos_of_the_old_folder",
    "cp -R ../old-folder/data ../old-folder/models ../old-folder/reports ../old-folder/params.yaml .":
        "tests/test_update.py::test_moving_to_the_folder_of_a_newer_archive",
    'python -m service keys create "Front door" --role verify':
        "tests/service/access/test_command.py::test_making_listing_and_revoking",
    'python -m service keys create "Prometheus" --role metrics --days 365':
        "tests/service/access/test_command.py::test_making_listing_and_revoking",
    "python -m service keys list": "tests/service/access/test_command.py::test_making_listing_and_revoking",
    "python -m service keys revoke 5cabe886": "tests/service/access/test_command.py::test_making_listing_and_revoking",
    '''kill -HUP "$(pgrep -of 'gunicorn.*service:create_app')"''':
        "tests/service/test_gunicorn.py::test_the_documented_command_reloads",
    'curl -sS -X POST -H "X-API-Key: $KEY" http://127.0.0.1:5000/admin/reload':
        "tests/service/test_gunicorn.py::test_an_administrator_reloads",
    '(umask 077; python3 -c "import secrets; print(secrets.token_hex(32))" > ~/audit.key)':
        "tests/service/audit/test_command.py::test_the_secret_that_is_made_as_the_message_and_the_page_say",
    "python -m service audit verify": "tests/service/audit/test_command.py::test_a_log_that_is_whole",
    'python -m service audit accept --note "The disk was full of errors"':
        "tests/service/audit/test_command.py::test_accepting_a_loss",
    "python -m service audit report": "tests/service/audit/test_command.py::test_report",
    "python -m service audit find --image photo.jpg":
        "tests/service/audit/test_command.py::test_finding_and_forgetting_an_image",
    "python -m service audit forget --image photo.jpg":
        "tests/service/audit/test_command.py::test_finding_and_forgetting_an_image",
    "python -m service audit forget --request ID": "tests/service/audit/test_command.py::test_forgetting_a_request",
    "python -m service audit prune --days 365": "tests/service/audit/test_command.py::test_retention",
    'python -m privacy consent add ana --until 2028-11-26 --how "signed form" --contact':
        "tests/privacy/test_register.py::test_an_address_may_be_asked_for",
    "python -m privacy consent list": "tests/privacy/test_register.py::test_the_list_says_what_holds_today",
    "python -m privacy consent withdraw ana":
        "tests/privacy/test_register.py::test_withdrawing_takes_what_lies_in_a_folder_with_it",
    "python -m privacy status": "tests/privacy/test_status.py::test_what_is_past_is_due",
    "python -m privacy expire --dry-run":
        "tests/privacy/test_status.py::test_expire_hands_over_what_is_past_withdrawn_or_too_old",
    "python -m privacy expire": "tests/privacy/test_status.py::test_expire_asks_first",
    "python -m privacy export ana": "tests/privacy/test_export.py::test_a_project_that_was_never_run",
    "python -m privacy new-key ~/photos.key":
        "tests/privacy/locking/test_locking.py::test_a_key_file_is_private_and_never_overwritten",
    "python -m privacy lock --key-file ~/photos.key":
        "tests/privacy/locking/test_locking.py::test_what_is_locked_comes_back_byte_for_byte",
    "python -m privacy lock":
        "tests/privacy/locking/test_locking.py::test_a_passphrase_is_asked_for_twice_where_nothing_is_locked",
    "python -m privacy reveal reports/contact_sheet.png ~/contact_sheet.png":
        "tests/privacy/locking/test_locking.py::test_one_file_is_written_out_to_look_at",
    "python -m privacy forget ana --dry-run":
        "tests/privacy/test_forget.py::test_a_dry_run_lists_everything_and_changes_nothing",
    "python -m privacy forget ana": "tests/privacy/test_forget.py::test_every_question_is_asked",
    'python -m history save "Without one person"':
        "tests/history/test_history.py::test_saving_says_what_is_new_and_keeps_it",
    "python -m privacy forget ana --also data/not_me/ben/party.jpg":
        "tests/privacy/test_forget.py::test_a_photo_of_others_that_shows_them",
    "python -m privacy forget --resume": "tests/privacy/test_interrupted.py::test_killed_and_run_again",
    "python -m privacy forget --owed":
        "tests/privacy/test_forget.py::test_a_remote_that_is_away_is_owed",
    "python -m privacy certificate verify FILE":
        "tests/privacy/test_forget.py::test_a_changed_certificate_and_a_photo_that_is_back",
    "python -m service.client http://localhost:5000 photos --csv answers.csv":
        "tests/service/client/test_client.py::test_a_table_csv_and_statuses",
    **dict.fromkeys(
        ("pip install jupyterlab", "jupyter lab notebooks"),  # executed without its window
        "tests/docs/test_notebooks.py::test_the_lesson_runs_and_its_solutions_hold",
    ),
    "dvc repro export": "tests/docs/test_notebooks.py::test_the_lesson_runs_and_its_solutions_hold",
    "python -m notebooks": "tests/docs/test_notebooks.py::test_the_file_is_what_the_source_makes",
    # Their container's recipe is linted, and what it copies is run: nothing here can be relied on to run a container.
    "docker build -t face-verification .": "tests/test_dockerfile.py::test_lint",
    'docker run -p 5000:5000 -v "$PWD/models:/app/models:ro" face-verification':
        "tests/test_dockerfile.py::test_what_is_copied_is_all_that_the_service_imports",
    **dict.fromkeys(
        (
            'docker run --detach --name face-verification -p 5000:5000 -v "$PWD/models:/app/models:ro" \\',
            "  -v state:/state -e AUDIT_PATH=/state/audit face-verification",
            'docker exec face-verification python -m service keys create "Front door" --role verify',
        ),
        "tests/test_dockerfile.py::test_a_key_is_made_where_the_service_looks",
    ),
    **dict.fromkeys(
        (
            'openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=localhost" \\',
            '  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout ~/tls_key.pem -out ~/tls_cert.pem',
            "curl -sS --cacert ~/tls_cert.pem https://localhost:5000/healthz",
        ),
        "tests/service/test_reload_tls.py::test_a_certificate_to_try_it_out",
    ),
    "docker compose -f deploy/compose.yaml up --build --detach":
        "tests/deploy/test_compose.py::test_compose_finds_nothing_wrong",
    # No test changes the machine that it runs on: the files are checked by the programs that read them.
    **dict.fromkeys(
        (
            "sudo useradd --system --no-create-home --shell /usr/sbin/nologin face-verification",
            "sudo touch /etc/face-verification.env",
            "sudo chown root:face-verification /etc/face-verification.env",
            "sudo chmod 640 /etc/face-verification.env",
            "sudo cp deploy/face-verification.service /etc/systemd/system/",
            "sudo systemctl daemon-reload",
            "sudo systemctl enable --now face-verification",
        ),
        "tests/deploy/test_systemd.py::test_systemd_finds_nothing_wrong",
    ),
    **dict.fromkeys(
        (
            "sudo -u face-verification env $(systemctl show -p Environment --value face-verification) \\",
            "  .venv/bin/python -m service --env-file /etc/face-verification.env keys create "
            '"Front door" --role verify',
        ),
        "tests/deploy/test_systemd.py::test_the_documented_command_makes_the_key_where_the_service_looks",
    ),
    **dict.fromkeys(
        (
            "sudo cp deploy/nginx.conf /etc/nginx/sites-available/face-verification",
            "sudo ln -s /etc/nginx/sites-available/face-verification /etc/nginx/sites-enabled/",
            "sudo nginx -t && sudo systemctl reload nginx",
        ),
        "tests/deploy/test_nginx.py::test_the_site_is_valid",
    ),
}  # fmt: skip

# Where this file runs the others. Each test fails where it leaves one of its own out.
CLONE = "git clone ADDRESS face-verification"
ENTER = "cd face-verification"
WITHOUT_GIT = "dvc config --local core.no_scm true"
CHECK = "python -c \"import torch, facenet_pytorch, onnxruntime, sklearn, flask; print('installed')\""
DEMO = "cp -R demo/me demo/not_me data/"
ADD = "dvc add data/me data/not_me"
SAVE = 'python -m history save "Before the experiment"'
EXPERIMENT = "dvc exp run -S train.verifier=logistic_regression -n regression"
METRICS = "dvc metrics diff --targets reports/evaluation_results.json --no-path | grep -E '^(Metric|metrics|operating)'"
SHOW = (
    "dvc exp show --md --only-changed --drop 'Created|State|Executor|models.*|reports.*|data.*|"
    ".*(f1|precision|recall|accuracy|auc|interval|error|operating|target|undegraded|doubles|population|estimated|worst)"
    ".*|verifier'"
)
QUEUE = (
    "dvc exp run --queue -S train.C=0.1 -n weak", "dvc exp run --queue -S train.C=0.01 -n weaker",
    "dvc queue start", "dvc queue status",
)  # fmt: skip
SECOND = "git clone ADDRESS second && cd second && dvc pull"
KEY = "export MODEL_SIGNING_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')"
SIGN = "dvc repro --force --single-item export train evaluate report"
VERIFY, EXPLAIN = "python -m faces verify demo/ask", "python -m faces explain demo/ask/me_2.jpg"
RUN_HERE: dict[str, tuple[str, ...]] = {
    "test_clone": (CLONE, ENTER),
    "test_a_project_without_git": (WITHOUT_GIT,),
    "test_building": (
        CHECK, DEMO, ADD, "dvc repro", "dvc repro train", "dvc status", "python -m stages.crop", SAVE,
        "dvc repro --force export",
    ),
    "test_experiments": (
        'python -m history save "Before the experiments"', EXPERIMENT, "dvc params diff", METRICS, "dvc plots diff",
        *QUEUE, SHOW, "python -m history apply weaker", "python -m history back",
    ),
    "test_second_computer": (
        "dvc remote add --default storage ../face-storage",
        'git commit --all --message "Where DVC keeps its data"', "dvc push", SECOND,
    ),
    "test_versions_of_the_model": (
        'git tag --annotate me-verifier@v1.0.0 --message "First model in service"',
        "dvc artifacts get . me-verifier --rev v1.0.0 --out me-verifier.joblib",
    ),
    "test_signed_records": (KEY, SIGN),
    "test_asking_without_a_server": (VERIFY, EXPLAIN),
    "test_consent_taken_back": (
        'python -m history save "Without the photos of one person"', "dvc gc --workspace --force",
        'python -m history save "Before the update"',
    ),
}  # fmt: skip


def code_blocks(language: str) -> list[str]:
    """The code blocks of a language that ask the service, as printed, each once."""
    blocks = (block for name in ENGLISH for section in PAGES[name].sections for block in section.blocks)
    own = (body for kind, body in blocks if kind == language and SERVICE in body and "/admin/" not in body)
    return list(dict.fromkeys(own))


def test_every_command_is_run_somewhere() -> None:
    asked = {line for block in code_blocks("bash") for line in block.splitlines()}
    here = {command for own in RUN_HERE.values() for command in own}
    assert set(commands()) == here | set(RUN_ELSEWHERE) | asked
    for place in [*RUN_ELSEWHERE.values(), *(f"tests/docs/test_commands.py::{test}" for test in RUN_HERE)]:
        file, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), place


# The service's examples.


@pytest.fixture(scope="module")
def server(
    networks_dir: Path, trained_models: TrainedModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    settings = Settings(
        model_path=trained_models.path / "model.joblib",
        scaler_path=trained_models.path / "scaler.joblib",
        networks_path=networks_dir,
        keys_path=trained_models.path / "no_keys.json",
    )
    with running(GUNICORN, settings, tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture
def folder(trained_models: TrainedModels, tmp_path: Path) -> Path:
    """A folder with the photos that the examples speak of: photo.jpg, and photos/."""
    shutil.copy(trained_models.me_photos[0], tmp_path / "photo.jpg")
    (tmp_path / "demo/ask").mkdir(parents=True)
    shutil.copy(trained_models.me_photos[0], tmp_path / "demo/ask/me_2.jpg")
    (tmp_path / "photos").mkdir()
    shutil.copy(trained_models.me_photos[1], tmp_path / "photos" / "me.jpg")
    shutil.copy(trained_models.stranger_photos[0], tmp_path / "photos" / "stranger.jpg")
    return tmp_path


def output_of(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", code_blocks("bash"))
def test_curl_examples(block: str, server: Server, folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    printed = output_of(["sh", "-c", block.replace(SERVICE, server.url)], folder)
    if " -i " in block:
        head, _, printed = printed.replace("\r", "").partition("\n\n")
        assert "X-Request-ID: order-1234" in head.splitlines()
    answer = json.loads(printed)
    if "/verify" in block:
        (shown,) = {body for section in PAGES["docs/api.md"].sections for kind, body in section.blocks
                    if kind == "json"}  # fmt: skip
        more = ["faces_found", "faces"] if "faces=all" in block else []
        assert 0 < answer.pop("strangers_like_this") < 1  # the model of the demo, whose answer is shown, says none
        assert list(answer) == list(json.loads(shown)) + more
        assert answer["is_me"] is True
    elif "/version" in block:
        digests = ["model_sha256", "verifier_sha256", "networks_sha256"]
        assert list(answer) == ["model_version", "backbone", *digests, "git_revision", "dvc_lock_sha256"]
        assert all(re.fullmatch("[0-9a-f]{64}", answer[name]) for name in digests)
    else:
        assert answer == {"status": "ok"}


def test_python_examples(server: Server, folder: Path) -> None:
    single, many, health = (block.replace(SERVICE, server.url) for block in code_blocks("python"))
    assert output_of([sys.executable, "-c", single], folder).startswith("me ")
    lines = output_of([sys.executable, "-c", many], folder).splitlines()
    assert [line.split()[:2] for line in lines] == [["me.jpg", "True"], ["stranger.jpg", "False"]]
    assert output_of([sys.executable, "-c", health], folder) == "200 ok\n"


@pytest.mark.parametrize("name", ["README.md", "docs/api.md"])
def test_there_is_an_example_of_each(name: str) -> None:
    kinds = [kind for section in PAGES[name].sections for kind, body in section.blocks if SERVICE in body]
    assert sorted(kinds) == ["bash"] * (4 if name == "docs/api.md" else 2) + ["python"] * 3


# Commands of git and DVC.


class Terminal:
    """Runs lines of the documents, and holds a test to those that it is to run."""

    def __init__(self, test: str) -> None:
        self.left = set(RUN_HERE[test])

    def run(self, clone: Clone, command: str, really: str | None = None) -> str:
        """Run a command, which must end well; returns what it printed. `really` has a path where it says ADDRESS."""
        self.left.discard(command)
        done = clone.call("bash", "-c", really or command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal for the test that asks for it; at its end no command may be left over."""
    opened = Terminal(request.node.name)
    yield opened
    assert not opened.left, f"not run: {opened.left}"


def output_shown(command: str) -> list[str]:
    """Lines of the block without a language that follows the block which ends with a command."""
    for name in ENGLISH:
        found = re.search(
            rf"^{re.escape(command)}\n```\n.*?^```\n(.*?)^```$", PAGES[name].text, re.MULTILINE | re.DOTALL
        )
        if found:
            return found[1].splitlines()
    raise AssertionError(f"no page shows what {command} prints")


def columns(row: str) -> list[str]:
    """A table's columns: separated by bars in Markdown, by two spaces or more elsewhere."""
    return [cell.strip() for cell in re.split(r"\||\s{2,}", row) if cell.strip()]


def test_clone(tmp_path: Path, terminal: Terminal) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("the project is not a git repository: there is nothing to clone")
    terminal.run(Clone(tmp_path), CLONE, CLONE.replace("ADDRESS", f"'{ROOT}'"))
    terminal.run(Clone(tmp_path), ENTER, f"{ENTER} && test -f quickstart.py")


def test_a_project_without_git(tmp_path: Path, terminal: Terminal) -> None:
    clone = new_clone(tmp_path / "unpacked")
    shutil.rmtree(clone.path(".git"))
    clone.failing_dvc("dag")
    terminal.run(clone, WITHOUT_GIT)
    assert "crop" in clone.dvc("dag")


@dataclass(frozen=True)
class Built:
    """A clone that was built as the documents say.

    Attributes:
        clone: with the demo's portraits, built and saved. Tests change copies of it.
        printed: the commands that were run, in order, and what each printed.
    """

    clone: Clone
    printed: list[tuple[str, str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    clone = new_clone(tmp_path_factory.mktemp("documents") / "clone")
    clone.commit("Project")
    printed = [("", _without_photos(clone))]
    for command in (CHECK, DEMO, ADD, "dvc status", "dvc repro train", "dvc repro", "dvc status", SAVE):
        done = clone.call("bash", "-c", command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed.append((command, done.stdout))
    return Built(clone, printed)


@pytest.fixture
def mine(built: Built, tmp_path: Path) -> Clone:
    """A copy of the built clone."""
    return built.clone.copy(tmp_path / "project")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_building(built: Built, mine: Clone, terminal: Terminal) -> None:
    terminal.left -= {command for command, _ in built.printed}
    without, check, _, _, before, trained, rest, after, _ = (said for _, said in built.printed)
    assert "missing data 'source': data/me" in without
    assert check == "installed\n"
    assert "data/cropped" in before
    assert stages_run(trained) == ["export", "crop", "embed", "quality", "train"]
    assert stages_run(rest) == ["evaluate", "robustness", "report"]
    assert after == "Data and pipelines are up to date.\n"
    assert mine.git("status", "--porcelain") == ""
    run = partial(terminal.run, mine)
    run("python -m stages.crop")
    run("dvc repro --force export")
    assert "Data and pipelines are up to date." in run("dvc repro")
    assert mine.git("status", "--porcelain") == ""


def _without_photos(clone: Clone) -> str:
    """What `dvc repro` says where data/me is tracked and not there."""
    for name in ("me", "not_me"):
        text = f"outs:\n- md5: {'0' * 32}.dir\n  nfiles: 1\n  size: 1\n  hash: md5\n  path: {name}\n"
        clone.path(f"data/{name}.dvc").write_text(text, encoding="utf-8")
    said = clone.failing_dvc("repro", "data/me.dvc")
    for name in ("me", "not_me"):
        clone.path(f"data/{name}.dvc").unlink()
    return said


@pytest.mark.long
@pytest.mark.timeout(900)
def test_experiments(mine: Clone, terminal: Terminal) -> None:
    run = partial(terminal.run, mine)
    run('python -m history save "Before the experiments"')
    measured = mine.path("reports/evaluation_results.json")
    before = measured.read_text("utf-8")
    assert stages_run(run(EXPERIMENT)) == ["train", "evaluate", "robustness", "report"]
    tried = measured.read_text("utf-8")
    assert tried != before
    for command in ("dvc params diff", METRICS):
        shown, printed = output_shown(command), run(command).splitlines()
        assert columns(printed[0]) == columns(shown[0])
        assert [columns(row)[0] for row in printed[1:]] == [columns(row)[0] for row in shown[1:]]
        if command == METRICS:  # another machine's last digits may differ
            figures = [[float(cell) for row in rows[1:] for cell in columns(row)[1:]] for rows in (shown, printed)]
            assert figures[0] == pytest.approx(figures[1], abs=2e-3)
    assert output_shown("dvc params diff") == run("dvc params diff").splitlines()
    assert run("dvc plots diff").strip().endswith("/dvc_plots/index.html")

    if str(mine.root).isascii():
        _run_queue(mine, terminal)
    new = mine.path("data/me/not_added_yet.jpg")
    shutil.copy(ROOT / "demo/ask/me_1.jpg", new)
    if str(mine.root).isascii():
        run("python -m history apply weaker")
        assert "C: 0.01" in mine.path("params.yaml").read_text("utf-8")
        assert new.is_file()
    run("python -m history back")  # to the save that apply made or, without it, to the first one
    assert "C: 1.0 " in mine.path("params.yaml").read_text("utf-8")
    assert measured.read_text("utf-8") == (tried if str(mine.root).isascii() else before)
    assert new.is_file()
    if not str(mine.root).isascii():
        terminal.left -= {*QUEUE, SHOW, "python -m history apply weaker"}
        pytest.skip(f"the queue, of which DVC itself can make nothing in a path that is not ASCII: {mine.root}")


def _run_queue(mine: Clone, terminal: Terminal) -> None:
    """Queue two experiments, wait for them, and compare the table."""
    for command in QUEUE:
        terminal.run(mine, command)
    shown = output_shown("dvc queue status")
    for _ in range(400):
        printed = terminal.run(mine, "dvc queue status").splitlines()
        assert columns(printed[0]) == columns(shown[0])
        states = {columns(row)[1]: columns(row)[-1] for row in printed[1:3]}
        assert "Failed" not in states.values(), mine.dvc("queue", "logs", "weaker")
        if set(states.values()) == {"Success"}:
            break
        time.sleep(1)
    assert states == {"weak": "Success", "weaker": "Success"}
    shown, printed = output_shown(SHOW), terminal.run(mine, SHOW).splitlines()
    assert sorted(columns(printed[0])) == sorted(columns(shown[0]))  # DVC puts them in any order
    rows = {"workspace", "main", "[weak]", "[weaker]", "[regression]"}
    for table in (shown, printed):
        assert {columns(row)[0].split()[-1] for row in table[2:7]} == rows


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_second_computer(mine: Clone, terminal: Terminal) -> None:
    if not str(mine.root).isascii():
        terminal.left.clear()
        pytest.skip(f"`dvc remote add`, which fails in DVC itself in a path that is not ASCII: {mine.root}")
    for command in RUN_HERE["test_second_computer"][:3]:
        terminal.run(mine, command)
    terminal.run(Clone(mine.root.parent), SECOND, SECOND.replace("ADDRESS", f"'{mine.root}'"))
    second = Clone(mine.root.parent / "second")
    assert second.outputs().keys() == mine.outputs().keys()
    assert second.dvc("status") == "Data and pipelines are up to date.\n"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_versions_of_the_model(mine: Clone, terminal: Terminal) -> None:
    run = partial(terminal.run, mine)
    for command in RUN_HERE["test_versions_of_the_model"]:
        run(command)
    assert mine.path("me-verifier.joblib").read_bytes() == mine.path("models/model.joblib").read_bytes()


@pytest.mark.slow
@pytest.mark.security
@pytest.mark.timeout(600)
def test_signed_records(mine: Clone, terminal: Terminal) -> None:
    printed = terminal.run(mine, KEY, f"{KEY}; echo $MODEL_SIGNING_KEY")
    terminal.run(mine, SIGN, f"export MODEL_SIGNING_KEY={printed.strip()}; {SIGN}")
    trust = Trust(printed.strip().encode())
    for stage in ("export", "train", "evaluate", "report"):
        assert read_record(mine.path("models"), stage, mine.path("models"), trust.key)
    assert Verifier.load(mine.path("models/model.joblib"), mine.path("models/scaler.joblib"), trust)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_consent_taken_back(mine: Clone, terminal: Terminal) -> None:
    run = partial(terminal.run, mine)
    run('python -m history save "Before the update"')
    photo = sorted(mine.path("data/not_me").rglob("*.jpg"))[0]
    kept = photo.read_bytes()
    photo.unlink()
    run(ADD)
    run("dvc repro")
    run('python -m history save "Without the photos of one person"')
    run("dvc gc --workspace --force")
    assert photo.relative_to(mine.path("data")).as_posix() not in set(mine.index()["photo"])
    assert mine.dvc("status") == "Data and pipelines are up to date.\n"
    cached = (path for path in mine.path(".dvc/cache").rglob("*") if path.is_file())
    assert not any(path.read_bytes() == kept for path in cached if path.stat().st_size == len(kept))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_asking_without_a_server(mine: Clone, terminal: Terminal) -> None:
    done = mine.call("env", "LC_ALL=C.UTF-8", "bash", "-c", VERIFY)
    terminal.left.discard(VERIFY)
    assert done.returncode == 1, done.stdout + done.stderr  # three of them are strangers
    shown, printed = output_shown(VERIFY), done.stdout.splitlines()
    assert len(shown) == len(printed) and (shown[0], shown[-1]) == (printed[0], printed[-1])
    for row, told in zip(shown[1:7], printed[1:7], strict=True):
        photo, answer, score, threshold = columns(row)
        assert columns(told)[:2] == [photo, answer] and columns(told)[3] == threshold
        assert float(columns(told)[2]) == pytest.approx(float(score), abs=2e-3)
    printed = terminal.run(mine, EXPLAIN, f"export LC_ALL=C.UTF-8; {EXPLAIN}").split()
    assert printed[1:] == ["is", "written"] and mine.path(printed[0]).is_file()
    assert mine.git("status", "--porcelain") == ""
