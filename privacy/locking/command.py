"""`python -m privacy lock`, `unlock`, `rekey`, `reveal` and `new-key`."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from faces.message import Message
from privacy.dvc.stores import open_repo
from privacy.errors import PrivacyError
from privacy.folder import STATE
from privacy.held.first_days import remember
from privacy.held.since import known_days
from privacy.held.state import UNFINISHED
from privacy.language import both, joined, say_again
from privacy.locking import keys
from privacy.locking.files import (
    Done,
    TwoFormsError,
    find_files,
    lock_file,
    locked_ones,
    locked_path,
    md5_of,
    rekey_file,
    remove_leftovers,
    unlock_file,
    why_not_lockable,
)
from privacy.locking.purge import Replaced, check_cache, delete_earlier, track, uses_dvc
from service.client.language import say
from stages.files.encryption import HEADER_BYTES, Header, Key, LockedError, Secret, is_as, is_sealed, read_header
from stages.files.locked_files import is_locked_name
from stages.files.paths import DATA, EMBEDDINGS
from stages.files.photos import photos_in
from stages.params import load_params
from stages.progress import progress

FOLDERS = (DATA / "me", DATA / "not_me")
ONE_AT_A_TIME = STATE / "locking.lock"
ROOT = Path()
_NAMED = 5  # files that a message names at most


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands of `python -m privacy` that lock photos. Each parser sets `run`."""

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run)
        return parser

    where = Message("the key; else PRIVACY_KEY_FILE or PRIVACY_KEY say it, or you are asked for a passphrase")
    file = say("FILE")
    lock = add("lock", _lock, say("encrypt the photos, and delete their plain versions from DVC's cache and remotes"))
    lock.add_argument("--key-file", type=_path, metavar=file, help=say(where))
    _add_purging(lock)
    unlock = add("unlock", _unlock, say("decrypt the photos"))
    unlock.add_argument("--key-file", type=_path, metavar=file, help=say(where))
    rekey = add("rekey", _rekey, say("encrypt the photos with another key, and delete what the old one opens"))
    rekey.add_argument("--key-file", type=_path, metavar=file, help=say("of the old key: {where}", where=where))
    rekey.add_argument(
        "--new-key-file",
        type=_path,
        metavar=file,
        help=say("the new key; else PRIVACY_NEW_KEY_FILE or PRIVACY_NEW_KEY say it, or you are asked for a passphrase"),
    )
    _add_purging(rekey)
    text = say("write one encrypted file, such as the contact sheet, out to where you look at it")
    reveal = add("reveal", _reveal, text)
    reveal.add_argument("file", type=_path, metavar=file)
    reveal.add_argument("target", type=_path, metavar=say("TARGET"), help=say("a new file"))
    reveal.add_argument("--key-file", type=_path, metavar=file, help=say(where))
    new_key = add("new-key", _new_key, say("make a key and write it to a new file"))
    new_key.add_argument("file", type=_path, metavar=file)


def _path(text: str) -> Path:
    """A path from where the command was typed: `main` goes to the project's root afterwards."""
    return Path(text).expanduser().absolute()


def _add_purging(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--all-versions",
        action="store_true",
        help=say("also delete photos of earlier versions that are in data/ no more: they are lost then"),
    )
    which.add_argument(
        "--no-purge", action="store_true", help=say("leave earlier versions in DVC's cache and remotes as they are")
    )


def _lock(arguments: argparse.Namespace) -> int:
    with _alone(arguments.no_purge):
        with _dvc_waits("lock"):
            files = _files()
            locked = locked_ones(files)
            headers = keys.headers_of(locked)
            _refuse(why for path in files if (why := why_not_lockable(path)))
            secret = keys.find_secret(arguments.key_file, confirm=not locked)
            keys.check_all(secret, headers)
            gone = set(_open_all(locked, secret.key_of))
            key = keys.key_for_writing(secret, headers)
            plain = [path for path in files if path.exists() or path.is_symlink()]
            links = [path for path in plain if _leads_out(path)]
            done = _each(plain, lambda path: lock_file(path, _key_of(locked_path(path), secret, key)), say("locking"))
            gone |= {one.plain_md5 for one in done}
            text = "{count:# file|# files} locked, {others:# file|# files} were already."
            print(say(text, count=len(done), others=len(files) - len(done)))
            if links:
                names = ", ".join(map(str, links[:_NAMED]))
                text = "Links were replaced, and the files that they led to are plain as before: {names}"
                print(say(text, names=names))
        status = _purge(arguments, gone, key)
    _say_what_else_is_plain()
    return status


