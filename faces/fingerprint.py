"""What decided a result besides its input: the project's code and the versions of the packages that compute.

A crop or an embedding is a pure function of the photo, the networks, the parameters, the code and the packages. To
take over what an earlier run made, or to trust a model that was trained elsewhere, one must know that none of these has
changed. A number that somebody raises by hand is forgotten; so the code is hashed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The project's root, below which modules are the project's own."""

PACKAGES = ("numpy", "onnxruntime", "pillow", "pi-heif")
"""Those that compute on the way from a photo to its score."""

_OWN_PACKAGES = ("faces", "stages")  # what decides a result lies in these two

# Fields of syntax trees that say nothing of what is computed, or that not every supported Python has.
_PASSED_OVER = ("ctx", "kind", "type_comment", "type_ignores")


@functools.cache
def code_hash(*modules: str) -> str:
    """Hash of the code of modules and of all that they import from the project, however deep.

    It is made of syntax trees without docstrings, so comments, docstrings and the layout of the source do not count.
    It is the same on every supported version of Python and on every system.

    Args:
        modules: dotted names, such as "faces.recognition.recognizer".

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: a module is none of the project's.
        OSError, SyntaxError: a source file cannot be read.
    """
    parts = [f"{name}={canonical(tree)}" for name, tree in sorted(_closure(modules).items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def imported_modules(*modules: str) -> list[str]:
    """The project's modules that modules import, however deep, themselves included; sorted dotted names.

    Raises:
        ValueError, OSError, SyntaxError: as `code_hash`.
    """
    return sorted(_closure(modules))


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions by name of distribution, such as {"numpy": "2.4.6"}; "none" where one is not installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "none"
    return versions


def embedding_fingerprint() -> dict[str, str]:
    """What turns a photo into an embedding here, the networks aside: a hash of the code, and versions of packages."""
    return {"code": code_hash("faces.recognition.recognizer"), **package_versions(PACKAGES)}


def scoring_fingerprint() -> str:
    """Hash of the code that turns an embedding into a score."""
    return code_hash("faces.verifier")


def _closure(modules: Iterable[str]) -> dict[str, ast.Module]:
    """Syntax trees by dotted name, of modules and all that they import from the project, packages included."""
    trees: dict[str, ast.Module] = {}
    waiting = list(modules)
    for name in waiting:
        if _source(name) is None:
            raise ValueError(f"{name} is no module of the project in {ROOT}")
    while waiting:
        name = waiting.pop()
        source = _source(name)
        if source is None or name in trees:
            continue
        trees[name] = ast.parse(source.read_bytes())
        waiting += _imports(trees[name], name if source.name == "__init__.py" else name.rpartition(".")[0])
        if "." in name:
            waiting.append(name.rpartition(".")[0])  # importing a module runs its package's __init__.py, too
    return trees


def _source(module: str) -> Path | None:
    """The file of one of the project's modules; None for any other name."""
    parts = module.split(".")
    if parts[0] not in _OWN_PACKAGES:
        return None
    path = ROOT.joinpath(*parts)
    found = (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())
    return next(found, None)


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Names that a module may import, those within functions included, those for type checkers alone left out.

    Of `from a.b import c` both a.b and a.b.c, as c may be a module: which of them are modules is for the caller to see.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def canonical(node: Any) -> str:
    """A syntax tree as text that is the same on every supported Python; docstrings are left out.

    `ast.dump` will not do: Python 3.12 and 3.13 changed which empty fields it shows, and 3.12 splits f-strings anew.

    Args:
        node: an `ast.AST`, a list of them, or a value that a field of one holds.
    """
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr[{','.join(canonical(part) for part in _joined(node.values))}]"
    if isinstance(node, ast.AST):
        fields = (
            f"{name}={canonical(value)}"
            for name, value in ast.iter_fields(node)
            if name not in _PASSED_OVER and value is not None and value != []
        )
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(canonical(item) for item in node if not _is_text_alone(item))}]"
    return f"{type(node).__name__}:{node!a}"  # ASCII: which letters are printed as they are differs between Pythons


def _is_text_alone(node: Any) -> bool:
    """Whether it is a statement of a text and nothing else: a docstring, of whatever it stands below."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _joined(parts: list[ast.expr]) -> Iterator[ast.expr]:
    """The parts of an f-string, neighbouring texts put together and empty ones left out."""
    text = ""
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            text += part.value
            continue
        if text:
            yield ast.Constant(text)
        text = ""
        yield part
    if text:
        yield ast.Constant(text)
