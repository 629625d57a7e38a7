"""Spanish for what no command has to itself: the help, arguments, words of several commands."""

from __future__ import annotations

COMMON = {
    "What is done for the people on the photos.": "Lo que se hace por las personas que salen en las fotos.",
    "commands": "comandos",
    "COMMAND": "COMANDO",
    "command": "comando",
    "FILE": "ARCHIVO",
    "person": "persona",
    "who": "quién",
    "me, a sub-folder of data/not_me, or a photo such as not_me/ana/1.jpg": (
        "me, una subcarpeta de data/not_me, o una foto como not_me/ana/1.jpg"
    ),
    "print JSON for programs": "escribe JSON, para programas",
    "Error: {error}": "Error: {error}",
    "{path}: {reason}": "{path}: {reason}",
    "{path}: {error}": "{path}: {error}",
    "{some} or {last}": "{some} o {last}",
    "{some} and {last}": "{some} y {last}",
    "yes": "sí",
    "no": "no",
    "given": "dado",
    "until": "hasta",
    "Nothing was done.": "No se ha hecho nada.",
    "file": "archivo",
    "object": "objeto",
    "version": "versión",
    "list": "lista",
    "reading versions": "leyendo versiones",
    # Whom a name means
    "{name!r} is nobody whose photos are in data/. Did you mean {names}?": (
        "{name!r} no es nadie que tenga fotos en data/. ¿Querías decir {names}?"
    ),
    (
        "{name!r} is nobody whose photos are in data/; expected me, a sub-folder of data/not_me, or a photo such as "
        "not_me/ana/1.jpg"
    ): (
        "{name!r} no es nadie que tenga fotos en data/; debe ser me, una subcarpeta de data/not_me, o una foto como "
        "not_me/ana/1.jpg"
    ),
    (
        "{name!r} is the name of {count} that look alike and are spelled with other characters: {names}. Rename one of "
        "them, then run this again"
    ): (
        "{name!r} es el nombre de {count}, que se ven igual pero se escriben con caracteres distintos: {names}. Cambia "
        "el nombre de uno de ellos y ejecuta esto otra vez"
    ),
}
