"""Errors a user can mend, and how a stage ends with one: a sentence and exit status 1, no traceback."""

from __future__ import annotations

import argparse
import errno
import importlib
import logging
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from faces.errors import UserError
from faces.message import Message
from stages.files.paths import MODEL
from stages.language.telling import language_of, speak, tell

_BEFORE_THE_MODEL = ("export", "crop", "embed", "quality", "train")
"""Stages after which there is no new model yet. Where one of the others fails, the model has been made anew."""


class StageError(UserError):
    """A stage cannot do its work with what it was given."""


def run_stage(name: str) -> None:
    """Run a stage as a program: logging to stderr, known errors as one message, exit status 1. It takes no arguments.

    The stage's module, `stages.<name>.<name>`, has `main()`, which does the work, and `OUTPUTS`, the paths that it
    writes; temporary copies that a killed run left beside them are deleted first. It is imported here, since an
    import of torch or scikit-learn takes seconds, and Ctrl-C during them is to end with a sentence, too.
    """
    speak(language_of(Path("params.yaml")))
    about = (importlib.import_module(f"stages.{name}").__doc__ or "").partition("\n")[0]
    program = f"python -m stages.{name}"
    usage = f"{program} [-h]\nIts parameters stand in params.yaml."
    argparse.ArgumentParser(program, usage=usage, description=about).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.captureWarnings(True)
    try:
        stage = importlib.import_module(f"stages.{name}.{name}")
        for output in stage.OUTPUTS:
            _remove_leftovers(output)
        stage.main()
    except UserError as error:
        _end(name, error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("stages", "faces"):
            raise
        text = (
            "{stage}: error: the package {name} is not installed here: activate the environment ('source "
            ".venv/bin/activate'), or let 'python3 quickstart.py' make it"
        )
        sys.exit(tell(text, stage=name, name=error.name))
    except KeyboardInterrupt:
        sys.exit(tell("{stage}: stopped; what the last run made is as it was", stage=name))
    except OSError as error:
        _end(name, _explain(error))


def _end(stage: str, error: UserError | Message | str) -> NoReturn:
    """End with what went wrong; where there is still a model of an earlier run, nobody is to take it for a new one."""
    text = "{stage}: error: {error}"
    if stage in _BEFORE_THE_MODEL and MODEL.is_file():
        text = (
            "{stage}: error: {error}. Nothing new was trained: {model} is still the model of the last good run, and "
            "the service goes on using it. What has changed since, new photos too, is not in it"
        )
    sys.exit(tell(text, stage=stage, error=error, model=MODEL))


def _remove_leftovers(output: Path) -> None:
    for leftover in output.parent.glob(f".{output.name}.*.tmp"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _explain(error: OSError) -> Message | str:
    """What happened, in the system's words, and what to do."""
    what: Message | str
    if error.args and isinstance(error.args[0], Message):
        what = error.args[0]
    else:
        what = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Message("{what}. Make room and run it again; the file that was there before is as it was", what=what)
    return what
