"""Which photos count, whatever they are called; and what crop does with each kind of file."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stages.errors import StageError
from stages.files.photos import describe_ignored, find_misplaced, find_photos, what_dvc_cannot_do
from stages.language.telling import speak
from tests.stages.support import (
    Workspace,
    digest,
    new_workspace,
    photos_of_me,
    photos_of_strangers,
    posix_only,
    put,
    put_faceless,
)

LONG = "ñ" * 123 + ".jpg"
"""A name of 250 bytes; file systems allow 255."""

NAMES = [
    "with space.jpg",
    "José Ñandú.JPG",
    "日本語.jpeg",
    "smile 😀.png",
    "comma, quote\" and 'that'.jpg",
    "-leading-dash.jpg",
    "two.dots.jpg",
    "NA.jpg",
    "é decomposed.jpg",
    LONG,
    "ñ" * 122 + "x.jpg",
    pytest.param("new\nline.jpg", marks=posix_only),
    pytest.param("carriage\rreturn.jpg", marks=posix_only),
    "sub folder/día/same.jpg",
    "same.jpg",
    "same.jpeg",
    "same.png",
]
PLAIN_NAMES = [str(name) if isinstance(name, str) else str(name.values[0]) for name in NAMES]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def names_of(data: Path) -> list[str]:
    return [photo.name for photo in find_photos(data)[0]]


def test_suffix_counts_in_any_case(tmp_path: Path) -> None:
    touch(tmp_path / "me", "a.jpg", "b.JPG", "c.jPeG", "d.PNG", "e.png", "f.jpeg")
    touch(tmp_path / "not_me", "g.jpg")
    assert sorted(names_of(tmp_path)) == ["a.jpg", "b.JPG", "c.jPeG", "d.PNG", "e.png", "f.jpeg", "g.jpg"]


def test_order_is_by_class_and_name(tmp_path: Path) -> None:
    touch(tmp_path / "me", "b.jpg", "a.jpg", "sub/c.jpg")
    touch(tmp_path / "not_me", "z.jpg", "ana/2.jpg", "ana/1.jpg")
    photos, _ = find_photos(tmp_path)
    assert [(photo.label, photo.name) for photo in photos] == [
        (0, "ana/1.jpg"), (0, "ana/2.jpg"), (0, "z.jpg"), (1, "a.jpg"), (1, "b.jpg"), (1, "sub/c.jpg"),
    ]  # fmt: skip


def test_first_sub_folder_names_the_person(tmp_path: Path) -> None:
    touch(tmp_path / "me", "2024/a.jpg")
    touch(tmp_path / "not_me", "ana/1.jpg", "ana/party/2.jpg", "unknown.jpg")
    people = {photo.name: photo.person for photo in find_photos(tmp_path)[0]}
    assert people == {"2024/a.jpg": "me", "ana/1.jpg": "ana", "ana/party/2.jpg": "ana", "unknown.jpg": ""}


def test_other_files_are_counted_and_hidden_ones_are_not(tmp_path: Path) -> None:
    touch(tmp_path / "me", "a.jpg", "b.gif", "c.GIF", "d.bmp", "e.txt", "noname", ".DS_Store", "._a.jpg", ".h/x.jpg")
    touch(tmp_path / "not_me", "a.jpg", "b.bmp")
    photos, others = find_photos(tmp_path)
    assert len(photos) == 2
    assert others == {".gif": 2, ".bmp": 2, ".txt": 1, "noname": 1}


def test_a_folder_named_like_a_photo_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "me", "folder.jpg/a.jpg")
    touch(tmp_path / "not_me", "a.jpg")
    assert names_of(tmp_path) == ["a.jpg", "folder.jpg/a.jpg"]


@posix_only
def test_links_to_files_count_and_links_to_folders_do_not(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere", "a.jpg")
    touch(tmp_path / "me", "b.jpg")
    touch(tmp_path / "not_me", "c.jpg")
    (tmp_path / "me" / "file.jpg").symlink_to(tmp_path / "elsewhere" / "a.jpg")
    (tmp_path / "me" / "gone.jpg").symlink_to(tmp_path / "elsewhere" / "nothing.jpg")
    (tmp_path / "me" / "folder").symlink_to(tmp_path / "elsewhere")
    assert names_of(tmp_path) == ["c.jpg", "b.jpg", "file.jpg", "gone.jpg"]


def test_a_class_of_other_files_is_told_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path / "me", "a.gif", "b.gif")
    touch(tmp_path / "not_me", "a.jpg")
    with pytest.raises(StageError, match=r"me holds no photo \(2 files are not used: \.gif\. .*JPEG, PNG, HEIC"):
        find_photos(tmp_path)


@pytest.mark.parametrize(
    ("ignored", "english", "spanish"),
    [
        ({".gif": 1}, "1 file is not used: .gif. It is a picture of a kind that cannot be read: save it as JPEG",
         "1 archivo no se usa: .gif. Es una imagen de un tipo que no se puede leer: guárdala como JPEG"),
        ({".mov": 1, ".mp4": 2}, "3 files are not used: .mov (1), .mp4 (2). They are videos: save single pictures of "
         "them as JPEG",
         "3 archivos no se usan: .mov (1), .mp4 (2). Son vídeos: guarda fotogramas sueltos como JPEG"),
        ({".zip": 1}, "1 file is not used: .zip. It is an archive: unpack it in this folder",
         "1 archivo no se usa: .zip. Es un archivo comprimido: descomprímelo en esta carpeta"),
        ({".txt": 2}, "2 files are not used: .txt. They are no photos, so there is nothing to do",
         "2 archivos no se usan: .txt. No son fotos, así que no hay que hacer nada"),
    ],
)  # fmt: skip
def test_what_is_not_used_is_said_in_whole_sentences(ignored: dict[str, int], english: str, spanish: str) -> None:
    assert describe_ignored(ignored) == [english]
    speak("es")
    try:
        assert describe_ignored(ignored) == [spanish]
    finally:
        speak("en")


@posix_only
def test_a_name_that_is_not_text_is_an_error_that_shows_it(tmp_path: Path) -> None:
    touch(tmp_path / "me", "a.jpg")
    touch(tmp_path / "not_me", "a.jpg")
    try:
        (tmp_path / "me" / os.fsdecode(b"Jos\xe9.jpg")).write_bytes(b"x")
    except OSError as error:
        assert error.errno == errno.EILSEQ
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(StageError, match=r"Jos\\udce9\.jpg.*rename the file"):
        find_photos(tmp_path)


class Zoo:
    """One run of crop over every kind of file and name, and the embed that follows.

    Attributes:
        workspace: where it ran.
        good: content of the photo that has each good name, within data/.
        log: what crop said.
        report: its crop_report.csv.
    """

    def __init__(self, workspace: Workspace, lfw: Path) -> None:
        self.workspace = workspace
        self.good: dict[str, Path] = {}
        me, strangers = photos_of_me(lfw), photos_of_strangers(lfw, len(PLAIN_NAMES))
        for class_name, photos in (("me", me), ("not_me", strangers)):
            for name, photo in zip(PLAIN_NAMES, photos, strict=False):
                if os.name == "posix" or not set(name) & set('\n\r"'):
                    self.good[f"{class_name}/{name}"] = photo
        for name, photo in self.good.items():
            put(photo, workspace.path(f"data/{name}"))
        self._add_bad(workspace.path("data/me"), me[0])
        crop = workspace.stage("crop")
        self.log = crop.stderr
        self.summary = crop.stdout
        self.report = workspace.crop_report()

    @staticmethod
    def _add_bad(folder: Path, photo: Path) -> None:
        jpeg = photo.read_bytes()
        (folder / "text.jpg").write_text("This is no photo.")
        (folder / "empty.jpg").write_bytes(b"")
        (folder / "truncated.jpg").write_bytes(jpeg[: len(jpeg) // 2])
        (folder / "header only.jpg").write_bytes(jpeg[:20])
        (folder / "gif.png").write_bytes(b"GIF89a" + bytes(100))
        (folder / "webp.jpg").write_bytes(b"RIFF\x00\x00\x00\x00WEBPVP8 ")
        (folder / "huge.png").write_bytes(huge_png(30_000))
        put_faceless(folder / "no face.jpg")
        (folder / "folder.jpg").mkdir()
        (folder / ".hidden.jpg").write_bytes(jpeg)
        for suffix in (".GIF", ".tif", ".cr2"):
            (folder / f"passed over{suffix}").write_bytes(b"x")
        if os.name == "posix":
            (folder / "dangling.jpg").symlink_to("nowhere.jpg")
            (folder / "linked.jpg").symlink_to(photo)

    def rows(self, photo: str) -> pd.DataFrame:
        return self.report[self.report["photo"] == photo]


def huge_png(side: int) -> bytes:
    """A small file that declares side × side pixels."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory, networks_dir: Path, lfw_dir: Path) -> Zoo:
    return Zoo(new_workspace(tmp_path_factory.mktemp("zoo") / "project", networks_dir), lfw_dir)


