"""The one parameter that the tour sets by itself, saying so: the backbone, where there are photos of me alone."""

from __future__ import annotations

import re

from faces.errors import UserError
from quickstart import ROOT, Problem
from stages.language.telling import tell as tell_of_stages
from tour.language import tell

WITH_POPULATION = "dlib-resnet"
"""The backbone for which the project ships how strangers' faces are spread."""

_NAME = re.compile(r"(?m)^(?P<before>backbone:.*\n(?:(?:[ \t]+.*|#.*|)\n)*?[ \t]+name:[ \t]*)(?P<name>[\w-]+)")
"""The name of the backbone in params.yaml, and all of its section before it."""


def take_backbone_with_population() -> None:
    """Set backbone.name in params.yaml to the one that needs no photos of others, unless what stands there will do.

    Other parameters are the user's own: with a population of theirs, or with none, stage train says what it needs.

    Raises:
        Problem: params.yaml cannot be read, or has the name where it is not found.
    """
    from stages.params import load_params  # it needs packages that the rest of the tour does not

    path = ROOT / "params.yaml"
    try:
        params = load_params(path)
        named, train = params.backbone.name, params.train
        if named == WITH_POPULATION or train.population != "auto" or train.verifier != "cosine":
            return
        text = path.read_text(encoding="utf-8")
        changed = _NAME.sub(lambda found: found["before"] + WITH_POPULATION.ljust(len(found["name"])), text, count=1)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
        if load_params(path).backbone.name != WITH_POPULATION:
            raise Problem(
                tell(
                    "There are no photos of other people, and for the backbone {named} it is not known how strangers' "
                    "faces are spread. Set backbone.name to {known} in {path}, then start again.",
                    named=named,
                    known=WITH_POPULATION,
                    path=path,
                )
            )
    except UserError as error:
        raise Problem(tell_of_stages(error.args[0])) from error
    print(
        tell(
            "There are no photos of other people, and for the backbone {named} it is not known how strangers' faces "
            "are spread: params.yaml now has backbone.name: {known}. You need do nothing. Once there are photos of "
            "other people in data/not_me, you may write {named} there again.",
            named=named,
            known=WITH_POPULATION,
        ),
        flush=True,
    )
