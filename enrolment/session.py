"""All that the page shows, and what it may ask for. There is one, whatever number of tabs shows it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal

from enrolment import consent, folder
from enrolment.errors import EnrolmentError, RefusedError
from enrolment.language import tell
from enrolment.output import stages_of
from enrolment.preparation import Prepared, prepare
from enrolment.refusals import PHOTO_MEGABYTES
from enrolment.run import Run
from enrolment.waiting import MOST_PHOTOS, Waiting
from faces.errors import MessageError
from faces.message import Message
from quickstart import Problem
from service.language import Language
from stages.files.least_photos import least_groups
from stages.files.paths import MODEL
from stages.params import load_params
from tour.parameters import take_backbone_with_population

Phase = Literal["preparing", "ready", "running", "broken"]

FEW, MANY = 10, 30
"""How many photos of me are asked for."""

_ONLY_EXPORT = ("export",)
_HOW = Message("on the page of guided enrolment, on this machine")
_HELD = Message(
    "Another program works on this project, such as 'dvc repro' in a terminal: wait until it has ended, and try again"
)

log = logging.getLogger("enrolment")


class Session:
    """From photos to a model. Safe to use from several threads at once.

    Args:
        new_model: called when a run has made a model.
        language: of what is told where no page asks, as in the terminal.
    """

    def __init__(self, new_model: Callable[[], None], language: Language = "en") -> None:
        self._new_model = new_model
        self._language = language
        self._lock = threading.RLock()
        self._params = load_params()
        self._existing = folder.find_existing()
        self._prepared: Prepared | None = None
        self._run: Run | None = None
        self._broken: Message | str | None = None
        self._noted: Message | None = None
        self._accepted = 0

    # What the page asks for

    def prepare(self) -> None:
        """Build the networks where they are not there, and look at what lies in data/. Returns at once.

        Raises:
            RefusedError: something runs already.
        """
        with self._lock:
            self._refuse_while_running()
            self._broken = None
            try:
                self._take_backbone()
            except Problem as error:
                self._broken = str(error)
                return
            self._run = Run(_ONLY_EXPORT, _ONLY_EXPORT, self._language, self._open)

    def _take_backbone(self) -> None:
        """Photos of me alone need a network for which strangers are known: the tour's choice, said on the page."""
        if self._existing.not_me:
            return
        before = self._params.backbone.name
        take_backbone_with_population()
        self._params = load_params()
        if self._params.backbone.name != before:
            self._noted = Message(
                "In params.yaml, backbone.name is now {name}. It may be {before} again once there are photos of other "
                "people in data/not_me",
                before=before,
                name=self._params.backbone.name,
            )

    def _open(self) -> None:
        self._existing = folder.find_existing()
        self._params = load_params()
        self._prepared = prepare(self._params, self._existing)

    @property
    def _ready(self) -> Prepared:
        if self._prepared is None:
            raise RefusedError("The networks are not ready yet: wait a moment", code="preparing")
        return self._prepared

    def add(self, name: str, data: bytes) -> str:
        """Look at a photo, and let it wait. Returns its key.

        Raises:
            RefusedError: there is no room, or nothing can be judged yet.
        """
        prepared = self._ready
        prepared.waiting.check_room(len(data))
        return prepared.waiting.add(name, data, prepared.judge.look(data)).key

    def choose(self, key: str, taken: bool) -> None:
        """Take a photo that waits, or leave it out; raises as `WaitingPhotos.choose`."""
        self._ready.waiting.choose(key, taken)

    def remove(self, keys: Sequence[str]) -> None:
        """Forget photos that wait."""
        self._ready.waiting.remove(keys)

    def thumbnail(self, key: str) -> bytes:
        """A JPEG of the face on a photo that waits; b"" where there is none."""
        return self._ready.waiting.thumbnail(key)

    def start(self, agreed: bool, language: Language) -> None:
        """Put the photos that are taken into data/me, and run the pipeline. Returns when it has begun.

        Args:
            agreed: whether the person has said that they agree to it.
            language: of what the project's own programs say.

        Raises:
            UserError: it cannot begin; the message says why. No photo has been put anywhere then, unless DVC's child
                process could not be started.
            OSError: the photos cannot be written.
        """
        with self._lock:
            self._refuse_while_running()
            prepared = self._ready
            taken = [photo for photo in prepared.waiting.photos if photo.taken]
            existing = folder.find_existing()
            if existing.locked:
                raise folder.locked()
            self._check_count(len(taken), len(existing.me))
            consent.check_register(self._params)
            if consent.is_needed(self._params):
                if not agreed:
                    raise RefusedError("Say first that you agree to it", code="consent")
                consent.write(tell(_HOW, language))
            self._put(prepared, taken)
            self._run = Run(stages_of(), (), language, self._new_model)

    def _put(self, prepared: Prepared, taken: Sequence[Waiting]) -> None:
        folder.put_into_me([photo.data for photo in taken])
        prepared.waiting.now_in_me(taken)
        self._accepted = len(taken)
        self._existing = folder.find_existing()

    def _check_count(self, new: int, there: int) -> None:
        least = least_groups(self._params.train)[1]
        if new + there < least:
            raise RefusedError(
                "{count:# photo is|# photos are} taken; at least {least} are needed, and {few} to {many} are better",
                code="too_few",
                count=new + there,
                least=least,
                few=FEW,
                many=MANY,
            )

    def stop(self) -> None:
        """Have the run end. Photos that were accepted stay, and so does the model, be it the former or a new one."""
        with self._lock:
            if self._run is not None:
                self._run.stop()

    def close(self) -> None:
        """End what runs, and wait for it."""
        if self._run is not None:
            self._run.close()

    def _refuse_while_running(self) -> None:
        if self._run is not None and self._run.going:
            raise RefusedError("It runs already, perhaps begun in another tab: wait until it has ended", code="running")

    # What the page shows

    @property
    def phase(self) -> Phase:
        """Where it is."""
        run = self._run
        if self._prepared is None:
            return "preparing" if run is not None and run.going and self._broken is None else "broken"
        return "running" if run is not None and run.going else "ready"

    def state(self, language: Language) -> dict[str, Any]:
        """All of it, as JSON, with texts for people in a language."""
        prepared, phase, blocked = self._prepared, self.phase, self._blocked()
        photos = prepared.waiting.photos if prepared else []
        return {
            "phase": phase,
            "photos": [_photo(photo, language) for photo in sorted(photos, key=lambda photo: by_number(photo.name))],
            "existing": len(self._existing.me),
            "strangers": len(self._existing.not_me),
            "demo": bool(self._existing.demo),
            "checks_others": prepared.waiting.checks_others if prepared else True,
            "backbone": prepared.backbone if prepared else None,
            "least": least_groups(self._params.train)[1],
            "few": FEW,
            "many": MANY,
            "most": MOST_PHOTOS,
            "max_bytes": PHOTO_MEGABYTES * 2**20,
            "model": MODEL.is_file(),
            "accepted": self._accepted,
            "note": tell(self._noted, language) if self._noted else None,
            "blocked": tell(blocked, language) if blocked else None,
            "consent": self._consent(),
            "run": self._shown_run(language),
        }

    def _blocked(self) -> Message | None:
        """Why no photo can be accepted at all; None where they can."""
        if self._existing.locked:
            return _message(folder.locked())
        try:
            consent.check_register(self._params)
        except RefusedError as error:
            return _message(error)
        return None

    def _consent(self) -> bool:
        try:
            return consent.is_needed(self._params)
        except MessageError:  # start says what is wrong with the table
            return True

    def _shown_run(self, language: Language) -> dict[str, Any] | None:
        run = self._run
        if self._broken is not None:
            return {"kind": "export", "status": "failed", "error": self._broken, "lines": [], "stages": []}
        if run is None:
            return None
        output = run.output
        return {
            "kind": "export" if output.stages == _ONLY_EXPORT else "pipeline",
            "status": run.status,
            "stages": list(output.stages),
            "done": list(output.done),
            "stage": output.stage,
            "percent": output.percent,
            "seconds": round(run.seconds, 1) if run.seconds is not None else None,
            "error": self._why(run, language) if run.status == "failed" else None,
            "lines": list(output.lines)[-60:],
        }

    def _why(self, run: Run, language: Language) -> str:
        if run.problem is not None:
            if isinstance(run.problem, MessageError):
                return tell(run.problem, language)
            log.error("Guided enrolment: %r", run.problem, exc_info=run.problem)
            return tell(Message("Something unexpected went wrong; the terminal says what"), language)
        if run.output.held:
            return tell(_HELD, language)
        return run.output.error or tell(Message("It ended without saying why; the terminal may say more"), language)


def by_number(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts names as people do: photo_2 before photo_10."""
    parts = re.findall(r"([0-9]+)|([^0-9]+)", name.casefold())
    return [(0, int(digits), "") if digits else (1, 0, letters) for digits, letters in parts]


def _message(error: EnrolmentError) -> Message:
    message: Message = error.args[0]
    return message


def _photo(photo: Waiting, language: Language) -> dict[str, Any]:
    return {
        "id": photo.key,
        "name": photo.name,
        "usable": photo.usable,
        "taken": photo.taken,
        "faces": photo.look.faces,
        "thumbnail": bool(photo.look.thumbnail),
        "notes": [{"code": note.code, "text": tell(note.text, language)} for note in photo.notes],
    }