@pytest.mark.parametrize("class_name", ["me", "not_me"])
@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_cropped_from_its_own_photo(zoo: Zoo, class_name: str, name: str) -> None:
    photo = f"{class_name}/{name}"
    if photo not in zoo.good:
        pytest.skip("this system allows no such name")
    rows = zoo.rows(photo)
    assert set(rows["sha256"]) == {digest(zoo.good[photo])}
    crop = zoo.workspace.path("data/cropped") / rows["crop"].iloc[0]
    assert digest(crop) == rows["crop_sha256"].iloc[0]
    with Image.open(crop) as image:
        assert (image.format, image.size, image.mode) == ("PNG", (160, 160), "RGB")


def test_photos_that_share_a_stem_or_a_long_beginning_have_crops_of_their_own(zoo: Zoo) -> None:
    kept = zoo.report[zoo.report["kept"]]
    assert kept["crop"].is_unique
    assert len(list(zoo.workspace.path("data/cropped").rglob("*.png"))) == len(kept)
    assert max(len(Path(name).name.encode()) for name in kept["crop"]) <= 200


def test_embed_takes_every_name(zoo: Zoo) -> None:
    zoo.workspace.stage("embed")
    index = zoo.workspace.index()
    assert set(zoo.good) <= set(index["photo"])
    candidates = zoo.report.query("candidate")
    assert len(index) == int(zoo.report["kept"].sum()) - len(candidates) + candidates["photo"].nunique()
    people = index.set_index("photo")["person"]
    assert people.loc["not_me/sub folder/día/same.jpg"] == "sub folder"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text.jpg", "the content is a text file; expected one of JPEG, PNG, WebP, HEIC, AVIF"),
        ("empty.jpg", "the content is an empty file; expected one of JPEG, PNG, WebP, HEIC, AVIF"),
        ("truncated.jpg", "a damaged JPEG, or cut off: "),
        ("header only.jpg", "a damaged JPEG, or cut off: "),
        ("gif.png", "the content is a GIF; expected one of JPEG, PNG, WebP, HEIC, AVIF"),
        ("webp.jpg", "a damaged WebP, or cut off: "),
        ("huge.png", "megapixels; the limit is 64"),
        ("no face.jpg", "no face found"),
        pytest.param("dangling.jpg", "cannot be read: No such file", marks=posix_only),
    ],
)
def test_an_unusable_photo_is_skipped_with_a_warning_and_a_row(zoo: Zoo, name: str, reason: str) -> None:
    rows = zoo.rows(f"me/{name}")
    assert len(rows) == 1
    row = rows.iloc[0]
    assert (row["faces_found"], row["face"], bool(row["kept"]), row["crop"]) == (0, -1, False, "")
    assert reason in row["reason"]
    assert f"WARNING: skipped me/{name}: {row['reason']}" in zoo.log


