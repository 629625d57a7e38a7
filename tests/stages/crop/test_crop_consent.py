"""Photos without consent: named and used, or refused, and then nothing of them is kept."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from privacy.locking.files import find_files, lock_file
from stages.crop import consent, crop
from stages.files.encryption import RAW, Key
from stages.files.photos import SourcePhoto
from stages.files.remembered import read_embeddings
from stages.language.telling import speak
from stages.params import PrivacyParams
from tests.stages.support import Workspace, digest, photos_of_me, photos_of_strangers, put

HEADING = "who,given,until,withdrawn,how,contact_sha256\n"
GIVEN = "2026-01-01"
DAY = date(2026, 6, 15)


@pytest.fixture
def project(empty: Workspace, lfw_dir: Path) -> Workspace:
    """Five photos of me and two of each of three others: ana's consent is past, carl has none."""
    for number, photo in enumerate(photos_of_me(lfw_dir)[:5]):
        put(photo, empty.path(f"data/me/{number}.jpg"))
    for number, photo in enumerate(photos_of_strangers(lfw_dir, 6)):
        put(photo, empty.path(f"data/not_me/{('ana', 'bea', 'carl')[number // 2]}/{number % 2}.jpg"))
    write(empty, f"me,{GIVEN},,,,", f"bea,{GIVEN},2026-06-15,,,", f"ana,{GIVEN},2026-06-14,,,")
    empty.set_params(privacy__register="data/consent.csv")
    return empty


def write(project: Workspace, *lines: str) -> None:
    project.path("data/consent.csv").write_text(HEADING + "".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop, "today", lambda: DAY)


