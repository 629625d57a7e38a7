"""Spanish for what the client says, by the English text; a test holds the two in step."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    # The table
    "photo": "foto",
    "photos": "fotos",
    "face": "cara",
    "{face} of {faces}": "{face} de {faces}",
    "answer": "respuesta",
    "score": "puntuación",
    "threshold": "umbral",
    "hints": "consejos",
    "me": "soy yo",
    "not me": "no soy yo",
    "not judged": "sin respuesta",
    "{count} me": "{count:# es mía|# son mías}",
    "{count} not me": "{count:# no es mía|# no son mías}",
    "{count} not judged": "{count} sin respuesta",
    "{count:# photo|# photos}: {parts}": "{count:# foto|# fotos}: {parts}",
    "the answer makes no sense": "la respuesta no tiene sentido",
    # Files
    "{folder} holds no photo": "{folder} no contiene ninguna foto",
    "--csv is {path!r}; expected a name that ends with .csv, or - for the terminal": (
        "--csv es {path!r}; debe ser un nombre que acabe en .csv, o - para la terminal"
    ),
    "{path} is a folder; expected the name of a file": "{path} es una carpeta; debe ser el nombre de un archivo",
    "{path} cannot be written ({reason})": "no se puede escribir {path} ({reason})",
    "{path} cannot be written ({reason}): here it is": "no se puede escribir {path} ({reason}): aquí está",
    "{path} is written. {summary}": "{path} se ha guardado. {summary}",
    "{path} is written anew. {summary}": "{path} se ha sustituido. {summary}",
    "stopped: {done} of {photos:# photo|# photos} done, the others were not asked about": (
        "interrumpido: {done} de {photos:# foto|# fotos}; por las demás no se ha preguntado"
    ),
    "cannot be read ({reason})": "no se puede leer ({reason})",
    "it has more than {size} MB: no photo": "ocupa más de {size} MB: no es una foto",
    "the file is empty": "el archivo está vacío",
    "too large for the service, and Pillow cannot read it here to make it smaller (for HEIC: pi-heif)": (
        "demasiado grande para el servicio, y Pillow no puede leerla aquí para reducirla (para HEIC: pi-heif)"
    ),
    "too large for the service even with {side} pixels on the longer side": (
        "demasiado grande para el servicio incluso con {side} píxeles en el lado más largo"
    ),
    # The service
    "URL is {url!r}; expected one such as http://127.0.0.1:5000": (
        "URL es {url!r}; debe ser una como http://127.0.0.1:5000"
    ),
    "the key and the photos travel unencrypted to {url}": "la clave y las fotos viajan sin cifrar a {url}",
    "the service has no models: {reason}": "el servicio no tiene modelos: {reason}",
    "the service cannot answer: {reason}": "el servicio no puede responder: {reason}",
    "the service refuses the key: {reason}. Set FACE_API_KEY, or give --key": (
        "el servicio no acepta la clave: {reason}. Define FACE_API_KEY o usa --key"
    ),
    "the service asks to come again in {minutes} minutes only: {reason}": (
        "el servicio pide que se vuelva dentro de {minutes} minutos: {reason}"
    ),
    "not asked about": "no se ha preguntado",
    "{url} is no service of this project: it answers /verify with status {status}": (
        "{url} no es un servicio de este proyecto: responde a /verify con el estado {status}"
    ),
    "no answer of the service: status {status}, and no JSON": (
        "el servicio no ha respondido: estado {status}, y no es JSON"
    ),
    "{url} leads on to {target}: give the address that is meant": "{url} remite a {target}: indica esa dirección",
    "status {status}": "estado {status}",
    "{url} does not answer: is the service running ('python -m service'), and is this its address?": (
        "{url} no responde: ¿está en marcha el servicio ('python -m service') y es esa su dirección?"
    ),
    "{url} does not answer in time": "{url} no responde a tiempo",
    (
        "the certificate of {url} is not believed: give the one of who signed it with --ca-certificate FILE, or the "
        "name that stands in it"
    ): (
        "no se confía en el certificado de {url}: indica con --ca-certificate FILE el de quien lo firmó, o usa el "
        "nombre que figura en él"
    ),
}
