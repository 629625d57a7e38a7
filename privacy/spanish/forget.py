"""Spanish for what `python -m privacy forget` and `certificate` ask, list and tell."""

from __future__ import annotations

FORGET = {
    # The help
    "forget a person or a photo: in the photos, in what was made of them, in every version that DVC keeps": (
        "olvida a una persona o una foto: en las fotos, en lo que se ha hecho con ellas y en todas las versiones que "
        "guarda DVC"
    ),
    "WHO": "QUIÉN",
    "PHOTO": "FOTO",
    "a sub-folder of not_me, 'me', or the path of a photo": "una subcarpeta de not_me, 'me', o la ruta de una foto",
    "list everything, and change nothing": "lo enumera todo y no cambia nada",
    "ask nothing": "no pregunta nada",
    "a photo of somebody else that shows them, too": "una foto de otra persona en la que también aparece",
    "finish what an earlier run has begun": "termina lo que empezó una ejecución anterior",
    "delete what remotes are owed that were away": (
        "borra lo que quedó pendiente en los remotos a los que no se pudo llegar"
    ),
    "DVC's cache lies outside the project, and is this project's alone": (
        "la caché de DVC está fuera del proyecto, y solo la usa este"
    ),
    "check the certificates that forget writes": "comprueba los certificados que escribe forget",
    "check a seal, and that what was deleted is still gone; exit status 1 if not": (
        "comprueba un sello, y que lo borrado sigue borrado; código de salida 1 si no es así"
    ),
    # What is asked
    "{question} [y/N] ": "{question} [s/N] ",
    "{question} [y/N; none: neither this nor any of the rest] ": (
        "{question} [s/N; ninguna: ni esta ni ninguna de las demás] "
    ),
    "Delete all of it, for good?": "¿Borrarlo todo, para siempre?",
    "{photo} seems to show them, too (cosine {cosine:.3f}). Delete that photo as well?": (
        "Parece que también aparece en {photo} (coseno {cosine:.3f}). ¿Borrar también esa foto?"
    ),
    # The list: photos
    "This is to be forgotten:": "Se va a olvidar esto:",
    "  … and {count:# photo|# photos} more": "  … y {count:# foto|# fotos} más",
    "  … and {count:# folder|# folders} more": "  … y {count:# carpeta|# carpetas} más",
    "  … and {count:# file|# files} more": "  … y {count:# archivo|# archivos} más",
    "  … and {count:# copy|# copies} more": "  … y {count:# copia|# copias} más",
    "  … and {count:# version|# versions} more": "  … y {count:# versión|# versiones} más",
    "Other names that the same folder had:": "Otros nombres que ha tenido la misma carpeta:",
    "Of these, copies of the others in another size, format or place:": (
        "De ellas, copias de las otras con otro tamaño, en otro formato o en otro sitio:"
    ),
    "The same photo lies in both classes, and goes from both:": (
        "La misma foto está en las dos clases, y se borra de ambas:"
    ),
    "Among them are photos that lie elsewhere than what was asked for:": (
        "Entre ellas hay fotos que no están donde se ha pedido:"
    ),
    "These photos of others seem to show them, too. They stay, unless you name them with --also:": (
        "Parece que también aparece en estas fotos de otras personas. Se quedan, si no las indicas con --also:"
    ),
    "At another time, these folders held some of these photos. If they are the same person's, name them, too:": (
        "En otro momento, estas carpetas tuvieron algunas de estas fotos. Si son de la misma persona, indícalas "
        "también:"
    ),
    (
        "{count:# locked photo|# locked photos} could not be opened, so among {count:it|them} near copies and faces "
        "like theirs were not looked for: {reason}"
    ): (
        "No se {count:ha podido abrir # foto cifrada|han podido abrir # fotos cifradas}, así que en "
        "{count:ella|ellas} no se han buscado copias parecidas ni caras como la suya: {reason}"
    ),
    (
        "embeddings of {count:# run|# runs} could not be opened, so faces like theirs were not looked for in "
        "{count:it|them}: {reason}. 'dvc repro' makes those of data/ anew with the present key: run it first"
    ): (
        "No se han podido abrir los embeddings de {count:# ejecución|# ejecuciones}, así que en {count:ella|ellas} no "
        "se han buscado caras como la suya: {reason}. 'dvc repro' rehace los de data/ con la clave actual: ejecútalo "
        "antes"
    ),
    (
        "{count:# picture|# pictures} that no run of the pipeline has looked at could not be searched for their face: "
        "{reason}"
    ): (
        "No se ha podido buscar su cara en {count:# imagen|# imágenes} que no ha visto ninguna ejecución del pipeline: "
        "{reason}"
    ),
    "it would take too long; run 'dvc repro', or 'dvc gc', and this again": (
        "se tardaría demasiado; ejecuta 'dvc repro', o 'dvc gc', y esto otra vez"
    ),
    (
        "Not done without the key: records about {count:# of these photos|# of these photos} stay in the audit log, if "
        "there is one."
    ): (
        "Sin la clave no se hace: las entradas sobre {count} de estas fotos se quedan en el registro de auditoría, si "
        "lo hay."
    ),
    # The list: what is deleted
    "What is deleted:": "Lo que se borra:",
    (
        "  {folder}: {files:# file|# files} in data/me and data/not_me, lines about them in attributes.csv and "
        "consent.csv, what the stages remember of them"
    ): (
        "  {folder}: {files:# archivo|# archivos} de data/me y data/not_me, las líneas que hablan de esa persona en "
        "attributes.csv y consent.csv, lo que las etapas recuerdan de ella"
    ),
    ", and what was made of photos: {count} files and folders": (
        ", y lo que se hizo con fotos: {count:# archivo o carpeta|# archivos y carpetas}"
    ),
    "  the export {name}": "  el zip exportado {name}",
    "  every picture in {folder}, whoever is on it": "  todas las imágenes de {folder}, salga quien salga",
    "  other files that show them:": "  otros archivos en los que aparece:",
    "  pictures of them and what was made of these, out of files of which the rest stays:": (
        "  sus imágenes y lo que se hizo con ellas, dentro de archivos cuyo resto se queda:"
    ),
    "  objects of DVC: {count} ({kinds})": "  objetos de DVC: {count} ({kinds})",
    "    in {name} ({address})": "    en {name} ({address})",
    "    owed to {name} ({address}): {reason}": "    pendiente en {name} ({address}): {reason}",
    "  pictures of the cache that no version names, with a face like theirs: {count}": (
        "  imágenes de la caché que no nombra ninguna versión, con una cara como la suya: {count}"
    ),
    "  objects of the cache that no version names and nobody can look into: {count}": (
        "  objetos de la caché que no nombra ninguna versión y que no se pueden examinar: {count}"
    ),
    "  what experiments left in {folder}": "  lo que dejaron experimentos en {folder}",
    "  DVC's notes on files: .dvc/tmp and its folder outside the project": (
        "  lo que DVC ha anotado de los archivos: .dvc/tmp y su carpeta fuera del proyecto"
    ),
    "{count:This version loses|These # versions lose} for good what was made with them:": (
        "{count:Esta versión pierde|Estas # versiones pierden} para siempre lo que se hizo con sus fotos:"
    ),
    # The list: kinds of objects
    "crop": "recorte",
    "table": "tabla",
    "list of files": "lista de archivos",
    "picture": "imagen",
    "file with {what}": "archivo con {what}",
    "text that names them": "texto que nombra a la persona",
    "part of a photo": "parte de una foto",
    "their folder in an archive": "su carpeta en un archivo comprimido",
    "what goes": "algo que se borra",
    "photo or crop before it was locked": "foto o recorte antes de cifrarse",
    "unexplained data": "datos sin explicación",
    # The list: where things are kept
    "cache of {folder}": "caché de {folder}",
    "{name} (of an earlier version)": "{name} (de una versión anterior)",
    "it was not asked": "no se le ha preguntado",
    # The list: what stays, and what comes of it
    "Not done: these files of other programs show them, and nothing can be taken out of them here:": (
        "No se hace: aparece en estos archivos de otros programas, de los que aquí no se puede quitar nada:"
    ),
    "Not done: nobody can look into these here (too large, unreadable, an archive of another kind, a model):": (
        "No se hace: aquí no se puede mirar dentro de estos (demasiado grandes, ilegibles, otro tipo de archivo "
        "comprimido, un modelo):"
    ),
    "Not done: git's own history holds these files, which show them:": (
        "No se hace: el propio historial de git contiene estos archivos, en los que aparece:"
    ),
    "Not done: {name} ({address}), to which an earlier version pushed: {reason}": (
        "No se hace: {name} ({address}), donde guardaba una versión anterior: {reason}"
    ),
    "git has changes that are not committed: they stay as they are.": (
        "En git hay cambios que no están en ningún commit: se quedan como están."
    ),
    "No photo of me is left: there will be no model, and the service answers 503.": (
        "No queda ninguna foto de «me»: no habrá ningún modelo, y el servicio responderá 503."
    ),
    "No photo of {name} is left: 'dvc repro' says whether a model can be made without.": (
        "No queda ninguna foto de {name}: 'dvc repro' dice si se puede hacer un modelo sin ellas."
    ),
    "Then everything is made anew without them (dvc repro).": "Después se rehace todo sin esa persona (dvc repro).",
    (
        "Then everything would be made anew without them, but 'dvc repro' needs the key of the locked photos: "
        "{reason}. Without it there is no model afterwards, until you run 'dvc repro' with the key."
    ): (
        "Después se rehace todo sin esa persona, pero 'dvc repro' necesita la clave de las fotos cifradas: {reason}. "
        "Sin ella no habrá ningún modelo, hasta que ejecutes 'dvc repro' con la clave."
    ),
    # On the way
    "looking into git": "mirando en git",
    "looking into what is kept": "mirando en lo que se conserva",
    "looking into what is new": "mirando en lo nuevo",
    "looking into what no version names": "mirando en lo que no nombra ninguna versión",
    "looking through the folder": "mirando en la carpeta",
    "comparing faces": "comparando caras",
    "comparing pictures": "comparando imágenes",
    "An earlier run was stopped when all was done. Its certificate says what it found.": (
        "Una ejecución anterior se interrumpió cuando ya estaba todo hecho. Su certificado dice lo que encontró."
    ),
    "An earlier run was stopped before its end: it is finished first.": (
        "Una ejecución anterior se interrumpió antes de terminar: primero se termina esa."
    ),
    "There is nothing to finish.": "No hay nada que terminar.",
    "{name}: deleted {objects:# object|# objects}, {runs:# entry|# entries} of the run cache": (
        "{name}: {objects:# objeto borrado|# objetos borrados}, y {runs:# entrada|# entradas} de la caché de "
        "ejecuciones"
    ),
    "Making everything anew: dvc repro": "Rehaciéndolo todo: dvc repro",
    # What remotes are owed
    "No remote is owed anything.": "No hay nada pendiente en ningún remoto.",
    "{name}: {objects:# object|# objects} deleted": "{name}: {objects:# objeto borrado|# objetos borrados}",
    "{name} ({address}) is still owed, since {day}: {reason}": (
        "{name} ({address}): sigue pendiente, desde {day}: {reason}"
    ),
    "{name} ({address}) is still owed what 'lock' or 'rekey' was to delete there, since {day}: {reason}": (
        "{name} ({address}): sigue pendiente lo que 'lock' o 'rekey' tenía que borrar allí, desde {day}: {reason}"
    ),
    (
        "Owed: {name} ({address}) may still have what was forgotten: {reason}. The next run deletes it there, or "
        "'python -m privacy forget --owed'."
    ): (
        "Pendiente: {name} ({address}) puede tener aún lo que se ha olvidado: {reason}. Lo borra allí la siguiente "
        "ejecución, o 'python -m privacy forget --owed'."
    ),
    (
        "Owed: {name} ({address}) still has {count:# object|# objects} that 'python -m privacy lock' or 'rekey' was to "
        "delete: {reason}. What was forgotten may be among {count:it|them}. The next run deletes it there, or 'python "
        "-m privacy forget --owed'."
    ): (
        "Pendiente: {name} ({address}) aún tiene {count:# objeto|# objetos} que 'python -m privacy lock' o 'rekey' "
        "tenía que borrar: {reason}. Puede que {count:sea|esté entre ellos} lo que se ha olvidado. Lo borra allí la "
        "siguiente ejecución, o 'python -m privacy forget --owed'."
    ),
    # The end
    "Forgotten. The certificate: {path}": "Olvidado. El certificado: {path}",
    "{count:# version has|# versions have} lost what was made with them.": (
        "{count:# versión ha|# versiones han} perdido lo que se hizo con sus fotos."
    ),
    "To keep the new state: python -m history save 'Without one person'": (
        "Para guardar el estado nuevo: python -m history save 'Sin una persona'"
    ),
    "There is no model now: {problem}. The service answers 503.": (
        "Ahora no hay ningún modelo: {problem}. El servicio responde 503."
    ),
    "no photo of me is left": "no queda ninguna foto de «me»",
    "'dvc repro' needs the key of the locked photos ({reason}), so run it when you have set that": (
        "'dvc repro' necesita la clave de las fotos cifradas ({reason}), así que ejecútalo cuando la hayas definido"
    ),
    "'dvc repro' failed, its message is above": "'dvc repro' ha fallado; su mensaje está más arriba",
    "In the worktree {folder}, 'dvc repro' makes everything anew.": (
        "En el worktree {folder}, 'dvc repro' lo rehace todo."
    ),
    "{path} is a file of another program and shows them: take them out by hand.": (
        "{path} es un archivo de otro programa y la persona aparece en él: quítala a mano."
    ),
    (
        "git's own history holds files that show them: {files}. Take these out of it ('git filter-repo --invert-paths "
        "--path FILE'), here and wherever it was pushed."
    ): (
        "El propio historial de git contiene archivos en los que aparece: {files}. Quítalos de él ('git filter-repo "
        "--invert-paths --path ARCHIVO'), aquí y dondequiera que lo hayas subido."
    ),
    (
        "{name}: give this client the right to list and delete old versions, and run 'forget --owed'; or delete them "
        "there."
    ): (
        "{name}: da a este cliente permiso para enumerar y borrar versiones antiguas, y ejecuta 'forget --owed'; o "
        "bórralas allí."
    ),
    "{path} is your own and names them: change it by hand, and if DVC tracks it, run 'dvc add' on it then.": (
        "{path} es tuyo y nombra a la persona: cámbialo a mano y, si DVC lo sigue, ejecuta después 'dvc add' con él."
    ),
    "{path} could not be looked into: look yourself whether it shows them or was made of them.": (
        "No se ha podido mirar dentro de {path}: comprueba tú si aparece la persona o si se hizo con sus fotos."
    ),
    (
        "An earlier version pushed to {name} ({address}), which does not answer: {reason}. If it is there still, add "
        "it again ('dvc remote add') before you forget somebody."
    ): (
        "Una versión anterior guardaba en {name} ({address}), que no responde: {reason}. Si aún existe, añádelo otra "
        "vez ('dvc remote add') antes de olvidar a alguien."
    ),
    "Photos were imported from {source}, which has theirs still: 'dvc update' would bring them back.": (
        "Se importaron fotos de {source}, que aún tiene las suyas: 'dvc update' las volvería a traer."
    ),
    "A link led to {target}, outside the project: delete theirs there, too.": (
        "Un enlace llevaba a {target}, fuera del proyecto: borra también allí lo suyo."
    ),
    "The photos in data/ were copied from {folder}: delete theirs there, too, and in your backups.": (
        "Las fotos de data/ se copiaron de {folder}: borra las suyas también allí, y en tus copias de seguridad."
    ),
    # The service
    "The service (process {pid}) {wrong}.": "El servicio (proceso {pid}) {wrong}.",
    "The service (process {pid}) serves what is there now.": "El servicio (proceso {pid}) ya usa lo que hay ahora.",
    "The service (process {pid}) still has the old model: restart it.": (
        "El servicio (proceso {pid}) sigue con el modelo antiguo: reinícialo."
    ),
    "was told, but has no new workers yet: look at /readyz": (
        "ha recibido el aviso, pero aún no tiene procesos nuevos: mira /readyz"
    ),
    "was told, but does not say what came of it: look at its log, or restart it": (
        "ha recibido el aviso, pero no dice qué ha pasado: mira su registro, o reinícialo"
    ),
    "could not be told ({error}): restart it": "no ha podido recibir el aviso ({error}): reinícialo",
    "still has the old model, since it refused the new one ({reason}): restart it": (
        "sigue con el modelo antiguo, porque ha rechazado el nuevo ({reason}): reinícialo"
    ),
    "The service's settings cannot be read, so look yourself where else it runs: {error}": (
        "No se pueden leer los ajustes del servicio, así que mira tú dónde más está en marcha: {error}"
    ),
    "MODEL_PATH is {path}: that model was not made anew. Put a copy of {model} there, or delete it.": (
        "MODEL_PATH es {path}: ese modelo no se ha rehecho. Pon ahí una copia de {model}, o bórralo."
    ),
    "If the service runs elsewhere, copy models/ there and restart it: until then it has the old model.": (
        "Si el servicio está en otro sitio, copia allí models/ y reinícialo: hasta entonces tiene el modelo antiguo."
    ),
    (
        "If the service runs elsewhere, copy models/ there, put a key with the role admin into KEY and run this there, "
        'or it keeps the old model: curl -sS -X POST -H "X-API-Key: $KEY" {url}'
    ): (
        "Si el servicio está en otro sitio, copia allí models/, pon en KEY una clave con el rol admin y ejecuta esto "
        'allí, o seguirá con el modelo antiguo: curl -sS -X POST -H "X-API-Key: $KEY" {url}'
    ),
}
