"""What decided a result: the hash of the code sees what is computed, and nothing that is not."""

from __future__ import annotations

import ast
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faces import fingerprint
from faces.fingerprint import canonical, code_hash, imported_modules, package_versions

SOURCE = '''
"""A docstring."""
from __future__ import annotations

import math
from dataclasses import dataclass

SCALE = 0.6
"""What it is scaled by."""


@dataclass
class Point:
    """A point."""

    x: float
    """Where it is."""

    def far(self, *, limit: float = 1e3) -> bool:
        """Whether it is far away."""
        return abs(self.x) * SCALE > limit or f"{self.x:.{3}f}" "x" == "a" f"{'b'!r}" 'c\\u00e9'  # a comment
'''


# Most of what the language has, also where Pythons since 3.11 give other trees for it: empty fields, f-strings.
CONSTRUCTS = r"""
from __future__ import annotations
import a.b as c, d
from e import (f as g, h)
async def i(j, /, k: int = 1, *l, m: str = "n", **o) -> "p":
    global q
    async with r as s, t:
        await u
    async for v in w: yield v
class x(y, metaclass=z):
    def __init__(self): super().__init__()
def aa():
    try:
        raise bb from cc
    except (dd, ee) as ff:
        pass
    else: del hh[0:1:2, ...]
    finally: assert ii, "jj"
kk = [ll for mm in nn if oo for pp in qq]
rr = {**ss, "tt": lambda uu, *vv: (ww := xx)}
yy = f"{zz!r:>{ab}} {{}} {ac:%Y-%m} {ad=} " f"ae" "af"
ag: int
ah @= ai if aj else -1 ** ~2 // 3j
match ak:
    case {"al": [am, *_], **an} if ao: ...
    case ap(aq=1) | None | "ar" | -1.5: ...
as_ = b"\x00" if False else "\u00e9\U0001F600\ud800"
"""

CONSTRUCTS_SHA256 = "257b6e75422bd58557642adf9d0150415fc309b039ff945e0568256b397fcece"
"""As Python 3.11, 3.12, 3.13 and 3.14 have it."""


def hashed(source: str) -> str:
    return canonical(ast.parse(source))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A docstring."""', '"""Another."""'),
        ('"""A docstring."""\n', ""),
        ('"""What it is scaled by."""', ""),
        ('        """Whether it is far away."""\n', ""),
        ('    """Where it is."""\n', ""),
        ("# a comment", ""),
        ("import math\n", "import math  # noqa\n\n\n"),
        ("'c\\u00e9'", '"cé"'),
        ("1e3", "1000.0"),
        ("(self, *, limit: float = 1e3)", "(\n        self,\n        *,\n        limit: float = 1e3,\n    )"),
    ],
)
def test_what_computes_the_same_is_the_same(old: str, new: str) -> None:
    assert old in SOURCE
    assert hashed(SOURCE.replace(old, new)) == hashed(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.6", "0.60001"),
        ("0.6", "'0.6'"),
        ("1e3", "1000"),  # a float is no int
        (" > ", " >= "),
        (" or ", " and "),
        ("abs(self.x)", "self.x"),
        ("@dataclass\n", ""),
        ("*, limit", "limit"),
        ("import math", "import cmath"),
        ("!r", "!s"),
        (".{3}f", ".{4}f"),
        ('"x"', '"y"'),
        ("x: float", "x: int"),
    ],
)
def test_what_computes_something_else_is_another(old: str, new: str) -> None:
    assert old in SOURCE
    assert hashed(SOURCE.replace(old, new)) != hashed(SOURCE)


def test_every_python_has_the_same_hash() -> None:
    assert hashlib.sha256(hashed(CONSTRUCTS).encode()).hexdigest() == CONSTRUCTS_SHA256


def test_a_body_of_a_docstring_alone_is_an_empty_body() -> None:
    assert hashed('def f():\n    """Nothing."""\n') == hashed('def f():\n    "Still nothing."\n')


def test_texts_that_are_used_count() -> None:
    assert hashed('def f():\n    return "a"\n') != hashed('def f():\n    return "b"\n')
    assert hashed('g("a")\n') != hashed('g("b")\n')


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project: faces.top imports faces.middle, which imports faces.deep within a function."""
    files = {
        "faces/__init__.py": "",
        "faces/top.py": "from faces import middle\nimport numpy\n",
        "faces/middle.py": "def f():\n    from faces.below.deep import VALUE\n    return VALUE\n",
        "faces/below/__init__.py": "",
        "faces/below/deep.py": "VALUE = 1\n",
        "faces/aside.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from faces.top import middle\n",
        "faces/relative.py": "from .below import deep\n",
        "numpy.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    code_hash.cache_clear()
    yield tmp_path
    code_hash.cache_clear()


@pytest.mark.usefixtures("project")
def test_imports_are_followed_however_deep() -> None:
    whole = ["faces", "faces.below", "faces.below.deep", "faces.middle", "faces.top"]
    assert imported_modules("faces.top") == whole
    assert imported_modules("faces.middle") == whole[:-1]
    assert imported_modules("faces.relative") == ["faces", "faces.below", "faces.below.deep", "faces.relative"]


@pytest.mark.usefixtures("project")
def test_imports_for_type_checkers_alone_decide_nothing() -> None:
    assert imported_modules("faces.aside") == ["faces", "faces.aside"]


@pytest.mark.parametrize("name", ["faces/top.py", "faces/middle.py", "faces/below/deep.py", "faces/below/__init__.py"])
def test_a_change_anywhere_below_is_seen(project: Path, name: str) -> None:
    before = code_hash("faces.top")
    path = project / name
    text = path.read_text(encoding="utf-8")
    path.write_bytes(b"# a comment\r\n" + text.replace("\n", "\r\n").encode())
    code_hash.cache_clear()
    assert code_hash("faces.top") == before
    path.write_text(f"{text}\nOTHER = 2\n", encoding="utf-8")
    code_hash.cache_clear()
    assert code_hash("faces.top") != before


def test_a_file_that_is_not_imported_does_not_count(project: Path) -> None:
    before = code_hash("faces.middle")
    (project / "faces/top.py").write_text("x = 3\n", encoding="utf-8")
    code_hash.cache_clear()
    assert code_hash("faces.middle") == before


def test_a_module_that_is_moved_is_another(project: Path) -> None:
    before = code_hash("faces.below.deep")
    shutil.copy(project / "faces/below/deep.py", project / "faces/below/other.py")
    assert code_hash("faces.below.other") != before


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["numpy", "faces.nothing", "json"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is no module of the project"):
        code_hash(name)


def test_another_process_has_the_same_hash() -> None:
    modules = ("faces.verification", "stages.crop.one_photo", "stages.embed.torch_embedder")
    program = f"from faces.fingerprint import code_hash; print(code_hash(*{modules!r}))"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program], cwd=fingerprint.ROOT, check=True, capture_output=True,
        text=True, env={"PYTHONHASHSEED": "7", "LC_ALL": "C", "PATH": ""},
    )  # fmt: skip
    assert done.stdout.strip() == code_hash(*modules)


def test_what_decides_an_embedding_is_named() -> None:
    made_with = fingerprint.embedding_fingerprint()
    assert made_with["code"] == code_hash("faces.recognition.recognizer")
    assert set(made_with) >= {"code", "numpy", "onnxruntime", "pillow"}


def test_versions_of_packages() -> None:
    versions = package_versions(["pillow", "no-such-package"])
    assert versions["no-such-package"] == "none"
    assert versions["pillow"][0].isdigit()
