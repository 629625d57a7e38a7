"""Several photos at once: a table with thumbnails that can be sorted, opened and downloaded."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from service.config import Settings
from tests.service.support import encode
from tests.ui.conftest import OpenUi
from tests.ui.support import ASK, Ui, as_file, group_photo, serving

pytestmark = pytest.mark.slow


def photos() -> list[dict[str, object]]:
    """Two of me, two of strangers, a group, one without a face, one that is no photo."""
    named = [as_file((ASK / name).read_bytes(), name) for name in ("me_1.jpg", "stranger_1.jpg", "me_3.jpg")]
    group = as_file(group_photo([ASK / "stranger_3.jpg", ASK / "me_2.jpg"]), "=group.jpg")
    wall = as_file(encode(Image.new("RGB", (300, 300), "#885522"), "JPEG"), "wall.jpg")
    return [*named, group, wall, as_file(b"no photo", "letter, and more.jpg")]


def finished(ui: Ui) -> None:
    """Wait until every photo has been asked about."""
    expect(ui("#several progress")).to_be_hidden()


def names(ui: Ui) -> list[str]:
    """The names of the photos, from the top."""
    return ui("#several tbody th button").all_inner_texts()


def test_a_table_with_thumbnails(ui: Ui) -> None:
    ui.choose(*photos())  # type: ignore[arg-type]  # as `as_file` makes them
    finished(ui)
    expect(ui("#several h2")).to_have_text("6 photos")
    expect(ui("#several .several-head .note")).to_have_text("3 yes · 1 no · 1 without a face · 1 without an answer")
    expect(ui("#said")).to_have_text("3 yes · 1 no · 1 without a face · 1 without an answer")
    expect(ui("tbody canvas.thumbnail")).to_have_count(5)
    expect(ui("tbody tr").nth(3).locator("td.faces")).to_have_text("2")
    ui.shoot("several")


def test_it_is_sorted_by_whichever_column_is_pressed(ui: Ui) -> None:
    ui.choose(*photos())  # type: ignore[arg-type]  # as `as_file` makes them
    finished(ui)
    given = names(ui)
    ui("th.name button").first.click()
    assert names(ui) == sorted(given, key=str.casefold)
    expect(ui("th.name").first).to_have_attribute("aria-sort", "ascending")
    ui("thead th.score button").click()
    expect(ui("thead th.score")).to_have_attribute("aria-sort", "descending")
    assert set(names(ui)[:3]) == {"me_1.jpg", "me_3.jpg", "=group.jpg"}
    ui("thead th.score button").click()
    assert names(ui)[0] == "stranger_1.jpg", "from the lowest score on"
    assert set(names(ui)[4:]) == {"wall.jpg", "letter, and more.jpg"}, "those without a score stay at the end"


def test_it_is_downloaded_as_csv_in_its_order(ui: Ui, tmp_path: Path) -> None:
    ui.choose(*photos())  # type: ignore[arg-type]  # as `as_file` makes them
    finished(ui)
    ui("thead th.answer button").click()
    with ui.page.expect_download() as download:
        ui("text=Download as CSV").click()
    assert download.value.suggested_filename == "faces.csv"
    download.value.save_as(tmp_path / "faces.csv")
    content = (tmp_path / "faces.csv").read_bytes()
    assert content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["answer"] for row in rows] == ["yes", "yes", "yes", "no", "no_face", "error"]
    by_name = {row["photo"]: row for row in rows}
    assert "'=group.jpg" in by_name, "no spreadsheet takes a name for a formula"
    assert "a text file" in by_name["letter, and more.jpg"]["error"] and not by_name["letter, and more.jpg"]["score"]
    assert by_name["wall.jpg"]["hints"] == "no_face"
    me = by_name["me_1.jpg"]
    assert float(me["score"]) >= float(me["threshold"]) == 0.75
    assert (me["faces_found"], me["model_version"]) == ("1", "me-verifier-v1")


def test_a_folder_is_dropped(ui: Ui, tmp_path: Path) -> None:
    for name in ("album/1.jpg", "album/deeper/2.jpg", "album/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ASK / "me_1.jpg").read_bytes())
    ui.drag(tmp_path / "album")
    expect(ui("#several tbody tr")).to_have_count(2)  # the browser reads a folder in its own time
    finished(ui)
    assert names(ui) == ["album/1.jpg", "album/deeper/2.jpg"]
    expect(ui("#several .several-head .note")).to_have_text("2 yes")


def test_a_photo_of_the_table_is_opened_and_left_again(ui: Ui) -> None:
    ui.choose(*photos())  # type: ignore[arg-type]  # as `as_file` makes them
    finished(ui)
    asked: list[str] = []
    ui.page.on("request", lambda request: asked.append(request.url))
    ui("text=me_3.jpg").click()
    ui.expect_state("yes")
    expect(ui("figcaption .file")).to_have_text("me_3.jpg")
    assert not [url for url in asked if url.endswith("/verify")], "its answer is known"
    ui("text=Back to the table").click()
    expect(ui("#several tbody tr")).to_have_count(6)


def test_where_the_service_asks_for_patience_every_photo_is_answered_in_the_end(
    open_ui: OpenUi, demo_settings: Settings
) -> None:
    with serving(replace(demo_settings, address_limit="2/second", address_limit_given=True, workers=1)) as address:
        ui = open_ui(address)
        ui.choose(*[as_file((ASK / "me_1.jpg").read_bytes(), f"{number}.jpg") for number in range(5)])
        finished(ui)
        expect(ui("#several .several-head .note")).to_have_text("5 yes")
