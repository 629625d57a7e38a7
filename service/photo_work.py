"""What is done with a photo when its turn has come: it is verified, or it goes to the line of the costly ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faces.recognition.image import Photo, peek_seconds
from faces.verification import Verification, verify
from faces.verifier import Verifier
from service.admission import Costly
from service.allowance import USUAL_PARTS, Allowance, SlotWantedError
from service.timed_recognizer import StepTimes, TimedRecognizer

COSTLY_SECONDS = 0.2
"""A photo that may take so long to decode (`Photo.decode_seconds`) is costly. JPEGs of 12 megapixels, as telephones
make them, take less."""


@dataclass(frozen=True)
class PhotoWork:
    """The work of one photo.

    Attributes:
        photo: a file's bytes.
        all_faces: not the largest face alone.
        recognizer, verifier: opened in this process.
        times: how long each step takes, and before it, the wait for the turn.
        wanted: whether another photo waits for the slot.
    """

    photo: bytes
    all_faces: bool
    recognizer: TimedRecognizer
    verifier: Verifier
    times: StepTimes
    wanted: Callable[[], bool]

    @property
    def looks_costly(self) -> bool:
        """Whether the first bytes of the file say that the photo is costly. It may be, even if they do not."""
        return peek_seconds(self.photo) >= COSTLY_SECONDS

    def begin(self) -> Verification | Costly[Verification | None] | None:
        """Verify, unless the photo is costly by its header, or has come to more work than usual and the slot is wanted.

        Raises:
            faces.recognition.image.ImageError: the photo is of no accepted type, is damaged, or would cost too much.
        """
        self.times.end("queue")
        read = self.recognizer.read(self.photo)
        if read.decode_seconds >= COSTLY_SECONDS:
            self.times.end("decode")
            return Costly(self.verify)
        try:
            return self._verify(read, Allowance(USUAL_PARTS, self.wanted))
        except SlotWantedError:
            self.times.end("detect")
            return Costly(self.verify)

    def verify(self) -> Verification | None:
        """Verify, however much work that is.

        From the beginning: what `begin` has read and found is not kept, since many may wait, and each would hold a copy
        of its file. Raises as `begin`.
        """
        self.times.end("queue")
        return self._verify(self.photo, None)

    def _verify(self, photo: bytes | Photo, allowance: Allowance | None) -> Verification | None:
        with self.recognizer.telling(self.times, allowance):
            verification = verify(photo, self.recognizer, self.verifier, self.all_faces)
        if verification is not None:
            self.times.end("score")
        return verification
