"""Spanish for what is said of DVC's cache and of remotes."""

from __future__ import annotations

DVC = {
    "cache": "caché",
    "the DVC cache": "la caché de DVC",
    "deleting": "borrando",
    "reading lists of files": "leyendo listas de archivos",
    # Why a remote is owed something
    "it keeps versions of its own (worktree or version_aware), which this command does not delete": (
        "guarda versiones propias (worktree o version_aware), que este comando no borra"
    ),
    "nothing can be deleted over HTTP": "por HTTP no se puede borrar nada",
    "no remote is configured with the address {address} any more": (
        "ya no hay ningún remoto configurado con la dirección {address}"
    ),
    "nobody can tell whether it keeps what was deleted as old versions: {reason}": (
        "no se puede saber si conserva como versiones antiguas lo que se borró: {reason}"
    ),
    "{path} is not there: connect the disk, or remove the remote if it was never used": (
        "no existe {path}: conecta el disco, o quita el remoto si no se ha usado nunca"
    ),
    "{name} ({address}) does not answer any more ({reason}): run this again when it does": (
        "{name} ({address}) ha dejado de responder ({reason}): ejecuta esto otra vez cuando responda"
    ),
    (
        "{path} cannot be read ({error}), and it says what is still to be deleted on remotes: mend it, or move it "
        "away, and run this again"
    ): (
        "no se puede leer {path} ({error}), donde consta lo que aún hay que borrar en los remotos: arréglalo, o "
        "llévatelo a otro sitio, y ejecuta esto otra vez"
    ),
}
