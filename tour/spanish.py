"""Spanish for what quickstart.py and the tour say. A test names each sentence that has none, and each that nobody says.

quickstart.py imports this before any package is installed, and on Python 3.7.
"""

from __future__ import annotations

SPANISH = {
    # Progress
    "done": "hecho",
    "collecting {name}": "buscando {name}",
    "downloading {name}": "descargando {name}",
    "processing {name}": "preparando {name}",
    "downloading the packages": "descargando los paquetes",
    "installing the packages": "instalando los paquetes",
    "compiling the packages": "compilando los paquetes",
    "copying": "copiando",
    "\nStopped.": "\nDetenido.",
    # Python and the packages
    "This is Python {given}, and the project needs Python {wanted} or later. Install a newer one and start this file "
    "with it, for example: python{wanted} {script}": (
        "Esto es Python {given}, y el proyecto necesita Python {wanted} o posterior. Instala uno más nuevo y ejecuta "
        "este archivo con él, por ejemplo: python{wanted} {script}"
    ),
    "This Python is built for Intel Macs, for which PyTorch has had no release since 2.2.2. Use an arm64 Python (on an "
    "Apple-silicon Mac), another computer, or Linux in a container.": (
        "Este Python está compilado para Mac con Intel, para los que PyTorch no ha publicado nada después de la 2.2.2. "
        "Usa un Python arm64 (en un Mac con Apple silicon), otro ordenador, o Linux en un contenedor."
    ),
    "This Python ({python}) has no venv module with pip, which is needed to make .venv. On Debian and Ubuntu install "
    "it with: sudo apt install python3-venv": (
        "A este Python ({python}) le falta el módulo venv con pip, necesario para crear .venv. En Debian y Ubuntu se "
        "instala con: sudo apt install python3-venv"
    ),
    "Making .venv": "Creando .venv",
    "The virtual environment {folder} could not be made. Its last messages:\n{messages}": (
        "No se ha podido crear el entorno virtual {folder}. Sus últimos mensajes:\n{messages}"
    ),
    "{folder} has {free:.1f} GB of free disk space, and the packages need about {needed} GB. Free some space, or move "
    "the project to a larger disk.": (
        "En {folder} quedan {free:.1f} GB libres en el disco, y los paquetes necesitan unos {needed} GB. Libera "
        "espacio o lleva el proyecto a un disco mayor."
    ),
    "The last installation was cut off, and may have left half a package: .venv is made anew.": (
        "La última instalación se interrumpió y puede haber dejado un paquete a medias: se vuelve a crear .venv."
    ),
    "Installing {name} with {tool}": "Instalando {name} con {tool}",
    "Installing uv": "Instalando uv",
    "pip has settings that uv does not know ({names}): pip installs, which takes longer.": (
        "pip tiene ajustes que uv no conoce ({names}): instala pip, que tarda más."
    ),
    "they cannot be read": "no se pueden leer",
    "{uv} cannot be had here: pip installs, which takes longer.": (
        "Aquí no se puede conseguir {uv}: instala pip, que tarda más."
    ),
    "uv could not install {name} (its messages are in {log}): pip tries, which takes longer.": (
        "uv no ha podido instalar {name} (sus mensajes están en {log}): lo intenta pip, que tarda más."
    ),
    "{tool} could not install {name}. {hint} Its last lines:\n{messages}": (
        "{tool} no ha podido instalar {name}. {hint} Sus últimas líneas:\n{messages}"
    ),
    "The disk is full: the installation needs space for its downloads and its cache, too.": (
        "El disco está lleno: la instalación necesita espacio también para lo que descarga y para su caché."
    ),
    "The package registry cannot be reached: check the network, the proxy and pip's settings.": (
        "No se puede llegar al registro de paquetes: revisa la red, el proxy y los ajustes de pip."
    ),
    "A package has no ready-made build for this Python ({python}) and needs a C compiler: use Python 3.11 to 3.14 or "
    "install one (on Debian and Ubuntu: sudo apt install build-essential python3-dev).": (
        "Un paquete no está ya compilado para este Python ({python}) y necesita un compilador de C: usa un Python de "
        "3.11 a 3.14 o instala un compilador (en Debian y Ubuntu: sudo apt install build-essential python3-dev)."
    ),
    "Its messages in full are in {log}.": "Todos sus mensajes están en {log}.",
    # Options
    "Installs, builds the model from your photos, starts the service and asks it.": (
        "Instala, construye el modelo con tus fotos, arranca el servicio y le pregunta."
    ),
    "python3 quickstart.py test [--no-lint] [--pip] [pytest arguments]: runs the linters and the tests.": (
        "python3 quickstart.py test [--no-lint] [--pip] [argumentos de pytest]: ejecuta los linters y las pruebas."
    ),
    "copy the photos of DIR/me and DIR/not_me first (those of me are enough)": (
        "antes copia las fotos de DIR/me y DIR/not_me (bastan las de me)"
    ),
    "port of the service (default: PORT, else 5000)": "puerto del servicio (por defecto: PORT, o si no 5000)",
    "end after the answers": "termina después de las respuestas",
    "install with pip, not with uv": "instala con pip en vez de uv",
    "%(prog)s [-h] [--no-lint] [--pip] [pytest arguments]": "%(prog)s [-h] [--no-lint] [--pip] [argumentos de pytest]",
    "Installs what the tests need, then runs pytest, and with it the linters ruff and mypy.": (
        "Instala lo que necesitan las pruebas y ejecuta pytest y, con él, los linters ruff y mypy."
    ),
    "All other arguments go to pytest: -k WORD runs the tests whose name holds it, -m slow the slow ones.": (
        "Los demás argumentos van a pytest: -k PALABRA ejecuta las pruebas cuyo nombre la contiene; -m slow, las "
        "lentas."
    ),
    "run the tests without the linters": "ejecuta las pruebas sin los linters",
    "copy the photos of DIR/me and DIR/not_me first": "antes copia las fotos de DIR/me y DIR/not_me",
    "port of the service": "puerto del servicio",
    "The port given is {given!r}. It must be a number from 1 to 65535, for example: --port 5001": (
        "El puerto indicado es {given!r}. Debe ser un número de 1 a 65535, por ejemplo: --port 5001"
    ),
    "Port {port} is taken by another program. If that is the service of an earlier run, stop it with Ctrl+C in "
    "its terminal; or choose another port: --port 5001": (
        "El puerto {port} lo ocupa otro programa. Si es el servicio de otra vez, ciérralo con Ctrl+C en su terminal; "
        "si no, elige otro puerto: --port 5001"
    ),
    "Port {port} cannot be used: {reason}. Try --port 5001": (
        "No se puede usar el puerto {port}: {reason}. Prueba con --port 5001"
    ),
    # Photos
    "1 photo": "1 foto",
    "{count} photos": "{count} fotos",
    "{names} and {more} more": "{names} y {more} más",
    "{one} and {other}": "{one} ni en {other}",
    "Photos of you belong in {me}, photos of other people in {not_me} (that folder may be missing or empty).": (
        "Tus fotos van en {me}; las de otras personas, en {not_me} (esa carpeta puede faltar o estar vacía)."
    ),
    "{option}: there is no such folder. {layout}": "{option}: no existe esa carpeta. {layout}",
    "{option}: it has no folder me. {layout}": "{option}: no contiene la carpeta me. {layout}",
    "{option}: {folder} holds no photo (JPEG, PNG, HEIC, WebP or AVIF). {layout}": (
        "{option}: en {folder} no hay ninguna foto (JPEG, PNG, HEIC, WebP o AVIF). {layout}"
    ),
    "{folder} already holds {there}, and {given} holds others ({new}). Of {names} in {folder} no copy is known.": (
        "En {folder} ya hay {there}, y en {given} hay otras ({new}). De {names}, en {folder}, no se conoce copia."
    ),
    "{taken} Nothing was changed. --photos takes the place only of photos that lie in the folder given too, or still "
    "in the one that it copied them from. Move the others to a folder of yours, or delete those that you do not need, "
    "and start again. Or put new photos into data/me and data/not_me yourself and start without --photos: {command}": (
        "{taken} No se ha cambiado nada. --photos solo sustituye fotos que estén también en la carpeta indicada, o que "
        "sigan en la carpeta de la que las copió. Lleva las demás a una carpeta tuya, o borra las que no necesites, y "
        "empieza de nuevo. O pon tú las fotos nuevas en data/me y data/not_me y empieza sin --photos: {command}"
    ),
    "There are no photos in {folders}. Put 20 or more photos of you (JPEG, PNG, HEIC, WebP or AVIF) into data/me and, "
    "if you can, of other people into data/not_me, or name a folder that has the folders me and not_me in it: "
    "{command} --photos DIR": (
        "No hay fotos en {folders}. Pon 20 fotos tuyas o más (JPEG, PNG, HEIC, WebP o AVIF) en data/me y, si puedes, "
        "de otras personas en data/not_me, o indica una carpeta que contenga las carpetas me y not_me: {command} "
        "--photos DIR"
    ),
    "\nIf DVC keeps yours in another place, fetch them:\n{commands}": (
        "\nSi DVC guarda las tuyas en otro sitio, tráelas:\n{commands}"
    ),
    "data/me and data/not_me hold no photos: the demo's drawn portraits are put there.": (
        "En data/me y data/not_me no hay fotos: se ponen ahí los retratos dibujados de la demo."
    ),
    "A few of them are poor on purpose: what the stage quality warns of is no failure.": (
        "Algunos son malos a propósito: que la etapa quality avise de ellos no es ningún fallo."
    ),
    "The demo's drawn portraits are taken out of {folder}": "Se quitan de {folder} los retratos dibujados de la demo",
    "{folder} keeps its {photos}, as {given} holds none.": (
        "En {folder} se queda lo que había ({photos}), porque en {given} no hay ninguna."
    ),
    "Note: {folder} still holds the demo's drawn portraits, beside photos of real people in the other class. Put "
    "photos of real people there too, or the model learns to tell drawings from photos.": (
        "Aviso: en {folder} siguen los retratos dibujados de la demo, y en la otra clase hay fotos de personas reales. "
        "Pon ahí también fotos de personas reales, o el modelo aprenderá a distinguir dibujos de fotos."
    ),
    "Copying {photos} to {folder}": "Copiando {photos} a {folder}",
    # The pipeline
    "There are no photos of other people, and for the backbone {named} it is not known how strangers' faces are "
    "spread. Set backbone.name to {known} in {path}, then start again.": (
        "No hay fotos de otras personas, y para la red {named} no se sabe cómo se reparten las caras de los "
        "desconocidos. Pon backbone.name a {known} en {path} y empieza de nuevo."
    ),
    "There are no photos of other people, and for the backbone {named} it is not known how strangers' faces are "
    "spread: params.yaml now has backbone.name: {known}. You need do nothing. Once there are photos of other people in "
    "data/not_me, you may write {named} there again.": (
        "No hay fotos de otras personas, y para la red {named} no se sabe cómo se reparten las caras de los "
        "desconocidos: params.yaml tiene ahora backbone.name: {known}. No tienes que hacer nada. Cuando haya fotos de "
        "otras personas en data/not_me, puedes volver a escribir ahí {named}."
    ),
    "Note: {sentence}.": "Aviso: {sentence}.",
    "Tracking the photos with DVC": "Registrando las fotos con DVC",
    "Running the pipeline: dvc repro": "Ejecutando el pipeline: dvc repro",
    "Its stages speak Spanish, and so do the reports. For English, set language: en in params.yaml": (
        "Sus etapas y los informes están en español. Para tenerlos en inglés, pon language: en en params.yaml"
    ),
    "Its stages speak English, and so do the reports. For Spanish, set language: es in params.yaml": (
        "Sus etapas y los informes están en inglés. Para tenerlos en español, pon language: es en params.yaml"
    ),
    "\nTo begin again with other photos in place of those that --photos has copied: {command} --photos DIR": (
        "\nPara empezar de nuevo con otras fotos en lugar de las que copió --photos: {command} --photos DIR"
    ),
    "`dvc {words}` failed. Put right what its messages above name, then start again. Commands that they name work in a "
    "terminal after these lines:\n{lines}{advice}": (
        "`dvc {words}` ha fallado. Corrige lo que dicen sus mensajes de arriba y empieza de nuevo. Los comandos que "
        "nombran funcionan en una terminal después de estas líneas:\n{lines}{advice}"
    ),
    # The service
    "Starting the service on port {port}": "Arrancando el servicio en el puerto {port}",
    "The service is not ready; it last said {answer}. Its log:\n{messages}": (
        "El servicio no está listo; lo último que dijo es {answer}. Su registro:\n{messages}"
    ),
    "The service is not ready. Its log:\n{messages}": "El servicio no está listo. Su registro:\n{messages}",
    "The service ended with exit code {code}. Its log:\n{messages}": (
        "El servicio terminó con el código de salida {code}. Su registro:\n{messages}"
    ),
    "The service takes photos of up to {megabytes} MB here, as phones make them; on its own it takes 2 MB. To keep it "
    "so, put this line into a file .env beside quickstart.py: MAX_CONTENT_MB={megabytes}": (
        "Aquí el servicio admite fotos de hasta {megabytes} MB, como las que hacen los móviles; por sí solo admite 2 "
        "MB. Para que siga así, pon esta línea en un archivo .env junto a quickstart.py: MAX_CONTENT_MB={megabytes}"
    ),
    "The service takes {names} here, the kinds of your photos; on its own it takes JPEG and PNG. To keep it so, put "
    "this line into a file .env beside quickstart.py: ACCEPTED_TYPES={types}": (
        "Aquí el servicio admite {names}, los tipos de tus fotos; por sí solo admite JPEG y PNG. Para que siga así, "
        "pon esta línea en un archivo .env junto a quickstart.py: ACCEPTED_TYPES={types}"
    ),
    "Open this page in a browser and drop a photo: {page} (log: {log})": (
        "Abre esta página en un navegador y suelta una foto: {page} (registro: {log})"
    ),
    "Ask it from a second terminal: {command}": "Pregúntale desde otra terminal: {command}",
    "YOUR_PHOTO.jpg": "TU_FOTO.jpg",
    "It runs until you press Ctrl-C.": "Sigue en marcha hasta que pulses Ctrl-C.",
    "The service has done its work and is stopped (--once).": "El servicio ha cumplido y se detiene (--once).",
    # Questions and answers
    "The service did not answer /verify ({error}). Its log:\n{messages}": (
        "El servicio no respondió a /verify ({error}). Su registro:\n{messages}"
    ),
    "POST /verify with {photo}: {status}": "POST /verify con {photo}: {status}",
    "The photo is over the service's limit. Raise it, in the environment or .env: MAX_CONTENT_MB=8": (
        "La foto supera el límite del servicio. Súbelo, en el entorno o en .env: MAX_CONTENT_MB=8"
    ),
    "The service asks for an API key, since there are some ('python -m service keys list'), and quickstart.py has "
    "none. The page asks for it; 'python -m service.client' reads it from FACE_API_KEY.": (
        "El servicio pide una clave de API, porque hay claves («python -m service keys list»), y quickstart.py no "
        "tiene ninguna. La página la pide; «python -m service.client» la lee de FACE_API_KEY."
    ),
    "The service gave no verdict (status {status}).": "El servicio no dio ningún veredicto (estado {status}).",
    "right": "correcto",
    "WRONG": "INCORRECTO",
    "This is the person of data/me (score {score:g}, threshold {threshold:g}), says the service: {right}.": (
        "Es la persona de data/me (puntuación {score:g}, umbral {threshold:g}), dice el servicio: {right}."
    ),
    "This is not the person of data/me (score {score:g}, threshold {threshold:g}), says the service: {right}.": (
        "No es la persona de data/me (puntuación {score:g}, umbral {threshold:g}), dice el servicio: {right}."
    ),
    "Stage quality had complained of this photo ({problems}): reports/data_quality.csv says why, and "
    "reports/contact_sheet.png shows it.": (
        "La etapa quality ya había señalado esta foto ({problems}): reports/data_quality.csv dice por qué, y "
        "reports/contact_sheet.png la muestra."
    ),
    "The photo may be unlike the others of data/me, or these may be too few or of bad quality: look at "
    "reports/contact_sheet.png, and add photos from other days and in other light.": (
        "Puede que la foto no se parezca a las demás de data/me, o que estas sean pocas o malas: mira "
        "reports/contact_sheet.png y añade fotos de otros días y con otra luz."
    ),
    "It may be a photo of the person of data/me in the wrong folder (look at reports/contact_sheet.png), or of "
    "somebody who resembles that person (reports/strangers.csv).": (
        "Puede ser una foto de la persona de data/me en la carpeta que no es (mira reports/contact_sheet.png), o de "
        "alguien que se le parece (reports/strangers.csv)."
    ),
    "A lower threshold lets in more photos of that person, and more strangers": (
        "Un umbral más bajo deja entrar más fotos de esa persona, y a más desconocidos"
    ),
    "A higher threshold turns away more strangers, and more photos of that person": (
        "Un umbral más alto rechaza a más desconocidos, y más fotos de esa persona"
    ),
    "{why} How often it is wrong at which threshold: reports/INFORME_H10.md. {threshold}: set VERIFY_THRESHOLD in the "
    "environment or in a file .env beside quickstart.py.": (
        "{why} Con qué frecuencia se equivoca con cada umbral: reports/INFORME_H10.md. {threshold}: fija "
        "VERIFY_THRESHOLD en el entorno o en un archivo .env junto a quickstart.py."
    ),
    "The model is the one that MODEL_PATH names ({path}): it is not known here which photos it was trained with.": (
        "El modelo es el que indica MODEL_PATH ({path}): aquí no se sabe con qué fotos se entrenó."
    ),
    "The pipeline trains with the photos in data/: that the model knows one of these says little.": (
        "El pipeline entrena con las fotos de data/: que el modelo reconozca una de ellas dice poco."
    ),
    "Neither photo was part of the training.": "Ninguna de las dos fotos se usó para entrenar.",
    "It has seen no photo of other people: how often strangers get in is estimated, from how faces are spread among "
    "people of press photos, and neither measured nor promised. To measure it, put photos of other people into "
    "data/not_me, best of people who resemble you, and start again.": (
        "No ha visto fotos de otras personas: con qué frecuencia entran desconocidos es una estimación, hecha con cómo "
        "se reparten las caras de personas de fotos de prensa; no se ha medido ni se garantiza. Para medirlo, pon "
        "fotos de otras personas en data/not_me, mejor si se parecen a ti, y empieza de nuevo."
    ),
    "How often it is right on faces it has not seen: reports/INFORME_H10.html (open it in a browser)": (
        "Con qué frecuencia acierta con caras que no ha visto: reports/INFORME_H10.html (ábrelo en un navegador)"
    ),
    "Backbone: {backbone}": "Red: {backbone}",
    "not named in the answers": "las respuestas no la nombran",
    "{backbone}, as params.yaml says": "{backbone}, como dice params.yaml",
    "{backbone}, which comes with the packages: the weights of {wanted}, which params.yaml names, could not be had. "
    "With internet, these lines, typed in a terminal, fetch them and build everything anew:\n{lines}": (
        "{backbone}, que viene con los paquetes: no se han podido conseguir los pesos de {wanted}, la que nombra "
        "params.yaml. Con internet, estas líneas, escritas en una terminal, los traen y lo construyen todo de nuevo:\n"
        "{lines}"
    ),
}
"""Spanish for each English template; placeholders have the same names."""
