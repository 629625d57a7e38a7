"""The documents, and their parts: what tests compare with each other, with the code and with what commands print."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cached_property

from tests.conftest import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")

ENGLISH = (
    "README.md",
    "SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")),
)


def in_spanish(name: str) -> str:
    """The Spanish page of an English one: README.es.md, docs/es/api.md."""
    return name.replace("docs/", "docs/es/") if "/" in name else name.replace(".md", ".es.md")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level."""

    level: int
    title: str
    text: str

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Language and content of each code block, in order."""
        return BLOCK.findall(self.text)

    @property
    def prose(self) -> str:
        """The text without its code blocks."""
        return BLOCK.sub("", self.text)

    @property
    def code(self) -> list[str]:
        """The pieces of code within the text, in order."""
        return CODE.findall(self.prose)

    @property
    def rows(self) -> list[list[str]]:
        """The rows of its tables as cells, without the tables' heads."""
        bodies = re.findall(r"^\| ---.*\n((?:\|.*\n)+)", self.prose, re.MULTILINE)
        return [[cell.strip() for cell in row.strip("|").split("|")] for body in bodies for row in body.splitlines()]


@dataclass(frozen=True)
class Page:
    """A document.

    Attributes:
        name: its path from the project's root.
    """

    name: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def sections(self) -> list[Section]:
        """All of the page: what stands before the first heading is dropped, it only names the other language."""
        parts: list[Section] = []
        # A line of a shell's comment begins with # too: headings are looked for outside of blocks.
        hidden = BLOCK.sub(lambda match: re.sub(r"^#", "\0", match[0], flags=re.MULTILINE), self.text)
        found = list(re.finditer(r"^(#+) (.+)$", hidden, re.MULTILINE))
        for at, heading in enumerate(found):
            end = found[at + 1].start() if at + 1 < len(found) else len(hidden)
            parts.append(Section(len(heading[1]), heading[2], hidden[heading.end() + 1 : end].replace("\0", "#")))
        return parts

    @property
    def anchors(self) -> set[str]:
        """What a link can lead to behind `#`, as GitHub makes it of headings."""
        titles = (CODE.sub(r"\1", section.title) for section in self.sections)
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}

    @property
    def links(self) -> list[tuple[str, str]]:
        """Where links and pictures lead: see `links_in`."""
        return links_in(self.text, self.name)


def links_in(text: str, name: str) -> list[tuple[str, str]]:
    """Where the links and pictures of a text lead.

    Args:
        text: of a page, or a part of it.
        name: the page's.

    Returns:
        An address or a path from the project's root, and the anchor, "" for none.
    """
    found = []
    for link in LINK.findall(BLOCK.sub("", text)):
        target, _, anchor = link.partition("#")
        if link.startswith("https://"):
            found.append((link, ""))
        else:
            path = posixpath.join(posixpath.dirname(name), target)
            found.append((posixpath.normpath(path) if target else name, anchor))
    return found


PAGES = {name: Page(name) for english in ENGLISH for name in (english, in_spanish(english))}


def section_of(name: str, heading: str) -> Section:
    """The section of a page under a heading that is given in English, whatever the page's language."""
    english = name.replace("docs/es/", "docs/").replace(".es.md", ".md")
    titles = [section.title for section in PAGES[english].sections]
    assert heading in titles, f"{english} has no heading {heading!r}; it has {titles}"
    return PAGES[name].sections[titles.index(heading)]


def code_in(cell: str) -> list[str]:
    """The pieces of code in a cell."""
    return CODE.findall(cell)


def commands() -> list[str]:
    """Every command of the English pages without its comment, each once, in order (the Spanish ones have the same)."""
    lines = [
        re.sub(r"\s+#.*", "", line)
        for name in ENGLISH
        for section in PAGES[name].sections
        for language, body in section.blocks
        if language == "bash"
        for line in body.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line))


def both_languages(english: str) -> tuple[str, str]:
    """A page and its translation."""
    return english, in_spanish(english)
