"""`python -m faces explain`: a picture of why a photo gets its answer."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

from asking import meaning
from asking.local_service import LocalService, no_face
from asking.nearest import Neighbours, find_nearest, why_without
from asking.picture import Explanation, draw
from faces.errors import UserError
from faces.files import write_bytes
from faces.recognition.image import ImageError, Photo
from faces.verification import Verification
from service.client import results, terminal
from service.client.language import number, say
from service.config import Settings
from stages.files.encryption import is_sealed
from stages.files.locked_files import read_file

FOLDER = Path("reports/explained")
"""Where pictures go that nobody has named: git ignores it, and `python -m privacy forget` deletes it."""

_LONG_SIDE = 1600  # of the photo in the picture, at least, if it has so many pixels
_MOST_NEIGHBOURS = 50


class ExplainError(UserError):
    """No picture can be drawn, or written; the message says what to do."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `explain`."""
    text = "draw why a photo gets its answer: face, crop, score, nearest photos of me"
    parser = commands.add_parser("explain", help=text, description=text, epilog=terminal.STATUS, allow_abbrev=False)
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.png", help=f"the picture; else a file in {FOLDER.as_posix()}/"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE.png if it is there")
    parser.add_argument(
        "--nearest", type=_count, default=5, metavar="N", help="so many photos of me, the most alike (5; 0 for none)"
    )
    terminal.add_language(parser)
    parser.set_defaults(run=_run)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _MOST_NEIGHBOURS):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 0 to {_MOST_NEIGHBOURS}")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    _check_output(arguments.output, arguments.force)
    try:
        data = read_file(arguments.photo)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExplainError("{path} cannot be read ({reason})", path=arguments.photo, reason=reason) from None
    service = LocalService(Settings.load())
    service.open()
    try:
        verification = service.verify(data, all_faces=True)
        photo = Photo.open(data, service.settings.max_pixels, service.settings.kinds)
    except ImageError as error:
        raise ExplainError("{path}: {reason}", path=arguments.photo, reason=error) from None
    neighbours, of_nearest = _neighbours(service, verification, data, arguments.nearest)
    encrypted = _is_locked(arguments.photo) or (neighbours is not None and neighbours.encrypted)
    if encrypted and arguments.output is None:
        raise ExplainError(
            "the picture would show what is stored encrypted, in plain: name the file that it is to be written to, "
            "outside of the project, with -o FILE.png"
        )
    answer = no_face() if verification is None else service.verdict(verification)
    explanation = _explanation(arguments.photo, photo, service, verification, answer, neighbours, of_nearest)
    _write(arguments, draw(explanation), data, encrypted)
    if answer.get("is_me") is None:
        return results.NOT_ALL_JUDGED
    return results.ALL_ME if answer["is_me"] else results.NOT_ALL_ME


def _check_output(output: Path | None, force: bool) -> None:
    """Refuse, before anything is done, what cannot be written or must not be replaced.

    Raises:
        ExplainError: it is so.
    """
    if output is None:
        return
    if output.suffix.lower() != ".png":
        raise ExplainError("-o is {path!r}; expected a name that ends with .png", path=str(output))
    if output.is_dir():
        raise ExplainError("{path} is a folder; expected the name of a file", path=output)
    if output.exists() and not force:
        raise ExplainError("{path} is there already: give another name, or --force to replace it", path=output)


def _neighbours(
    service: LocalService, verification: Verification | None, data: bytes, count: int
) -> tuple[Neighbours | None, str]:
    """The nearest photos of me, and a sentence about them or about why there are none."""
    if verification is None or count == 0:
        return None, ""
    embedding, recipe = verification.face.embedding, service.engine.recipe
    assert embedding is not None and recipe is not None  # a face that was scored has one, by a model
    try:
        found = find_nearest(embedding, recipe, data, count)
    except (UserError, OSError) as error:
        return None, say(why_without(error))
    return found, _usual(found)


def _usual(found: Neighbours) -> str:
    """What the similarities are, and which are to be expected."""
    sentences = [say("Similarity is the cosine of two embeddings, −1 to 1.")]
    if found.usual is not None:
        text = "Two of the {faces} faces of me have {usual} in the median"
        sentence = say(text, faces=found.of_me, usual=number(found.usual, ".3f"))
        if found.of_others is not None:
            sentence += say(", one of me and one of somebody else {others}", others=number(found.of_others, ".3f"))
        sentences.append(f"{sentence}.")
    return " ".join(sentences)


def _is_locked(photo: Path) -> bool:
    """Whether a photo is stored encrypted: under its own name, or under that of its locked form."""
    try:
        with photo.open("rb") as file:
            return is_sealed(file.read(64))
    except FileNotFoundError:
        return True  # its plain name was given, and it has been read


def _explanation(
    path: Path,
    photo: Photo,
    service: LocalService,
    verification: Verification | None,
    answer: dict[str, Any],
    neighbours: Neighbours | None,
    of_nearest: str,
) -> Explanation:
    shown = photo.decode(long_side=_LONG_SIDE)
    longest = max(photo.stored_size)
    size = tuple(round(side * longest / max(shown.size)) for side in shown.size)
    digest = (service.engine.model_sha256 or "")[:8]
    return Explanation(
        name=path.name,
        photo=shown,
        size=(size[0], size[1]),
        faces=verification.scored if verification else (),
        is_me=answer.get("is_me"),
        threshold=service.threshold.value,
        meaning=[
            meaning.of_share(answer.get("strangers_like_this"), answer["is_me"]),
            meaning.of_threshold(service.threshold),
        ]
        if verification
        else [],
        hints=[hint["text"] for hint in answer["hints"]] if service.engine.photo_limits or not verification else None,
        nearest=neighbours.nearest if neighbours else (),
        of_nearest=of_nearest,
        model=f"{service.settings.model_version} · {service.engine.backbone} · model.joblib {digest}",
    )


def _write(arguments: argparse.Namespace, picture: bytes, photo: bytes, encrypted: bool) -> None:
    """Write the picture, and say where.

    Raises:
        ExplainError: it cannot be written; what was there is as it was.
    """
    target = arguments.output or FOLDER / _default_name(arguments.photo, photo)
    there = target.exists()
    if there and arguments.photo.exists() and target.samefile(arguments.photo):
        raise ExplainError("{path} is the photo itself: give another name", path=target)
    try:
        write_bytes(target, picture)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExplainError("{path} cannot be written ({reason})", path=target, reason=reason) from None
    text = "{path} is written anew" if there else "{path} is written"
    print(say(text, path=results.printable(str(target))))
    if encrypted:
        print(say("It is plain: delete it when you have seen it"), file=sys.stderr)


def _default_name(path: Path, photo: bytes) -> str:
    """By the name of the photo and what is in it: two photos may have one name."""
    return f"{path.stem[:100]}-{hashlib.sha256(photo).hexdigest()[:8]}.png"
