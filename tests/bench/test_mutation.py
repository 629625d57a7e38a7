"""bench.mutation on a project made for it: what is noticed, what survives, what is left behind; and its own list."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import mutation
from bench.mutation import Verdict, choose, select_tests, table, try_faults
from bench.support.faults import Fault, FaultError, read_faults
from tests.conftest import ROOT
from tests.stages.support import posix_only

FAULTS = read_faults(ROOT / mutation.FAULTS)


class TestList:
    """bench/mutations.toml belongs to the project as it is now."""

    def test_every_fault_applies_and_its_tests_are_there(self) -> None:
        wrong = []
        for fault in FAULTS:
            try:
                fault.applied(ROOT)
            except FaultError as error:
                wrong.append(str(error))
            options = [number for number, word in enumerate(fault.tests) if word in ("-m", "-k")]
            for number, test in enumerate(fault.tests):
                if {number, number - 1} & set(options):
                    continue
                file, *names = test.split("::")
                text = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
                if not (ROOT / file).exists() or not all(re.search(rf"(def|class) {name}\b", text) for name in names):
                    wrong.append(f"{fault.name}: there is no {test}: correct its `tests`")
        assert wrong == []

    def test_it_is_long_and_reaches_every_part(self) -> None:
        assert len(FAULTS) >= 150
        folders = {"/".join(fault.file.split("/")[:2]) for fault in FAULTS}
        stages = {f"stages/{path.parent.name}" for path in (ROOT / "stages").glob("*/__main__.py")}
        assert stages | {"stages/estimation", "stages/files", "faces/recognition", "faces/detection"} <= folders
        assert {"faces/cosine.py", "service/engine.py", "service/routes.py", "dvc.yaml"} <= folders


CODE = """
def larger(a: int, b: int) -> int:
    return a if a > b else b


def double(a: int) -> int:
    return 2 * a


def wait(seconds: float) -> None:
    assert seconds < 1
"""
TESTS = """
import time
from code_of_it import double, larger, wait


def test_larger():
    assert larger(1, 2) == 2
    assert larger(3, 2) == 3


def test_double():
    assert double(2) == 4


def test_wait():
    wait(0)
"""


def fault(name: str, find: str, replace: str, *tests: str, file: str = "package/code_of_it.py") -> Fault:
    return Fault(name, file, find, replace, f"harm of {name}", tests or ("tests/package/test_code.py",))


SWAPPED = fault("swapped", "a if a > b else b", "b if a > b else a")
UNSEEN = fault("unseen", "2 * a", "a + 2")
BROKEN = fault("broken", "2 * a", "3 * a", "tests/package/test_broken.py")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A git repository with a package and its tests, one of which fails. Afterwards it must be as it was."""
    monkeypatch.setattr(mutation, "LIBRARIES", ("pytest", "not_installed"))  # it needs none of the others
    root = tmp_path / "project"
    files = {
        "package/code_of_it.py": CODE,
        "tests/package/test_code.py": TESTS,
        "tests/package/test_broken.py": "def test_broken():\n    assert False\n",
        "tests/package/test_more.py": "from code_of_it import double\n\ndef test_more():\n    assert double(5) == 10\n",
        "pytest.ini": "[pytest]\npythonpath = package\ntestpaths = tests\n",
        ".gitignore": "ignored/\n",
        "ignored/big.bin": "x",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    yield root
    left = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith(".git/")} == set(files)
    assert all(left[name].read_text(encoding="utf-8") == content for name, content in files.items())