def _unlock(arguments: argparse.Namespace) -> int:
    with _alone(no_purge=True), _dvc_waits("unlock"):
        files = _files()
        locked = locked_ones(files)
        headers = keys.headers_of(locked)
        if headers:
            there = set(locked)
            files = [path for path in files if locked_path(path) in there]
            secret = keys.find_secret(arguments.key_file, confirm=False)
            keys.check_all(secret, headers)
            _open_all(locked, secret.key_of)
            key = keys.key_for_writing(secret, headers)
            what = say("unlocking")
            done = _each(files, lambda path: unlock_file(path, _key_of(locked_path(path), secret, key)), what)
            print(say("{count:# file|# files} unlocked.", count=sum(one.changed for one in done)))
            print(say("'dvc add' and 'dvc repro' would put plain photos into DVC's cache: lock them again before."))
        else:
            print(say("Nothing is locked."))
    return 0


def _rekey(arguments: argparse.Namespace) -> int:
    with _alone(arguments.no_purge):
        with _dvc_waits("rekey"):
            files = _files()
            locked = locked_ones(files)
            headers = keys.headers_of(locked)
            if not headers:
                raise PrivacyError("nothing is locked, so there is no key to change: 'python -m privacy lock' locks")
            old = keys.find_secret(arguments.key_file, confirm=False)
            new = keys.find_new_secret(arguments.new_key_file)
            if old == new:
                raise PrivacyError("the new key is the old one: give another. Nothing was changed")
            strange = [path for header, path in headers.items() if not keys.opens(new, header, path)]
            for path in strange:
                old.key_of(keys.header_of(path), path)
            new_key = keys.key_for_new_secret(new, headers)
            old_keys = [old.key_of(header, path) for header, path in headers.items() if path in strange]

            def key_of(header: Header, path: Path) -> Key:
                return new_key if header.key_id == new_key.key_id else old.key_of(header, path)

            _open_all(locked, key_of)
            there = set(locked)
            its_own = [path for path in files if locked_path(path) in there]
            done = _each(
                its_own,
                lambda path: rekey_file(path, key_of(keys.header_of(locked_path(path)), locked_path(path)), new_key),
                say("changing the key"),
            )
            print(say("{count:# file|# files} locked with the new key.", count=sum(one.changed for one in done)))
            if not old_keys:
                old_keys = [key for key in [keys.key_as_before(old)] if key is not None]
            gone = _under(old_keys, its_own, new_key)
        status = _purge(arguments, gone, new_key, old_keys)
    _say_what_has_the_old_key(new_key)
    return status


def _reveal(arguments: argparse.Namespace) -> int:
    source, target = arguments.file, arguments.target
    try:
        sealed = source.read_bytes()
        if not is_sealed(sealed[:HEADER_BYTES]) and not is_locked_name(source.name):
            raise PrivacyError("{path} is not encrypted: open it as it is", path=source)
        header = read_header(sealed, source)
        content = keys.find_secret(arguments.key_file, confirm=False).key_of(header, source).open(sealed, source)
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise PrivacyError("{path} is there already: give another name", path=target) from None
    except OSError as error:
        raise PrivacyError("{path}: {reason}", path=error.filename or source, reason=error.strerror) from None
    print(say("{path} is plain: delete it when you have seen it.", path=target))
    return 0


def _new_key(arguments: argparse.Namespace) -> int:
    keys.write_key_file(arguments.file)
    text = (
        "{path} holds a new key. Keep a copy in another place: what it locks is lost without it. It must not lie where "
        "the photos are kept, or copied to."
    )
    print(say(text, path=arguments.file))
    return 0


