"""The pages in English and in Spanish say the same, section by section; links lead somewhere; the README is short."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.docs.pages import BLOCK, CODE, ENGLISH, LINK, PAGES, Section, in_spanish, links_in

LONGEST_LINE = 120
MOST_WORDS = 2500
"""Of each README: more is a reference manual in the way of whoever wants to begin."""

EXPECTED = (
    "installation", "photos", "pipeline", "experiments", "api", "deployment", "evaluation", "benchmarks",
    "troubleshooting", "upgrading", "privacy", "audit", "licences", "architecture", "monitoring", "access",
    "encryption", "forget", "page", "teaching",
)  # fmt: skip

pairs = pytest.mark.parametrize("english", ENGLISH)
every_page = pytest.mark.parametrize("name", sorted(PAGES))


def sections(english: str) -> list[tuple[Section, Section]]:
    """The sections of a page with those of its translation."""
    return list(zip(PAGES[english].sections, PAGES[in_spanish(english)].sections, strict=True))


def shown(section: Section) -> list[tuple[str, list[str]]]:
    """The code blocks as lines without comments.

    Of trees and drawings, which hold prose, what comes first in each line: a path. What a command prints is compared
    whole.
    """
    result = []
    before = ""
    for language, body in section.blocks:
        lines = [re.sub(r"\s+#.*", "", line).rstrip() for line in body.splitlines()]
        if not language and "►" in body:
            lines = [""] * len(lines)
        elif not language and before != "bash":
            lines = [re.split(r"\s{3,}", line.lstrip())[0] for line in lines]
        result.append((language, lines))
        before = language
    return result


def code(section: Section) -> list[str]:
    """The code within the text, in any order: the order of a sentence is a language's own."""
    return sorted(piece.replace("<persona>", "<person>").replace("NOMBRE", "NAME") for piece in section.code)


def figures(section: Section, spanish: bool) -> list[str]:
    """The numbers of the text outside of code and addresses, in any order, as English writes them but for commas."""
    text = CODE.sub("", LINK.sub("]", section.prose))
    if spanish:
        text = re.sub(r"(?<=\d)\.(?=\d{3}\b)", "", text)
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    else:
        text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return sorted(re.findall(r"\d+(?:\.\d+)*", text))


def neutral(target: str) -> str:
    """Where a link leads, in either language."""
    return re.sub(r"-(en|es)\.(\w+)$", r".\2", target.replace("docs/es/", "docs/").replace(".es.md", ".md"))


def links(section: Section, name: str) -> list[str]:
    return sorted(neutral(target) for target, _ in links_in(section.text, name))


def test_every_page_is_there_in_both_languages() -> None:
    assert {f"docs/{page}.md" for page in EXPECTED} == set(ENGLISH) - {"README.md", "SECURITY.md"}
    spanish = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "es").glob("*.md")}
    assert spanish == {in_spanish(name) for name in ENGLISH} - {"README.es.md", "SECURITY.es.md"}


@pairs
def test_headings_are_of_the_same_level_in_the_same_order(english: str) -> None:
    levels = [[section.level for section in PAGES[name].sections] for name in (english, in_spanish(english))]
    assert levels[0] == levels[1]
    assert levels[0][0] == 1
    assert levels[0].count(1) == 1


@pairs
def test_code_blocks_are_the_same(english: str) -> None:
    for one, other in sections(english):
        assert shown(one) == shown(other), one.title


@pairs
def test_code_in_the_text_is_the_same(english: str) -> None:
    for one, other in sections(english):
        assert code(one) == code(other), one.title


@pairs
def test_figures_are_the_same(english: str) -> None:
    for one, other in sections(english):
        assert figures(one, spanish=False) == figures(other, spanish=True), one.title


@pairs
def test_tables_are_the_same(english: str) -> None:
    """As many rows and cells, and the same code in each cell."""
    for one, other in sections(english):
        in_cells = [
            [[sorted(code(Section(0, "", cell))) for cell in row] for row in section.rows] for section in (one, other)
        ]
        assert in_cells[0] == in_cells[1], one.title


@pairs
def test_links_and_pictures_are_the_same(english: str) -> None:
    for one, other in sections(english):
        assert links(one, english) == links(other, in_spanish(english)), one.title


@pairs
def test_each_page_leads_to_the_other_language_and_stays_in_its_own(english: str) -> None:
    spanish = in_spanish(english)
    for name, other in ((english, spanish), (spanish, english)):
        head = PAGES[name].text.partition("\n")[0]
        pages = [target for target, _ in PAGES[name].links if target.endswith(".md") and target in PAGES]
        assert other in pages
        assert head.startswith("*["), "the first line leads to the other language"
        same = [target for target in pages if target != other]
        assert all(("es/" in target or target.endswith(".es.md")) == (name == spanish) for target in same), same


@pytest.mark.parametrize("language", ["README.md", "README.es.md"])
def test_the_readme_leads_to_every_page(language: str) -> None:
    reached = {target for target, _ in PAGES[language].links}
    wanted = {name if language == "README.md" else in_spanish(name) for name in ENGLISH} - {language}
    assert wanted <= reached


@pytest.mark.parametrize("language", ["README.md", "README.es.md"])
def test_the_readme_is_short(language: str) -> None:
    assert len(PAGES[language].text.split()) <= MOST_WORDS


@every_page
def test_links_lead_somewhere(name: str) -> None:
    for target, anchor in PAGES[name].links:
        if target.startswith("https://"):
            continue
        assert (ROOT / target).exists(), target
        if anchor:
            assert anchor in PAGES[target].anchors, f"{target}#{anchor}"


@every_page
def test_tables_have_as_many_cells_in_every_row(name: str) -> None:
    for block in re.findall(r"(?:^\|.*\|\n)+", BLOCK.sub("", PAGES[name].text), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1, block


@every_page
def test_blocks_are_closed(name: str) -> None:
    assert PAGES[name].text.count("```") == 2 * len(BLOCK.findall(PAGES[name].text))


@every_page
def test_a_piece_of_code_is_on_one_line(name: str) -> None:
    """One that is broken over two lines shows a space where the command has none, or hides from these tests."""
    for line in BLOCK.sub("", PAGES[name].text).splitlines():
        assert line.count("`") % 2 == 0, line


@every_page
def test_lines_are_as_long_as_those_of_the_code(name: str) -> None:
    """Tables, pictures and headings are one line each; so is an address that nothing can break."""
    for line in BLOCK.sub("", PAGES[name].text).splitlines():
        words = re.sub(r"`[^`]*`", lambda code: code[0].replace(" ", "_"), line).split()
        if not line.startswith(("|", "![", "#")) and len(words) > 1:
            assert len(line) <= LONGEST_LINE, line


@pytest.mark.parametrize("language", ["README.md", "README.es.md"])
def test_after_a_block_of_commands_comes_a_sentence(language: str) -> None:
    """And no fragment such as "In the active environment.", which looks like a heading."""
    begun = re.findall(r"^```\n\n([^\n#`|]+)", PAGES[language].text, re.MULTILINE)
    assert len(begun) > 8
    short = [text for text in begun if re.match(r"(\S+ ){0,4}\S+\.(\s|$)", text)]
    assert not short, short


@pytest.mark.parametrize("language", ["README.md", "README.es.md"])
def test_whoever_clones_is_led_into_the_folder(language: str) -> None:
    assert re.search(r"git clone \S+ (\S+)\ncd \1\n", PAGES[language].text)


@pytest.mark.parametrize("language", ["README.md", "README.es.md"])
def test_the_readme_says_how_to_ask_about_several_people(language: str) -> None:
    assert "faces=all" in PAGES[language].text