@pytest.fixture(params=["forked", "started"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With a process that has imported the libraries, and without, as on Windows."""
    if request.param == "started":
        monkeypatch.setattr(mutation, "POSSIBLE", False)
    elif not mutation.POSSIBLE:
        pytest.skip("this system cannot fork")
    return str(request.param)


@pytest.mark.slow
@pytest.mark.usefixtures("way")
def test_what_is_noticed_by_whom_and_what_survives(project: Path) -> None:
    """Two at once; the copies hold files that git does not know yet, and none that it ignores."""
    verdicts = try_faults([SWAPPED, UNSEEN, BROKEN, SWAPPED], project, jobs=2)
    assert [(verdict.fault.name, verdict.outcome) for verdict in verdicts] == [
        ("swapped", "noticed"), ("unseen", "survived"), ("broken", "not tried"), ("swapped", "noticed"),
    ]  # fmt: skip
    assert verdicts[0].by == "tests/package/test_code.py::test_larger"
    assert verdicts[1].by == ""
    assert "fails without it" in verdicts[2].by and "test_broken.py::test_broken" in verdicts[2].by


@pytest.mark.slow
@pytest.mark.usefixtures("way")
def test_a_fault_that_never_ends_is_noticed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "_LEAST_SECONDS", 3.0)
    monkeypatch.setattr(mutation, "_TIMES_AS_LONG", 0.0)
    endless = fault("endless", "assert seconds < 1", "import time; time.sleep(60 + 0 * seconds)")
    began = time.monotonic()
    (verdict,) = try_faults([endless], project)
    assert (verdict.outcome, verdict.by) == ("noticed", "not done after 3 s")
    assert time.monotonic() - began < 40


@pytest.mark.slow
def test_a_module_that_cannot_be_imported_any_more_is_noticed(project: Path) -> None:
    (verdict,) = try_faults([fault("import", "def larger(a", "import nowhere_at_all\n\ndef larger(a")], project)
    assert (verdict.outcome, verdict.by) == ("noticed", "tests/package/test_code.py")


@pytest.mark.slow
def test_the_tests_of_a_folder_or_all_can_be_run(project: Path) -> None:
    assert select_tests(UNSEEN, "nearest", project) == ("tests/package/test_code.py",)
    assert select_tests(UNSEEN, "folder", project) == ("tests/package",)
    assert select_tests(fault("", "", "", file="package/deeper/file.py"), "folder", project) == ("tests/package",)
    assert select_tests(fault("", "", "", file="dvc.yaml"), "folder", project) == ("tests/.",)
    assert select_tests(UNSEEN, "all", project) == ("tests",)
    (project / "tests/package/test_broken.py").write_text("def test_broken():\n    assert True\n", encoding="utf-8")
    (verdict,) = try_faults([UNSEEN], project, "folder")
    assert (verdict.outcome, verdict.by) == ("noticed", "tests/package/test_more.py::test_more")
    (project / "tests/package/test_broken.py").write_text("def test_broken():\n    assert False\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (fault("gone", "not there", "x"), "gone: the text to find stands 0 times in package/code_of_it.py"),
        (fault("twice", "a: int", "x"), "twice: the text to find stands 2 times"),
        (fault("same", "2 * a", "2 * a"), "same: `find` and `replace` are the same"),
        (fault("syntax", "2 * a", "2 *"), "syntax: package/code_of_it.py would be no Python"),
        (fault("no file", "x", "y", file="nowhere.py"), "no file: nowhere.py cannot be read"),
    ],
)
def test_a_fault_that_does_not_apply_is_named_before_any_is_tried(project: Path, wrong: Fault, said: str) -> None:
    with pytest.raises(FaultError) as caught:
        try_faults([SWAPPED, wrong], project)
    assert str(caught.value).startswith(said)


@pytest.mark.slow
def test_tests_that_are_not_there_are_an_error(project: Path) -> None:
    with pytest.raises(FaultError, match=r"pytest finds no test in tests/nowhere\.py"):
        try_faults([fault("lost", "2 * a", "3 * a", "tests/nowhere.py")], project)


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


ENTRY = "[[fault]]\nname = 'a'\nfile = 'x.py'\nfind = 'b'\nreplace = ''\nharm = 'h'\n"


def test_tests_are_those_of_the_file_unless_a_fault_names_its_own(tmp_path: Path) -> None:
    text = "[tests]\n'x.py' = ['t1', 't2']\n" + ENTRY + ENTRY.replace("'a'", "'b'") + "tests = ['t3']\n"
    first, second = read_faults(written(tmp_path, text))
    assert first == Fault("a", "x.py", "b", "", "h", ("t1", "t2"))
    assert second.tests == ("t3",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault]", "cannot be read"), (ENTRY, "a: tests missing"), (ENTRY + "tests = []\n", "a: tests missing"),
        ((ENTRY + "tests = ['t']\n") * 2, "a is there twice"), (ENTRY + "tests = ['t']\nharms = 1\n", "a: harms"),
        (ENTRY.replace("harm = 'h'\n", "tests = ['t']\n"), "a: harm missing"),
        (ENTRY.replace("name = 'a'\n", "tests = ['t']\n"), "fault number 1: name missing"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FaultError) as caught:
        read_faults(written(tmp_path, text))
    assert said in str(caught.value)


def test_faults_are_chosen_by_their_name_or_file() -> None:
    other = fault("other", "a", "b", file="elsewhere.py")
    assert choose([SWAPPED, UNSEEN, other], []) == [SWAPPED, UNSEEN, other]
    assert choose([SWAPPED, UNSEEN, other], ["unse", "elsewhere"]) == [UNSEEN, other]
    with pytest.raises(FaultError, match="no fault's name or file holds nothing"):
        choose([SWAPPED], ["swap", "nothing"])


def test_the_table_begins_with_what_survived() -> None:
    lines = table(
        [Verdict(SWAPPED, "noticed", "t::one"), Verdict(BROKEN, "not tried", "why"), Verdict(UNSEEN, "survived", "")]
    ).splitlines()
    assert [line.split()[0] for line in lines[::2]] == ["survived", "not", "noticed"]
    assert [line.strip() for line in lines[1::2]] == ["harm of unseen", "why", "t::one"]


PROGRAM = """
import sys
from pathlib import Path
from bench import mutation
mutation.ROOT = Path(sys.argv[1])
sys.argv = ["bench.mutation", *sys.argv[2:]]
mutation.LIBRARIES = ("pytest",)
mutation.main()
"""


@pytest.fixture
def program(project: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the bench as a program on that project, whose list has the faults given; its folders lie in `copies`."""
    (tmp_path / "copies").mkdir()

    def start(faults: list[Fault], *arguments: str) -> subprocess.Popen[str]:
        entries = [
            f"[[fault]]\nname = {json.dumps(one.name)}\nfile = {json.dumps(one.file)}\nfind = {json.dumps(one.find)}\n"
            f"replace = {json.dumps(one.replace)}\nharm = 'h'\ntests = {json.dumps(list(one.tests))}\n"
            for one in faults
        ]
        (project / "bench").mkdir(exist_ok=True)
        (project / "bench/mutations.toml").write_text("\n".join(entries), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "copies")}
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(project), *arguments], env=environment, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip

    yield start
    (project / "bench/mutations.toml").unlink()
    (project / "bench").rmdir()
    assert list((tmp_path / "copies").iterdir()) == [], "copies are deleted, however it ends"


