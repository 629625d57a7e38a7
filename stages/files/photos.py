"""Which photos there are: data/me and data/not_me, sub-folders and suffixes in any case included.

A photo may be locked (stages/files/encryption.py): it keeps its name, and is the same photo to all stages.
What lies in data/ and is not read (a folder with another name, a link to a folder) is named by `find_misplaced`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faces.message import Message
from stages.errors import StageError
from stages.files import locked_files
from stages.language.telling import some, tell

# Those of faces.recognition.image_kinds, which train and evaluate would then have to wait for; a test compares them.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
CLASSES = ("not_me", "me")
"""Class names; a class's position is its label."""

ATTRIBUTES_NAME = "attributes.csv"
"""The user's optional table on the people of a class's photos, in the folder of the class (stages/robustness)."""

_ADVICE = {
    (".gif", ".bmp", ".tif", ".tiff", ".jp2", ".jxl", ".jfif", ".jpe", ".svg", ".psd"): Message(
        "{count:It is a picture of a kind that|They are pictures of kinds that} cannot be read: save {count:it|them} "
        "as JPEG"
    ),
    (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw"): Message(
        "{count:It is a raw photo|They are raw photos} of a camera: export {count:it|them} as JPEG"
    ),
    (".mp4", ".mov", ".avi", ".mkv", ".webm", ".3gp", ".m4v"): Message(
        "{count:It is a video|They are videos}: save single pictures of {count:it|them} as JPEG"
    ),
    (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"): Message(
        "{count:It is an archive|They are archives}: unpack {count:it|them} in this folder"
    ),
}
_NO_PHOTOS = Message("{count:It is no photo|They are no photos}, so there is nothing to do")
_NAMED = 3  # misplaced photos named in one sentence


@dataclass(frozen=True)
class SourcePhoto:
    """A photo of the data set.

    Attributes:
        path: the file; a locked one's name ends with ".locked". `read_photo` reads both.
        name: path within the class's folder, with "/" on every system, without ".locked".
        label: 1 for me, 0 for not_me.
    """

    path: Path
    name: str
    label: int

    @property
    def class_name(self) -> str:
        """ "me" or "not_me"."""
        return CLASSES[self.label]

    @property
    def path_in_data(self) -> str:
        """Path within the folder of both classes: what reports call the photo."""
        return f"{self.class_name}/{self.name}"

    @property
    def person(self) -> str:
        """Who is on it, as far as folders say: "me", the sub-folder's name, or "" where it is not known."""
        if self.label == 1:
            return "me"
        first, separator, _ = self.name.partition("/")
        return first if separator else ""


def find_photos(data: Path) -> tuple[list[SourcePhoto], Counter[str]]:
    """All photos of both classes, sorted by class and name, so that every machine sees the same order.

    Args:
        data: folder with me/ and not_me/.

    Returns:
        The photos, and how many other files were passed over, by suffix. Hidden files are passed over silently.

    Raises:
        StageError: a folder is missing, me/ holds no photo or not_me/ other files alone, a name is not text, or a photo
            is there both plain and locked.
    """
    photos: list[SourcePhoto] = []
    ignored: Counter[str] = Counter()
    for label, class_name in enumerate(CLASSES):
        folder = data / class_name
        if not folder.is_dir():
            raise StageError(_what_is_expected(Message("there is no folder {folder}", folder=folder)))
        found = []
        for name, path in _named(folder):
            if not _is_text(name):
                raise StageError(
                    "the name of {path!a} is not valid UTF-8, which tables and DVC need: rename the file",
                    path=path.as_posix(),
                )
            if name == ATTRIBUTES_NAME:
                continue
            plain = Path(name)
            if plain.suffix.lower() in SUFFIXES:
                found.append(SourcePhoto(path, name, label))
            else:
                ignored[plain.suffix.lower() or plain.name] += 1
        if not found and (label == 1 or ignored):  # of others there may be none: stage train says what that takes
            if ignored:
                others = " ".join(describe_ignored(ignored))
                given = Message("{folder} holds no photo ({others})", folder=folder, others=others)
            else:
                given = Message("{folder} holds no photo", folder=folder)
            raise StageError(_what_is_expected(given))
        photos += found
    return photos, ignored


def photos_in(data: Path) -> list[SourcePhoto]:
    """All photos that are there, as `find_photos` sorts them; none where a folder is missing, which is no error here.

    Args:
        data: folder with me/ and not_me/.
    """
    return [
        SourcePhoto(path, name, label)
        for label, class_name in enumerate(CLASSES)
        for name, path in _named(data / class_name)
        if Path(name).suffix.lower() in SUFFIXES and _is_text(name)
    ]


def read_photo(path: Path) -> bytes:
    """The bytes of a photo, decrypted in memory where it is locked. Nothing is written.

    Args:
        path: of the photo, by its plain name or by that of its locked form, whichever of them is there.

    Raises:
        LockedError: it is locked, and there is no key, another one, or it was changed.
        OSError: it cannot be read.
    """
    return locked_files.read_file(path)


