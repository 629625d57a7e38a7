"""Spanish for `python -m privacy consent`."""

from __future__ import annotations

REGISTER = {
    # The help
    "who has agreed to what, until when: data/consent.csv": (
        "quién ha dado su consentimiento, y hasta cuándo: data/consent.csv"
    ),
    "write down a consent": "apunta un consentimiento",
    "DAY": "DÍA",
    "HOW": "CÓMO",
    "ADDRESS": "DIRECCIÓN",
    "the day of the consent, such as 2026-11-27; today": "el día del consentimiento, como 2026-11-27; si no, hoy",
    "the last day on which it holds; no end if left out": "el último día en que vale; si no se da, no termina",
    "how it was given: signed form, e-mail …": "cómo se dio: formulario firmado, correo electrónico…",
    "how to reach the person; only a keyed hash is kept. Without ADDRESS it asks, so that no shell keeps it": (
        "cómo contactar con la persona; solo se guarda un hash con clave. Sin DIRECCIÓN la pide, para que no quede en "
        "el historial de la terminal"
    ),
    "put it in the place of the line that there is already": "sustituye la línea que ya haya",
    "write down that a consent was taken back": "apunta que un consentimiento se ha retirado",
    "as for add; what lies in a folder is withdrawn with it": (
        "como en add; con una carpeta se retira todo lo que hay en ella"
    ),
    "from this day on; today if left out": "desde ese día; si no se da, desde hoy",
    "show the table, and whether each consent holds today": "muestra la tabla, y qué consentimientos valen hoy",
    "those of this address alone": "solo los de esa dirección",
    "{text!r} is no day; expected year-month-day such as 2026-11-27": (
        "{text!r} no es un día; debe ser año-mes-día, como 2026-11-27"
    ),
    # What it says
    "Contact (it is not shown): ": "Contacto (no se muestra): ",
    "{who}: {consent}. It stands in line {line} of {path}.": "{who}: {consent}. Está en la línea {line} de {path}.",
    "given on {day}": "dado el {day}",
    " until {day}": ", hasta el {day}",
    ", withdrawn on {day}": ", retirado el {day}",
    "It is about {count:# photo|# photos}.": "Se refiere a {count:# foto|# fotos}.",
    "Note: {error}": "Nota: {error}",
    "It was withdrawn before; nothing is changed.": "Ya estaba retirado; no cambia nada.",
    "Withdrawn from {day} on: {names}.": "Retirado desde el {day}: {names}.",
    "The photos are still here, and in the model. 'python -m privacy expire' forgets them, everywhere and for good.": (
        "Las fotos siguen aquí, y en el modelo. 'python -m privacy expire' las olvida, en todas partes y para siempre."
    ),
    "There is no consent of that contact.": "No hay ningún consentimiento de ese contacto.",
    "There is no consent: {path} has no line.": "No hay ningún consentimiento: {path} no tiene ninguna línea.",
    "withdrawn": "retirado",
    "holds": "vale",
    "contact": "contacto",
    "how": "cómo",
    "privacy.consent: require (or warn)": "privacy.consent: require (o warn)",
    "For 'dvc repro' to look at the table, set in params.yaml: {changes}.": (
        "Para que 'dvc repro' mire la tabla, pon en params.yaml: {changes}."
    ),
    # What is wrong
    ("{who} has a consent already, in line {line} of {path}: {consent}. With --replace, the new one takes its place"): (
        "{who} ya tiene un consentimiento, en la línea {line} de {path}: {consent}. Con --replace, el nuevo ocupa su "
        "lugar"
    ),
    (
        "{path} has no line for {who}, so there is nothing to take back. With privacy.consent: require, photos without "
        "a line are not used; 'python -m privacy forget' deletes them"
    ): (
        "en {path} no hay ninguna línea de {who}, así que no hay nada que retirar. Con privacy.consent: require, las "
        "fotos sin línea no se usan; 'python -m privacy forget' las borra"
    ),
    "the contact is empty: give an e-mail address or a telephone number, or leave --contact out": (
        "el contacto está vacío: da una dirección de correo o un número de teléfono, o no pongas --contact"
    ),
    (
        "there is no {path}, the key of the contacts' hashes: nobody can tell any more whose they are. Put the file "
        "back from a backup"
    ): (
        "no existe {path}, la clave de los hashes de los contactos: sin ella no se puede saber de quién son. Recupera "
        "el archivo de una copia de seguridad"
    ),
    "{path}, the key of the contacts' hashes, cannot be used ({reason}): put it back from a backup": (
        "no se puede usar {path}, la clave de los hashes de los contactos ({reason}): recupérala de una copia de "
        "seguridad"
    ),
    "it is no key": "no es una clave",
    "{path}, the key of the contacts' hashes, has {given} bytes; expected {expected}: put it back from a backup": (
        "{path}, la clave de los hashes de los contactos, tiene {given} bytes; deben ser {expected}: recupérala de una "
        "copia de seguridad"
    ),
    (
        "{path} is open in a spreadsheet, which would overwrite the change: close it there (or delete {lock}, if it is "
        "not), and run this again"
    ): (
        "{path} está abierto en una hoja de cálculo, que sobrescribiría el cambio: ciérralo allí (o borra {lock}, si "
        "no lo está) y ejecuta esto otra vez"
    ),
    "{path} was changed by another program just now: run this again": (
        "otro programa acaba de cambiar {path}: ejecuta esto otra vez"
    ),
    "{path} cannot be written ({reason}): close the program that has it open, or give yourself the right to": (
        "no se puede escribir {path} ({reason}): cierra el programa que lo tenga abierto, o date permiso para hacerlo"
    ),
    "another program is changing {path}: wait until it has ended, and run this again": (
        "otro programa está cambiando {path}: espera a que termine y ejecuta esto otra vez"
    ),
}
