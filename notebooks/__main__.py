"""Write the notebooks from their source.

    python -m notebooks

Both come from `lesson.py` beside this file, without outputs. Change that file, run this, and commit all three. The
texts are in two languages, the code is the same, so a correction of the code cannot be forgotten in one of them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from faces.files import write_bytes

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "lesson.py"
NAMES = {"en": "from_photo_to_decision.ipynb", "es": "de_la_foto_a_la_decision.ipynb"}
"""The notebook of each language."""

_CELL = re.compile(r"^# %%(?P<markdown> \[markdown\])?(?: (?P<language>en|es))?$\n", re.MULTILINE)
_FOLDED = {"jupyter": {"source_hidden": True}}  # the words of the plots: nobody has to read them


def cells(source: str, language: str) -> list[Any]:
    """The cells of one notebook.

    Args:
        source: as `lesson.py`; what stands before the first cell is for those who write it.
        language: that of the texts, en or es.
    """
    marks = list(_CELL.finditer(source))
    ends = [mark.start() for mark in marks[1:]] + [len(source)]
    made: list[Any] = []
    for mark, end in zip(marks, ends, strict=True):
        text, own = source[mark.end() : end].strip("\n"), mark["language"]
        if own not in (None, language):
            continue
        # The number names a cell: it is the same in both languages, and in the next version if nothing is put before.
        name = {"id": f"cell-{len(made):02}"}
        if mark["markdown"]:
            made.append(new_markdown_cell(re.sub(r"^# ?", "", text, flags=re.MULTILINE), **name))
        else:
            made.append(new_code_cell(text, metadata=_FOLDED if own else {}, **name))
    return made


def notebook(source: str, language: str) -> str:
    """A notebook as its file has it; arguments as for `cells`."""
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = new_notebook(cells=cells(source, language), metadata=metadata)
    nbformat.validate(made)
    return nbformat.writes(made) + "\n"


def main() -> None:
    """Write both."""
    source = SOURCE.read_text(encoding="utf-8")
    for language, name in NAMES.items():
        write_bytes(HERE / name, notebook(source, language).encode())
        print(HERE / name)


if __name__ == "__main__":
    main()