@pytest.mark.slow
@posix_only
@pytest.mark.parametrize(("least", "status"), [("0.4", 0), ("0.6", 1)])
def test_the_last_line_is_json_and_the_status_says_whether_enough_are_noticed(
    program: Callable[..., subprocess.Popen[str]], least: str, status: int
) -> None:
    process = program([SWAPPED, UNSEEN], "--least", least, "--jobs", "1")
    output, errors = process.communicate(timeout=100)
    assert process.returncode == status, errors
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    wanted = {"bench": "mutation", "faults": 2, "noticed": 1, "share": 0.5, "survived": ["unseen"], "not_tried": [],
              "tests": "nearest"}  # fmt: skip
    assert {name: figures[name] for name in wanted} == wanted
    assert "1 of 2 noticed (50.0%)" in output


@posix_only
def test_it_lists_without_trying_and_says_what_it_does_not_know(
    program: Callable[..., subprocess.Popen[str]],
) -> None:
    listed, _ = program([SWAPPED, UNSEEN], "--list").communicate(timeout=100)
    assert [line.split()[0] for line in listed.splitlines()] == ["swapped", "unseen"]
    process = program([SWAPPED], "--only", "nothing")
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 1
    assert errors.strip() == "mutation: error: no fault's name or file holds nothing: --list shows them"


@pytest.mark.slow
@posix_only
def test_ctrl_c_ends_all_tests_and_leaves_nothing(
    program: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """In the middle of a fault that never ends, in two copies at once."""
    mark = tmp_path / "begun"
    endless = [
        fault(f"endless {number}", "assert seconds < 1",
              f"open({str(mark)!r}, 'a').write('x'); import time; time.sleep(600)") for number in (1, 2)
    ]  # fmt: skip
    process = program(endless, "--jobs", "2")
    deadline = time.monotonic() + 60
    while not mark.exists() or mark.read_text() != "xx":
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.strip().splitlines()[-1] == "mutation: stopped; the project is as it was"
    assert "Traceback" not in errors
    assert not running(str(tmp_path / "copies"))


def running(folder: str) -> list[int]:
    """Processes that work in a folder, as far as this system tells."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if str(path.readlink()).startswith(folder):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
