"""Spanish for what both the stages and the service say. What one of them alone says stands in stages/language and in
service/spanish.py.

The answers of the service are in Spanish or English. Its log is in English, as the code is.
"""

from __future__ import annotations

SPANISH = {
    # Networks
    "run 'dvc repro export' (or 'python -m stages.export') to write them": (
        "ejecuta 'dvc repro export' (o 'python -m stages.export') para escribir las redes"
    ),
    "there is no {path}: {hint}": "no existe {path}: {hint}",
    "there is no {path}: {hint} again": "no existe {path}: {hint} otra vez",
    "{path} cannot be read ({reason})": "no se puede leer {path} ({reason})",
    "{path} cannot be read ({reason}): {hint} again": "no se puede leer {path} ({reason}): {hint} otra vez",
    "{path} has format {given!r}; this version reads {format}: {hint} again": (
        "{path} tiene el formato {given!r}; esta versión lee el {format}: {hint} otra vez"
    ),
    "{path} is damaged ({lack}): {hint} again": "{path} está dañado ({lack}): {hint} otra vez",
    "the networks do not work, though they are the files that networks.json names: run 'dvc repro --force export'": (
        "las redes no funcionan, aunque son los archivos que nombra networks.json: ejecuta 'dvc repro --force export'"
    ),
    "the model is damaged: it scores with {score}; run 'dvc repro --force train'": (
        "el modelo está dañado: da la puntuación {score}; ejecuta 'dvc repro --force train'"
    ),
    "{path} is not the file that {manifest} names: {hint} again": (
        "{path} no es el archivo que nombra {manifest}: {hint} otra vez"
    ),
    "it lacks {name}": "le falta {name}",
    "a value is of the wrong kind": "un valor no es del tipo debido",
    "it is not JSON": "no es JSON",
    "unknown": "desconocido",
    # The trained model
    "there is no {path}: run 'dvc repro' to train": "no existe {path}: ejecuta 'dvc repro' para entrenar",
    "{path} cannot be loaded ({lacks}): run 'dvc repro' again": (
        "no se puede cargar {path} ({lacks}): ejecuta 'dvc repro' otra vez"
    ),
    "it is damaged": "está dañado",
    "the package {name} is not installed": "el paquete {name} no está instalado",
    "{path} holds a {kind}; expected something with {method}()": (
        "{path} contiene un {kind}; debe ser algo que tenga {method}()"
    ),
    "the model was trained with {key} {trained!r}, the networks have {given!r}": (
        "el modelo se entrenó con {key} {trained!r} y las redes tienen {given!r}"
    ),
    "the {name} takes embeddings of {size:# value|# values}, the networks ({backbone}) make {made}": (
        "el {name} toma embeddings de {size:# valor|# valores} y las redes ({backbone}) calculan {made}"
    ),
    "scaler": "escalador",
    "model": "modelo",
    "{model} and {scaler} are of two trainings, one of which was stopped: run 'dvc repro --force train'": (
        "{model} y {scaler} son de dos entrenamientos, y uno de ellos se interrumpió: ejecuta 'dvc repro --force train'"
    ),
    # The records of what the pipeline wrote
    (
        "{path} is not the file that the pipeline wrote: its SHA-256 is {given}, and {record} names {expected}. Run "
        "'dvc repro --force {stage}' and copy all of models/"
    ): (
        "{path} no es el archivo que escribió el pipeline: su SHA-256 es {given}, y en {record} consta {expected}. "
        "Ejecuta 'dvc repro --force {stage}' y copia toda la carpeta models/"
    ),
    "nothing of that name": "nada con ese nombre",
    (
        "there is no {record}, so nothing says that the pipeline wrote {path}. Run 'dvc repro', which writes it; for a "
        "model of your own, set ALLOW_UNRECORDED_MODEL=true: a model's file can run any code"
    ): (
        "no existe {record}, así que nada dice que {path} lo escribiera el pipeline. Ejecuta 'dvc repro', que lo crea; "
        "si el modelo es tuyo, pon ALLOW_UNRECORDED_MODEL=true: el archivo de un modelo puede ejecutar cualquier código"
    ),
    (
        "{record} names no {arrays}, so {path} would have to be unpickled, which can run any code, and nothing "
        "proves who wrote the record. Run 'dvc repro --force train', which writes {arrays}; for a model of "
        "your own, set MODEL_SIGNING_KEY where it is saved and where it is loaded, or ALLOW_UNRECORDED_MODEL=true"
    ): (
        "{record} no nombra ningún {arrays}, así que habría que abrir {path} con pickle, que puede ejecutar cualquier "
        "código, y nada demuestra quién escribió el registro. Ejecuta 'dvc repro --force train', que crea {arrays}; "
        "si el modelo es tuyo, pon MODEL_SIGNING_KEY donde se guarda y donde se carga, o ALLOW_UNRECORDED_MODEL=true"
    ),
    "{record} is damaged, or of another version: run 'dvc repro --force {stage}'": (
        "{record} está dañado o es de otra versión: ejecuta 'dvc repro --force {stage}'"
    ),
    (
        "{record} is not signed, and MODEL_SIGNING_KEY is set: run 'dvc repro --force {stage}' with that variable in "
        "the environment"
    ): (
        "{record} no está firmado, y MODEL_SIGNING_KEY tiene valor: ejecuta 'dvc repro --force {stage}' con esa "
        "variable en el entorno"
    ),
    (
        "the signature of {record} does not belong to MODEL_SIGNING_KEY: somebody changed the record, or it was signed "
        "with another key. Run 'dvc repro --force {stage}' with that variable in the environment"
    ): (
        "la firma de {record} no corresponde a MODEL_SIGNING_KEY: alguien cambió el archivo, o se firmó con otra "
        "clave. Ejecuta 'dvc repro --force {stage}' con esa variable en el entorno"
    ),
    (
        "{variable} has {count:# character|# characters}; expected {least} or more, such as those of: python -c "
        "'import secrets; print(secrets.token_hex(32))'"
    ): (
        "{variable} tiene {count:# carácter|# caracteres}; deben ser {least} o más, como los de: python -c 'import "
        "secrets; print(secrets.token_hex(32))'"
    ),
    # The operating point and the model's card
    "there is no {name} beside the model: run 'dvc repro'": "no hay {name} junto al modelo: ejecuta 'dvc repro'",
    "{name} is damaged: run 'dvc repro --force {stage}'": "{name} está dañado: ejecuta 'dvc repro --force {stage}'",
    "{name} is of an earlier version of the project: run 'dvc repro', and copy all of models/": (
        "{name} es de una versión anterior del proyecto: ejecuta 'dvc repro' y copia toda la carpeta models/"
    ),
    "{name} is of another version of the project: run 'dvc repro', and copy all of models/": (
        "{name} es de otra versión del proyecto: ejecuta 'dvc repro' y copia toda la carpeta models/"
    ),
    "{name} is not what the pipeline recorded: run 'dvc repro --force {stage}', and copy all of models/": (
        "{name} no es lo que registró el pipeline: ejecuta 'dvc repro --force {stage}' y copia toda la carpeta models/"
    ),
    "{name} gives the threshold {threshold}; expected 0 to 1": (
        "{name} tiene el umbral {threshold}; debe ser un número de 0 a 1"
    ),
    "{name} is of another model: run 'dvc repro', and copy all of models/": (
        "{name} es de otro modelo: ejecuta 'dvc repro' y copia toda la carpeta models/"
    ),
    "{people:# stranger is|# strangers are}": "{people:# desconocido no basta|# desconocidos no bastan}",
    "{people:# stranger|# strangers} (they count as only {effective}, because several faces of one person "
    "or photo are not independent) {people:is|are}": (
        "{people:# desconocido|# desconocidos} (que cuentan solo como {effective}, porque varias "
        "caras de una misma persona o foto no son independientes) {people:no basta|no bastan}"
    ),
    "{strangers} too few to promise that at most {far:.4g} of them get in; it takes {needed}": (
        "{strangers} para garantizar que la proporción de los que entran no pase de {far:.4g}; hacen falta {needed}"
    ),
    "not_me is empty: to promise that at most {far:.4g} of strangers get in, it takes {needed} of them": (
        "not_me está vacía: para garantizar que la proporción de desconocidos que entran no pase de {far:.4g}, hacen "
        "falta {needed}"
    ),
    (
        "{reason}. It is estimated that at most that share gets in with the threshold {threshold}: to serve that, set "
        "evaluate.accept_estimate to true in params.yaml and run 'dvc repro'"
    ): (
        "{reason}. Se estima que con el umbral {threshold} no pasa de ahí: para usarlo, pon evaluate.accept_estimate a "
        "true en params.yaml y ejecuta 'dvc repro'"
    ),
    # How many strangers score as high; the page has the same sentences (service/ui/static/es.json)
    "Fewer than 1 stranger in {number} scores this high": (
        "Menos de 1 desconocido de cada {number} saca una puntuación tan alta"
    ),
    "About 1 stranger in {number} scores this high": (
        "Más o menos 1 desconocido de cada {number} saca una puntuación tan alta"
    ),
    "About {number} of strangers score this high": (
        "Más o menos el {number} de los desconocidos saca una puntuación tan alta"
    ),
    "Nearly every stranger scores this high": "Casi cualquier desconocido saca una puntuación tan alta",
    "A usual score for strangers: about 1 in {number} scores this high": (
        "Puntuación normal en desconocidos: más o menos 1 de cada {number} saca una tan alta"
    ),
    "A usual score for strangers: about {number} of them score this high": (
        "Puntuación normal en desconocidos: más o menos el {number} saca una tan alta"
    ),
    "A usual score for strangers: nearly all of them score this high": (
        "Puntuación normal en desconocidos: casi cualquiera saca una tan alta"
    ),
    "A rare score for strangers, but below the threshold: fewer than 1 in {number} scores this high": (
        "Puntuación rara en desconocidos, pero por debajo del umbral: menos de 1 de cada {number} saca una tan alta"
    ),
    "A rare score for strangers, but below the threshold: about 1 in {number} scores this high": (
        "Puntuación rara en desconocidos, pero por debajo del umbral: más o menos 1 de cada {number} saca una tan alta"
    ),
    "{text} (estimated).": "{text} (estimado).",
    "{text} (estimated for strangers who resemble the person of «me»).": (
        "{text} (estimado para desconocidos que se parecen a la persona de «me»)."
    ),
    # What a file is
    "a JPEG": "un JPEG",
    "a PNG": "un PNG",
    "a HEIC": "un HEIC",
    "an AVIF": "un AVIF",
    "an empty file": "un archivo vacío",
    "an unknown kind of file": "un tipo de archivo desconocido",
    "a text file": "un archivo de texto",
    "a WebP": "un WebP",
    "a video, or a picture of an unknown kind": "un vídeo, o una imagen de un tipo desconocido",
    "a GIF": "un GIF",
    "a BMP": "un BMP",
    "a TIFF": "un TIFF",
    "a PDF": "un PDF",
    "a ZIP archive": "un archivo ZIP",
    "an SVG": "un SVG",
    "an XML file": "un archivo XML",
}
"""Spanish for each English template; placeholders have the same names."""
