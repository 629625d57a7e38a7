"""Spanish for `python -m privacy lock`, `unlock`, `rekey`, `reveal` and `new-key`."""

from __future__ import annotations

LOCKING = {
    # The help
    "encrypt the photos, and delete their plain versions from DVC's cache and remotes": (
        "cifra las fotos y borra sus versiones sin cifrar de la caché y los remotos de DVC"
    ),
    "decrypt the photos": "descifra las fotos",
    "encrypt the photos with another key, and delete what the old one opens": (
        "cifra las fotos con otra clave y borra lo que abre la anterior"
    ),
    "write one encrypted file, such as the contact sheet, out to where you look at it": (
        "escribe un archivo cifrado, como la hoja de contactos, allí donde lo vayas a mirar"
    ),
    "make a key and write it to a new file": "crea una clave y la escribe en un archivo nuevo",
    "the key; else PRIVACY_KEY_FILE or PRIVACY_KEY say it, or you are asked for a passphrase": (
        "la clave; si no, la dicen PRIVACY_KEY_FILE o PRIVACY_KEY, o se te pide una contraseña"
    ),
    "of the old key: {where}": "de la clave anterior: {where}",
    "the new key; else PRIVACY_NEW_KEY_FILE or PRIVACY_NEW_KEY say it, or you are asked for a passphrase": (
        "la clave nueva; si no, la dicen PRIVACY_NEW_KEY_FILE o PRIVACY_NEW_KEY, o se te pide una contraseña"
    ),
    "TARGET": "DESTINO",
    "a new file": "un archivo nuevo",
    "also delete photos of earlier versions that are in data/ no more: they are lost then": (
        "borra también las fotos de versiones anteriores que ya no están en data/: se pierden para siempre"
    ),
    "leave earlier versions in DVC's cache and remotes as they are": (
        "deja como están las versiones anteriores de la caché y los remotos de DVC"
    ),
    # What is asked
    "Passphrase of the photos: ": "Contraseña de las fotos: ",
    "New passphrase of the photos: ": "Contraseña nueva de las fotos: ",
    "Once more: ": "Otra vez: ",
    # What it does
    "locking": "cifrando",
    "unlocking": "descifrando",
    "changing the key": "cambiando la clave",
    "reading what is locked": "leyendo lo cifrado",
    "looking for what the old key opens": "buscando lo que abre la clave anterior",
    "{count:# file|# files} locked, {others:# file|# files} were already.": (
        "{count:# archivo cifrado|# archivos cifrados}; {others:# ya lo estaba|# ya lo estaban}."
    ),
    "Links were replaced, and the files that they led to are plain as before: {names}": (
        "Se han sustituido enlaces, y los archivos a los que llevaban siguen sin cifrar: {names}"
    ),
    "{count:# file|# files} unlocked.": "{count:# archivo descifrado|# archivos descifrados}.",
    "'dvc add' and 'dvc repro' would put plain photos into DVC's cache: lock them again before.": (
        "'dvc add' y 'dvc repro' pondrían fotos sin cifrar en la caché de DVC: cífralas otra vez antes."
    ),
    "Nothing is locked.": "No hay nada cifrado.",
    "{count:# file|# files} locked with the new key.": (
        "{count:# archivo cifrado|# archivos cifrados} con la clave nueva."
    ),
    "{path} is plain: delete it when you have seen it.": "{path} no está cifrado: bórralo cuando lo hayas visto.",
    (
        "{path} holds a new key. Keep a copy in another place: what it locks is lost without it. It must not lie where "
        "the photos are kept, or copied to."
    ): (
        "{path} contiene una clave nueva. Guarda una copia en otro sitio: lo que cifra se pierde sin ella. No debe "
        "estar donde se guardan las fotos ni donde se copian."
    ),
    "DVC tracks neither data/me nor data/not_me: 'dvc add data/me data/not_me' does.": (
        "DVC no sigue ni data/me ni data/not_me: 'dvc add data/me data/not_me' hace que las siga."
    ),
    "DVC's cache and remotes keep the earlier versions, as --no-purge asks.": (
        "La caché y los remotos de DVC conservan las versiones anteriores, como pide --no-purge."
    ),
    "Commit {files} to git.": "Guarda {files} en git.",
    "Earlier versions deleted from {place}: {count} objects.": (
        "Versiones anteriores borradas de {place}: {count:# objeto|# objetos}."
    ),
    (
        "NOT deleted from the remote {name} ({reason}): it is remembered. When that is mended, run this again, or "
        "'python -m privacy forget --owed'."
    ): (
        "NO se han borrado del remoto {name} ({reason}): queda anotado. Cuando eso esté arreglado, ejecuta esto otra "
        "vez, o 'python -m privacy forget --owed'."
    ),
    (
        "{count:# file|# files} of earlier versions, which are in data/ no more, stay in DVC's cache as they were: "
        "'--all-versions' deletes them for good."
    ): (
        "{count:# archivo de versiones anteriores, que ya no está en data/, sigue|# archivos de versiones anteriores, "
        "que ya no están en data/, siguen} en la caché de DVC como {count:estaba|estaban}: con '--all-versions' se "
        "{count:borra|borran} para siempre."
    ),
    (
        "Crops and embeddings stay plain: 'privacy.encrypt_derived: true' in params.yaml, then 'dvc repro' and 'python "
        "-m privacy lock', encrypts them too."
    ): (
        "Los recortes y los embeddings siguen sin cifrar: para cifrarlos también, pon 'privacy.encrypt_derived: true' "
        "en params.yaml y ejecuta 'dvc repro' y 'python -m privacy lock'."
    ),
    "Crops and embeddings in data/ are plain still: 'dvc repro' encrypts them.": (
        "Los recortes y los embeddings de data/ aún están sin cifrar: 'dvc repro' los cifra."
    ),
    "Crops and embeddings in data/ are locked with the old key still: 'dvc repro' locks them with the new one.": (
        "Los recortes y los embeddings de data/ aún están cifrados con la clave anterior: 'dvc repro' los cifra con la "
        "nueva."
    ),
    # What is wrong with files
    "{reasons}\n… and {more} more": "{reasons}\n… y {more} más",
    "there is neither data/me nor data/not_me: put photos there first": (
        "no existe ni data/me ni data/not_me: pon antes fotos ahí"
    ),
    "the name of {path} is too long to be locked: shorten it by {bytes} bytes or more": (
        "el nombre de {path} es demasiado largo para cifrarlo: acórtalo en {bytes} bytes o más"
    ),
    "{path} is locked already, but its name does not end with .locked: rename it to {target}": (
        "{path} ya está cifrado, pero su nombre no termina en .locked: cámbialo a {target}"
    ),
    (
        "{path} and {locked} are two different photos under one name: rename one of them (a locked one keeps its "
        "suffixes), and run it again"
    ): (
        "{path} y {locked} son dos fotos distintas con el mismo nombre: cambia el nombre de una (una cifrada conserva "
        "sus extensiones) y ejecuta esto otra vez"
    ),
    "what was written for {path} cannot be read back: the disk may be failing. The file is as it was": (
        "lo que se ha escrito para {path} no se puede leer de nuevo: puede que el disco falle. El archivo está como "
        "estaba"
    ),
    "{path} was changed meanwhile by another program: run it again": (
        "otro programa ha cambiado {path} mientras tanto: ejecuta esto otra vez"
    ),
    "{path}: {reason}. {advice}; nothing is lost, and running it again goes on from there": (
        "{path}: {reason}. {advice}; no se ha perdido nada, y si lo ejecutas otra vez sigue desde ahí"
    ),
    "Make room": "Haz sitio",
    "Give yourself the right to it": "Date permiso para ello",
    "See to it": "Arréglalo",
    "{path} has 2 GB or more, which cannot be encrypted: move it away. Running it again goes on from there": (
        "{path} ocupa 2 GB o más y no se puede cifrar: llévatelo a otro sitio. Si lo ejecutas otra vez, sigue desde ahí"
    ),
    "{path} is not encrypted: open it as it is": "{path} no está cifrado: ábrelo tal cual",
    "{path} is there already: give another name": "{path} ya existe: usa otro nombre",
    # What is wrong with keys
    "{path} is there already: a key is never overwritten; give another name": (
        "{path} ya existe: una clave no se sobrescribe nunca; usa otro nombre"
    ),
    (
        "there is no key, and nobody to ask: give {option} FILE ('python -m privacy new-key FILE' makes one), or set "
        "{file_variable} or {variable} in the environment"
    ): (
        "no hay ninguna clave, ni nadie a quien pedírsela: da {option} ARCHIVO ('python -m privacy new-key ARCHIVO' "
        "crea una), o define {file_variable} o {variable} en el entorno"
    ),
    "the two passphrases differ: run it again. Nothing was changed": (
        "las dos contraseñas no son iguales: ejecuta esto otra vez. No se ha cambiado nada"
    ),
    "no passphrase was given. Nothing was changed": "no se ha dado ninguna contraseña. No se ha cambiado nada",
    (
        "the passphrase has {given:# character|# characters}; expected {least} or more, such as four words that have "
        "nothing to do with each other"
    ): (
        "la contraseña tiene {given:# carácter|# caracteres}; deben ser {least} o más, como cuatro palabras que no "
        "tengan nada que ver entre sí"
    ),
    "nothing is locked, so there is no key to change: 'python -m privacy lock' locks": (
        "no hay nada cifrado, así que no hay ninguna clave que cambiar: 'python -m privacy lock' cifra las fotos"
    ),
    "the new key is the old one: give another. Nothing was changed": (
        "la clave nueva es la misma que la anterior: da otra. No se ha cambiado nada"
    ),
    # What is in the way
    "another 'python -m privacy' is at work on the photos: wait for its end": (
        "otro 'python -m privacy' está trabajando con las fotos: espera a que termine"
    ),
    (
        "a 'python -m privacy forget' was stopped before its end: finish it first, with 'python -m privacy forget "
        "--resume'"
    ): (
        "un 'python -m privacy forget' se interrumpió antes de terminar: termínalo primero, con 'python -m privacy "
        "forget --resume'"
    ),
    "DVC is at work on the photos ('dvc repro'?): wait for its end": (
        "DVC está trabajando con las fotos (¿'dvc repro'?): espera a que termine"
    ),
    (
        "{path}, in which DVC notes what is at work, is damaged: a command of DVC was stopped while it wrote it. If "
        "none runs now, delete that file and run this again"
    ): (
        "{path}, donde DVC anota lo que está en marcha, está dañado: un comando de DVC se interrumpió mientras lo "
        "escribía. Si ahora no hay ninguno en marcha, borra ese archivo y ejecuta esto otra vez"
    ),
    (
        "DVC cannot store the photos as they are now: {reason}. They are locked, and DVC's cache and remotes still "
        "have the earlier versions. A file of DVC's that it was writing when it was stopped comes back from git ('git "
        "checkout -- data/me.dvc'); then run this again"
    ): (
        "DVC no puede guardar las fotos como están ahora: {reason}. Están cifradas, y la caché y los remotos de DVC "
        "aún tienen las versiones anteriores. Si DVC se interrumpió mientras escribía un archivo suyo, recupéralo de "
        "git ('git checkout -- data/me.dvc'); después, ejecuta esto otra vez"
    ),
    (
        "the DVC cache {cache} lies outside the project, so it may be another project's, too, and nothing is deleted "
        "there. Give this project a cache of its own ('dvc cache dir --unset', or --local, then 'dvc checkout'), and "
        "delete the other one where nobody else needs it"
    ): (
        "la caché de DVC {cache} está fuera del proyecto, así que puede ser también de otro, y ahí no se borra nada. "
        "Da a este proyecto una caché propia ('dvc cache dir --unset', o con --local, y después 'dvc checkout'), y "
        "borra la otra si nadie más la necesita"
    ),
    "{path} of the DVC cache cannot be deleted ({reason}): give yourself the right to, and run it again": (
        "no se puede borrar {path}, de la caché de DVC ({reason}): date permiso para hacerlo y ejecuta esto otra vez"
    ),
}
