"""Spanish for the errors with which a stage ends, and for what they are put together from."""

from __future__ import annotations

ERRORS = {
    # How a stage ends.
    "{stage}: error: {error}": "{stage}: error: {error}",
    "{stage}: error: {error}. Nothing new was trained: {model} is still the model of the last good run, and the "
    "service goes on using it. What has changed since, new photos too, is not in it": (
        "{stage}: error: {error}. No se ha entrenado nada nuevo: {model} sigue siendo el modelo de la última "
        "ejecución que terminó bien, y el servicio lo sigue usando. Lo que haya cambiado desde entonces, como las "
        "fotos nuevas, no está en él"
    ),
    "{stage}: error: the package {name} is not installed here: activate the environment ('source .venv/bin/activate'), "
    "or let 'python3 quickstart.py' make it": (
        "{stage}: error: el paquete {name} no está instalado aquí: activa el entorno ('source .venv/bin/activate') o "
        "deja que 'python3 quickstart.py' lo cree"
    ),
    "{stage}: stopped; what the last run made is as it was": (
        "{stage}: interrumpida; lo que hizo la ejecución anterior sigue como estaba"
    ),
    "{what}. Make room and run it again; the file that was there before is as it was": (
        "{what}. Libera espacio y vuelve a ejecutarla; el archivo que había antes sigue como estaba"
    ),
    # locked photos
    "{path} is locked, and there is no key: set {key_file} (path of the key file) or {key} (the passphrase) in the "
    "environment or in .env, or unlock the photos with 'python -m privacy unlock'": (
        "{path} está cifrado y no hay clave: indica {key_file} (ruta del archivo de clave) o {key} (la contraseña) en "
        "el entorno o en .env, o descifra las fotos con 'python -m privacy unlock'"
    ),
    "{path} is locked with another key than the one given. Give the key that it was locked with; if a change of the "
    "key was interrupted, run 'python -m privacy rekey' again": (
        "{path} está cifrado con otra clave que la indicada. Indica la clave con la que se cifró; si se interrumpió un "
        "cambio de clave, ejecuta otra vez 'python -m privacy rekey'"
    ),
    "{path} is locked and was changed or damaged since: not one byte of it is used. Get it back from a copy ('dvc "
    "checkout --force {folder}', or a backup), or delete it": (
        "{path} está cifrado y se ha modificado o dañado después: no se usa ni un byte. Recupéralo de una copia ('dvc "
        "checkout --force {folder}' o una copia de seguridad) o bórralo"
    ),
    "{path} is locked in version {version} of the format; this project knows version {known}: use the one that locked "
    "it": (
        "{path} está cifrado en la versión {version} del formato, y este proyecto conoce la {known}: usa el que lo "
        "cifró"
    ),
    "the key file {path} cannot be read ({reason}): give the path of the file that holds the key": (
        "no se puede leer el archivo de clave {path} ({reason}): indica la ruta del archivo que contiene la clave"
    ),
    "{path} is no key file: expected {digits} hexadecimal digits, as 'python -m privacy new-key' writes them": (
        "{path} no es un archivo de clave: debe tener {digits} cifras hexadecimales, como las que escribe 'python -m "
        "privacy new-key'"
    ),
    "{key} and {key_file} are both set: leave one of them": (
        "{key} y {key_file} están definidas a la vez: deja solo una"
    ),
    "{path} is there twice, as it is and locked: run 'python -m privacy lock' (or unlock), which finishes what was "
    "interrupted, or tells how the two differ": (
        "{path} está dos veces, tal cual y cifrado: ejecuta 'python -m privacy lock' (o unlock), que termina lo que se "
        "interrumpió o dice en qué se diferencian"
    ),
    "privacy.encrypt_derived is true, but no photo is locked: run 'python -m privacy lock', or set it to false in "
    "params.yaml": (
        "privacy.encrypt_derived es true, pero no hay ninguna foto cifrada: ejecuta 'python -m privacy lock' o ponlo a "
        "false en params.yaml"
    ),
    # params.yaml
    "{path}: {problem}": "{path}: {problem}",
    "{path} is missing: run from the root of the project": (
        "falta {path}: ejecuta la etapa desde la carpeta del proyecto"
    ),
    "{path} is not saved as UTF-8: save it so in the editor": (
        "{path} no está guardado en UTF-8: guárdalo así desde el editor"
    ),
    "{path} is not YAML: {where}": "{path} no es YAML: {where}",
    "look for a character that cannot be printed": "busca un carácter que no se pueda imprimir",
    "look at line {line}, column {column}, and at the line before": (
        "mira la línea {line}, columna {column}, y la línea anterior"
    ),
    "{path}: the file: expected sections with parameters; given: {values!r}": (
        "{path}: el archivo debe tener secciones con parámetros; contiene: {values!r}"
    ),
    "{name}: {expected}; given: {given!r}": "{name}: {expected}; contiene: {given!r}",
    "{name} is missing": "falta {name}",
    "{name} is called {new} now: move the line there": "{name} ahora es {new}: pon ahí la línea",
    "language, at the top of the file,": "language, al principio del archivo",
    "there is no parameter {name}: a typo? Known names stand in stages/params.py": (
        "no hay ningún parámetro {name}: ¿una errata? Los nombres están en stages/params.py"
    ),
    "expected {choices}": "debe ser {choices}",
    "{others} or {last}": "{others} o {last}",
    "expected {kind}": "debe ser {kind}",
    "a whole number": "un número entero",
    "a number": "un número",
    "true or false": "true o false",
    "a text": "un texto",
    "a list": "una lista",
    "a section with parameters": "una sección con parámetros",
    "{kind} of at least {bound}": "{kind} igual o mayor que {bound}",
    "{kind} of at most {bound}": "{kind} igual o menor que {bound}",
    "{kind} above {bound}": "{kind} mayor que {bound}",
    "{kind} below {bound}": "{kind} menor que {bound}",
    "expected a list of {length:# value|# values}, not of {got}": (
        "debe ser una lista de {length:# valor|# valores}, no de {got}"
    ),
    "expected a text that matches the regular expression {pattern}": (
        "debe ser un texto que cumpla la expresión regular {pattern}"
    ),
    "{said} as value {number} of the list": "{said} en el valor {number} de la lista",
    "data/not_me has no photo with a face. Add photos of other people, or set in params.yaml: {changes}": (
        "en data/not_me no hay ninguna foto con cara. Añade fotos de otras personas, o pon en params.yaml: {changes}"
    ),
    "{given}; at least {count} are needed to train and to test, {recommended} to 30 are recommended. Add photos to "
    "data/{name}": (
        "{given}; hacen falta al menos {count} para entrenar y probar, y lo recomendable es de {recommended} a 30. "
        "Añade fotos a data/{name}"
    ),
    "{reason}. Besides, {count:# photo was|# photos were} refused in {folder} for lack of consent (privacy.consent: "
    "require): 'python -m privacy status' says whose, and {register} is where consent stands": (
        "{reason}. Además, por falta de consentimiento (privacy.consent: require) {count:se ha rechazado # foto|se han "
        "rechazado # fotos} de {folder}: 'python -m privacy status' dice de quién, y los consentimientos están en "
        "{register}"
    ),
    "{reason}. What the last run made of {count:# photo that is refused now|# photos that are refused now} is still in "
    "{embeddings}, in tables and in the model: the next 'dvc repro' that ends well makes all of it anew, and 'python "
    "-m privacy forget' deletes it now": (
        "{reason}. Lo que la última ejecución hizo con {count:# foto que ahora se rechaza|# fotos que ahora se "
        "rechazan} sigue en {embeddings}, en tablas y en el modelo: el próximo 'dvc repro' que termine bien lo rehace "
        "todo, y 'python -m privacy forget' lo borra ya"
    ),
    # data/consent.csv
    "{path} has more than {most} MB: expected a table with a line for each person": (
        "{path} ocupa más de {most} MB: debe ser una tabla con una línea por persona"
    ),
    "there is no {path}, the table of consents: make it with 'python -m privacy consent add', or copy "
    "privacy/consent.example.csv there and fill it in": (
        "no existe {path}, la tabla de consentimientos: créala con 'python -m privacy consent add', o copia ahí "
        "privacy/consent.example.csv y rellénala"
    ),
    "{path} is no table with commas or semicolons: a quotation mark is open, perhaps": (
        "{path} no es una tabla con comas o puntos y comas: quizá haya unas comillas sin cerrar"
    ),
    "{path} is empty: expected a heading with {columns}": "{path} está vacío: debe tener un encabezado con {columns}",
    "{path} has the columns {given}; expected {columns}, each once, of which {needed} are needed": (
        "{path} tiene las columnas {given}; deben ser {columns}, cada una una sola vez, y hacen falta {needed}"
    ),
    "{path}, line {line}: {problem}": "{path}, línea {line}: {problem}",
    "{lines}\n… and {more} more": "{lines}\n… y {more} más",
    "{who} stands in line {first} already: leave one line for each": (
        "{who} ya está en la línea {first}: deja una sola línea para cada cual"
    ),
    "it has more values than there are columns: put text with a separator into quotes": (
        "tiene más valores que columnas: pon entre comillas el texto que contenga un separador"
    ),
    "who is {given!r}; expected me, a sub-folder of not_me, or a photo such as not_me/ana/1.jpg": (
        "who es {given!r}; debe ser me, una subcarpeta de not_me o una foto como not_me/ana/1.jpg"
    ),
    "given is empty; expected the day of the consent, such as 2026-11-27": (
        "given está vacío; debe ser el día del consentimiento, por ejemplo 2026-11-27"
    ),
    "until, {until}, is before given, {given}": "until, {until}, es anterior a given, {given}",
    "contact_sha256 is no hash: 'python -m privacy consent add' makes it, so that no address is kept here": (
        "contact_sha256 no es un hash: lo crea 'python -m privacy consent add', para que aquí no se guarde ninguna "
        "dirección"
    ),
    "{column} is {given!r}; expected year-month-day such as 2026-11-27. A spreadsheet may have changed it: make the "
    "column one of text": (
        "{column} es {given!r}; debe ser año-mes-día, por ejemplo 2026-11-27. Quizá lo haya cambiado una hoja de "
        "cálculo: da a la columna formato de texto"
    ),
    "{name} has {photos:# photo|# photos}": "«{name}» tiene {photos:# foto|# fotos}",
    "{name} has {photos:# photo|# photos}, {with_face} of them with a face": (
        "«{name}» tiene {photos:# foto|# fotos}, {with_face} con cara"
    ),
    "train.population: there is no file {path}. Expected: auto, none, or the path of a file that faces.fit_population "
    "wrote, absolute or from the project's root; given: {given!r}": (
        "train.population: no existe el archivo {path}. Debe ser auto, none o la ruta de un archivo hecho con "
        "faces.fit_population, absoluta o desde la carpeta del proyecto; contiene: {given!r}"
    ),
    "weights_url needs weights_sha256: weights are never loaded unchecked": (
        "weights_url necesita weights_sha256: nunca se cargan pesos sin comprobar"
    ),
    "there is no {path}; expected a population that was fitted": (
        "no hay {path}; se esperaba una población ya ajustada"
    ),
    "{path} is no population, or damaged: fit it again (python -m faces.fit_population)": (
        "{path} no es una población, o está dañado: vuelve a ajustarla (python -m faces.fit_population)"
    ),
    "{folder} was given; expected a folder with a folder of photos for each person": (
        "se dio {folder}; se esperaba una carpeta con una carpeta de fotos por persona"
    ),
    "train.population: {problem}": "train.population: {problem}",
    "train.population: {path} is of embeddings of {theirs}, made otherwise than those of {backbone} here: fit one "
    "(python -m faces.fit_population FOLDER), or set train.population to auto or none": (
        "train.population: {path} es de embeddings de {theirs}, hechos de otra forma que los de {backbone} de aquí: "
        "ajusta una (python -m faces.fit_population CARPETA), o pon train.population: auto o none"
    ),
    "there is no photo with a face in data/not_me, and for the backbone {backbone} it is not known how strangers' "
    "faces are spread. Add photos of other people; or set backbone.name to dlib-resnet in params.yaml, whose "
    "population is shipped; or fit one: python -m faces.fit_population FOLDER (photos of 400 people or more), and name "
    "it in train.population": (
        "en data/not_me no hay ninguna foto con cara, y para la red {backbone} no se sabe cómo se reparten las caras "
        "de los desconocidos. Añade fotos de otras personas; o pon backbone.name: dlib-resnet en params.yaml, cuya "
        "población ya viene incluida; o ajusta una, python -m faces.fit_population CARPETA (con fotos de 400 personas "
        "o más), y nómbrala en train.population"
    ),
    "two people are together on photos of me ({count}, such as {photo}), and the other photos do not tell which of "
    "them is me; {picture} shows both, one in each row. Add photos of me alone, or cut the other person off; or set "
    "crop.me_faces to largest in params.yaml": (
        "hay fotos de «me» en las que salen juntas las mismas dos personas ({count}, por ejemplo {photo}), y las demás "
        "no permiten saber cuál de las dos es «me»; {picture} las muestra, una en cada fila. Añade fotos de «me» sin "
        "nadie más o recorta a la otra persona; o pon crop.me_faces: largest en params.yaml"
    ),
    "min_brightness must be below max_brightness": "min_brightness debe ser menor que max_brightness",
    "test_size and validation_size leave nothing to train on: their sum must be below 1": (
        "test_size y validation_size no dejan nada con que entrenar: su suma debe ser menor que 1"
    ),
    # Photos
    "{given}. Expected: photos (JPEG, PNG, HEIC, WebP or AVIF) of you in data/me and of other people in data/not_me, "
    "20 to 30 of each at least; 'python3 quickstart.py --photos FOLDER' puts them there": (
        "{given}. Tiene que haber fotos (JPEG, PNG, HEIC, WebP o AVIF) tuyas en data/me y de otras personas en "
        "data/not_me, como mínimo de 20 a 30 de cada clase; 'python3 quickstart.py --photos CARPETA' las pone ahí"
    ),
    "there is no folder {folder}": "no existe la carpeta {folder}",
    "{folder} holds no photo": "en {folder} no hay ninguna foto",
    "{folder} holds no photo ({others})": "en {folder} no hay ninguna foto ({others})",
    "the name of {path!a} is not valid UTF-8, which tables and DVC need: rename the file": (
        "el nombre de {path!a} no es UTF-8 válido, y las tablas y DVC lo necesitan: cámbiale el nombre al archivo"
    ),
    "no face was found on any photo in {folder}; {crop_report} has the reason for each. Use photos where the face is "
    "well lit and seen from the front": (
        "no se ha encontrado ninguna cara en las fotos de {folder}; {crop_report} da el motivo de cada una. Usa fotos "
        "en las que la cara esté bien iluminada y se vea de frente"
    ),
    # Files of other stages
    "there is no {path}: run 'dvc repro' (or 'python -m stages.{stage}') first": (
        "no existe {path}: ejecuta antes 'dvc repro' (o 'python -m stages.{stage}')"
    ),
    "{path} is damaged ({error}): run 'dvc repro --force {stage}'": (
        "{path} está dañado ({error}): ejecuta 'dvc repro --force {stage}'"
    ),
    "{path} is damaged: run 'dvc repro --force {stage}'": "{path} está dañado: ejecuta 'dvc repro --force {stage}'",
    "no column {names}": "le falta la columna {names}",
    "line {line_num} has not one value for each column": "la línea {line_num} no tiene un valor por columna",
    "it holds a {kind}": "contiene un {kind}",
    "{crop_report} names no crop: run 'dvc repro --force crop'": (
        "{crop_report} no nombra ningún recorte: ejecuta 'dvc repro --force crop'"
    ),
    "{crop_report} is damaged: run 'dvc repro --force crop'": (
        "{crop_report} está dañado: ejecuta 'dvc repro --force crop'"
    ),
    "the crop {path} cannot be read ({reason}): run 'dvc repro --force crop'": (
        "no se puede leer el recorte {path} ({reason}): ejecuta 'dvc repro --force crop'"
    ),
    "{path} is not the crop that {crop_report} names: run 'dvc repro --force crop'": (
        "{path} no es el recorte que nombra {crop_report}: ejecuta 'dvc repro --force crop'"
    ),
    "{path} is {width} × {height} pixels, the networks take {image_size} × {image_size}: run 'dvc repro' (or "
    "'python -m stages.crop') first": (
        "{path} mide {width} × {height} píxeles y las redes toman {image_size} × {image_size}: ejecuta antes 'dvc "
        "repro' (o 'python -m stages.crop')"
    ),
    "{embeddings} has shape {shape} and {labels} {labels_shape}; expected [N, D] and [N]: run 'dvc repro --force "
    "embed'": (
        "{embeddings} tiene la forma {shape} y {labels}, {labels_shape}; deben ser [N, D] y [N]: ejecuta "
        "'dvc repro --force embed'"
    ),
    "{embeddings} holds values that are not finite, or {labels} others than 0 and 1: run 'dvc repro --force embed'": (
        "{embeddings} contiene valores no finitos, o {labels} otros que 0 y 1: ejecuta 'dvc repro --force embed'"
    ),
    "{embeddings} has shape {shape}, or values that are not finite, and {index} {rows:# row|# rows}; expected [N, D] "
    "and N: run 'dvc repro --force embed'": (
        "{embeddings} tiene la forma {shape}, o valores no finitos, y {index}, {rows:# fila|# filas}; deben ser [N, D] "
        "y N: ejecuta 'dvc repro --force embed'"
    ),
    "{embeddings} has {dimensions:# dimension|# dimensions}, the networks ({backbone}) make {size}: run 'dvc repro' "
    "(or 'python -m stages.embed') first": (
        "{embeddings} tiene {dimensions:# dimensión|# dimensiones} y las redes ({backbone}) calculan {size}: ejecuta "
        "antes 'dvc repro' (o 'python -m stages.embed')"
    ),
    "{table} has {rows:# row|# rows}, the embeddings {faces}, or holds other things than numbers: run 'dvc repro "
    "--force quality'": (
        "{table} tiene {rows:# fila|# filas} y hay {faces:# embedding|# embeddings}, o contiene algo que no son "
        "números: ejecuta 'dvc repro --force quality'"
    ),
    "{index} is not of this {crop_report}: run 'dvc repro' (or 'python -m stages.embed') first": (
        "{index} no corresponde a este {crop_report}: ejecuta antes 'dvc repro' (o 'python -m stages.embed')"
    ),
    "{index} is damaged (a label is neither 0 nor 1): run 'dvc repro --force embed'": (
        "{index} está dañado (hay una etiqueta que no es ni 0 ni 1): ejecuta 'dvc repro --force embed'"
    ),
    "{index} has {rows:# row|# rows}, the embeddings {faces}: run 'dvc repro' first": (
        "{index} tiene {rows:# fila|# filas} y hay {faces:# embedding|# embeddings}: ejecuta antes 'dvc repro'"
    ),
    "{predictions} is damaged: run 'dvc repro --force train'": (
        "{predictions} está dañado: ejecuta 'dvc repro --force train'"
    ),
    "{predictions} speaks of other faces than the {faces:# embedding|# embeddings}: run 'dvc repro --force train'": (
        "{predictions} habla de caras que no son {faces:la del # embedding|las de los # embeddings}: ejecuta 'dvc "
        "repro --force train'"
    ),
    "{predictions} gives no face of one class, or of both, to the part {part!r}: run 'dvc repro --force train'": (
        "en {predictions}, a la parte {part!r} le faltan las caras de una clase o de las dos: ejecuta 'dvc repro "
        "--force train'"
    ),
    # Too few photos
    "the rest of the photos holds too few of {missing} once near-duplicates and persons stay together: {counts}. Add "
    "photos taken at other times, or of other people": (
        "si los casi duplicados y las fotos de una misma persona van juntos, en el resto de las fotos hay muy pocas de "
        "{missing}: {counts}. Añade fotos tomadas en otros momentos o de otras personas"
    ),
    "not_me {not_me:# face|# faces} in {groups_not_me:# group|# groups}, me {me:# face|# faces} in {groups_me:# "
    "group|# groups}": (
        "«not_me» tiene {not_me:# cara|# caras} en {groups_not_me:# grupo|# grupos}, y «me», {me:# cara|# caras} en "
        "{groups_me:# grupo|# grupos}"
    ),
    "{name} has {faces:# usable face|# usable faces}{kind}; at least {count} are needed to train and to test, "
    "{recommended} to 30 are recommended. Add photos to data/{name}": (
        "«{name}» tiene {faces:# cara que se puede|# caras que se pueden} usar{kind}; para entrenar y probar hacen "
        "falta al menos {count}, y se recomiendan de {recommended} a 30. Añade fotos a data/{name}"
    ),
    ", of only {different:# shot|# shots}": ", de solo {different:# toma|# tomas}",
    ", of {different:# person|# different people}": ", de {different:# persona|# personas distintas}",
    "faces: {counts}. With train.test_size {test_size} and train.validation_size {validation_size} some part would "
    "lack a class. Add photos, or change the sizes in params.yaml": (
        "caras: {counts}. Con train.test_size {test_size} y train.validation_size {validation_size}, a alguna parte le "
        "faltaría una clase. Añade fotos o cambia los tamaños en params.yaml"
    ),
    # Tables about people
    "{first} and {second}": "{first} y {second}",
    "{names} and {more} more": "{names} y {more} más",
    "{old_attributes} is not read there any more: move it to {new}, where DVC tracks it with the photos; its content "
    "may stay as it is": (
        "{old_attributes} ya no se lee ahí: llévalo a {new}, donde DVC lo guarda con las fotos; el contenido puede "
        "quedarse como está"
    ),
    "{tables} names {photos} more than once: leave one line for each": (
        "{tables} nombra más de una vez {photos}: deja una línea para cada foto"
    ),
    "{path} is not saved as UTF-8: save it as 'CSV UTF-8'": (
        "{path} no está guardado en UTF-8: guárdalo como 'CSV UTF-8'"
    ),
    "{path} is no table with commas or semicolons, or its lines have not one value for each column: mend it, or delete "
    "it to compare no groups": (
        "{path} no es una tabla con comas o puntos y comas, o sus líneas no tienen un valor por columna: corrígela, o "
        "bórrala para no comparar grupos"
    ),
    "{path} has the columns {columns}; expected one named photo, with paths within data/ such as not_me/ana/1.jpg or "
    "folders such as not_me/ana": (
        "{path} tiene las columnas {columns}; falta una que se llame photo, con rutas dentro de data/ como "
        "not_me/ana/1.jpg o carpetas como not_me/ana"
    ),
    "{tables} has {lines:# line|# lines}, and none speaks of a photo with a face in data/; it names {paths}; expected "
    "paths such as {example}": (
        "{tables} tiene {lines:# línea|# líneas} y ninguna habla de una foto de data/ en la que haya una cara; nombra "
        "{paths}; debe tener rutas como {example}"
    ),
    # Photos that are read again
    "{path} cannot be read ({reason}): run 'dvc repro' (or 'python -m stages.crop')": (
        "no se puede leer {path} ({reason}): ejecuta 'dvc repro' (o 'python -m stages.crop')"
    ),
    "no face is found on {path} any more: run 'dvc repro' (or 'python -m stages.crop')": (
        "en {path} ya no se encuentra ninguna cara: ejecuta 'dvc repro' (o 'python -m stages.crop')"
    ),
    # The machine
    "one of {processes} processes was ended by the system, for lack of memory perhaps. Close other "
    "programs, or allow fewer processor cores (LOKY_MAX_CPU_COUNT=1), and run it again": (
        "el sistema ha terminado uno de los {processes} procesos, quizá por falta de memoria. Cierra otros "
        "programas, o permite menos núcleos (LOKY_MAX_CPU_COUNT=1), y vuelve a ejecutar la etapa"
    ),
    "LOKY_MAX_CPU_COUNT is {wanted!r}; expected a number of processor cores, such as 2": (
        "LOKY_MAX_CPU_COUNT es {wanted!r}; debe ser un número de núcleos, como 2"
    ),
    "embed.device is cuda, but {reason}; expected auto or cpu on this machine": (
        "embed.device es cuda, pero {reason}; en esta máquina debe ser auto o cpu"
    ),
    "torch finds no GPU here": "torch no encuentra aquí ninguna GPU",
    "torch cannot compute on the GPU here ({reason})": "torch no puede calcular en la GPU de esta máquina ({reason})",
    "the GPU has too little memory for embed.batch_size {batch_size}: lower it in params.yaml (or set embed.device: "
    "cpu)": (
        "a la GPU le falta memoria para embed.batch_size {batch_size}: bájalo en params.yaml (o pon embed.device: cpu)"
    ),
    "{folder} has {free:.0f} MB free; {needed:.0f} MB are needed": (
        "en {folder} quedan {free:.0f} MB libres; hacen falta {needed:.0f}"
    ),
    # Networks and weights
    "params.yaml names weights with SHA-256 {weights_sha256}, {manifest} those with {expected}: run 'dvc repro' (or "
    "'python -m stages.export') first": (
        "params.yaml nombra los pesos con SHA-256 {weights_sha256}, y {manifest}, los que tienen {expected}: ejecuta "
        "antes 'dvc repro' (o 'python -m stages.export')"
    ),
    "{error}. Connect to the internet, or put the file into models/weights/": (
        "{error}. Conéctate a internet o pon el archivo en models/weights/"
    ),
    "{error}. This project was last built with {name}, so it is not moved to {offline} silently. Put the weights file "
    "into models/weights/ (or name it in FACENET_WEIGHTS), or set backbone.name: {offline} in params.yaml": (
        "{error}. Este proyecto se hizo la última vez con {name}, así que no se pasa a {offline} sin avisar. Pon el "
        "archivo de los pesos en models/weights/ (o nómbralo en FACENET_WEIGHTS), o pon backbone.name: {offline} en "
        "params.yaml"
    ),
    "{path} is damaged. Delete it if the project may change its backbone": (
        "{path} está dañado. Bórralo si no importa que el proyecto cambie de red"
    ),
    "{network} in ONNX differs from torch by {worst:.1e}; at most {tolerance:.0e} is allowed. Install the versions of "
    "requirements.txt": (
        "{network} en ONNX se aparta {worst:.1e} de torch; como mucho puede ser {tolerance:.0e}. Instala las versiones "
        "de requirements.txt"
    ),
    "the package facenet-pytorch is not installed: pip install -r requirements.txt": (
        "el paquete facenet-pytorch no está instalado: pip install -r requirements.txt"
    ),
    "the package face_recognition_models is not installed: pip install -r requirements.txt": (
        "el paquete face_recognition_models no está instalado: pip install -r requirements.txt"
    ),
    "{path} is missing: reinstall face_recognition_models==0.3.0": (
        "falta {path}: vuelve a instalar face_recognition_models==0.3.0"
    ),
    "{path} has SHA-256 {digest}; expected {weights_sha256}": (
        "{path} tiene SHA-256 {digest}; debe ser {weights_sha256}"
    ),
    "{path} has SHA-256 {digest}; expected {weights_sha256}: {remedy}": (
        "{path} tiene SHA-256 {digest}; debe ser {weights_sha256}: {remedy}"
    ),
    "correct or unset {variable}": "corrige {variable} o bórrala",
    "delete it, and it is downloaded again": "bórralo y se descargará otra vez",
    "{variable} names {path}, which is not a file: correct or unset it": (
        "{variable} nombra {path}, que no es un archivo: corrígela o bórrala"
    ),
    "{weights} is no checkpoint of InceptionResnetV1: delete it, and it is fetched again": (
        "{weights} no contiene los pesos de InceptionResnetV1: bórralo y se traerá otra vez"
    ),
    "FaceNet's weights are neither in {variable}, {weights_folder} nor torch's cache, and {error}": (
        "los pesos de FaceNet no están ni en {variable}, ni en {weights_folder}, ni en la caché de torch, y {error}"
    ),
    "{url} cannot be downloaded ({reason})": "no se puede descargar {url} ({reason})",
    "{url} cannot be downloaded (the server answered with status {status})": (
        "no se puede descargar {url} (el servidor ha respondido con el estado {status})"
    ),
    "{url} came with SHA-256 {digest}; expected {sha256}. It was deleted, not loaded": (
        "{url} ha llegado con SHA-256 {digest}; debe ser {sha256}. Se ha borrado sin cargarlo"
    ),
    "a web page came instead of the file: a sign-in page of the network?": (
        "en lugar del archivo ha llegado una página web: ¿la de acceso a la red?"
    ),
    "the connection broke after {have} of {total:# byte|# bytes}": (
        "la conexión se ha cortado tras {have} de {total:# byte|# bytes}"
    ),
    "not dlib's face recognition network: {error}": "no es la red de reconocimiento facial de dlib: {error}",
    "expected {layers:# convolution|# convolutions} with their affines, found {convolutions}, {affines}": (
        "deben ser {layers:# convolución|# convoluciones} con sus capas afines, y son {convolutions} y {affines}"
    ),
    "expected {weights} and {affines} values of a convolution and its affine, found {found} and {found_affines}": (
        "una convolución y su capa afín deben tener {weights} y {affines} valores, y tienen {found} y {found_affines}"
    ),
}
