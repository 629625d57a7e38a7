"""What gunicorn's reload (SIGHUP) does here: new workers, with the settings and the models of the start.

The master holds the models that it read when it started, and its workers are copies of it. So a reload cannot bring
new ones, and what has changed meanwhile is said in the log.
"""

from __future__ import annotations

import logging
from pathlib import Path

from service.config import VARIABLES, Settings, SettingsError
from service.origin import Origin, sha256_if_any

log = logging.getLogger("service.reload")

_of_start: list[Settings] = []  # one at most: gunicorn reads its file anew, in the same process


def settings_of_start() -> Settings:
    """The settings that were read at the first call; at later ones, the log gets what would be different now.

    Raises:
        SettingsError: at the first call, they cannot be used.
    """
    if not _of_start:
        _of_start.append(Settings.load())
        return _of_start[0]
    settings = _of_start[0]
    try:
        now = Settings.load()
    except SettingsError as error:
        log.error("Reload: the settings of the start stay, since the new ones cannot be used:\n%s", error)
        return settings
    changed = [
        variable for variable, (field, _) in VARIABLES.items() if getattr(now, field) != getattr(settings, field)
    ]
    if changed:
        log.warning("Reload: the settings of the start stay; to change %s, restart the service", ", ".join(changed))
    return settings


def say_if_model_changed(origin: Origin, model_path: Path) -> None:
    """Warn that the model of the start stays where its file is another one now.

    Args:
        origin: of the model that was loaded.
        model_path: its file.
    """
    if sha256_if_any(model_path) != origin.model_sha256:
        log.warning("Reload: the model of the start stays; to serve the new one, restart the service")