def run(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    crop.main()


def names(project: Workspace, kept: bool) -> set[str]:
    report = project.crop_report()
    return set(report["photo"][report["kept"] == kept])


REFUSED = {"not_me/ana/0.jpg", "not_me/ana/1.jpg", "not_me/carl/0.jpg", "not_me/carl/1.jpg"}


def test_off_asks_nobody(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    project.path("data/consent.csv").write_text("nonsense")
    run(project, monkeypatch)
    assert names(project, True) >= REFUSED


@pytest.mark.security
def test_without_consent_nothing_is_used_or_remembered(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even what earlier runs had remembered; and with consent the photos are back."""
    run(project, monkeypatch)
    project.stage("embed")
    crops = {path.name for path in project.path("data/remembered/crops").rglob("*.png")}
    vectors = sum(len(path.read_bytes()) for path in project.path("data/remembered/embeddings").rglob("*.*"))
    project.set_params(privacy__consent="require")
    run(project, monkeypatch)
    assert {row.photo for row in project.crop_report().itertuples() if row.reason} == REFUSED
    assert names(project, True).isdisjoint(REFUSED)
    rows = project.crop_report().set_index("photo")
    assert rows.loc["not_me/ana/0.jpg", "reason"] == "consent ended on 2026-06-14"
    assert rows.loc["not_me/carl/0.jpg", "reason"].startswith("no consent: ")
    said = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert len(said) == 1 and said[0].startswith("4 photos are refused for lack of consent: not_me/ana/0.jpg (consent ")
    assert all(name in said[0] for name in REFUSED)
    left = {path.name for path in project.path("data/remembered/crops").rglob("*.png")}
    assert left < crops
    assert len(left) == sum(project.crop_report()["kept"])
    assert not any("ana" in path.as_posix() for path in project.path("data/cropped").rglob("*"))
    project.stage("embed")
    assert sum(len(path.read_bytes()) for path in project.path("data/remembered/embeddings").rglob("*.*")) < vectors
    assert set(project.index()["photo"]) == names(project, True)
    write(project, f"me,{GIVEN},,,,", *(f"{name},{GIVEN},,,," for name in ("ana", "bea", "carl")))
    run(project, monkeypatch)
    assert names(project, True) >= REFUSED


def test_the_report_keeps_the_order_of_the_photos(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    project.set_params(privacy__consent="require")
    run(project, monkeypatch)
    in_order = list(dict.fromkeys(project.crop_report()["photo"]))
    assert in_order == sorted(name for name in in_order if name.startswith("not_me")) + sorted(
        name for name in in_order if name.startswith("me")
    )


def test_warn_names_and_uses_them(
    project: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    project.set_params(privacy__consent="warn")
    run(project, monkeypatch)
    assert names(project, True) >= REFUSED
    assert any(
        record.getMessage().startswith("4 photos have no consent and are used all the same: not_me/ana/0.jpg (")
        for record in caplog.records
    )


def test_the_tables_mistakes_end_the_stage(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "me,yesterday,,,,")
    for mode in ("warn", "require"):
        project.set_params(privacy__consent=mode)
        assert "line 2: given is 'yesterday'" in project.refused("crop", monkeypatch)


def test_a_table_that_is_not_there(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    project.path("data/consent.csv").unlink()
    project.set_params(privacy__consent="require")
    assert "python -m privacy consent add" in project.refused("crop", monkeypatch)
    project.set_params(privacy__consent="warn")
    run(project, monkeypatch)
    assert names(project, True) >= REFUSED


def test_too_few_photos_are_left_of_me(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told in the language chosen, and the report says for each photo why it is not used."""
    write(project, f"me/0.jpg,{GIVEN},,,,", f"bea,{GIVEN},,,,")
    project.set_params(privacy__consent="require", language="es")
    try:
        said = project.refused("crop", monkeypatch)
    finally:
        speak("en")
    assert said.startswith("«me» tiene 1 foto; hacen falta al menos 3")
    assert "por falta de consentimiento (privacy.consent: require) se han rechazado 4 fotos de data/me" in said
    report = project.crop_report()
    assert len(report) == 8 and set(report["kept"]) == {False}
    assert set(report["reason"]) == {"sin consentimiento: data/consent.csv no tiene ninguna línea para ella"}


def test_nobody_is_left_of_the_others(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, f"me,{GIVEN},,,,")
    project.set_params(privacy__consent="require", train__verifier="logistic_regression")
    said = project.refused("crop", monkeypatch)
    assert "data/not_me has no photo with a face" in said
    assert "6 photos were refused in data/not_me for lack of consent" in said


# Where crop fails all the same


def remembered(project: Workspace) -> tuple[set[str], set[str]]:
    """SHA-256 of the photos of which crop remembers something, and of those of which embed does."""
    crops = {path.name[:64] for path in project.path("data/remembered/crops").rglob("*.*")}
    rows = [read_embeddings(path)[1] for path in project.path("data/remembered/embeddings").glob("*.npz")]
    return crops, {str(sha256) for photos in rows for sha256 in photos}


def withdrawn(project: Workspace, monkeypatch: pytest.MonkeyPatch, *still: str) -> dict[str, str]:
    """Run crop and embed, then take back all consents but some; returns the SHA-256 of each photo."""
    run(project, monkeypatch)
    project.stage("embed")
    write(project, *(f"{who},{GIVEN},,,," for who in still))
    project.set_params(privacy__consent="require")
    return {path.relative_to(project.path("data")).as_posix(): digest(path)
            for name in ("me", "not_me") for path in project.path(f"data/{name}").rglob("*.*")}  # fmt: skip


@pytest.mark.security
def test_too_few_are_left_and_nothing_is_remembered_of_those_refused(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever takes consent back need not wait until others have sent photos. What later stages made is said."""
    digests = withdrawn(project, monkeypatch, "me/0.jpg", "bea")
    allowed = {digests[name] for name in ("me/0.jpg", "not_me/bea/0.jpg", "not_me/bea/1.jpg")}
    assert remembered(project) == (set(digests.values()), set(digests.values()))
    said = project.refused("crop", monkeypatch)
    assert said.startswith("me has 1 photo; at least 3 are needed")
    assert remembered(project) == (allowed, allowed)
    left = {path.relative_to(project.path("data/cropped")).as_posix().rpartition("-")[0]
            for path in project.path("data/cropped").rglob("*.png")}  # fmt: skip
    assert left == {"me_several/0.jpg", "not_me/bea/0.jpg", "not_me/bea/1.jpg"}
    assert "What the last run made of 8 photos that are refused now is still in data/embeddings.npy" in said
    assert "'python -m privacy forget' deletes it now" in said
    for name in ("embeddings.npy", "index.csv"):
        project.path(f"data/{name}").unlink()
    assert "What the last run made" not in project.refused("crop", monkeypatch)


@pytest.mark.slow
@pytest.mark.security
def test_any_other_failure_leaves_nothing_of_those_refused_either(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = withdrawn(project, monkeypatch, "me", "bea")
    project.set_params(privacy__encrypt_derived=True)  # and nothing is locked
    project.path("reports/two_people.png").write_bytes(b"of me and bea, who have consented")
    assert "no photo is locked" in project.refused("crop", monkeypatch)
    allowed = {digests[name] for name in digests if name.startswith(("me/", "not_me/bea/"))}
    assert remembered(project) == (allowed, allowed)
    assert project.path("reports/two_people.png").exists()
    write(project, f"me/0.jpg,{GIVEN},,,,", f"bea,{GIVEN},,,,")
    project.refused("crop", monkeypatch)
    assert not project.path("reports/two_people.png").exists()


@pytest.mark.slow
@pytest.mark.security
def test_refused_photos_that_no_key_opens(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last index knows what they hold. Where it does not, all that is remembered goes."""
    monkeypatch.delenv("PRIVACY_KEY", raising=False)
    monkeypatch.delenv("PRIVACY_KEY_FILE", raising=False)
    digests = withdrawn(project, monkeypatch, "me/0.jpg", "bea")
    for path in find_files(project.path(f"data/{name}") for name in ("me", "not_me")):
        lock_file(path, Key(bytes(64), RAW))
    allowed = {digests[name] for name in ("me/0.jpg", "not_me/bea/0.jpg", "not_me/bea/1.jpg")}
    project.refused("crop", monkeypatch)
    assert remembered(project) == (allowed, allowed)
    project.path("data/index.csv").unlink()
    project.refused("crop", monkeypatch)
    assert remembered(project) == (set(), set())


def test_where_nobody_is_refused_a_failure_leaves_all_that_is_remembered(
    project: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(project, monkeypatch)
    before = remembered(project)
    for number in range(3):
        project.path(f"data/me/{number}.jpg").unlink()
    project.refused("crop", monkeypatch)
    assert remembered(project) == before


# Without photos: what is said.


def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: list[str], register: str = "data/consent.csv"
) -> consent.Allowed:
    monkeypatch.chdir(tmp_path)
    sources = [SourcePhoto(Path("data", name), name.partition("/")[2], int(name.startswith("me/"))) for name in photos]
    return consent.ask_consent(
        sources, PrivacyParams(consent="require", register=register, max_age_days=None, encrypt_derived=False), DAY
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "data/consent.csv"
    path.parent.mkdir()
    path.write_text(f"{HEADING}ana,{GIVEN},,,,\nanna,{GIVEN},,,,\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("table")
def test_twenty_are_named_and_how_many_more_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    allowed = asked(
        tmp_path, monkeypatch, ["not_me/ana/1.jpg", *(f"not_me/p{number:02}/1.jpg" for number in range(25))]
    )
    assert [photo.path_in_data for photo in allowed.photos] == ["not_me/ana/1.jpg"]
    assert len(allowed.refused) == 25
    (said,) = (record.getMessage() for record in caplog.records if "refused" in record.getMessage())
    assert "p19/" in said and "p20/" not in said and said.endswith("and 5 more")


@pytest.mark.usefixtures("table")
def test_lines_about_nobody_are_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked(tmp_path, monkeypatch, ["not_me/ana/1.jpg"])
    (said,) = (record.getMessage() for record in caplog.records)
    assert said.endswith("numbers: not_me/anna (3)")


@pytest.mark.usefixtures("table")
def test_a_register_that_dvc_does_not_watch_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked(tmp_path, monkeypatch, ["not_me/ana/1.jpg"], "privacy/consent.example.csv")
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "set privacy.register: data/consent.csv in params.yaml" in warned[0].getMessage()
