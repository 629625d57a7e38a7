"""Spanish for what the answers of the service alone say. What the stages say too stands in faces/spanish.py.

The Spanish of what service/error_kinds.py says is the API's contract: those texts stay as they are.
"""

from __future__ import annotations

ANSWERS = {
    # Errors: see above
    "No face was found in the image": "No se detectó un rostro en la imagen",
    "The file in this field is empty": "El archivo de ese campo está vacío",
    "No image was sent in the field 'image'": "No se envió ninguna imagen en el campo 'image'",
    "This type of file is not accepted. Only {types}": "Tipo de archivo no permitido. Solo {types}",
    "The image could not be read": "No se pudo leer la imagen",
    "The request is not valid": "Petición no válida",
    "A valid API key is needed": "Hace falta una clave de acceso válida",
    "The key does not allow this operation": "La clave no da permiso para esta operación",
    "There is no such path": "Ruta no encontrada",
    "There is no card of this model": "No hay ficha de este modelo",
    "The model's card has no such chart": "La ficha del modelo no tiene ese gráfico",
    "This path does not take this method": "Método no permitido",
    "The image took too long to arrive": "La imagen ha tardado demasiado en llegar",
    "The reload was refused, and all is as it was": "La recarga se ha rechazado y todo sigue como estaba",
    "The file is too large. Limit: {limit} MB": "Archivo demasiado grande. Límite: {limit} MB",
    "Too many requests. Try again later": "Demasiadas peticiones. Inténtalo de nuevo más tarde",
    "Internal error of the server": "Error interno del servidor",
    "This server cannot reload the model: restart it": "Este servidor no puede recargar el modelo: reinícialo",
    "There is no trained model yet": "Todavía no hay ningún modelo entrenado",
    "The model and the networks do not belong together": "El modelo y las redes no corresponden",
    "The models could not be read": "No se pudieron leer los modelos",
    "The service is too busy. Try again in a few seconds": "Servicio saturado. Inténtalo de nuevo en unos segundos",
    "The API keys cannot be checked": "No se pueden comprobar las claves de acceso",
    "The use cannot be recorded, so it is not answered": "No se puede registrar el uso, así que no se da respuesta",
    "The request is not valid HTTP, or its head is too large": (
        "La petición no es HTTP válido, o su cabecera es demasiado grande"
    ),
    # What more is said of them
    "The image is damaged or incomplete": "La imagen está dañada o incompleta",
    "The image has too many pixels. Limit: {megapixels:# megapixel|# megapixels}, and {side} pixels on a side": (
        "La imagen tiene demasiados píxeles. Límite: {megapixels:# megapíxel|# megapíxeles}, y {side} píxeles por lado"
    ),
    "To decode it would take too much time or memory. Save it smaller, or as a JPEG that is not progressive": (
        "Descodificarla costaría demasiado tiempo o memoria. Guárdala más pequeña, o como un JPEG que no sea progresivo"
    ),
    "The content is {kind}, and this service takes {names}. Save or export the photo as {names} and send it again.": (
        "El contenido es {kind} y este servicio admite {names}. Guarda o exporta la foto como {names} y envíala otra "
        "vez."
    ),
    "The content is {kind}, and this service takes {names}. Save or export the photo as {names} and send it again. "
    "Whoever runs the service can allow this type, with a restart: ACCEPTED_TYPES={accepted},{mime}.": (
        "El contenido es {kind} y este servicio admite {names}. Guarda o exporta la foto como {names} y envíala otra "
        "vez. Quien administra el servicio puede permitir este tipo, reiniciándolo: ACCEPTED_TYPES={accepted},{mime}."
    ),
    "The content is {kind}, whatever its name says. Send a photo: this service takes {names}.": (
        "El contenido es {kind}, diga lo que diga su nombre. Envía una foto: este servicio admite {names}."
    ),
    "{some} or {last}": "{some} o {last}",
    "The photo has {size} MB, and MAX_CONTENT_MB is {limit}. Make it smaller before you send it (a JPEG of 1600 pixels "
    "on its longer side is enough, and usually has less than 1 MB), or raise MAX_CONTENT_MB on the server.": (
        "La foto ocupa {size} MB y MAX_CONTENT_MB es {limit}. Redúcela antes de enviarla (un JPEG de 1600 píxeles en "
        "el lado más largo basta y suele ocupar menos de 1 MB), o sube MAX_CONTENT_MB en el servidor."
    ),
    "more than {size}": "más de {size}",
    "{whole}.{decimals}": "{whole},{decimals}",
    "Send the key in the header {header}; whoever runs the service gives out keys": (
        "Envía la clave en la cabecera {header}; la da quien administra el servicio"
    ),
    "The role '{role}' is needed": "Hace falta el permiso '{role}'",
    "Try again in {seconds:# second|# seconds}": "Vuelve a intentarlo dentro de {seconds:# segundo|# segundos}",
    "The log of the service says why": "El registro del servicio dice por qué",
    "The request must be multipart/form-data": "La petición debe ser multipart/form-data",
    "The body of the request is not valid multipart/form-data": (
        "El cuerpo de la petición no es multipart/form-data válido"
    ),
    "'faces' must be 'largest' (the largest face) or 'all'; it is {given!r}": (
        "'faces' debe ser 'largest' (la cara más grande) o 'all'; es {given!r}"
    ),
    # Why photos are not verified
    "Missing: {names}. Run 'dvc repro'": "Falta: {names}. Ejecuta 'dvc repro'",
    "{reason}: run 'dvc repro', and copy all of models/": (
        "{reason}: ejecuta 'dvc repro' y copia toda la carpeta models/"
    ),
    "the model or the networks are damaged, and the log of the service says how: run 'dvc repro --force export "
    "train'": (
        "el modelo o las redes están dañados y el registro del servicio dice cómo: ejecuta 'dvc repro --force export "
        "train'"
    ),
    "The queue is full": "La cola está llena",
    "Photos wait, and none has been finished for {seconds:# second|# seconds}": (
        "Hay fotos en espera y ninguna ha terminado en {seconds:# segundo|# segundos}"
    ),
    # Why there is no card of the model
    "no model is loaded; /healthz says why": "no hay ningún modelo cargado; /healthz dice por qué",
    "{reason}; then let the service reload it or start it again": (
        "{reason}; después, haz que el servicio lo recargue o reinícialo"
    ),
    "GET /model/card says which there are, in 'plots'": "GET /model/card dice cuáles hay, en 'plots'",
    # Why a reload was refused
    "The new settings cannot be used; the log of the service says why": (
        "Los ajustes nuevos no se pueden usar; el registro del servicio dice por qué"
    ),
    "The TLS certificate or its key cannot be used; the log of the service says which, and what to do": (
        "El certificado TLS o su clave no se pueden usar; el registro del servicio dice cuál y qué hacer"
    ),
    "The new model could not be tried out; the log of the service says why": (
        "El modelo nuevo no se ha podido probar; el registro del servicio dice por qué"
    ),
    "The new settings would open to everybody a service that asks for keys: check KEYS_PATH, or set "
    "REQUIRE_KEYS=true": (
        "Los ajustes nuevos abrirían a todos un servicio que pide claves: revisa KEYS_PATH, o pon REQUIRE_KEYS=true"
    ),
    "The audit log is on, and the new settings would turn it off: set AUDIT_PATH and reload again, or restart the "
    "service": (
        "El registro de auditoría está activo y los ajustes nuevos lo apagarían: indica AUDIT_PATH y recarga otra vez, "
        "o reinicia el servicio"
    ),
    "The service answers by HTTPS, and with the new settings it would by plain HTTP: set TLS_CERT_PATH and "
    "TLS_KEY_PATH and reload again, or restart the service": (
        "El servicio responde por HTTPS y los ajustes nuevos lo pasarían a HTTP sin cifrar: indica TLS_CERT_PATH y "
        "TLS_KEY_PATH y recarga otra vez, o reinicia el servicio"
    ),
    "The file .env had settings at the start, and now it does not exist or has none: write it and reload again, or "
    "restart the service to go on without it": (
        "El archivo .env tenía ajustes al arrancar y ahora no existe o no tiene ninguno: escríbelo y recarga otra vez, "
        "o reinicia el servicio para seguir sin él"
    ),
    "It is not possible to go on with the new audit log; the log of the service says why": (
        "No se puede seguir con el registro de auditoría nuevo; el registro del servicio dice por qué"
    ),
    # What the person on the photo can do better
    "The face is blurred. Take a sharper photo": "La cara sale borrosa. Haz una foto más nítida",
    "The face is very dark. Take the photo in more light": "La cara está muy oscura. Haz la foto con más luz",
    "The face has too much light. Take the photo in less light": (
        "La cara tiene demasiada luz. Haz la foto con menos luz"
    ),
    "The face is very small. Move closer to the camera, or crop the photo around the face": (
        "La cara es muy pequeña. Acércate a la cámara, o recorta la foto alrededor de la cara"
    ),
    "The face is turned away. Look at the camera": "La cara no mira de frente. Mira a la cámara",
    "The edge of the photo cuts the face off. Take the photo with the whole face in it": (
        "El borde de la foto corta la cara. Haz la foto con la cara entera"
    ),
    "No face can be seen. Take the photo from the front, with the whole face in it and in good light": (
        "No se ve ninguna cara. Haz la foto de frente, con la cara entera y bien iluminada"
    ),
}
"""Spanish for each English template; placeholders have the same names."""
