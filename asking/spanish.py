"""Spanish for what these commands say, by the English text; a test holds the two in step."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    # Both commands
    "Wrong settings:\n{error}": "Ajustes incorrectos:\n{error}",
    "Error: {error}": "Error: {error}",
    "warning: {text}": "aviso: {text}",
    (
        "there is no trained model here (missing: {names}): run 'dvc repro', or 'python3 quickstart.py', which does "
        "all that it takes"
    ): (
        "aquí no hay ningún modelo entrenado (falta: {names}): ejecuta 'dvc repro', o 'python3 quickstart.py', que "
        "hace todo lo necesario"
    ),
    "VERIFY_THRESHOLD=auto: the threshold is {value}, since {note}": (
        "VERIFY_THRESHOLD=auto: el umbral es {value}, porque {note}"
    ),
    "the model cannot be used: {reason}": "no se puede usar el modelo: {reason}",
    "no face was found": "no se ha encontrado ninguna cara",
    "there is not enough memory for it": "no hay memoria suficiente para ella",
    # What is wrong with a picture to be drawn
    "{path}: {reason}": "{path}: {reason}",
    "{path} cannot be read ({reason})": "no se puede leer {path} ({reason})",
    "-o is {path!r}; expected a name that ends with .png": "-o es {path!r}; debe ser un nombre que acabe en .png",
    "{path} is there already: give another name, or --force to replace it": (
        "{path} ya existe: usa otro nombre, o --force para sustituirlo"
    ),
    "{path} is the photo itself: give another name": "{path} es la propia foto: usa otro nombre",
    (
        "the picture would show what is stored encrypted, in plain: name the file that it is to be written to, outside "
        "of the project, with -o FILE.png"
    ): (
        "la imagen mostraría sin cifrar lo que se guarda cifrado: indica con -o FILE.png en qué archivo escribirla, "
        "fuera del proyecto"
    ),
    "{path} is written": "{path} se ha guardado",
    "{path} is written anew": "{path} se ha sustituido",
    "It is plain: delete it when you have seen it": "No está cifrada: bórrala cuando la hayas visto",
    # The picture
    "Me": "Soy yo",
    "Not me": "No soy yo",
    "No face found": "No se ve ninguna cara",
    "score {score}": "puntuación {score}",
    "score {score} {sign} {threshold}": "puntuación {score} {sign} {threshold}",
    "threshold {threshold}": "umbral {threshold}",
    "The frame: the face that was found. The dots: eyes, nose, corners of the mouth.": (
        "El marco: la cara encontrada. Los puntos: ojos, nariz y comisuras de la boca."
    ),
    "The largest face is judged. Grey: {others:one other face, with its|# other faces, with their} score": (
        "Se juzga la cara más grande. En gris: {others:otra cara|otras # caras}, con su puntuación"
    ),
    "What the network sees: the face, aligned, {size} × {size} pixels": (
        "Lo que ve la red: la cara alineada, {size} × {size} píxeles"
    ),
    "What could be better": "Qué se puede mejorar",
    "Size, sharpness, light and pose of the face are good enough.": (
        "El tamaño, la nitidez, la luz y la postura de la cara son suficientes."
    ),
    "The photos of me that it is most like": "Las fotos de «me» a las que más se parece",
    "no crop": "sin recorte",
    "this very photo": "esta misma foto",
    "This picture shows faces: keep it as you keep the photos.": (
        "En esta imagen se ven caras: guárdala con el mismo cuidado que las fotos."
    ),
    # The nearest photos
    "without the nearest photos of me: {reason}": "sin las fotos de «me» más parecidas: {reason}",
    "{path} is not here": "no existe {path}",
    "{path} was made with another network or other settings than the model: run 'dvc repro'": (
        "{path} se calculó con otra red u otros ajustes que el modelo: ejecuta 'dvc repro'"
    ),
    "{path}, {labels} and {index} do not belong together: run 'dvc repro --force embed'": (
        "{path}, {labels} e {index} no se corresponden: ejecuta 'dvc repro --force embed'"
    ),
    "Similarity is the cosine of two embeddings, −1 to 1.": "El parecido es el coseno de dos embeddings, de −1 a 1.",
    "Two of the {faces} faces of me have {usual} in the median": (
        "Entre dos de las {faces} caras de «me» la mediana es {usual}"
    ),
    ", one of me and one of somebody else {others}": ", y entre una de «me» y una de otra persona, {others}",
    # What it means
    "The threshold {value} is the one that VERIFY_THRESHOLD sets.": (
        "El umbral {value} es el que fija VERIFY_THRESHOLD."
    ),
    "The threshold {value} is the default; VERIFY_THRESHOLD sets another.": (
        "El umbral {value} es el predeterminado; VERIFY_THRESHOLD fija otro."
    ),
    "The threshold {value} is the default, since VERIFY_THRESHOLD=auto has too little to go by: {note}.": (
        "El umbral {value} es el predeterminado, porque para VERIFY_THRESHOLD=auto faltan datos: {note}."
    ),
    "The threshold {value} comes from your own photos of strangers, with 95 % confidence (VERIFY_THRESHOLD=auto).": (
        "El umbral {value} sale de tus propias fotos de desconocidos, con un 95 % de confianza (VERIFY_THRESHOLD=auto)."
    ),
    "The threshold {value} is estimated from how strangers' faces are spread (VERIFY_THRESHOLD=auto).": (
        "El umbral {value} se estima a partir de cómo se reparten las caras de desconocidos (VERIFY_THRESHOLD=auto)."
    ),
    "How many strangers reach such a score, this model cannot estimate.": (
        "Cuántos desconocidos llegan a esa puntuación, este modelo no puede estimarlo."
    ),
}
