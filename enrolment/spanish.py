"""Spanish for what guided enrolment says, by the English text; a test holds the two in step."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    # The command
    "Wrong settings:\n{error}": "Ajustes incorrectos:\n{error}",
    "there is no dvc.yaml here: guided enrolment needs the whole project, not the service alone": (
        "aquí no hay ningún dvc.yaml: el alta guiada necesita el proyecto entero, no solo el servicio"
    ),
    "Open this page in a browser on this machine: {page}": "Abre esta página en un navegador de esta máquina: {page}",
    "It runs until you press Ctrl-C, and no other machine can reach it.": (
        "Sigue en marcha hasta que pulses Ctrl-C, y ninguna otra máquina puede llegar a ella."
    ),
    # Where it does not start
    (
        "{name} is {value!r}: guided enrolment serves this machine alone, at {host}. Take the setting away for it, as "
        "in: {name}={host} python -m service --enrol"
    ): (
        "{name} es {value!r}: el alta guiada sirve solo a esta máquina, en {host}. Quita ese ajuste para ella, así: "
        "{name}={host} python -m service --enrol"
    ),
    (
        "{name} is set, so this is a service that others use: guided enrolment serves one person on their own machine. "
        "Take the setting away, or enrol in another copy of the project and copy its models/"
    ): (
        "{name} está puesto, así que este servicio lo usan otros: el alta guiada sirve a una persona en su propia "
        "máquina. Quita ese ajuste, o haz el alta en otra copia del proyecto y copia su carpeta models/"
    ),
    (
        "there are API keys ({path}), or REQUIRE_KEYS asks for them, so this is a service that others use: guided "
        "enrolment serves one person on their own machine. Enrol in another copy of the project, and copy its models/"
    ): (
        "hay claves de la API ({path}), o REQUIRE_KEYS las pide, así que este servicio lo usan otros: el alta guiada "
        "sirve a una persona en su propia máquina. Haz el alta en otra copia del proyecto y copia su carpeta models/"
    ),
    (
        "{name} is {value!r}: the page would ask another model than the one that it trains. Take the setting away for "
        "it"
    ): "{name} es {value!r}: la página preguntaría a un modelo que no es el que entrena. Quita ese ajuste para ella",
    # Photos
    "There is not enough memory for it": "No hay memoria suficiente para ella",
    "There are {count} faces on it. The largest one is looked at; cut the others off if it is not yours": (
        "Hay {count} caras. Se mira la más grande; si no es la tuya, recorta las demás"
    ),
    "{most} photos wait already, which is enough to begin with: accept or remove some": (
        "Ya hay {most} fotos en espera, suficientes para empezar: acepta o quita algunas"
    ),
    "The photos that wait have {most} MB together: accept or remove some": (
        "Las fotos en espera ocupan entre todas {most} MB: acepta o quita algunas"
    ),
    "This photo is gone, or cannot be used": "Esta foto ya no está, o no se puede usar",
    "It is the same file as {name}": "Es el mismo archivo que {name}",
    "It does not look like the person on most of the photos. Take it only if it is you for sure": (
        "No se parece a la persona de la mayoría de las fotos. Úsala solo si tienes claro que eres tú"
    ),
    "It is nearly the same photo as {name}. One of another moment teaches more": (
        "Es casi la misma foto que {name}. Una de otro momento enseña más"
    ),
    "The photo has more than {most} MB. Save it smaller": "La foto ocupa más de {most} MB. Guárdala más pequeña",
    # Beginning to learn
    (
        "The photos in data/ are locked. Unlock them first, in a terminal: python -m privacy unlock. Afterwards lock "
        "them again: python -m privacy lock"
    ): (
        "Las fotos de data/ están cifradas. Descífralas antes, en una terminal: python -m privacy unlock. Después "
        "vuelve a cifrarlas: python -m privacy lock"
    ),
    "privacy.consent in params.yaml asks for consent, and privacy.register is {given}: set it to {expected}": (
        "privacy.consent, en params.yaml, pide consentimiento, y privacy.register es {given}: ponlo a {expected}"
    ),
    "Say first that you agree to it": "Antes tienes que dar tu permiso",
    "on the page of guided enrolment, on this machine": "en la página del alta guiada, en esta máquina",
    "{count:# photo is|# photos are} taken; at least {least} are needed, and {few} to {many} are better": (
        "{count:Se usa # foto|Se usan # fotos}; hacen falta {least} como mínimo, y de {few} a {many} es mejor"
    ),
    "The photos could not be written: {reason}. Nothing has been lost, and they wait here": (
        "No se han podido escribir las fotos: {reason}. No se ha perdido nada, y siguen aquí en espera"
    ),
    # The run
    "The networks are not ready yet: wait a moment": "Las redes todavía no están listas: espera un momento",
    "It runs already, perhaps begun in another tab: wait until it has ended": (
        "Ya está en marcha, quizá empezado en otra pestaña: espera a que termine"
    ),
    (
        "Another program works on this project, such as 'dvc repro' in a terminal: wait until it has ended, and try "
        "again"
    ): (
        "Otro programa está trabajando en este proyecto, como 'dvc repro' en una terminal: espera a que termine y "
        "prueba otra vez"
    ),
    (
        "In params.yaml, backbone.name is now {name}. It may be {before} again once there are photos of other people "
        "in data/not_me"
    ): (
        "En params.yaml, backbone.name es ahora {name}. Puede volver a ser {before} cuando haya fotos de otras "
        "personas en data/not_me"
    ),
    "The new model cannot be asked: {reason}": "No se puede preguntar al modelo nuevo: {reason}",
    "Something unexpected went wrong; the terminal says what": "Algo ha fallado sin esperarlo; la terminal dice qué",
    "There is no report yet ({path}): the pipeline writes it at its end": (
        "Todavía no hay informe ({path}): el pipeline lo escribe al final"
    ),
    "It ended without saying why; the terminal may say more": (
        "Ha terminado sin decir por qué; quizá la terminal diga más"
    ),
    "Open the address that the terminal shows: it has a token in it": (
        "Abre la dirección que muestra la terminal: lleva un token dentro"
    ),
    "This address was used already, or is of an earlier run: open the one that the terminal shows": (
        "Esta dirección ya se ha usado, o es de otra vez: abre la que muestra la terminal"
    ),
}
"""Spanish for each English template; placeholders have the same names."""
