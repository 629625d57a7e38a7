"""Spanish for what the stages say while they work: progress, warnings, and their last lines."""

from __future__ import annotations

CONSOLE = {
    # Progress
    "exporting networks": "exportando redes",
    "network": "red",
    "cropping": "recortando",
    "photo": "foto",
    "embedding": "calculando embeddings",
    "batch": "lote",
    "comparing": "comparando",
    "block": "bloque",
    "checking labels": "comprobando las clases",
    "estimating": "estimando",
    "degrading": "empeorando fotos",
    "measuring latency": "midiendo tiempos",
    # export
    "{network}: ONNX agrees with torch to {worst:.1e}": "{network}: ONNX coincide con torch hasta {worst:.1e}",
    "export: {backbone}, {dimensions:# dimension|# dimensions} → {folder}": (
        "export: {backbone}, {dimensions:# dimensión|# dimensiones} → {folder}"
    ),
    "export: {backbone} (stand-in for {requested}), {dimensions:# dimension|# dimensions} → {folder}": (
        "export: {backbone} (en lugar de {requested}), {dimensions:# dimensión|# dimensiones} → {folder}"
    ),
    "{error}\nGoing on without it: the embedded stand-in {stand_in} is used instead of {wanted}, and all will work. "
    "With the weights at hand later, 'dvc repro --force export' followed by 'dvc repro' moves the project to "
    "{wanted}.": (
        "{error}\nSe sigue sin ellos: en lugar de {wanted} se usa la red incluida, {stand_in}, y todo funcionará. "
        "Cuando tengas los pesos, 'dvc repro --force export' y después 'dvc repro' pasan el proyecto a {wanted}."
    ),
    "the path of the project, {root}, has a letter with an accent or the like: DVC itself fails there with "
    "`dvc exp run --temp`, `--queue` and `dvc remote add` (which may leave .dvc/config empty). All else works; for "
    "these, move the project to a path of plain letters": (
        "la ruta del proyecto, {root}, tiene una letra con tilde o algo parecido: ahí falla el propio DVC con "
        "`dvc exp run --temp`, `--queue` y `dvc remote add` (que puede dejar vacío .dvc/config). Todo lo demás "
        "funciona; para esas órdenes, lleva el proyecto a una ruta sin tildes"
    ),
    # Photos that are not read
    "{path} is not read, since its name is not exactly {meant}: rename it to {right}": (
        "{path} no se lee, porque su nombre no es exactamente {meant}: cámbialo a {right}"
    ),
    "not read, since photos of {data} itself belong to nobody: {names}. Move those of you to {me}, those of others to "
    "{not_me}": (
        "no se leen, porque lo que está en la propia carpeta {data} no es de nadie: {names}. Lleva tus fotos a {me} y "
        "las de otras personas a {not_me}"
    ),
    "{path} is a link to a folder, whose photos are not read: copy the folder itself there": (
        "{path} es un enlace a una carpeta, cuyas fotos no se leen: copia ahí la propia carpeta"
    ),
    "{path} is a link to a file that is not there: delete the link": (
        "{path} es un enlace a un archivo que no existe: borra el enlace"
    ),
    "{path} cannot be read: give yourself the right to (chmod u+r), or delete it": (
        "no se puede leer {path}: date permiso (chmod u+r) o bórralo"
    ),
    # crop
    "photos": "fotos",
    "with face": "con cara",
    "without": "sin cara",
    "unusable": "no utilizables",
    "faces kept": "caras usadas",
    "{count:# file is|# files are} not used: {kinds}. {advice}": (
        "{count:# archivo no se usa|# archivos no se usan}: {kinds}. {advice}"
    ),
    "{count:It is a picture of a kind that|They are pictures of kinds that} cannot be read: save {count:it|them} "
    "as JPEG": (
        "{count:Es una imagen de un tipo que|Son imágenes de tipos que} no se puede leer: {count:guárdala|guárdalas} "
        "como JPEG"
    ),
    "{count:It is a raw photo|They are raw photos} of a camera: export {count:it|them} as JPEG": (
        "{count:Es una foto|Son fotos} en formato RAW de una cámara: {count:expórtala|expórtalas} como JPEG"
    ),
    "{count:It is a video|They are videos}: save single pictures of {count:it|them} as JPEG": (
        "{count:Es un vídeo|Son vídeos}: guarda fotogramas sueltos como JPEG"
    ),
    "{count:It is an archive|They are archives}: unpack {count:it|them} in this folder": (
        "{count:Es un archivo comprimido: descomprímelo|Son archivos comprimidos: descomprímelos} en esta carpeta"
    ),
    "{count:It is no photo|They are no photos}, so there is nothing to do": (
        "{count:No es ninguna foto|No son fotos}, así que no hay que hacer nada"
    ),
    "skipped {photo}: {reason}": "se salta {photo}: {reason}",
    "more than one face on photos of me ({count}): stage embed takes the one that agrees with the other photos of me: "
    "{names}": (
        "hay fotos de «me» con más de una cara ({count}): la etapa embed toma la que concuerda con las demás fotos de "
        "«me»: {names}"
    ),
    "more than one face on photos of me, the largest taken ({count}): {names}": (
        "hay más de una cara en fotos de «me» y se toma la más grande ({count}): {names}"
    ),
    # Consent
    "privacy.register is {given}, so DVC does not see changes of {register}: set privacy.register: {register} in "
    "params.yaml, or 'dvc repro' goes on with the consents of the last run": (
        "privacy.register es {given}, así que DVC no ve los cambios de {register}: pon privacy.register: {register} en "
        "params.yaml; si no, 'dvc repro' sigue con los consentimientos de la última ejecución"
    ),
    "there is no {register}: nobody has consented": "no existe {register}: nadie ha dado su consentimiento",
    "{count:# photo has|# photos have} no consent and {count:is|are} used all the same: {names}": (
        "{count:# foto no tiene|# fotos no tienen} consentimiento y se {count:usa|usan} de todos modos: {names}"
    ),
    "{count:# photo is|# photos are} refused for lack of consent: {names}": (
        "{count:se rechaza # foto|se rechazan # fotos} por falta de consentimiento: {names}"
    ),
    "{register} has lines about nobody who is there, named with their numbers: {names}": (
        "{register} tiene líneas que no hablan de nadie que esté en data, con su número: {names}"
    ),
    "no consent: {register} has no line for it": "sin consentimiento: {register} no tiene ninguna línea para ella",
    "consent was withdrawn on {date}": "el consentimiento se retiró el {date}",
    "consent ended on {date}": "el consentimiento terminó el {date}",
    "consent begins only on {date}": "el consentimiento no empieza hasta el {date}",
    # Why a photo or a face is not used
    "no face found": "no se encuentra ninguna cara",
    "not done after {seconds:.0f} seconds, so it was given up. Save it again with another program, or delete it": (
        "tras {seconds:.0f} segundos no había acabado, así que se ha descartado. Guárdala otra vez con otro programa, "
        "o bórrala"
    ),
    "it ends the process that reads it (exit code {exit_code}, {tries} times): damaged in a way that the decoder does "
    "not survive, or memory ran out. Save it again with another program, or delete it": (
        "hace que el proceso que la lee se cierre (código de salida {exit_code}, {tries} veces): está dañada de un "
        "modo que el decodificador no aguanta, o faltó memoria. Guárdala otra vez con otro programa, o bórrala"
    ),
    "not the largest face": "no es la cara más grande",
    "cannot be read: {reason}": "no se puede leer: {reason}",
    "the content is {kind}; expected one of {names}": "el contenido es {kind}; debe ser uno de {names}",
    "a damaged {kind}, or cut off: its pixels cannot be read. Copy it again from where it came": (
        "un {kind} dañado o incompleto: no se pueden leer sus píxeles. Vuelve a copiarlo de donde vino"
    ),
    "more than {most:.0f} megapixels; the limit is {limit:g}": "más de {most:.0f} megapíxeles; el límite es {limit:g}",
    "{width} × {height} pixels; no side may have more than {limit}": (
        "{width} × {height} píxeles; ningún lado puede tener más de {limit}"
    ),
    "{width} × {height} pixels of {kind} take about {megabytes:.0f} MB to decode; the limit is {limit:.0f}. Save the "
    "photo smaller, or as a JPEG that is not progressive": (
        "para decodificar {width} × {height} píxeles de {kind} hacen falta unos {megabytes:.0f} MB; el límite es "
        "{limit:.0f}. Guarda la foto más pequeña, o como un JPEG que no sea progresivo"
    ),
    "{width} × {height} pixels of {kind} are put together from {megapixels:.0f} megapixels; the limit is {times} times "
    "what is seen. Save it as a JPEG": (
        "{width} × {height} píxeles de {kind} se componen a partir de {megapixels:.0f} megapíxeles; el límite es "
        "{times} veces lo que se ve. Guárdala como JPEG"
    ),
    "{width} × {height} pixels of {bits} bits are {megabytes:.0f} MB; the limit is {limit:.0f}. Save it as a JPEG, or "
    "as a PNG with 8 bits per channel": (
        "{width} × {height} píxeles de {bits} bits son {megabytes:.0f} MB; el límite es {limit:.0f}. Guárdala como "
        "JPEG, o como PNG de 8 bits por canal"
    ),
    "{width} × {height} pixels in {scans} scans of a JPEG take {times:.1f} times as long to decode as the limit "
    "allows. Save it again as a JPEG that is not progressive": (
        "{width} × {height} píxeles en {scans} pasadas de un JPEG tardan en decodificarse {times:.1f} veces lo que "
        "permite el límite. Guárdala otra vez como un JPEG que no sea progresivo"
    ),
    "a JPEG of more than {most} segments, where photos have some dozens. Save it again with another program": (
        "un JPEG de más de {most} segmentos, cuando las fotos tienen unas decenas. Guárdalo otra vez con otro programa"
    ),
    "there is not enough memory to decode it. Close other programs, or save the photo smaller": (
        "no hay memoria suficiente para decodificarla. Cierra otros programas o guarda la foto más pequeña"
    ),
    "a {kind}, which cannot be read here: the package {package} is not installed, or was built without it. Install it "
    "(pip install {package}), or save the photo as a JPEG": (
        "un {kind}, que aquí no se puede leer: el paquete {package} no está instalado, o no lo incluye. Instálalo (pip "
        "install {package}) o guarda la foto como JPEG"
    ),
    "{width} × {height} = {megapixels:.1f} megapixels; the limit is {limit:g}": (
        "{width} × {height} = {megapixels:.1f} megapíxeles; el límite es {limit:g}"
    ),
    # embed
    "{new} of {crops:# crop|# crops} {new:is|are} new: {backbone}, {where}": (
        "{new} de {crops:# recorte|# recortes} {new:es nuevo|son nuevos}: {backbone}, {where}"
    ),
    "ONNX Runtime on the CPU, {threads:# thread|# threads}": "ONNX Runtime en el procesador, {threads:# hilo|# hilos}",
    "torch on the GPU ({name})": "torch en la GPU ({name})",
    "{reason}: the CPU is used": "{reason}: se usa el procesador",
    "embed: {faces:# face|# faces}, {dimensions:# dimension|# dimensions} ({backbone})": (
        "embed: {faces:# cara|# caras}, {dimensions:# dimensión|# dimensiones} ({backbone})"
    ),
    # quality
    "{kind}: {count} more, see {table}": "{kind}: {count} más, véase {table}",
    "{photo} (like {other})": "{photo} (como {other})",
    "quality: {faces:# face|# faces} in {groups:# group|# groups}; problems: {found} → {sheet}": (
        "quality: {faces:# cara|# caras} en {groups:# grupo|# grupos}; problemas: {found} → {sheet}"
    ),
    "none": "ninguno",
    "{kind} ({count}): {names}": "{kind} ({count}): {names}",
    "{kind} ({count}, {blurred} of them blurred): {names}": "{kind} ({count}, de ellas {blurred} borrosas): {names}",
    "whether me shows two people is not checked: it takes photos of others for that, and not_me is empty": (
        "no se comprueba si en «me» hay dos personas: para eso hacen falta fotos de otras, y «not_me» está vacía"
    ),
    "whether me shows two people could not be checked: not_me has {others:# different person or photo|# different "
    "people or photos}, {needed} are needed": (
        "no se ha podido comprobar si en «me» hay dos personas: «not_me» tiene {others:# persona o foto distinta|# "
        "personas o fotos distintas} y hacen falta {needed}"
    ),
    "labels could not be checked: me has {me:# different photo|# different photos} and not_me {others:# different "
    "person or photo|# different people or photos}, {needed} and 2 are needed": (
        "no se ha podido comprobar si cada cara está en su clase: «me» tiene {me:# foto distinta|# fotos distintas} y "
        "«not_me», {others:# persona o foto distinta|# personas o fotos distintas}, y hacen falta {needed} y 2"
    ),
    "the {missing:label of # face|labels of # faces} could not be checked: too little is left without "
    "{missing:it|them}": (
        "no se ha podido comprobar la clase de {missing:# cara: sin ella|# caras: sin ellas} queda muy poco"
    ),
    # quality: what is wrong with a photo, and what to do
    "face {number} of {count}: {text}": "cara {number} de {count}: {text}",
    "{found} (a model that had not seen it gives it {score:.2f} as me)": (
        "{found} (un modelo que no la había visto le da {score:.2f} como «me»)"
    ),
    "looks like nobody else in me. Look at it: if it is somebody else, move or delete it": (
        "no se parece a ninguna otra de «me». Mírala: si es de otra persona, cámbiala de carpeta o bórrala"
    ),
    "looks like me. Look at it: if it is, move it to data/me or delete it": (
        "se parece a «me». Mírala: si lo es, llévala a data/me o bórrala"
    ),
    "the face is blurred, and perhaps for that alone looks like nobody else in me. Take a sharper photo; if it is "
    "somebody else, move or delete it": (
        "la cara está borrosa, y quizá solo por eso no se parece a ninguna otra de «me». Haz una foto más nítida; si "
        "es de otra persona, cámbiala de carpeta o bórrala"
    ),
    "{strays} of {count:# face|# faces} of me, this one among them, are no more like the others than strangers are. "
    "Perhaps me shows two people: then keep one person's photos in data/me. Or these photos are too poor to be "
    "compared (blurred, turned to the side, covered): then take better ones": (
        "{strays} de {count:# cara|# caras} de «me», esta entre ellas, se parecen a las demás tan poco como las de "
        "unos desconocidos. Quizá en «me» haya dos personas: en ese caso, deja en data/me las fotos de una sola. O "
        "quizá estas fotos sean demasiado malas para compararlas (borrosas, de lado, tapadas): en ese caso, haz otras "
        "mejores"
    ),
    "the face is blurred, and perhaps for that alone no more like the others in me than strangers are, as {strays} of "
    "{count:# face|# faces} of me. Take a sharper photo; if it is another person, delete it": (
        "la cara está borrosa, y quizá solo por eso se parece a las demás de «me» tan poco como las de unos "
        "desconocidos, lo que les pasa a {strays} de {count:# cara|# caras} de «me». Haz una foto más nítida; si es de "
        "otra persona, bórrala"
    ),
    "{other} is in the other class and the same photo, or nearly so. Delete the one that does not belong": (
        "{other} está en la otra clase y es la misma foto, o casi. Borra la que sobre"
    ),
    "{other} is nearly the same photo. They stay together in every split; one of another moment would teach more": (
        "{other} es casi la misma foto. Van juntas en todos los repartos; una de otro momento enseñaría más"
    ),
    "{other} is the same shot (mirrored, cropped, resized or tilted). The two count once; one of another moment would "
    "teach more": (
        "{other} es la misma toma (reflejada, recortada, con otro tamaño o inclinada). Las dos cuentan como una; una "
        "de otro momento enseñaría más"
    ),
    "me has {photos:# photo|# photos} of only {shots:# shot|# shots}: {copies:# is a copy|# are copies} (mirrored, "
    "cropped, resized, tilted, or of one burst). Copies add nothing, so each shot counts once. Add photos of other "
    "moments": (
        "«me» tiene {photos:# foto|# fotos} de solo {shots:# toma|# tomas}: {copies:# es copia|# son copias} de otra "
        "(por reflejo, recorte, cambio de tamaño, inclinación o ráfaga). Las copias no añaden nada, así que cada toma "
        "cuenta una sola vez. Añade fotos de otros momentos"
    ),
    "{found}. {advice}": "{found}. {advice}",
    "the face is tiny": "la cara es diminuta",
    "Take a photo where it is larger": "Haz una foto en la que sea más grande",
    "the face is blurred": "la cara está borrosa",
    "Take a sharper photo": "Haz una foto más nítida",
    "{count:# photo of me is|# photos of me are} too blurred (quality.min_sharpness) and not enrolled, since "
    "blurred strangers would pass for me then: {names}": (
        "{count:# foto de «me» está demasiado borrosa|# fotos de «me» están demasiado borrosas} "
        "(quality.min_sharpness) y no se {count:aprende|aprenden}, porque entonces pasarían por «me» desconocidos "
        "borrosos: {names}"
    ),
    "the face is very dark, or cut off by the edge": "la cara está muy oscura, o cortada por el borde",
    "Take a photo with more light, all of the face on it": "Haz una foto con más luz y con la cara entera",
    "the face is overexposed": "la cara está quemada",
    "Take a photo with less light": "Haz una foto con menos luz",
    "the face does not look at the camera": "la cara no mira a la cámara",
    "Take a photo from the front": "Haz una foto de frente",
    "the border of the photo cuts the face off": "el borde de la foto corta la cara",
    "Take a photo with all of the face on it": "Haz una foto con la cara entera",
    "{count:# face|# faces}, {taken} for me. Make sure that this is right, or cut the others off": (
        "hay {count:# cara|# caras} y para «me» {taken}. Comprueba que es la correcta o recorta las demás"
    ),
    "the largest is taken": "se toma la más grande",
    "the one that agrees with the other photos is taken, which is also the largest": (
        "se toma la que concuerda con las demás fotos, que es también la más grande"
    ),
    "the one that agrees with the other photos is taken, which is not the largest": (
        "se toma la que concuerda con las demás fotos, que no es la más grande"
    ),
    "{taken:# of them is|# of them are} taken": "{taken:se toma #|se toman #}",
    "{count:# face|# faces}, {taken} taken for others. Make sure that none is me, and that all agreed to it": (
        "hay {count:# cara|# caras} y {taken:se toma #|se toman #} como de otras personas. Comprueba que ninguna es la "
        "tuya y que esas personas han dado su permiso"
    ),
    "{count} of {photos:# photo|# photos} of not_me {count:shows|show} {person}. Add photos of other people": (
        "{count} de {photos:# foto|las # fotos} de «not_me» {count:es|son} de {person}. Añade fotos de otras personas"
    ),
    "no face was found: it is not used. Take one where the face is well lit and seen from the front": (
        "no se ha encontrado ninguna cara y no se usa. Haz una en la que la cara esté bien iluminada y se vea de frente"
    ),
    "it cannot be used: {reason}": "no se puede usar: {reason}",
    # train
    "{name} has {count:# face|# faces}; {recommended} to 30 are the recommended minimum": (
        "«{name}» tiene {count:# cara|# caras}; el mínimo recomendado es de {recommended} a 30"
    ),
    "{name} has {faces:# face|# faces} of {count:# shot|# shots}, since copies count once; {recommended} to 30 shots "
    "are the recommended minimum": (
        "«{name}» tiene {faces:# cara|# caras} de {count:# toma|# tomas}, porque las copias cuentan una sola vez; el "
        "mínimo recomendado es de {recommended} a 30 tomas"
    ),
    "{share:.0f} % of the faces are me: an imbalance. Accuracy then says little; look at FAR and FRR": (
        "el {share:.0f} % de las caras son de «me», un desequilibrio. La exactitud dice entonces poco: mira FAR y FRR"
    ),
    "train: {faces:# face|# faces} ({verifier}); on faces not seen: accuracy {accuracy:.3f}, AUC {auc:.4f}, F1 "
    "{f1:.3f} at 0.5 → {model}": (
        "train: {faces:# cara|# caras} ({verifier}); con caras no vistas: exactitud {accuracy:.3f}, AUC {auc:.4f}, F1 "
        "{f1:.3f} con 0,5 → {model}"
    ),
    "train: {faces:# face|# faces} of me alone ({verifier}); of faces not seen, {recall:.1f} % pass at 0.5 → {model}": (
        "train: {faces:# cara|# caras}, solo de «me» ({verifier}); de las caras no vistas pasa el {recall:.1f} % con "
        "0,5 → {model}"
    ),
    "{name} is empty: what strangers do is estimated, not measured": (
        "«{name}» está vacía: lo que hacen los desconocidos se estima, no se mide"
    ),
    "  strangers as in {source} ({people:# person|# people}): {far} % of them are estimated to reach 0.75": (
        "  desconocidos como los de {source} ({people:# persona|# personas}): se estima que llega a 0,75 el {far} % de "
        "ellos"
    ),
    "  strangers as in {source} ({people:# person|# people}) who resemble me: {far} % of them are estimated to reach "
    "0.75": (
        "  desconocidos como los de {source} ({people:# persona|# personas}) que se parecen a «me»: se estima que "
        "llega a 0,75 el {far} % de ellos"
    ),
    "  the faces of others do not look like those of {source}, so nothing is estimated from these: FAR is measured "
    "alone": (
        "  las caras de los demás no se parecen a las de {source}, así que con ellas no se estima nada: el FAR solo se "
        "mide"
    ),
    "  for {backbone}, it is not known how strangers' faces are spread, so with few photos of others little is known "
    "of FAR: with backbone.name dlib-resnet it is estimated": (
        "  para {backbone} no se sabe cómo se reparten las caras de los desconocidos, así que con pocas fotos de otras "
        "personas se sabe poco del FAR: con backbone.name: dlib-resnet se estima"
    ),
    # evaluate
    "evaluate: at {threshold:g}: FRR {frr:.2f} % (95 %: below {frr_high:.2f} %)": (
        "evaluate: con {threshold:g}: FRR {frr:.2f} % (95 %: menos del {frr_high:.2f} %)"
    ),
    "evaluate: at {threshold:g}: FRR {frr:.2f} % (photos of me are too few to say more)": (
        "evaluate: con {threshold:g}: FRR {frr:.2f} % (hay muy pocas fotos de «me» para decir más)"
    ),
    "  FAR: measured {far:.2f} %; promised: nothing, since there are too few photos of others": (
        "  FAR: medido, {far:.2f} %; garantizado, nada, porque hay muy pocas fotos de otras personas"
    ),
    "  FAR: measured {far:.2f} %; promised, with 95 % confidence: below {far_high:.2f} %": (
        "  FAR: medido, {far:.2f} %; garantizado, con una confianza del 95 %, menos del {far_high:.2f} %"
    ),
    "  FAR: without photos of others, nothing is measured and nothing can be promised": (
        "  FAR: sin fotos de otras personas no se mide nada y no se puede garantizar nada"
    ),
    "  FAR, estimated for those strangers of the population who resemble me: {far} %": (
        "  FAR estimado para los desconocidos de la población que se parecen a «me»: {far} %"
    ),
    "  it is estimated that {far} % of strangers reach that threshold, so do not serve it": (
        "  se estima que llega a ese umbral el {far} % de los desconocidos, así que no lo uses"
    ),
    "  FAR, estimated for strangers like those of the population: {far} %": (
        "  FAR estimado para desconocidos como los de la población: {far} %"
    ),
    "  for a FAR of {target:g} %: threshold {threshold:.4f} (promised), FRR {frr:.2f} %": (
        "  para un FAR del {target:g} %: umbral {threshold:.4f} (garantizado), FRR {frr:.2f} %"
    ),
    "  for a FAR of {target:g} %: threshold {threshold:.4f} (measured), FRR {frr:.2f} %": (
        "  para un FAR del {target:g} %: umbral {threshold:.4f} (medido), FRR {frr:.2f} %"
    ),
    "  for a FAR of {target:g} %: threshold {threshold:.4f} (estimated), FRR {frr:.2f} %": (
        "  para un FAR del {target:g} %: umbral {threshold:.4f} (estimado), FRR {frr:.2f} %"
    ),
    "  measured, not promised: a promise takes faces of {needed} strangers, and the test had {people}": (
        "  medido y no garantizado: para garantizarlo hay que probar con {needed} desconocidos, y aquí se ha probado "
        "con {people}"
    ),
    "  measured, not promised: a promise takes faces of {needed} strangers, and the test had {people} (worth "
    "{effective}: several faces of one person or one photo say less than as many people)": (
        "  medido y no garantizado: para garantizarlo hay que probar con {needed} desconocidos, y aquí se ha probado "
        "con {people} (que valen por {effective}: varias caras de una persona o de una foto dicen menos que otras "
        "tantas personas)"
    ),
    "  that threshold would refuse about {refused} of {faces:# face|# faces} of me: first look at the photos that "
    "{table} names and {sheet} shows, then run 'dvc repro' again": (
        "  ese umbral rechazaría unas {refused} de {faces:# cara|# caras} de «me»: mira primero las fotos que nombra "
        "{table} y enseña {sheet}, y ejecuta otra vez 'dvc repro'"
    ),
    # robustness
    "on each photo of me, the largest face is somebody else's: the service would answer about that person, so it is "
    "not measured how worse photos of me are judged. Cut the other person off on some": (
        "en todas las fotos de «me» la cara más grande es la de otra persona: el servicio respondería sobre ella, así "
        "que no se mide qué pasa con fotos peores de «me». Recorta a la otra persona en algunas"
    ),
    "robustness: {me:# photo|# photos} of me and {not_me} of others; FRR doubles with {doubled}; groups of people: "
    "{groups}": (
        "robustness: {me:# foto|# fotos} de «me» y {not_me} de otras personas; FRR se duplica con: {doubled}; grupos "
        "de personas: {groups}"
    ),
    "robustness: {me:# photo|# photos} of me and {not_me} of others; photos of me are turned away with {doubled}; "
    "groups of people: {groups}": (
        "robustness: {me:# foto|# fotos} de «me» y {not_me} de otras personas; se rechazan fotos de «me» con: "
        "{doubled}; grupos de personas: {groups}"
    ),
    "  strangers with worse photos: with {name} at {level:g}, {accepted} of {photos:# photo|# photos} of others "
    "{accepted:gets in|get in} (FAR {far:.1f} %), the most of all that was tried": (
        "  desconocidos con fotos peores: con {name} ({level:g}) {accepted:entra|entran} {accepted} de {photos:# foto "
        "ajena|# fotos ajenas} (FAR {far:.1f} %), lo peor de todo lo probado"
    ),
    "  none of {photos:# photo|# photos} of others gets in, however degraded": (
        "  de {photos:# foto ajena|# fotos ajenas} no entra ninguna, por mucho que se empeoren"
    ),
    "  without photos of others, it is not measured how many strangers get in with worse photos": (
        "  sin fotos de otras personas no se mide cuántos desconocidos entran con fotos peores"
    ),
    "{name} at {level:g}": "{name} ({level:g})",
    "nothing that was tried": "nada de lo que se ha probado",
    "compared by {count:the column|the columns} {columns} of {tables}": (
        "comparados por {count:la columna|las columnas} {columns} de {tables}"
    ),
    "nothing to compare in {tables}": "nada que comparar en {tables}",
    "none in {table}": "ninguno en {table}",
    "{tables} names {count:# photo or folder|# photos or folders} of which data/ has no face: {paths}": (
        "{tables} nombra {count:# foto o carpeta de la que|# fotos o carpetas de las que} no hay ninguna cara en "
        "data/: {paths}"
    ),
    "{tables}: column {column} has {had}: nothing to compare": (
        "{tables}: la columna {column} tiene {had}: no hay nada que comparar"
    ),
    "one group, {group}": "un solo grupo, {group}",
    "no value": "ningún valor",
    "{tables}: one person says little of a group's FAR; in column {column}: {groups}": (
        "{tables}: una sola persona dice poco del FAR de un grupo; en la columna {column}: {groups}"
    ),
    "{rate} differs between groups of {column} beyond chance: {shares} (p = {p:.2g}: groups permuted among people, "
    "corrected for the number of questions)": (
        "{rate} difiere entre los grupos de {column} más de lo que explica el azar: {shares} (p = {p:.2g}: con los "
        "grupos permutados entre las personas y corregido por el número de preguntas)"
    ),
}
