"""What is done with a photo when its turn has come: it is verified, or it goes to the line of the costly ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from faces.recognition.image import Photo
from faces.verification import Verification, verify
from faces.verifier import Verifier
from service.admission import Costly
from service.allowance import USUAL_PARTS, Allowance, SlotWantedError
from service.timed_recognizer import StepTimes, TimedRecognizer

COSTLY_SECONDS = 0.2
"""A photo that may take as long to decode (`Photo.decode_seconds`) is costly. JPEGs of 12 megapixels, as telephones
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

    def begin(self) -> Verification | Costly[Verification | None] | None:
        """Verify, unless the photo is costly by its header, or has come to more work than usual and the slot is wanted.

        Raises:
            faces.recognition.image.ImageError: the photo is of no accepted type, is damaged, or would cost too much.
        """
        self.times.end("queue")
        read = self.recognizer.read(self.photo)
        if read.decode_seconds >= COSTLY_SECONDS:
            self.times.end("decode")
            return Costly(self._all_of_it)
        try:
            return self._verify(read, Allowance(USUAL_PARTS, self.wanted))
        except SlotWantedError:
            self.times.end("detect")
            return Costly(self._all_of_it)

    def _all_of_it(self) -> Verification | None:
        """From the beginning: what was read and found is not kept, since many may wait, and each would hold a copy."""
        self.times.end("queue")
        return self._verify(self.photo, None)

    def _verify(self, photo: bytes | Photo, allowance: Allowance | None) -> Verification | None:
        with self.recognizer.telling(self.times, allowance):
            verification = verify(photo, self.recognizer, self.verifier, self.all_faces)
        if verification is not None:
            self.times.end("score")
        return verification
