"""Spanish for `python -m privacy status`, `expire` and `export`."""

from __future__ import annotations

HELD = {
    # status
    "who is in, since when, what ends next, what is due; exit status 1 if something is": (
        "quién está, desde cuándo, qué termina próximamente, qué está pendiente; código de salida 1 si hay algo "
        "pendiente"
    ),
    "There are no photos in data/me and data/not_me.": "No hay ninguna foto en data/me ni en data/not_me.",
    "here since": "desde",
    "consent": "consentimiento",
    "no for {count}": "falta en {count}",
    "Next: {who}, on {day}.": "Lo próximo: {who}, el {day}.",
    "Consent is not looked at: there is no data/consent.csv, and privacy.consent is off.": (
        "El consentimiento no se mira: no existe data/consent.csv, y privacy.consent es off."
    ),
    "{who} (line {line})": "{who} (línea {line})",
    "{path} has lines about nobody who is here: {names}.": "{path} tiene líneas de quien no está aquí: {names}.",
    "Due:": "Pendiente:",
    "Nothing is due.": "No hay nada pendiente.",
    "older than privacy.max_age_days": "más antigua que privacy.max_age_days",
    "  {reason}: {names}": "  {reason}: {names}",
    "  a forget was stopped before its end: 'python -m privacy forget --resume' finishes it": (
        "  un forget se interrumpió antes de terminar: 'python -m privacy forget --resume' lo termina"
    ),
    "{name} still has what was to be deleted there, since {day}: let 'python -m privacy forget --owed' reach it": (
        "{name} aún tiene lo que había que borrar allí, desde {day}: haz que 'python -m privacy forget --owed' pueda "
        "llegar a él"
    ),
    # expire
    "forget photos whose consent is past or taken back, or that are too old": (
        "olvida las fotos cuyo consentimiento ha terminado o se ha retirado, y las demasiado antiguas"
    ),
    "list them, and change nothing": "las enumera y no cambia nada",
    "do not ask": "no pregunta",
    "No photo's time is over.": "A ninguna foto se le ha pasado el plazo.",
    "The time of {count:# photo|# photos} is over:": "Ha pasado el plazo de {count:# foto|# fotos}:",
    "  {name}: {reason}": "  {name}: {reason}",
    "  … and {more} more ('python -m privacy status --json' has them all)": (
        "  … y {more} más ('python -m privacy status --json' las tiene todas)"
    ),
    "Forget {count:this photo|these # photos} everywhere, for good? Type yes: ": (
        "¿Olvidar {count:esta foto|estas # fotos} en todas partes y para siempre? Escribe sí: "
    ),
    "nobody is there to ask: add --yes to forget them without a question, or --dry-run to list": (
        "no hay nadie a quien preguntar: añade --yes para olvidarlas sin preguntar, o --dry-run para enumerarlas"
    ),
    (
        "this version has no 'python -m privacy forget', which expire needs: take a newer one, or delete the photos as "
        "docs/privacy.md says"
    ): (
        "esta versión no tiene 'python -m privacy forget', que expire necesita: usa una más nueva, o borra las fotos "
        "como dice docs/es/privacy.md"
    ),
    # export
    "what is held of a person, as a zip: the right of access": (
        "lo que se conserva de una persona, en un zip: el derecho de acceso"
    ),
    "FILE.zip": "ARCHIVO.zip",
    "where to write it": "dónde escribirlo",
    "exporting": "exportando",
    "Written to {path}, readable to you alone: {photos:# photo|# photos}, {counts}.": (
        "Se ha escrito en {path}, que solo tú puedes leer: {photos:# foto|# fotos}, {counts}."
    ),
    "crops": "recortes",
    "embeddings": "embeddings",
    "rows of the crop report": "filas del informe de recortes",
    "records of the audit log": "entradas del registro de auditoría",
    "the audit log of the service ({error})": "el registro de auditoría del servicio ({error})",
    "The photos in data/ are locked. In it they are not encrypted.": (
        "Las fotos de data/ están cifradas. Dentro del zip no lo están."
    ),
    (
        "It holds faces. Hand it over in a safe way, then delete it: 'python -m privacy forget' deletes it only with "
        "the person."
    ): (
        "Contiene caras. Entrégalo por un medio seguro y después bórralo: 'python -m privacy forget' solo lo borra con "
        "la persona."
    ),
    "It holds faces. Hand it over in a safe way, then delete it: 'python -m privacy forget' would not find it.": (
        "Contiene caras. Entrégalo por un medio seguro y después bórralo: 'python -m privacy forget' no lo encontraría."
    ),
    "{path} is a folder: give the name of a file, such as {path}/export.zip": (
        "{path} es una carpeta: da el nombre de un archivo, como {path}/export.zip"
    ),
    "{path} would lie where git commits it: leave --out away, or choose a place outside the project": (
        "{path} quedaría donde git lo guardaría: no pongas --out, o elige un sitio fuera del proyecto"
    ),
    "{index} is not of {embeddings}: run 'dvc repro'": "{index} no corresponde a {embeddings}: ejecuta 'dvc repro'",
}