def _under(old_keys: Sequence[Key], files: Sequence[Path], key: Key) -> set[str]:
    """MD5s of what the old keys made of the photos: AES-SIV makes the same of the same."""
    found = set()
    what = say("looking for what the old key opens")
    for path in progress(files, len(files), what, say("file")) if old_keys else ():
        content = key.open(locked_path(path).read_bytes(), locked_path(path))
        found |= {md5_of(old.seal(content)) for old in old_keys}
    return found


def _files() -> list[Path]:
    if not any(folder.is_dir() for folder in FOLDERS):
        raise PrivacyError("there is neither data/me nor data/not_me: put photos there first")
    remove_leftovers(FOLDERS)
    return find_files(FOLDERS)


def _leads_out(path: Path) -> bool:
    """Whether a file is a link to something that is not in DVC's cache, which may hold links' content."""
    return path.is_symlink() and not path.resolve().is_relative_to((ROOT / ".dvc").resolve())


def _key_of(locked: Path, secret: Secret, key: Key) -> Key:
    """The key of a locked file where it is there, else the one for those that are not."""
    return secret.key_of(keys.header_of(locked), locked) if locked.exists() else key


def _open_all(locked: Sequence[Path], key_of: Callable[[Header, Path], Key]) -> list[str]:
    """See to it that all locked files can be opened, before anything is changed.

    Returns:
        The MD5s of their content.

    Raises:
        LockedError: another key locked one.
        PrivacyError: some were changed or damaged, or cannot be read; it names them.
    """
    md5s: list[str] = []
    wrong: list[str] = []
    for path in progress(locked, len(locked), say("reading what is locked"), say("file")):
        try:
            sealed = path.read_bytes()
            md5s.append(md5_of(key_of(read_header(sealed, path), path).open(sealed, path)))
        except LockedError as error:
            wrong.append(error.args[0])
        except OSError as error:
            wrong.append(Message("{path} cannot be read ({reason})", path=path, reason=error.strerror))
    _refuse(wrong)
    return md5s


def _each(files: Sequence[Path], work: Callable[[Path], Done], what: str) -> list[Done]:
    """Work on every file; files that are two different ones under one name are told at the end, all at once.

    Raises:
        PrivacyError: a file cannot be worked on; those before it are done, and it is as it was.
    """
    done: list[Done] = []
    wrong: list[TwoFormsError] = []
    for path in progress(files, len(files), what, say("file")):
        try:
            done.append(work(path))
        except TwoFormsError as error:
            wrong.append(error)
        except OSError as error:
            raise PrivacyError(
                "{path}: {reason}. {advice}; nothing is lost, and running it again goes on from there",
                path=error.filename or path,
                reason=error.strerror or str(error),
                advice=_advice(error),
            ) from None
        except OverflowError:
            raise PrivacyError(
                "{path} has 2 GB or more, which cannot be encrypted: move it away. Running it again goes on from there",
                path=path,
            ) from None
    _refuse(error.args[0] for error in wrong)
    return done


def _advice(error: OSError) -> Message:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Message("Make room")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return Message("Give yourself the right to it")
    return Message("See to it")


def _refuse(reasons: Iterable[str]) -> None:
    told = list(reasons)
    if told:
        if len(told) > _NAMED:
            reasons = joined("\n", told[:_NAMED])
            raise PrivacyError("{reasons}\n… and {more} more", reasons=reasons, more=len(told) - _NAMED)
        raise PrivacyError(joined("\n", told))


