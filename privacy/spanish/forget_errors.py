"""Spanish for what stops `python -m privacy forget`, and for what a check of a certificate finds."""

from __future__ import annotations

FORGET_ERRORS = {
    (
        "{path} cannot be read, so nothing was deleted: {reason}. Mend it, or take it back from git ('git checkout -- "
        "dvc.yaml'), and run this again"
    ): (
        "No se puede leer {path}, así que no se ha borrado nada: {reason}. Arréglalo o recupéralo de git ('git "
        "checkout -- dvc.yaml') y ejecuta esto otra vez"
    ),
    # What was asked for
    "whom? Expected a sub-folder of not_me, 'me', or the path of a photo; --resume finishes an earlier run": (
        "¿a quién? Debe ser una subcarpeta de not_me, 'me', o la ruta de una foto; --resume termina una ejecución "
        "anterior"
    ),
    "nobody can be asked here, so nothing was done: look at --dry-run, then give --yes": (
        "aquí no hay nadie a quien preguntar, así que no se ha hecho nada: mira --dry-run y después usa --yes"
    ),
    "{names}: nothing of that is kept anywhere": "{names}: de eso no se conserva nada en ningún sitio",
    "--also {name}: expected a photo, not a folder": "--also {name}: debe ser una foto, no una carpeta",
    (
        "{name} may be any of {choices}, which differ in capitals or in how accents are written: give the path of one, "
        "from data/ on"
    ): (
        "{name} puede ser cualquiera de estos: {choices}, que se distinguen en las mayúsculas o en cómo están escritos "
        "los acentos: da la ruta de uno, desde data/"
    ),
    "there is no {name}, but {there}: is that meant? Then write it so": (
        "no existe {name}, pero sí {there}: ¿es ese? Entonces escríbelo así"
    ),
    (
        "{name} is in no version of data/me and data/not_me that is kept: expected 'me', a sub-folder of not_me "
        "({people}) or the path of a photo such as not_me/ana/1.jpg"
    ): (
        "{name} no está en ninguna versión de data/me ni de data/not_me que se conserve: debe ser 'me', una subcarpeta "
        "de not_me ({people}) o la ruta de una foto como not_me/ana/1.jpg"
    ),
    "there is none": "no hay ninguna",
    # The project
    (
        "{root} has no folder .dvc, so nothing is kept of earlier versions and there is nothing to forget but the "
        "photos: delete them, or run 'dvc init' ('dvc init --no-scm' without git) first"
    ): (
        "en {root} no hay ninguna carpeta .dvc, así que no se conserva nada de versiones anteriores y no hay nada que "
        "olvidar salvo las fotos: bórralas, o ejecuta antes 'dvc init' ('dvc init --no-scm' sin git)"
    ),
    (
        "DVC's cache is {cache}, outside the project: it may hold what other projects need, so nothing was deleted. If "
        "it is this project's alone, run this again with --cache-outside. Otherwise give the project a cache of its "
        "own ('dvc cache dir --local --unset', 'dvc cache dir --unset', then 'dvc fetch --all-commits'), let the "
        "owners of the shared one delete the objects there, and run this again"
    ): (
        "la caché de DVC es {cache}, fuera del proyecto: puede tener lo que otros proyectos necesitan, así que no se "
        "ha borrado nada. Si solo la usa este, ejecuta esto otra vez con --cache-outside. Si no, da al proyecto una "
        "caché propia ('dvc cache dir --local --unset', 'dvc cache dir --unset' y después 'dvc fetch --all-commits'), "
        "haz que los dueños de la compartida borren allí los objetos, y ejecuta esto otra vez"
    ),
    "git is not installed": "git no está instalado",
    "git does not read {folder}, so nobody can tell which versions are kept, and nothing was deleted: {reason}": (
        "git no lee {folder}, así que no se puede saber qué versiones se conservan, y no se ha borrado nada: {reason}"
    ),
    "'git {words}' failed: {said}": "'git {words}' ha fallado: {said}",
    "'dvc {words}' failed; its message is above": "'dvc {words}' ha fallado; su mensaje está más arriba",
    # What is in the way
    "another 'python -m privacy {command}' runs in this project: wait until it has ended": (
        "en este proyecto hay otro 'python -m privacy {command}' en marcha: espera a que termine"
    ),
    "lock, unlock or rekey": "lock, unlock o rekey",
    "a command of DVC runs in this project: wait until it has ended": (
        "en este proyecto hay un comando de DVC en marcha: espera a que termine"
    ),
    "process {pid}": "proceso {pid}",
    "process {pid} in {folder}": "proceso {pid} en {folder}",
    (
        "an experiment or a stage runs ({what}), and it has the photos: wait until it has ended, or stop it ('dvc "
        "queue stop --kill', or Ctrl-C where it was started)"
    ): (
        "hay un experimento o una etapa en marcha ({what}), que tiene las fotos: espera a que termine, o páralo ('dvc "
        "queue stop --kill', o Ctrl-C donde se inició)"
    ),
    (
        "{path} has a conflict that git has left: nothing was deleted. Decide it, or give the merge up ('git merge "
        "--abort'), and run this again"
    ): (
        "{path} tiene un conflicto que ha dejado git: no se ha borrado nada. Resuélvelo, o renuncia a la fusión ('git "
        "merge --abort'), y ejecuta esto otra vez"
    ),
    (
        "DVC cannot read {path}, which it may have been writing when it was stopped, so nothing was deleted. Take the "
        "file back from git ('git checkout -- {name}'); a dvc.lock can also be deleted, since 'dvc repro' makes it "
        "anew. Then run this again"
    ): (
        "DVC no puede leer {path}, que quizá estaba escribiendo cuando se interrumpió, así que no se ha borrado nada. "
        "Recupera el archivo de git ('git checkout -- {name}'); un dvc.lock también se puede borrar, porque 'dvc "
        "repro' lo rehace. Después, ejecuta esto otra vez"
    ),
    (
        "nothing was deleted, since something could not be: {folders} cannot be written. Give yourself the right to "
        "('chmod -R u+w'), or run this as the user whose they are"
    ): (
        "no se ha borrado nada, porque no se podría borrar todo: no se puede escribir en {folders}. Date permiso "
        "('chmod -R u+w'), o ejecuta esto como el usuario a quien pertenecen"
    ),
    (
        "nothing was deleted, since lines about them cannot be taken out of a locked table ({error}). If the key is "
        "lost, delete that table first"
    ): (
        "no se ha borrado nada, porque de una tabla cifrada no se pueden quitar las líneas que hablan de la persona "
        "({error}). Si la clave se ha perdido, borra antes esa tabla"
    ),
    (
        "nothing was done: {error}. If the key is lost, take {key_file} and {key} out of the environment and out of "
        ".env: without a key, forget deletes what their names lead to, and says before what it leaves undone"
    ): (
        "no se ha hecho nada: {error}. Si la clave se ha perdido, quita {key_file} y {key} del entorno y de .env: sin "
        "clave, forget borra aquello a lo que llevan los nombres de la persona, y antes dice lo que deja sin hacer"
    ),
    "the audit log could not be asked: {error}": "no se ha podido consultar el registro de auditoría: {error}",
    "{path} cannot be written: {reason}": "no se puede escribir {path}: {reason}",
    "{path} cannot be read: {reason}": "no se puede leer {path}: {reason}",
    # What stopped it half way
    (
        "stopped: {error}. What is deleted stays deleted; free space or give yourself the right, then run this again, "
        "and it goes on"
    ): (
        "interrumpido: {error}. Lo borrado está borrado; libera espacio o date permiso, y ejecuta esto otra vez para "
        "que siga"
    ),
    (
        "{path}, which says what an earlier run has begun to forget, cannot be read ({error}): delete it, and ask "
        "again for whom that was"
    ): (
        "no se puede leer {path}, donde consta lo que una ejecución anterior empezó a olvidar ({error}): bórralo, y "
        "pide otra vez que se olvide a quien era"
    ),
    (
        "not all is gone: {wrong}. Run this again; if that does not help, stop other programs that work in the project "
        "first"
    ): (
        "no se ha borrado todo: {wrong}. Ejecuta esto otra vez; si no sirve, para antes los demás programas que "
        "trabajen en el proyecto"
    ),
    "{name} still holds {count} objects": "{name} todavía tiene {count:# objeto|# objetos}",
    "{name} has {count} new objects that show them": (
        "{name} tiene {count:# objeto nuevo|# objetos nuevos} en {count:el|los} que aparece"
    ),
    "{folder}/data still holds photos of them": "{folder}/data todavía tiene fotos suyas",
    "{folder}/private still holds an export of theirs": "{folder}/private todavía tiene un zip exportado suyo",
    "{folder} still holds a file that names them": "{folder} todavía tiene un archivo que nombra a la persona",
    "{folder} still holds a file that shows them or has embeddings of them": (
        "{folder} todavía tiene un archivo en el que aparece la persona, o con embeddings suyos"
    ),
    # Certificates
    "The seal is right, and everything that the certificate speaks of is still gone.": (
        "El sello es correcto, y todo lo que nombra el certificado sigue borrado."
    ),
    "{path} was changed, or is of another project: its seal is not of this project's key": (
        "{path} ha cambiado, o es de otro proyecto: su sello no es de la clave de este proyecto"
    ),
    "{name}: {count} of the deleted objects are there again": (
        "{name}: {count:# de los objetos borrados ha|# de los objetos borrados han} vuelto"
    ),
    "{name}: does not answer ({reason})": "{name}: no responde ({reason})",
    "{folder}: {count} of the deleted photos are there again": (
        "{folder}: {count:# de las fotos borradas ha|# de las fotos borradas han} vuelto"
    ),
    (
        "{folder}: {count} locked photos could not be looked into: set {key_file} or {key} to their key, in the "
        "environment or in .env"
    ): (
        "{folder}: no se {count:ha podido examinar # foto cifrada|han podido examinar # fotos cifradas}: define "
        "{key_file} o {key} con su clave, en el entorno o en .env"
    ),
    "{path} is no certificate: those are the files in {folder}": (
        "{path} no es un certificado: los certificados son los archivos de {folder}"
    ),
    (
        "the key of the certificates, {path}, cannot be read ({error}): put the file back; without it no certificate "
        "can be checked"
    ): (
        "no se puede leer la clave de los certificados, {path} ({error}): recupera el archivo; sin él no se puede "
        "comprobar ningún certificado"
    ),
}