def describe_ignored(ignored: Mapping[str, int]) -> list[str]:
    """A sentence for each kind of files that were passed over: how many of which suffix, and what to do.

    Args:
        ignored: how many, by suffix in lower case (or name, where there is no suffix), as `find_photos` counts them.
    """
    by_advice: dict[Message, list[tuple[str, int]]] = {}
    for suffix, count in sorted(ignored.items()):
        advice = next((text for suffixes, text in _ADVICE.items() if suffix in suffixes), _NO_PHOTOS)
        by_advice.setdefault(advice, []).append((suffix, count))
    return [_not_used(advice, kinds) for advice, kinds in by_advice.items()]


def _not_used(advice: Message, kinds: Sequence[tuple[str, int]]) -> str:
    """A sentence on files that were not used, for which there is one advice.

    Args:
        advice: its second half; it may count the files by `{count}`.
        kinds: suffixes and how many files have each.
    """
    named = ", ".join(suffix if len(kinds) == 1 else f"{suffix} ({count})" for suffix, count in kinds)
    count = sum(files for _, files in kinds)
    return tell(
        "{count:# file is|# files are} not used: {kinds}. {advice}", count=count, kinds=named,
        advice=Message(advice.template, count=count),
    )  # fmt: skip


@dataclass(frozen=True)
class Misplaced:
    """Something in data/ that is not read.

    Attributes:
        sentence: what it is, and what to do.
        stops_dvc: whether DVC cannot track the photos as long as it is there.
    """

    sentence: Message
    stops_dvc: bool = False


def find_misplaced(data: Path) -> list[Misplaced]:
    """Photos that are passed over because of where they lie or what they are.

    Args:
        data: folder with me/ and not_me/; it need not exist.
    """
    found: list[Misplaced] = []
    loose = []
    for path in sorted(data.iterdir()) if data.is_dir() else []:
        meant = next((name for name in CLASSES if path.name.lower() == name and path.name != name), None)
        if meant and path.is_dir():
            sentence = Message(
                "{path} is not read, since its name is not exactly {meant}: rename it to {right}",
                path=path, meant=meant, right=data / meant,
            )  # fmt: skip
            found.append(Misplaced(sentence))
        elif Path(locked_files.plain_name(path.name)).suffix.lower() in SUFFIXES and path.is_file():
            loose.append(str(path))
    if loose:
        sentence = Message(
            "not read, since photos of {data} itself belong to nobody: {names}. Move those of you to {me}, those of "
            "others to {not_me}",
            data=data, names=some(loose, _NAMED), me=data / "me", not_me=data / "not_me",
        )  # fmt: skip
        found.append(Misplaced(sentence))
    for class_name in CLASSES:
        found += _misplaced_in(data / class_name)
    return found


def what_dvc_cannot_do(root: Path) -> Message | None:
    """A sentence on what DVC itself fails to do in a path with letters beyond ASCII, None where the path has none.

    Args:
        root: of the project.
    """
    if str(root.resolve()).isascii():
        return None
    return Message(
        "the path of the project, {root}, has a letter with an accent or the like: DVC itself fails there with "
        "`dvc exp run --temp`, `--queue` and `dvc remote add` (which may leave .dvc/config empty). All else works; for "
        "these, move the project to a path of plain letters",
        root=root.resolve(),
    )


def _misplaced_in(folder: Path) -> Iterator[Misplaced]:
    """Links that lead nowhere or to folders, and files that cannot be read."""
    for parent, folders, files in os.walk(folder):
        for name in sorted(folders):
            path = Path(parent, name)
            if path.is_symlink():
                yield Misplaced(
                    Message(
                        "{path} is a link to a folder, whose photos are not read: copy the folder itself there",
                        path=path,
                    )
                )
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_symlink() and not path.exists():
                sentence = Message("{path} is a link to a file that is not there: delete the link", path=path)
                yield Misplaced(sentence, stops_dvc=True)
            elif not os.access(path, os.R_OK):
                sentence = Message(
                    "{path} cannot be read: give yourself the right to (chmod u+r), or delete it", path=path
                )
                yield Misplaced(sentence, stops_dvc=True)


def _named(folder: Path) -> list[tuple[str, Path]]:
    """The files within a folder, each with its plain name, sorted by that: locking changes no order.

    Raises:
        StageError: a photo is there both plain and locked.
    """
    named: dict[str, Path] = {}
    for name in _files(folder):
        plain = locked_files.plain_name(name)
        if plain in named:
            raise StageError(
                "{path} is there twice, as it is and locked: run 'python -m privacy lock' (or unlock), which finishes "
                "what was interrupted, or tells how the two differ",
                path=folder / plain,
            )
        named[plain] = folder / name
    return sorted(named.items())


def _files(folder: Path) -> Iterator[str]:
    """Paths of the files within a folder, with "/"; hidden ones are left out, and what lies in hidden folders."""
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(parent).relative_to(folder).as_posix()
        prefix = "" if inside == "." else f"{inside}/"
        yield from (f"{prefix}{name}" for name in files if not name.startswith("."))


def _is_text(name: str) -> bool:
    """Whether a file's name is text: on Linux any bytes can be one."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _what_is_expected(given: Message) -> Message:
    return Message(
        "{given}. Expected: photos (JPEG, PNG, HEIC, WebP or AVIF) of you in data/me and of other people in "
        "data/not_me, 20 to 30 of each at least; 'python3 quickstart.py --photos FOLDER' puts them there",
        given=given,
    )