@posix_only
def test_a_link_to_a_photo_is_a_photo(zoo: Zoo) -> None:
    assert list(zoo.rows("me/linked.jpg")["kept"]).count(True) >= 1


def test_hidden_files_and_folders_named_like_photos_have_no_row(zoo: Zoo) -> None:
    photos = set(zoo.report["photo"])
    assert not any("hidden" in photo or "folder.jpg" in photo or "passed over" in photo for photo in photos)


def test_the_summary_counts_every_photo_once(zoo: Zoo) -> None:
    table = [line.split() for line in zoo.summary.splitlines() if line.startswith(("me", "not_me"))]
    lines = {name: [int(value) for value in values] for name, *values in table}
    posix = os.name == "posix"
    usable = sum(name.startswith("me/") for name in zoo.good) + posix
    without, unusable = 1, 7 + posix
    kept = usable
    assert lines["me"] == [usable + without + unusable, usable, without, unusable, kept]
    strangers = sum(name.startswith("not_me/") for name in zoo.good)
    assert lines["not_me"][:4] == [strangers, strangers, 0, 0]
    said = "2 files are not used: .gif (1), .tif (1). They are pictures of kinds that cannot be read: save them as JPEG"
    assert said in zoo.summary.splitlines()
    said = "1 file is not used: .cr2. It is a raw photo of a camera: export it as JPEG"
    assert said in zoo.summary.splitlines()


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read any file")
def test_a_photo_without_permission_is_skipped(empty: Workspace, lfw_dir: Path) -> None:
    for name in ("me/a.jpg", "me/b.jpg", "not_me/a.jpg"):
        put(photos_of_me(lfw_dir)[0], empty.path(f"data/{name}"))
    empty.path("data/me/b.jpg").chmod(0)
    assert "skipped me/b.jpg: cannot be read: Permission denied" in empty.stage("crop").stderr


