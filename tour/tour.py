"""The story of the tour: photos into data/, `dvc repro`, the service, a question about each class, what it answered."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import time
from pathlib import Path

from quickstart import HOST, LOG, ROOT, classes_in, guarded
from stages.language.telling import speak
from tour.language import spoken, tell
from tour.parameters import take_backbone_with_population
from tour.photos import ensure_photos, photos_to_ask_about
from tour.pipeline import build
from tour.questions import ask, explain_backbone
from tour.service import Service, ended, model_elsewhere, running_service


def main() -> int:
    """Run the tour; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tour")
    parser.add_argument(
        "--photos", metavar="DIR", type=Path, help=tell("copy the photos of DIR/me and DIR/not_me first")
    )
    parser.add_argument("--port", metavar="N", type=int, required=True, help=tell("port of the service"))
    parser.add_argument("--once", action="store_true", help=tell("end after the answers"))
    options = parser.parse_args()
    speak(spoken())
    return guarded(lambda: tour(options.photos, options.port, options.once))


def tour(photos: Path | None, port: int, once: bool) -> int:
    """From photos to answers; returns the exit code."""
    ensure_photos(photos)
    if classes_in(ROOT / "data") == ["me"]:
        take_backbone_with_population()
    build()
    return serve(port, once)


def serve(port: int, once: bool) -> int:
    """Start the service, ask it about each class that has photos and, unless `once`, leave it running until Ctrl-C.

    Returns:
        The exit code: 1 where a question got no verdict.
    """
    found = {name: photos_to_ask_about(name) for name in classes_in(ROOT / "data")}
    photos = {name: of_class for name, (of_class, _) in found.items()}
    seen = any(trained for _, trained in found.values())
    with running_service(port, photos) as service:
        answers = [ask(service, name, of_class) for name, of_class in photos.items()]
        print(f"\n{what_was_learnt(seen)}")
        if "not_me" not in photos:
            print(
                tell(
                    "It has seen no photo of other people: how often strangers get in is estimated, from how faces are "
                    "spread among people of press photos, and neither measured nor promised. To measure it, put photos "
                    "of other people into data/not_me, best of people who resemble you, and start again."
                )
            )
        print(tell("How often it is right on faces it has not seen: reports/INFORME_H10.html (open it in a browser)"))
        named = [str(answer["backbone"]) for answer in answers if answer is not None and "backbone" in answer]
        backbone = explain_backbone(named[0]) if named else tell("not named in the answers")
        print(tell("Backbone: {backbone}", backbone=backbone))
        if once:
            print(tell("The service has done its work and is stopped (--once)."))
        else:
            # If the model has learnt from all photos that there are, one of those would say little.
            stay(service, tell("YOUR_PHOTO.jpg") if seen else str(photos["me"][0]))
    return 0 if all(answer is not None for answer in answers) else 1


def what_was_learnt(seen: bool) -> str:
    """A sentence on whether the model has seen the photos that it was asked about.

    Args:
        seen: whether these are photos that the pipeline trains with.
    """
    path = model_elsewhere()
    if path is not None:
        return tell(
            "The model is the one that MODEL_PATH names ({path}): it is not known here which photos it was trained "
            "with.",
            path=path,
        )
    if seen:
        return tell("The pipeline trains with the photos in data/: that the model knows one of these says little.")
    return tell("Neither photo was part of the training.")


def curl(photo: str) -> str:
    """The beginning of a command that sends a photo."""
    if os.name == "nt":  # in PowerShell, curl without its suffix is another program
        return f'curl.exe -sS -F "image=@{photo}"'
    quoted = f'"{photo}"' if set(photo) & set(",;") else photo  # curl ends a path there
    return f"curl -sS -F {shlex.quote(f'image=@{quoted}')}"


def stay(service: Service, photo: str) -> None:
    """Say how to ask the service, and leave it running until Ctrl-C.

    Args:
        service: it.
        photo: path of the photo in the command that is shown: whole, since a second terminal has a folder of its own.

    Raises:
        Problem: it ended by itself.
    """
    address = f"http://{HOST}:{service.port}"
    print(tell("Open this page in a browser and drop a photo: {page} (log: {log})", page=f"{address}/ui", log=LOG.name))
    print(tell("Ask it from a second terminal: {command}", command=f"{curl(photo)} {address}/verify"))
    with contextlib.suppress(KeyboardInterrupt):
        print(tell("It runs until you press Ctrl-C."), flush=True)
        while service.process.poll() is None:
            time.sleep(0.5)
        raise ended(service.process.returncode)
