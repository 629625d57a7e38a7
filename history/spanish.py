"""Spanish for what `python -m history` says, by the English text; a test holds the two in step."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    # The help
    "Saves the project and goes back to what was saved. No photo is ever lost.": (
        "Guarda el proyecto y vuelve a lo que se guardó. Nunca se pierde ninguna foto."
    ),
    "save photos (DVC), their hashes, parameters and results (git)": (
        "guarda las fotos (DVC), y sus hashes, los parámetros y los resultados (git)"
    ),
    "message": "mensaje",
    "what is new, for 'git log'": "qué hay de nuevo, para 'git log'",
    "save, then bring back the parameters, the results and the models of an earlier save": (
        "guarda, y después recupera los parámetros, los resultados y los modelos de otra vez que se guardó"
    ),
    "revision": "revisión",
    "a commit of 'git log' (default: the last save that 'back' has not made itself)": (
        "un commit de 'git log' (si no, el último que no haya hecho el propio 'back')"
    ),
    "bring back the photos of then, too; they replace today's": (
        "recupera también las fotos de entonces, en lugar de las de ahora"
    ),
    "save, then take over an experiment; the photos stay as they are": (
        "guarda, y después aplica un experimento; las fotos se quedan como están"
    ),
    "experiment": "experimento",
    "its name, as 'dvc exp show' lists it": "su nombre, como lo muestra 'dvc exp show'",
    # What it did
    "Saved as {commit}. {photos}.": "Guardado como {commit}. {photos}.",
    "Nothing is new since the save {commit}. {photos}.": (
        "No hay nada nuevo desde lo que se guardó en {commit}. {photos}."
    ),
    "{count:# photo|# photos} added ({names})": "{count:# foto añadida|# fotos añadidas} ({names})",
    "{count:# photo|# photos} changed ({names})": "{count:# foto cambiada|# fotos cambiadas} ({names})",
    "{count:# photo|# photos} deleted ({names})": "{count:# foto borrada|# fotos borradas} ({names})",
    "No photo was added, changed or deleted": "No se ha añadido, cambiado ni borrado ninguna foto",
    (
        "Which photos were added, changed or deleted cannot be told: the list of the save before is no longer in DVC's "
        "cache, as after 'python -m privacy forget' or 'lock'"
    ): (
        "No se puede saber qué fotos se han añadido, cambiado o borrado: la lista de la vez anterior ya no está en la "
        "caché de DVC, como ocurre después de 'python -m privacy forget' o 'lock'"
    ),
    "What was there: {saved} '{undo}' brings it back.": "Lo que había: {saved} Con '{undo}' vuelve.",
    (
        "The parameters, the results and the models are those of {short} ({title}) again. From now on 'dvc metrics "
        "diff' compares with them; 'dvc metrics diff {commit}' compares with what was there."
    ): (
        "Los parámetros, los resultados y los modelos son otra vez los de {short} ({title}). Desde ahora, 'dvc metrics "
        "diff' compara con ellos; 'dvc metrics diff {commit}' compara con lo que había."
    ),
    "The photos are those of {short}, too.": "También las fotos son las de {short}.",
    "The photos have stayed as they were. With --photos, those of {short} come back as well.": (
        "Las fotos se han quedado como estaban. Con --photos vuelven también las de {short}."
    ),
    "The code has changed since then: 'dvc repro' runs again what depends on it.": (
        "El código ha cambiado desde entonces: 'dvc repro' vuelve a ejecutar lo que depende de él."
    ),
    (
        "The parameters, the results and the models are those of {name}. Until the next save, 'dvc metrics diff' "
        "compares them with what was there.\nThe photos have stayed as they were."
    ): (
        "Los parámetros, los resultados y los modelos son los de {name}. Hasta que guardes otra vez, 'dvc metrics "
        "diff' los compara con lo que había.\nLas fotos se han quedado como estaban."
    ),
    # What is wrong
    "history: {error}": "history: {error}",
    "history: stopped": "history: interrumpido",
    (
        "history: the package {name} is not installed here: activate the environment ('source .venv/bin/activate'), or "
        "let 'python3 quickstart.py' make it"
    ): (
        "history: el paquete {name} no está instalado aquí: activa el entorno ('source .venv/bin/activate'), o crea "
        "uno con 'python3 quickstart.py'"
    ),
    "{program} is not installed: install it, and run this again": (
        "{program} no está instalado: instálalo y ejecuta esto otra vez"
    ),
    "'{command}' failed. It said:\n{said}": "'{command}' ha fallado. Ha dicho:\n{said}",
    (
        "this folder is no git repository, so nothing can be saved: clone the project with git, or run 'git init' here "
        "first"
    ): (
        "esta carpeta no es un repositorio de git, así que no se puede guardar nada: clona el proyecto con git, o "
        "ejecuta antes 'git init' aquí"
    ),
    "{revision} is no saved state; 'git log --oneline' lists them": (
        "{revision} no es nada que se haya guardado; 'git log --oneline' enumera lo que hay"
    ),
    "{revision} holds no dvc.lock: no pipeline had run then. {saved}": (
        "{revision} no tiene ningún dvc.lock: entonces no se había ejecutado el pipeline. {saved}"
    ),
    "there is no experiment {name}; 'dvc exp list --all-commits' lists them": (
        "no existe el experimento {name}; 'dvc exp list --all-commits' los enumera"
    ),
    "there is no folder {folder}: {hint}": "no existe la carpeta {folder}: {hint}",
    "'dvc checkout data/{name}.dvc' brings back what was saved last": (
        "'dvc checkout data/{name}.dvc' recupera lo último que se guardó"
    ),
    "make it, and put photos in": "créala y pon fotos en ella",
}
