"""Single faults that can be put into the project's files, as bench/mutations.toml lists them."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path


class FaultError(Exception):
    """The list of faults cannot be used; the message names the fault, says what is wrong and what to do."""


@dataclass(frozen=True)
class Fault:
    """One change that makes the project wrong.

    Attributes:
        name: short and unique.
        file: what is changed, relative to the project's root, with "/".
        find: text that stands in the file exactly once.
        replace: what takes its place.
        harm: what a user would suffer.
        tests: arguments of pytest that name the nearest tests.
    """

    name: str
    file: str
    find: str
    replace: str
    harm: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The file's text with the fault in it.

        Raises:
            FaultError: the file is not there, the text does not stand in it exactly once, or what comes out is no
                Python: a test would fail whatever it looked at.
        """
        try:
            text = (root / self.file).read_text(encoding="utf-8")
        except OSError as error:
            raise FaultError(
                f"{self.name}: {self.file} cannot be read ({error.strerror}): correct its `file`"
            ) from error
        found = text.count(self.find)
        if found != 1:
            raise FaultError(
                f"{self.name}: the text to find stands {found} times in {self.file}, expected once: write its `find` "
                f"anew, so that the fault is the same in the file as it is now"
            )
        changed = text.replace(self.find, self.replace)
        if changed == text:
            raise FaultError(f"{self.name}: `find` and `replace` are the same: nothing would be wrong")
        if self.file.endswith(".py"):
            try:
                ast.parse(changed)
            except SyntaxError as error:
                raise FaultError(f"{self.name}: {self.file} would be no Python ({error}): correct `replace`") from error
        return changed


def read_faults(path: Path) -> list[Fault]:
    """The faults of a list, in its order.

    The list is TOML: `[tests]` names the nearest tests of each file that is changed, `[[fault]]` has the fields of
    `Fault`, and `tests` only where those of its file are not the nearest.

    Raises:
        FaultError: the list is not readable, a field is missing, unknown or empty, or a name is there twice.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FaultError(f"{path} cannot be read ({error}); expected TOML with [tests] and [[fault]]") from error
    nearest: dict[str, list[str]] = content.get("tests", {})
    faults: list[Fault] = []
    for number, entry in enumerate(content.get("fault", []), start=1):
        name = entry.get("name") or f"fault number {number}"
        values = {"tests": nearest.get(entry.get("file", ""), []), **entry}
        fields = set(Fault.__dataclass_fields__)
        empty = {field for field in fields - {"replace"} if not values.get(field)}
        wrong = (fields - values.keys()) | empty | (values.keys() - fields)
        if wrong:
            raise FaultError(f"{path}: {name}: {', '.join(sorted(wrong))} missing, empty or unknown")
        if any(fault.name == name for fault in faults):
            raise FaultError(f"{path}: {name} is there twice: give one of them another name")
        faults.append(Fault(**{**values, "tests": tuple(values["tests"])}))
    return faults
