"""From figures to text and from text to a page: how numbers are written, and what a page may hold."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stages.report import rendering
from stages.robustness.degradations import DEGRADATIONS
from tests.stages.report.support import made_up_values, section

LANGUAGES = pytest.mark.parametrize("language", ["es", "en"])
Values = dict[str, Any]


@pytest.fixture
def values() -> Values:
    return made_up_values()


def rate_as_written(values: Values, language: str, rate: float | None) -> str:
    """A rate in the table of thresholds."""
    values["evaluation"]["threshold_analysis"]["at_default"]["far"] = rate
    values["evaluation"]["threshold_analysis"]["at_default"]["threshold"] = 0.75
    text = section(rendering.render_markdown(language, values), language, "Thresholds")
    (row,) = [line for line in text.splitlines() if re.search(r"\| 0[.,]7500 \|", line)]
    return row.strip("| ").split(" | ")[2]


@pytest.mark.parametrize(
    ("rate", "written"),
    [
        (0.0, "0.0 %"), (1.0, "100.0 %"), (0.5, "50.0 %"), (0.0123, "1.2 %"), (0.01, "1.0 %"), (0.00999, "1.00 %"),
        (0.0042, "0.42 %"), (0.001, "0.10 %"), (0.00042, "0.042 %"), (0.00001, "0.001 %"),
    ],
)  # fmt: skip
def test_a_small_rate_has_the_decimals_that_it_needs(values: Values, rate: float, written: str) -> None:
    """0.04 % is not printed as 0.0 %, which would be a promise."""
    assert rate_as_written(values, "en", rate) == written
    assert rate_as_written(values, "es", rate) == written.replace(".", ",")


@LANGUAGES
def test_what_nothing_tells_of_is_a_dash(values: Values, language: str) -> None:
    group = values["fairness"]["groups"][0]
    group["frr"] = group["frr_interval"] = None
    text = section(rendering.render_markdown(language, values), language, "Fairness")
    (row,) = [line for line in text.splitlines() if line.startswith("| light | bad |")]
    assert row.endswith("| – | – |")


@LANGUAGES
def test_an_interval_goes_from_low_to_high(values: Values, language: str) -> None:
    at = values["evaluation"]["threshold_analysis"]["at_default"]
    at["far_interval"] = {"low": 0.0125, "high": 0.25}
    text = section(rendering.render_markdown(language, values), language, "Thresholds")
    assert ("1,2 % – 25,0 %" if language == "es" else "1.2 % – 25.0 %") in text


@LANGUAGES
def test_a_bound_of_people_is_rounded_up(values: Values, language: str) -> None:
    """Of 1,000 strangers fewer than 12.3 get in: fewer than 13, not fewer than 12."""
    values["evaluation"]["threshold_analysis"]["at_default"]["far_interval"]["high"] = 0.0123
    text = section(rendering.render_markdown(language, values), language, "Summary")
    assert re.search(r"\b13\b", text) and not re.search(r"\b12\b(?![.,])", text)


@LANGUAGES
def test_a_user_s_own_words_break_no_table(values: Values, language: str) -> None:
    group, column = values["fairness"]["groups"][0], values["fairness"]["columns"][0]
    group["column"] = column["column"] = "a|b"
    group["group"] = "x | y\nz"
    text = section(rendering.render_markdown(language, values), language, "Fairness")
    (row,) = [line for line in text.splitlines() if "x" in line and line.startswith("| a")]
    assert row.startswith("| a\\|b | x \\| y z | ")
    assert "a\\|b" in text.partition("**")[2]


@LANGUAGES
def test_each_degradation_has_words_of_its_own(values: Values, language: str) -> None:
    """And units: "darker" says of times the brightness what "noise" says of grey levels."""
    text = section(rendering.render_markdown(language, values), language, "Robustness")
    rows = [line.strip("| ").split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][2:]
    words = dict(zip((degradation.name for degradation in DEGRADATIONS), rows, strict=True))
    assert len(set(rows)) == len(DEGRADATIONS)
    spoken = {
        "es": {"darker": "oscur", "brighter": "clar", "contrast": "contraste", "blur": "desenfo", "noise": "ruido",
               "jpeg": "JPEG", "size": "píxeles", "rotation": "grados", "covered": "cubiert"},
        "en": {"darker": "darker", "brighter": "brighter", "contrast": "contrast", "blur": "blur", "noise": "noise",
               "jpeg": "JPEG", "size": "pixels", "rotation": "degrees", "covered": "covered"},
    }[language]  # fmt: skip
    for name, word in spoken.items():
        assert word in words[name]


def test_a_level_that_is_not_reached_is_said_in_words(values: Values) -> None:
    values["robustness"]["frr_doubles_at"]["blur"] = None
    for language in ("es", "en"):
        text = section(rendering.render_markdown(language, values), language, "Robustness")
        assert "None" not in text
        assert len([line for line in text.splitlines() if line.startswith("| ")]) == 2 + len(DEGRADATIONS)


def test_pictures_are_within_the_page(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), "red").save(tmp_path / "a.png")
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "c.png")
    page = rendering.render_html("# t\n\n![First](a.png)\n![Second](c.png)\n", "en", tmp_path)
    shown = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="(\w+)"', page)
    assert [name for _, name in shown] == ["First", "Second"]
    assert base64.b64decode(shown[1][0]) == (tmp_path / "c.png").read_bytes()


def test_a_picture_that_is_missing_or_elsewhere_leaves_no_trace(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "there.png")
    text = "# t\n\n![Gone](gone.png)\n![There](there.png)\n![Far](https://example.org/far.png)\n"
    page = rendering.render_html(text, "en", tmp_path)
    assert page.count("<img ") == 1
    assert 'alt="There"' in page
    assert not re.search("gone|far|http", page, flags=re.IGNORECASE)


def test_text_is_escaped(tmp_path: Path) -> None:
    page = rendering.render_html("# a <b> & c\n\n<script>x</script> & `<i>`\n", "en", tmp_path)
    assert "<title>a &lt;b&gt; &amp; c</title>" in page
    assert "&lt;script&gt;x&lt;/script&gt; &amp; <code>&lt;i&gt;</code>" in page
    assert not re.search("<script|<b>|<i>", page)


@LANGUAGES
def test_a_page_says_its_language(values: Values, language: str, tmp_path: Path) -> None:
    page = rendering.render_html(rendering.render_markdown(language, values), language, tmp_path)
    assert f'<html lang="{language}">' in page
    assert page.count("<table") >= 6


def test_cells_of_a_wide_table_know_their_column(tmp_path: Path) -> None:
    wide = "| a | b | c | d |\n| --- | ---: | --- | --- |\n| 1 | 2 | 3 | 4 |\n| 5 | 6 | 7 | 8 |\n"
    narrow = "| a | b | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n"
    page = rendering.render_html(f"# x\n\n{narrow}\n{wide}", "en", tmp_path)
    assert page.count('<table class="wide">') == 1 and page.count("<table>") == 1
    cells = re.findall(r'<td[^>]*data-label="(\w)"[^>]*>(\d)</td>', page)
    assert cells == list(zip("abcdabcd", "12345678", strict=True))


@LANGUAGES
@pytest.mark.parametrize("screen", [360, 390])
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_nothing_is_cut_off_on_a_telephone(values: Values, language: str, screen: int, tmp_path: Path) -> None:
    """In a real browser: the page and every table fit, no word is broken, and a row of a wide table is a block."""
    values["model_sha256"] = 32 * "3f"  # nowhere to break it
    page = rendering.render_html(rendering.render_markdown(language, values), language, tmp_path)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    measure = """<iframe src="page.html" style="width:SCREENpx;height:800px;border:0"></iframe><script>
    onload = () => {
      const page = document.querySelector("iframe").contentDocument, root = page.documentElement;
      const wide = [...page.querySelectorAll("table")].filter(t => t.scrollWidth > t.clientWidth).length;
      const rows = [...page.querySelectorAll(".wide tbody tr")].map(r => getComputedStyle(r).display);
      const cells = [...page.querySelectorAll("td, th")].filter(c => c.offsetWidth && !c.querySelector("code"));
      const broken = cells.filter(c => {  // a word that goes on in the next line has two boxes
        const range = page.createRange(), text = c.firstChild;
        return [...(text?.data ?? "").matchAll(/[\\p{L}\\d]+/gu)].some(({index, 0: word}) => {
          range.setStart(text, index), range.setEnd(text, index + word.length);
          return range.getClientRects().length > 1;
        });
      });
      const found = [root.scrollWidth, wide, rows.length, [...new Set(rows)], broken.map(c => c.textContent)];
      document.body.textContent = JSON.stringify(found);
    }</script>""".replace("SCREEN", str(screen))
    (tmp_path / "frame.html").write_text(measure, encoding="utf-8")
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--allow-file-access-from-files",
               f"--user-data-dir={tmp_path / 'profile'}", "--window-size=800,900", "--virtual-time-budget=5000",
               "--dump-dom", (tmp_path / "frame.html").as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    width, cut_off, rows, display, broken = json.loads(re.findall(r"<body>(.*)</body>", done.stdout, re.DOTALL)[0])
    assert width == screen
    assert broken == []
    assert cut_off == 0
    assert rows >= 8 and display == ["block"]


def test_the_page_is_dark_where_the_system_is(tmp_path: Path) -> None:
    page = rendering.render_html("# x\n", "en", tmp_path)
    assert "color-scheme: light dark" in page and "@media (prefers-color-scheme: dark)" in page
    coloured = re.findall(r"(?<!-)(?:color|background|border[\w-]*): [^;]*#", page.partition("</style>")[0])
    assert coloured == [], "a colour that does not change with the system"
