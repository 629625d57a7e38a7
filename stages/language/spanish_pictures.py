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
    # The model's card
    "Scores of faces that the model had not seen": "Puntuaciones de caras que el modelo no había visto",
    "Strangers accepted, against photos of me rejected": "Desconocidos aceptados frente a fotos de «me» rechazadas",
    "Whether a score is a probability": "Si la puntuación es una probabilidad",
    "Histogram of scores from 0 to 1. At the threshold {threshold}, {frr} of the photos of me lie below.": (
        "Histograma de las puntuaciones de 0 a 1. Con el umbral {threshold}, el {frr} de las fotos de «me» queda por "
        "debajo."
    ),
    "Histogram of scores from 0 to 1: other people low, me high. At the threshold {threshold}, {far} of other people "
    "lie above and {frr} of the photos of me below.": (
        "Histograma de las puntuaciones de 0 a 1: bajas las de otras personas, altas las de «me». Con el umbral "
        "{threshold}, el {far} de las otras personas queda por encima y el {frr} de las fotos de «me», por debajo."
    ),
    "Curves from threshold 0 to 1: the share of strangers accepted falls, that of photos of me rejected rises.": (
        "Curvas del umbral 0 al 1: la proporción de desconocidos aceptados baja y la de fotos de «me» rechazadas sube."
    ),
    "At {threshold}: {figures}.": "Con {threshold}: {figures}.",
    "FAR {share} (measured)": "FAR del {share} (medido)",
    "FAR below {share} (promised)": "FAR de menos del {share} (garantizado)",
    "FAR {share} (estimated)": "FAR del {share} (estimado)",
    "FRR {share} (measured)": "FRR del {share} (medido)",
    "A curve of FRR over FAR, from 0.01 % to 50 % each. They are equal at {eer}.": (
        "Curva de FRR según FAR, del 0,01 % al 50 % los dos. Son iguales en el {eer}."
    ),
    "The share of faces that are me, for each tenth of the score, beside the diagonal of a perfect score. The mean "
    "distance from it is {error}.": (
        "Proporción de caras que son «me» en cada décimo de la puntuación, junto a la diagonal de una puntuación "
        "perfecta. La distancia media a ella es del {error}."
    ),
    "A table of ways to make a photo worse, step by step, with the share of photos of me rejected.": (
        "Tabla de maneras de empeorar una foto, paso a paso, con la proporción de fotos de «me» rechazadas."
    ),
    "{table} The first steps that reject clearly more: {steps}.": (
        "{table} Los primeros pasos que rechazan claramente más: {steps}."
    ),
    "There are no photos of other people (not_me), so how many strangers get in is neither measured nor promised, and "
    "neither EER nor AUC is known.": (
        "No hay fotos de otras personas (not_me), así que no se ha medido ni se garantiza cuántos desconocidos entran, "
        "y no se conocen ni el EER ni el AUC."
    ),
    "There are too few strangers to promise anything about how many get in.": (
        "Hay muy pocos desconocidos para garantizar algo sobre cuántos entran."
    ),
    "How many strangers in general get in is not estimated: the photos of other people do not look like those that "
    "estimates are made from. So it is with drawn faces.": (
        "No se estima cuántos desconocidos entran en general: las fotos de otras personas no se parecen a aquellas de "
        "las que salen las estimaciones. Ocurre con las caras dibujadas."
    ),
    "How many strangers in general get in is not estimated: for this network and this verifier it is not known how "
    "strangers' faces are spread.": (
        "No se estima cuántos desconocidos entran en general: para esta red y este verificador no se sabe cómo se "
        "reparten las caras de los desconocidos."
    ),
    "Groups of people were not compared: nothing says who belongs to which.": (
        "No se han comparado grupos de personas: nada dice quién pertenece a cuál."
    ),
    "That no stranger got in does not mean that none ever will.": (
        "Que no haya entrado ningún desconocido no significa que no vaya a entrar ninguno."
    ),
    "Estimates are for strangers who resemble me; relatives and twins are not covered.": (
        "Las estimaciones son para desconocidos que se parecen a «me»; no valen para familiares ni gemelos."
    ),
    "Among people who resemble me, about {factor:.3g} times as many get in as estimated; relatives and twins are not "
    "covered.": (
        "Entre las personas que se parecen a «me», el FAR es aproximadamente {factor:.3g} veces el estimado; no "
        "vale para familiares ni gemelos."
    ),
    "The figures hold for photos like those that they were measured on: another camera, light or other people may "
    "give others.": (
        "Las cifras valen para fotos como aquellas con las que se midieron: otra cámara, otra luz u otras personas "
        "pueden dar otras."
    ),
    "Whether a living person is before the camera is not checked: a printed photo may pass for the person.": (
        "No se comprueba que ante la cámara haya una persona viva: una foto impresa puede pasar por la persona."
    ),
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