def test_a_photo_of_exactly_the_limit_is_taken_and_one_above_is_not(empty: Workspace, lfw_dir: Path) -> None:
    me = photos_of_me(lfw_dir)
    for name in ("me/a.jpg", "not_me/a.jpg"):
        put(me[0], empty.path(f"data/{name}"))
    for number in (2, 3):  # train takes three photos
        put(me[number], empty.path(f"data/me/{number}.jpg"))
    with Image.open(me[1]) as image:
        image.resize((251, 250)).save(empty.path("data/me/above.png"))
    empty.set_params(crop__max_megapixels=0.0625)  # 250 × 250
    log = empty.stage("crop").stderr
    assert "skipped me/above.png: 251 × 250 = 0.1 megapixels; the limit is 0.0625" in log
    assert len(empty.crop_report().query("photo == 'me/a.jpg' and kept")) >= 1


def sentences(data: Path) -> list[str]:
    return [misplaced.sentence for misplaced in find_misplaced(data)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """data/ with one photo of each class, in their place."""
    for name in ("me/a.jpg", "not_me/ana/b.png"):
        put_faceless(tmp_path / "data" / name)
    return tmp_path / "data"


def test_nothing_is_said_of_what_lies_right(data: Path) -> None:
    (data / "me.dvc").touch()
    (data / "cropped").mkdir()
    (data / "me" / "notes.txt").touch()
    (data / "me" / "copy.jpg").symlink_to(data / "me" / "a.jpg")
    assert find_misplaced(data) == []
    assert find_misplaced(data / "nowhere") == []


@pytest.mark.parametrize("name", ["Me", "ME", "Not_me", "NOT_ME"])
def test_a_folder_whose_name_differs_in_capitals_is_named(data: Path, name: str) -> None:
    (data / name).mkdir()
    meant = name.lower()
    assert sentences(data) == [
        f"{data / name} is not read, since its name is not exactly {meant}: rename it to {data / meant}"
    ]


def test_photos_of_data_itself_are_named(data: Path) -> None:
    for number in range(5):
        put_faceless(data / f"{number}.JPG")
    (sentence,) = sentences(data)
    assert f"{data / '0.JPG'}, {data / '1.JPG'}, {data / '2.JPG'} and 2 more" in sentence
    assert f"Move those of you to {data / 'me'}" in sentence


@posix_only
def test_links_are_named(data: Path, tmp_path: Path) -> None:
    put_faceless(tmp_path / "elsewhere" / "c.jpg")
    (data / "not_me" / "luis").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (data / "me" / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    linked, broken = find_misplaced(data)
    assert (linked.stops_dvc, broken.stops_dvc) == (False, True)
    assert broken.sentence == f"{data / 'me' / 'gone.jpg'} is a link to a file that is not there: delete the link"
    assert f"{data / 'not_me' / 'luis'} is a link to a folder, whose photos are not read" in linked.sentence


@posix_only
def test_a_photo_without_the_right_to_read_it_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests as root may read everything, so the system's answer is given here."""
    monkeypatch.setattr(os, "access", lambda path, mode: not (Path(path).name == "b.png" and mode == os.R_OK))
    (misplaced,) = find_misplaced(data)
    assert misplaced.stops_dvc
    assert misplaced.sentence.startswith(f"{data / 'not_me' / 'ana' / 'b.png'} cannot be read: give yourself the right")


def test_crop_says_it_at_the_first_run(workspace: Workspace) -> None:
    put_faceless(workspace.path("data/loose.jpg"))
    workspace.path("data/Not_me").mkdir()
    log = workspace.stage("crop").stderr
    assert "WARNING: data/Not_me is not read, since its name is not exactly not_me" in log
    assert "WARNING: not read, since photos of data itself belong to nobody: data/loose.jpg" in log


def test_the_table_on_people_is_no_photo_that_was_passed_over(data: Path) -> None:
    (data / "not_me" / "attributes.csv").write_text("photo,age\n")
    (data / "not_me" / "ana" / "other.csv").write_text("x\n")
    photos, ignored = find_photos(data)
    assert len(photos) == 2
    assert ignored == {".csv": 1}


def test_what_dvc_cannot_do_in_a_path_with_an_accent_is_said(tmp_path: Path) -> None:
    assert what_dvc_cannot_do(tmp_path) is None
    said = what_dvc_cannot_do(tmp_path / "vídeos de josé")
    assert "vídeos de josé" in said and "`dvc remote add`" in said and "move the project" in said