@contextmanager
def _alone(no_purge: bool) -> Iterator[None]:
    """See to it that no other of these commands is at work, and that no `forget` waits for its end.

    Raises:
        PrivacyError: one is, or DVC's cache may be another project's.
    """
    ONE_AT_A_TIME.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(ONE_AT_A_TIME, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise PrivacyError("another 'python -m privacy' is at work on the photos: wait for its end") from None
    except OSError as error:
        raise PrivacyError("{path}: {reason}", path=ONE_AT_A_TIME, reason=error.strerror) from None
    try:
        if UNFINISHED.exists():  # it would not know the photos that are to go in another form
            raise PrivacyError(
                "a 'python -m privacy forget' was stopped before its end: finish it first, with 'python -m privacy "
                "forget --resume'"
            )
        if uses_dvc(ROOT) and not no_purge:
            check_cache(ROOT)
        yield
    finally:
        lock.release()


@contextmanager
def _dvc_waits(command: str) -> Iterator[None]:
    """Keep stages of `dvc repro` from reading the photos meanwhile.

    Raises:
        PrivacyError: one does already, or nobody can tell.
    """
    if not uses_dvc(ROOT):
        yield
        return
    from dvc.lock import LockError
    from dvc.rwlock import RWLockFileCorruptedError, RWLockFileFormatError, rwlock

    with open_repo(ROOT) as repo:
        paths = [str(Path.cwd() / folder) for folder in FOLDERS]
        hardlink = bool(repo.config["core"].get("hardlink_lock", False))
        reading = rwlock(repo.tmp_dir, repo.fs, f"python -m privacy {command}", [], paths, hardlink)
        try:
            reading.__enter__()
        except LockError:
            raise PrivacyError("DVC is at work on the photos ('dvc repro'?): wait for its end") from None
        except (RWLockFileCorruptedError, RWLockFileFormatError):
            raise PrivacyError(
                "{path}, in which DVC notes what is at work, is damaged: a command of DVC was stopped while it wrote "
                "it. If none runs now, delete that file and run this again",
                path=Path(repo.tmp_dir) / "rwlock",
            ) from None
        try:
            yield
        finally:
            reading.__exit__(None, None, None)


def _purge(arguments: argparse.Namespace, gone: set[str], key: Key, old_keys: Sequence[Key] = ()) -> int:
    if not uses_dvc(ROOT):
        return 0
    root = Path.cwd()
    tracked = track(root, FOLDERS)
    if not tracked:
        print(say("DVC tracks neither data/me nor data/not_me: 'dvc add data/me data/not_me' does."))
    if arguments.no_purge:
        print(say("DVC's cache and remotes keep the earlier versions, as --no-purge asks."))
        return 0
    derived = key if load_params().privacy.encrypt_derived else None
    remember(known_days([photo.path_in_data for photo in photos_in(DATA)]))
    replaced = delete_earlier(root, gone, arguments.all_versions, derived, {old.key_id for old in old_keys})
    _say(replaced)
    if tracked:
        print(say("Commit {files} to git.", files=both([f"{folder.as_posix()}.dvc" for folder in tracked])))
    return 1 if replaced.remotes.owed else 0


def _say(replaced: Replaced) -> None:
    for place, done in {Message("the DVC cache"): replaced.cache, **replaced.remotes.done}.items():
        print(say("Earlier versions deleted from {place}: {count} objects.", place=place, count=done.objects))
    for debt in replaced.remotes.owed:
        text = (
            "NOT deleted from the remote {name} ({reason}): it is remembered. When that is mended, run this again, or "
            "'python -m privacy forget --owed'."
        )
        print(say(text, name=debt.name, reason=say_again(debt.reason)))
    if replaced.older:
        text = (
            "{count:# file|# files} of earlier versions, which are in data/ no more, stay in DVC's cache as they were: "
            "'--all-versions' deletes them for good."
        )
        print(say(text, count=replaced.older))


def _say_what_else_is_plain() -> None:
    if not load_params().privacy.encrypt_derived:
        print(
            say(
                "Crops and embeddings stay plain: 'privacy.encrypt_derived: true' in params.yaml, then 'dvc repro' and "
                "'python -m privacy lock', encrypts them too."
            )
        )
    elif EMBEDDINGS.is_file() and not is_sealed(EMBEDDINGS.read_bytes()[:HEADER_BYTES]):
        print(say("Crops and embeddings in data/ are plain still: 'dvc repro' encrypts them."))


def _say_what_has_the_old_key(key: Key) -> None:
    if EMBEDDINGS.is_file() and is_sealed(head := EMBEDDINGS.read_bytes()[:HEADER_BYTES]) and not is_as(head, key):
        print(
            say(
                "Crops and embeddings in data/ are locked with the old key still: 'dvc repro' locks them with the new "
                "one."
            )
        )
