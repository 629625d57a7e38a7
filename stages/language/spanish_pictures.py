"""Spanish for charts and for the contact sheet."""

from __future__ import annotations

PICTURES = {
    # Charts of an evaluation
    "test faces · {backbone}": "caras de prueba · {backbone}",
    "{about}\nboth classes equally frequent": "{about}\nlas dos clases por igual",
    "{about}\nFAR estimated, both classes equally frequent": "{about}\nFAR estimado, las dos clases por igual",
    "test faces, each once\nthreshold {threshold} · {backbone}": (
        "caras de prueba, cada una contada una vez\numbral {threshold} · {backbone}"
    ),
    "ROC curve": "Curva ROC",
    "Precision and recall": "Precisión y exhaustividad",
    "DET curve": "Curva DET",
    "Errors by threshold": "Errores según el umbral",
    "Calibration": "Calibración",
    "Scores": "Puntuaciones",
    "Confusion matrix": "Matriz de confusión",
    "FAR: strangers accepted": "FAR: desconocidos aceptados",
    "FAR: strangers accepted (estimated)": "FAR: desconocidos aceptados (estimado)",
    "FRR: me rejected": "FRR: «me» rechazado",
    "1 − FRR: me accepted": "1 − FRR: «me» aceptado",
    "guessing": "al azar",
    "Recall": "Exhaustividad (recall)",
    "Precision": "Precisión",
    "No face is mistaken at the best threshold:\nthe curve is the left and the lower edge.": (
        "Con el mejor umbral no hay ningún error:\nla curva va por el borde izquierdo y el inferior."
    ),
    "Threshold": "Umbral",
    "Share, per cent": "Proporción, por ciento",
    "FAR promised: below this": "FAR garantizado: por debajo de esta línea",
    "FAR measured": "FAR medido",
    "FAR estimated": "FAR estimado",
    "FRR measured": "FRR medido",
    "FRR, with 95 % confidence: below this": "FRR, con un 95 % de confianza: por debajo de esta",
    "{name}: other people": "{name}: otras personas",
    "Score": "Puntuación",
    "Share that is me": "Proporción de «me»",
    "Faces": "Caras",
    "perfect": "perfecta",
    "not drawn: tenths with\nfewer than {fewest} faces": "no se dibujan los tramos\ncon menos de {fewest} caras",
    "measured": "medida",
    "without photos of others,\nnothing can be measured": "sin fotos de otras personas\nno se puede medir",
    "Share of the class's faces": "Proporción de las caras de la clase",
    "threshold {threshold} ({name})": "umbral {threshold} ({name})",
    "the service's": "el del servicio",
    "for the FAR asked for": "el que cumple el FAR pedido",
    "Predicted": "Predicción",
    "Actual": "Realidad",
    # The chart of degraded photos
    "Worse photos": "Fotos empeoradas",
    "{me:# photo|# photos} of me, {not_me} of others · {backbone}": (
        "{me:# foto|# fotos} de «me», {not_me} de otras personas · {backbone}"
    ),
    "FRR doubled": "FRR duplicado",
    "two photos of me or more rejected": "dos fotos de «me» o más rechazadas",
    "as it is": "tal cual",
    "large: FRR, photos of me rejected": "en grande: FRR, fotos de «me» rechazadas",
    "orange: FAR, strangers accepted, where any is": "en naranja: FAR, desconocidos aceptados, donde hay alguno",
    "frame: the first step with {worse}": "con marco: el primer paso con {worse}",
    # The contact sheet
    "{shown} of {count:# face|# faces}, the most suspicious of each class first": (
        "{shown} de {count:# cara|# caras}, las más sospechosas de cada clase primero"
    ),
    "{name}: {count:# face|# faces}": "{name}: {count:# cara|# caras}",
    "{name}: {shown} of {count:# face|# faces}": "{name}: {shown} de {count:# cara|# caras}",
    "suspected in the wrong class": "quizá en la clase equivocada",
    "in both classes": "en las dos clases",
    "near-duplicate": "casi duplicada",
    "tiny, blurred, dark, overexposed, to the side or cut off": "diminuta, borrosa, oscura, quemada, de lado o cortada",
    "several faces on the photo": "varias caras en la foto",
    "no problem found": "sin problemas",
    "and {count} more": "y {count} más",
    "not me? score {value}": "¿no es «me»? {value}",
    "me? score {value}": "¿«me»? {value}",
    "a second person?": "¿otra persona?",
    "tiny: {value:# pixel|# pixels}": "{value:# píxel|# píxeles}",
    "blurred": "borrosa",
    "dark: {value}": "oscura: {value}",
    "overexposed: {value}": "quemada: {value}",
    "looks to the side": "mira a un lado",
    "cut off": "cortada",
    "{value:# face|# faces}": "{value:# cara|# caras}",
    "{table} says of each problem what to do.": "{table} dice qué hacer con cada problema.",
    "It also names a person who is on too many of the photos of not_me.": (
        "También nombra a una persona que sale en demasiadas fotos de «not_me»."
    ),
    "{faces:The face is|All # faces are} used, whatever problem is noted there.": (
        "{faces:La cara se usa|Las # caras se usan}, aunque se haya anotado algún problema."
    ),
    "AUC {area} (FAR estimated)": "AUC {area} (FAR estimado)",
    "AP {average}": "Precisión media {average}",
    "But blurred faces of me are not enrolled if three sharp ones are left.": (
        "Pero de «me» no se aprenden las borrosas si quedan tres nítidas."
    ),
    "{photos:# photo is|# photos are} not used, and not shown: no face was found, or the file cannot be read.": (
        "{photos:# foto no se usa ni se muestra|# fotos no se usan ni se muestran}: no se encuentra ninguna cara o no "
        "se puede leer el archivo."
    ),
    "Keep this sheet as safe as the photos: it shows and names people.": (
        "Guarda esta hoja como las fotos: muestra y nombra a personas."
    ),
    "in {folder}: {other}": "en {folder}: {other}",
    "like {other}": "como {other}",
    "copy of {other}": "copia de {other}",
}
