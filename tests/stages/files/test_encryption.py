"""A locked file opens with its key alone, unchanged alone, and is the same bytes for the same content."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stages.errors import StageError
from stages.files import encryption, locked_files
from stages.files.encryption import RAW, Derivation, Key, LockedError, Secret
from stages.files.photos import find_photos, read_photo
from stages.files.tables import read_array, write_array

pytestmark = pytest.mark.security

KEY, OTHER = Key(bytes(range(64)), RAW), Key(bytes(64), RAW)
CHEAP = Derivation(14, b"s" * 16)
PATH = Path("data/me/a.jpg.locked")
PHOTO = b"\xff\xd8 a photo of somebody " * 50


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.delenv(encryption.KEY_VARIABLE, raising=False)
    monkeypatch.delenv(encryption.KEY_FILE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    locked_files._secret_of.cache_clear()


@pytest.mark.parametrize("content", [b"", b"x", PHOTO])
def test_the_same_content_is_locked_to_the_same_bytes_and_opens_again(content: bytes) -> None:
    locked = KEY.seal(content)
    assert locked == Key(bytes(range(64)), RAW).seal(content) != OTHER.seal(content)
    assert KEY.open(locked, PATH) == content
    assert KEY.open(locked, Path("another/name")) == content
    assert PHOTO[:20] not in locked


def test_a_changed_byte_anywhere_opens_nothing_and_names_the_file() -> None:
    locked = KEY.seal(b"a photo")
    for place in range(len(locked)):
        changed = locked[:place] + bytes([locked[place] ^ 1]) + locked[place + 1 :]
        with pytest.raises(LockedError, match=r"data/me/a\.jpg\.locked"):
            KEY.open(changed, PATH)
    for end in (0, 5, encryption.HEADER_BYTES, len(locked) - 1):
        with pytest.raises(LockedError, match="changed or damaged"):
            KEY.open(locked[:end], PATH)
    with pytest.raises(LockedError, match="changed or damaged"):
        KEY.open(locked + b"x", PATH)


def test_another_key_says_so() -> None:
    with pytest.raises(LockedError, match="another key"):
        OTHER.open(KEY.seal(PHOTO), PATH)


def test_a_passphrase_makes_the_key_that_the_header_describes() -> None:
    key = Secret.of_text("correct horse battery").key(CHEAP)
    assert key is not None
    locked = key.seal(PHOTO)
    header = encryption.read_header(locked, PATH)
    assert header.derivation == CHEAP
    assert Secret.of_text("correct horse battery").key_of(header, PATH).open(locked, PATH) == PHOTO
    for wrong in ("correct horse batterz", "", "ab" * 64):
        with pytest.raises(LockedError, match="another key"):
            Secret.of_text(wrong).key_of(header, PATH)
    other_salt = Secret.of_text("correct horse battery").key(Derivation(14, b"t" * 16))
    assert other_salt is not None and other_salt.seal(PHOTO) != locked


def test_a_header_cannot_ask_for_gigabytes() -> None:
    key = Secret.of_text("correct horse battery").key(CHEAP)
    assert key is not None
    locked = bytearray(key.seal(PHOTO))
    locked[9] = 40  # the cost
    with pytest.raises(LockedError, match="changed or damaged"):
        encryption.read_header(bytes(locked), PATH)


def put(name: str, data: bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_the_key_comes_from_the_environment_or_from_the_file_env(monkeypatch: pytest.MonkeyPatch) -> None:
    put("data/me/a.jpg.locked", KEY.seal(PHOTO))
    photo = Path("data/me/a.jpg")
    with pytest.raises(LockedError, match=r"set PRIVACY_KEY_FILE .* or PRIVACY_KEY"):
        read_photo(photo)
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    assert read_photo(photo) == PHOTO
    assert read_photo(Path("data/me/a.jpg.locked")) == PHOTO
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(put("elsewhere.key", KEY.secret.hex().encode() + b"\n")))
    with pytest.raises(LockedError, match="both set"):
        read_photo(photo)
    monkeypatch.delenv("PRIVACY_KEY")
    assert read_photo(photo) == PHOTO
    monkeypatch.delenv("PRIVACY_KEY_FILE")
    put(".env", b"PRIVACY_KEY_FILE=elsewhere.key\n")
    locked_files._secret_of.cache_clear()
    assert read_photo(photo) == PHOTO
    assert [path.name for path in Path("data/me").iterdir()] == ["a.jpg.locked"], "a plain copy was written"


@pytest.mark.parametrize("content", [b"", b"a passphrase", b"ab" * 63, "ñ".encode() * 128])
def test_a_key_file_that_is_none_is_refused(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    put("data/me/a.jpg.locked", KEY.seal(PHOTO))
    monkeypatch.setenv("PRIVACY_KEY_FILE", str(put("no.key", content)))
    with pytest.raises(LockedError, match="128 hexadecimal digits"):
        read_photo(Path("data/me/a.jpg"))
    monkeypatch.setenv("PRIVACY_KEY_FILE", "nowhere.key")
    with pytest.raises(LockedError, match="cannot be read"):
        read_photo(Path("data/me/a.jpg"))


def test_what_ends_with_locked_and_is_not_is_no_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    with pytest.raises(LockedError, match="changed or damaged"):
        read_photo(put("data/me/a.jpg.locked", PHOTO))


def test_locked_photos_have_their_plain_names_and_their_order() -> None:
    for name in ("a.jpg", "a.jpg-2.PNG", "b/c.jpeg"):
        put(f"data/me/{name}", PHOTO)
        put(f"data/not_me/{name}", PHOTO)
    put("data/not_me/attributes.csv.locked", KEY.seal(b"photo,age\n"))
    put("data/not_me/film.mp4.locked", KEY.seal(b"film"))
    before, ignored = find_photos(Path("data"))
    assert ignored == {".mp4": 1}
    for name in ("a.jpg", "b/c.jpeg"):
        put(f"data/me/{name}.locked", KEY.seal(PHOTO))
        Path(f"data/me/{name}").unlink()
    after, _ = find_photos(Path("data"))
    assert [photo.path_in_data for photo in after] == [photo.path_in_data for photo in before]
    assert [photo.person for photo in after] == [photo.person for photo in before]
    put("data/me/a.jpg", PHOTO)
    with pytest.raises(StageError, match=r"data/me/a\.jpg is there twice"):
        find_photos(Path("data"))


def test_an_array_is_read_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_array(Path("plain.npy"), values)
    write_array(Path("locked.npy"), values, KEY)
    assert KEY.seal(Path("plain.npy").read_bytes()) == Path("locked.npy").read_bytes()
    with pytest.raises(LockedError):
        read_array(Path("locked.npy"), "embed")
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    np.testing.assert_array_equal(read_array(Path("locked.npy"), "embed"), values)


def test_the_error_comes_through_from_another_process() -> None:
    error = LockedError("{path} is locked", path=Path("a"))
    assert str(pickle.loads(pickle.dumps(error))) == "a is locked"
