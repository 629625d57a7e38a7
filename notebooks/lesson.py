# The source of both notebooks, in which each cell begins with a line like those below. `python -m notebooks` writes the
# notebooks from it. Do not change them themselves.
#
#   "%% [markdown] en", "%% [markdown] es"  text, as comments; each language has its own
#   "%%"                                    code of both notebooks: without comments and words, which are in TEXT
#   "%% en", "%% es"                        code of one notebook: the words

# %% [markdown] en
# *[Este cuaderno en español](de_la_foto_a_la_decision.ipynb)*
#
# # From photo to decision
#
# Is the face on this photo mine? This notebook goes the whole way from a photo to the answer, with the code that the
# project itself runs:
#
# 1. [A photo is numbers](#photo)
# 2. [Detection: where is the face?](#detection)
# 3. [Alignment: eyes to the same place](#alignment)
# 4. [The embedding: a face as a list of numbers](#embedding)
# 5. [Similarity: the cosine](#similarity)
# 6. [A map of faces](#map)
# 7. [A classifier](#classifier)
# 8. [A threshold, and two kinds of errors](#threshold)
# 9. [How sure can one be?](#sure)
# 10. [The decision](#decision)
# 11. [Five exercises](#exercises), and [their solutions](#solutions)
#
# The people on the photos do not exist: the project's own code drew them (`demo/`). Nothing here reads your own photos
# or asks the internet. Run the cells from top to bottom with Shift+Enter. All together they take about a minute.

# %% [markdown] es
# *[This notebook in English](from_photo_to_decision.ipynb)*
#
# # De la foto a la decisión
#
# ¿Es mía la cara de esta foto? Este cuaderno recorre todo el camino, de la foto a la respuesta, con el mismo código que
# usa el proyecto:
#
# 1. [Una foto son números](#photo)
# 2. [Detección: ¿dónde está la cara?](#detection)
# 3. [Alineación: los ojos, siempre en el mismo sitio](#alignment)
# 4. [El embedding: una cara como lista de números](#embedding)
# 5. [Parecido: el coseno](#similarity)
# 6. [Un mapa de caras](#map)
# 7. [Un clasificador](#classifier)
# 8. [Un umbral y dos tipos de error](#threshold)
# 9. [¿Hasta qué punto se puede estar seguro?](#sure)
# 10. [La decisión](#decision)
# 11. [Cinco ejercicios](#exercises) y [sus soluciones](#solutions)
#
# Las personas de las fotos no existen: las dibujó el propio código del proyecto (`demo/`). Aquí no se lee ninguna foto
# tuya ni se consulta internet. Ejecuta las celdas de arriba abajo con Mayúsculas+Intro. Entre todas tardan más o menos
# un minuto.

# %% [markdown] en
# ## Preparations
#
# The next cell, which may be folded, only holds the words of the plots. The one after it looks for the project's folder
# and for the networks.

# %% [markdown] es
# ## Preparativos
#
# La celda siguiente, que puede aparecer plegada, solo contiene los textos de los gráficos. La que va después busca la
# carpeta del proyecto y las redes.

# %% en
TEXT = {
    "language": "en",
    "no_project": "This notebook is not in the folder of the project, whose code it needs: open it in notebooks/.",
    "no_networks": "The networks are not there yet. In a terminal, in the project's folder, with the environment "
    "active, run 'dvc repro export'. Then run this cell again.",
    "ready": "{backbone}: embeddings of {size} numbers",
    "pixels": "{height} × {width} pixels, each with red, green and blue, 0 to 255",
    "brightness": "brightness of the marked square",
    "probability": "probability {value}",
    "box": "the box",
    "aligned": "aligned",
    "mean": "mean of {count}",
    "loaded": "{faces} faces: {me} of me, {others} of {people} other people",
    "value": "number in the embedding",
    "values": "{name}: {values} …",
    "me": "me",
    "others": "others",
    "cosine": "cosine",
    "same": "the same person ({count} pairs)",
    "different": "two people ({count} pairs)",
    "density": "density of pairs",
    "medians": "median cosine: {same} for the same person, {different} for two people",
    "component": "component {number} ({share} %)",
    "kept": "spread kept, %",
    "components": "components",
    "neighbours": "faces whose nearest neighbour is of the other class: {plane} of {count} on the map, {real} in all "
    "dimensions",
    "score": "score",
    "seen": "scored by a model\nthat saw them in training",
    "unseen": "scored by models\nthat did not see them",
    "threshold": "threshold",
    "share": "share",
    "far": "FAR: strangers let in",
    "frr": "FRR: photos of me turned away",
    "roc": "1 − FRR: photos of me accepted",
    "guessing": "guessing",
    "pairs": "pairs of photos (AUC {auc})",
    "model": "the classifier (AUC {auc})",
    "tested": "strangers tested, of whom none got in",
    "bound": "FAR may still be as high as",
    "exact": "exact: 1 − 0.05^(1/n)",
    "rule": "rule of three: 3 / n",
    "here": "here: {people} people",
    "measured": "FAR at {threshold}: measured {rate} %, with 95 % confidence below {high} % ({faces} faces of {people} "
    "people count as {effective})",
    True: "me",
    False: "not me",
    "enrolled": "photos of me to learn from",
    "error": "FRR of the others",
    "draw": "one choice by lot",
    "draws": "their mean",
    "open": "Your answer is still '...': fill in the exercise and run both cells again.",
    "right": "Your answer is right: {right}",
    "wrong": "Your answer is {yours}; the solution is {right}.",
}

# %% es
TEXT = {
    "language": "es",
    "no_project": "Este cuaderno no está en la carpeta del proyecto, cuyo código necesita: ábrelo en notebooks/.",
    "no_networks": "Todavía no están las redes. En una terminal, en la carpeta del proyecto y con el entorno activado, "
    "ejecuta 'dvc repro export'. Después ejecuta otra vez esta celda.",
    "ready": "{backbone}: embeddings de {size} números",
    "pixels": "{height} × {width} píxeles; cada uno, con rojo, verde y azul, de 0 a 255",
    "brightness": "brillo del cuadrado marcado",
    "probability": "probabilidad {value}",
    "box": "el recuadro",
    "aligned": "alineadas",
    "mean": "media de {count}",
    "loaded": "{faces} caras: {me} de «me» y {others} de otras {people} personas",
    "value": "número del embedding",
    "values": "{name}: {values} …",
    "me": "«me»",
    "others": "otros",
    "cosine": "coseno",
    "same": "la misma persona ({count} parejas)",
    "different": "dos personas ({count} parejas)",
    "density": "densidad de parejas",
    "medians": "mediana del coseno: {same} para la misma persona, {different} para dos personas",
    "component": "componente {number} ({share} %)",
    "kept": "dispersión conservada, %",
    "components": "componentes",
    "neighbours": "caras cuyo vecino más cercano es de la otra clase: {plane} de {count} en el mapa, {real} en todas "
    "las dimensiones",
    "score": "puntuación",
    "seen": "puntuadas por un modelo\nque las vio al aprender",
    "unseen": "puntuadas por modelos\nque no las vieron",
    "threshold": "umbral",
    "share": "proporción",
    "far": "FAR: desconocidos aceptados",
    "frr": "FRR: fotos de «me» rechazadas",
    "roc": "1 − FRR: fotos de «me» aceptadas",
    "guessing": "al azar",
    "pairs": "parejas de fotos (AUC {auc})",
    "model": "el clasificador (AUC {auc})",
    "tested": "desconocidos probados, sin aceptar a ninguno",
    "bound": "el FAR aún puede llegar a",
    "exact": "exacto: 1 − 0,05^(1/n)",
    "rule": "regla del tres: 3 / n",
    "here": "aquí: {people} personas",
    "measured": "FAR con {threshold}: medido, {rate} %; con una confianza del 95 %, inferior al {high} % ({faces} "
    "caras de {people} personas cuentan como {effective})",
    True: "«me»",
    False: "no es «me»",
    "enrolled": "fotos de «me» de las que aprender",
    "error": "FRR de las demás",
    "draw": "una elección al azar",
    "draws": "su media",
    "open": "Tu respuesta sigue siendo '...': completa el ejercicio y vuelve a ejecutar las dos celdas.",
    "right": "Tu respuesta es correcta: {right}",
    "wrong": "Tu respuesta es {yours}; la solución es {right}.",
}

# %%
import sys
from pathlib import Path

found_root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "params.yaml").is_file()), None)
if found_root is None:
    raise SystemExit(TEXT["no_project"])
ROOT = found_root
NETWORKS, DEMO = ROOT / "models" / "networks", ROOT / "demo"
if not (NETWORKS / "networks.json").is_file():
    raise SystemExit(TEXT["no_networks"])
sys.path.insert(0, str(ROOT))

# %% [markdown] en
# The project has four networks in ONNX files: three that find faces and one that makes embeddings. `Recognizer` runs
# them, in training and in the service alike.

# %% [markdown] es
# El proyecto tiene cuatro redes en archivos ONNX: tres que encuentran caras y una que calcula embeddings. `Recognizer`
# las ejecuta, tanto al entrenar como en el servicio.

# %%
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score, roc_curve

from faces.detection.face import Face
from faces.operating_point import DEFAULT_THRESHOLD
from faces.recognition.align import CropGeometry
from faces.recognition.networks import Networks
from faces.recognition.recognizer import Recognizer
from faces.scoring import unit_length
from stages.estimation.fit import fit, predict
from stages.estimation.intervals import effective_count, exact_interval, people_needed, rate_interval
from stages.estimation.protocol import make_splits
from stages.estimation.rates import error_rates
from stages.files.dataset import Dataset
from stages.language.telling import number, speak
from stages.params import load_params

speak("es" if TEXT["language"] == "es" else "en")
ME, OTHERS = "#1f5fa8", "#d9822b"
plt.rcParams.update({"figure.dpi": 110, "figure.facecolor": "white", "axes.spines.top": False})
plt.rcParams.update({"axes.spines.right": False, "figure.constrained_layout.use": True})

networks = Networks.load(NETWORKS)
recognizer = Recognizer(networks)
recognizer.open()
print(TEXT["ready"].format(backbone=networks.manifest.backbone, size=networks.manifest.embedding_size))

# %% [markdown] en
# <a id="photo"></a>
# ## 1. A photo is numbers
#
# A program sees no face. It sees a table of numbers: for each pixel how much red, green and blue. On the right are
# those of the small square, as brightness. Where does it say that this is an eye?

# %% [markdown] es
# <a id="photo"></a>
# ## 1. Una foto son números
#
# Un programa no ve ninguna cara. Ve una tabla de números: de cada píxel, cuánto rojo, cuánto verde y cuánto azul. A la
# derecha están los del cuadrado pequeño, como brillo. ¿Dónde dice que eso sea un ojo?


# %%
def open_photo(path: Path) -> Image.Image:
    photo = recognizer.read(path)
    return photo.decode(long_side=max(photo.stored_size))


def show(axes: Axes, picture: Image.Image | NDArray[np.uint8], title: str = "") -> None:
    axes.imshow(np.asarray(picture))
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def with_comma(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


portrait_path = DEMO / "me" / "25.jpg"
portrait = open_photo(portrait_path)
print(TEXT["pixels"].format(height=portrait.height, width=portrait.width))

portrait_face = recognizer.faces(portrait_path)[0]
x, y = (int(value) - 6 for value in portrait_face.landmarks[0])
patch = np.asarray(portrait.convert("L"))[y : y + 12, x : x + 12]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6))
show(left, portrait)
left.add_patch(Rectangle((x, y), 12, 12, fill=False, color="red", linewidth=2))
right.imshow(patch, cmap="gray", vmin=0, vmax=255)
for row, column in np.ndindex(*patch.shape):
    value = patch[row, column]
    right.text(column, row, str(value), ha="center", va="center", fontsize=7, color="black" if value > 110 else "white")
right.set_title(TEXT["brightness"], fontsize=10)
right.set_axis_off()
plt.show()

# %% [markdown] en
# <a id="detection"></a>
# ## 2. Detection: where is the face?
#
# MTCNN looks at the photo in many sizes with three networks. The first one is small and quick, and proposes thousands
# of places. The second one throws most of them away. The third one decides, and says where the eyes, the nose and the
# corners of the mouth are: five **landmarks**. For each face there is a **box** and the probability that it is a face
# at all. This probability says nothing about *whose* face it is.

# %% [markdown] es
# <a id="detection"></a>
# ## 2. Detección: ¿dónde está la cara?
#
# MTCNN mira la foto a muchos tamaños con tres redes. La primera, pequeña y rápida, propone miles de sitios. La segunda
# descarta la mayoría. La tercera decide, y dice dónde están los ojos, la nariz y las comisuras de la boca: cinco
# **puntos de referencia**. De cada cara se obtiene un **recuadro** y la probabilidad de que sea una cara. Esa
# probabilidad no dice nada de *quién* es.

# %%
shown_paths = [portrait_path, DEMO / "me" / "23.jpg", DEMO / "me" / "08.png", DEMO / "not_me" / "person_22" / "1.jpg"]
shown_faces = [recognizer.faces(path)[0] for path in shown_paths]

figure, row_of_axes = plt.subplots(1, 4, figsize=(11, 3.6))
for axes, path, face in zip(row_of_axes, shown_paths, shown_faces, strict=True):
    show(axes, open_photo(path), TEXT["probability"].format(value=number(face.probability, ".4f")))
    x0, y0, x1, y1 = face.box
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="#00e0a0", linewidth=2))
    axes.scatter(*face.landmarks.T, s=14, color="#ffd400", edgecolors="black", linewidths=0.5, zorder=3)
plt.show()

# %% [markdown] en
# <a id="alignment"></a>
# ## 3. Alignment: eyes to the same place
#
# The network that follows compares numbers by their place. It has an easier task if the left eye is always in the same
# place. So the photo is turned, scaled and shifted until the five landmarks lie as near as possible to five fixed
# points (a *similarity transform*, fitted by least squares: nothing is stretched or sheared). Compare the rows: above
# the plain box, below the aligned face with the five fixed points. In the last column are the means of all photos of
# `me`: the sharper it is, the better the faces lie upon each other.
#
# The network `dlib-resnet` needs this: on real photos (LFW) it is right about 98.7 % of the pairs with aligned faces,
# and about 89 % with plain boxes. FaceNet learnt from plain boxes, and so it is given these.

# %% [markdown] es
# <a id="alignment"></a>
# ## 3. Alineación: los ojos, siempre en el mismo sitio
#
# La red que viene después compara números según su posición. Lo tiene más fácil si el ojo izquierdo está siempre en el
# mismo sitio. Por eso la foto se gira, se escala y se desplaza hasta que los cinco puntos de referencia quedan lo más
# cerca posible de cinco puntos fijos (una *transformación de semejanza*, ajustada por mínimos cuadrados: nada se estira
# ni se inclina). Compara las filas: arriba, el recuadro sin más; abajo, la cara alineada con los cinco puntos fijos. En
# la última columna están las medias de todas las fotos de `me`: cuanto más nítida es, mejor encajan las caras unas
# sobre otras.
#
# La red `dlib-resnet` lo necesita: con fotos reales (LFW) acierta en torno al 98,7 % de las parejas con las caras
# alineadas, y en torno al 89 % con los recuadros sin más. FaceNet aprendió de recuadros, y por eso recibe recuadros.

# %%
used = networks.manifest.crop
points = used.landmarks or ((52.7, 50.6), (110.2, 50.5), (80.8, 84.4), (56.3, 113.1), (106.5, 113.4))
boxed = CropGeometry("box", used.image_size)
aligned = CropGeometry("similarity", used.image_size, landmarks=points)


def cut_all(geometry: CropGeometry, paths: list[Path], faces: list[Face]) -> NDArray[np.uint8]:
    return np.stack([geometry.cut(open_photo(path), face) for path, face in zip(paths, faces, strict=True)])


me_paths = sorted((DEMO / "me").iterdir())
me_faces = [recognizer.faces(path)[0] for path in me_paths]

figure, grid = plt.subplots(2, 5, figsize=(11, 4.8))
for axes_of_row, geometry, name in ((grid[0], boxed, "box"), (grid[1], aligned, "aligned")):
    for axes, crop in zip(axes_of_row, cut_all(geometry, shown_paths, shown_faces), strict=False):
        show(axes, crop)
        if geometry is aligned:
            axes.scatter(*np.array(points).T, s=10, color="#ffd400", edgecolors="black", linewidths=0.5)
    show(axes_of_row[4], cut_all(geometry, me_paths, me_faces).mean(axis=0).astype(np.uint8))
    axes_of_row[0].set_title(TEXT[name], fontsize=11, loc="left")
grid[0, 4].set_title(TEXT["mean"].format(count=len(me_faces)), fontsize=11, loc="left")
plt.show()

# %% [markdown] en
# <a id="embedding"></a>
# ## 4. The embedding: a face as a list of numbers
#
# The fourth network turns an aligned face into a list of numbers, its **embedding**. It was trained with millions of
# photos to do one thing: two photos of one person shall get similar lists, and photos of two people lists that differ.
# What a single number means, nobody knows. The network never saw the people of this demo, and does not have to: it is a
# measuring instrument, not a register of people.
#
# First, the embeddings of all portraits are computed.

# %% [markdown] es
# <a id="embedding"></a>
# ## 4. El embedding: una cara como lista de números
#
# La cuarta red convierte una cara alineada en una lista de números, su **embedding**. Se entrenó con millones de fotos
# para una sola cosa: que dos fotos de una persona reciban listas parecidas, y las de dos personas, listas distintas.
# Qué significa cada número por separado no lo sabe nadie. La red nunca vio a las personas de esta demo, ni le hace
# falta: es un instrumento de medida, no un registro de personas.
#
# Primero se calculan los embeddings de todos los retratos.

# %%
other_paths = sorted((DEMO / "not_me").glob("*/*"))
other_faces = [recognizer.faces(path)[0] for path in other_paths]

paths, faces = me_paths + other_paths, me_faces + other_faces
people = np.array([path.parent.name for path in paths])
is_me = people == "me"
crops = np.stack([face.crop for face in faces if face.crop is not None])
embedder = networks.open_embedder(flip=True)
embeddings = embedder.embed(crops)

counts = {"faces": len(faces), "me": is_me.sum(), "others": (~is_me).sum(), "people": len(np.unique(people[~is_me]))}
print(TEXT["loaded"].format(**counts))
for at in (0, 1, len(me_paths)):
    shown = "  ".join(number(value, ".3f") for value in embeddings[at, :6])
    print(TEXT["values"].format(name=f"{people[at]}/{paths[at].name}", values=shown))

# %% [markdown] en
# A list of so many numbers can be drawn as a strip of colours, one for each number. Here is by how much each number is
# above (red) or below (blue) the mean of all faces. Three photos of `me`, then three of one other person: look for
# colours that the strips of one person share.

# %% [markdown] es
# Una lista de tantos números se puede dibujar como una tira de colores, uno por número. Aquí se ve cuánto está cada
# número por encima (rojo) o por debajo (azul) de la media de todas las caras. Tres fotos de `me` y después tres de otra
# persona: busca los colores que comparten las tiras de una misma persona.

# %%
someone = next(name for name in np.unique(people[~is_me]) if (people == name).sum() >= 3)
strips = np.concatenate([np.flatnonzero(is_me)[:3], np.flatnonzero(people == someone)[:3]])
deviations = (embeddings - embeddings.mean(axis=0))[strips, :64]

figure, grid = plt.subplots(6, 2, figsize=(11, 4.2), width_ratios=(1, 14))
for axes_of_row, at, strip in zip(grid, strips, deviations, strict=True):
    show(axes_of_row[0], crops[at])
    axes_of_row[1].imshow(strip[None], cmap="RdBu_r", aspect="auto", vmin=-0.1, vmax=0.1)
    axes_of_row[1].set(yticks=[0], yticklabels=[people[at]], xticks=[])
grid[5, 1].set(xticks=range(0, 64, 8), xlabel=TEXT["value"])
plt.show()

# %% [markdown] en
# <a id="similarity"></a>
# ## 5. Similarity: the cosine
#
# How similar are two lists $a$ and $b$? Take them as arrows in a space of many dimensions. The **cosine** of the angle
# between them is 1 if they point in the same direction:
#
# $$\cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}$$
#
# If all arrows are brought to length 1, one product of matrices gives all cosines. On the left is the table of all
# pairs (`me` first), on the right the distribution. This picture is the heart of the matter: the less the two hills
# overlap, the easier is the task. Yet they do overlap: some pairs of strangers are more alike than some pairs of photos
# of one person. No threshold on two single photos would be free of errors.

# %% [markdown] es
# <a id="similarity"></a>
# ## 5. Parecido: el coseno
#
# ¿Cuánto se parecen dos listas $a$ y $b$? Imagínalas como flechas en un espacio de muchas dimensiones. El **coseno**
# del ángulo que forman es 1 si apuntan en la misma dirección:
#
# $$\cos(a, b) = \frac{a \cdot b}{\lVert a \rVert \, \lVert b \rVert}$$
#
# Si todas las flechas se llevan a longitud 1, un solo producto de matrices da todos los cosenos. A la izquierda está la
# tabla de todas las parejas (primero, `me`); a la derecha, la distribución. Esta imagen es el meollo del asunto: cuanto
# menos se solapan las dos colinas, más fácil es la tarea. Pero se solapan: algunas parejas de desconocidos se parecen
# más que algunas parejas de fotos de una misma persona. Con solo dos fotos, ningún umbral estaría libre de errores.

# %%
unit = unit_length(embeddings.astype(np.float64))
cosines = unit @ unit.T
first, second = np.triu_indices(len(unit), k=1)
pairs = cosines[first, second]
same = people[first] == people[second]

medians = {"same": number(np.median(pairs[same]), ".3f"), "different": number(np.median(pairs[~same]), ".3f")}
print(TEXT["medians"].format(**medians))

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), width_ratios=(1, 1.25))
image = left.imshow(cosines, cmap="viridis", vmin=np.quantile(pairs, 0.01), vmax=1)
figure.colorbar(image, ax=left, label=TEXT["cosine"], format=FuncFormatter(lambda value, _: number(value)))
left.set(xticks=[15, 55], yticks=[15, 55])
left.set_xticklabels([TEXT["me"], TEXT["others"]])
left.set_yticklabels([TEXT["me"], TEXT["others"]])
bins = np.linspace(pairs.min(), 1, 50).tolist()
for chosen, colour, name in ((~same, OTHERS, "different"), (same, ME, "same")):
    label = TEXT[name].format(count=chosen.sum())
    right.hist(pairs[chosen], bins, density=True, alpha=0.6, color=colour, label=label)
right.set(xlabel=TEXT["cosine"], ylabel=TEXT["density"])
with_comma(right)
right.legend(loc="upper left")
plt.show()

# %% [markdown] en
# <a id="map"></a>
# ## 6. A map of faces
#
# Nobody can look into a space of so many dimensions. **Principal component analysis** (PCA) finds the flat map on which
# the points spread most: the best one if the map may be turned and shifted but not bent. It is linear, has no settings
# and gives the same map each time. Other methods (t-SNE, UMAP) draw prettier islands, but they bend space, so distances
# between islands mean nothing.
#
# What is lost: everything that lies across the map, as the heights of mountains on a sheet of paper. The curve on the
# right says how much of the spread is kept by the first dimensions. So two points that touch on the map may be far from
# each other in truth. A classifier therefore works with all numbers, and the map is for our eyes only.

# %% [markdown] es
# <a id="map"></a>
# ## 6. Un mapa de caras
#
# Nadie puede asomarse a un espacio de tantas dimensiones. El **análisis de componentes principales** (PCA) encuentra el
# mapa plano en el que los puntos se dispersan más: el mejor, si el mapa se puede girar y desplazar pero no doblar. Es
# lineal, no tiene ajustes y da siempre el mismo mapa. Otros métodos (t-SNE, UMAP) dibujan islas más bonitas, pero
# doblan el espacio, y las distancias entre islas no significan nada.
#
# Qué se pierde: todo lo que queda fuera del plano, como la altura de las montañas en una hoja de papel. La curva de la
# derecha dice cuánta dispersión conservan las primeras dimensiones. Por eso dos puntos que se tocan en el mapa pueden
# estar lejos en realidad. El clasificador trabaja con todos los números; el mapa es solo para nuestros ojos.

# %%
centred = unit - unit.mean(axis=0)
_, lengths, directions = np.linalg.svd(centred, full_matrices=False)
shares = lengths**2 / (lengths**2).sum()
plane = centred @ directions[:2].T


def wrong_neighbours(distances: NDArray[np.float64]) -> int:
    apart = distances + np.diag(np.full(len(distances), np.inf))
    return int((is_me[apart.argmin(axis=1)] != is_me).sum())


on_the_plane = np.linalg.norm(plane[:, None] - plane[None], axis=2)
wrong = {"plane": wrong_neighbours(on_the_plane), "real": wrong_neighbours(1 - cosines)}
print(TEXT["neighbours"].format(count=len(faces), **wrong))

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), width_ratios=(2, 1))
left.scatter(*plane[~is_me].T, color=OTHERS, s=36, label=TEXT["others"], edgecolors="white")
left.scatter(*plane[is_me].T, color=ME, s=36, label=TEXT["me"], edgecolors="white")
percent = [number(100 * share, ".0f") for share in shares[:2]]
left.set_xlabel(TEXT["component"].format(number=1, share=percent[0]))
left.set_ylabel(TEXT["component"].format(number=2, share=percent[1]))
left.set_aspect("equal")
with_comma(left)
left.legend()
right.plot(np.arange(len(shares)) + 1, 100 * shares.cumsum(), color=ME)
right.scatter([2], [100 * shares[:2].sum()], color="black", zorder=3)
right.set(xlabel=TEXT["components"], ylabel=TEXT["kept"], ylim=(0, 101))
right.grid(alpha=0.3)
plt.show()

# %% [markdown] en
# <a id="classifier"></a>
# ## 7. A classifier
#
# Comparing with *one* photo is wasteful: there are thirty of `me`. The project's verifier takes the mean of their
# embeddings as a template and turns the cosine to it into a **score** from 0 to 1, by a logistic regression with a
# single variable: the probability of `me`, if both were equally frequent. `fit` is the function that the stage `train`
# calls.
#
# The `groups` say what belongs together: all photos of one other person. Ten photos of one stranger are not ten
# strangers.

# %% [markdown] es
# <a id="classifier"></a>
# ## 7. Un clasificador
#
# Comparar con *una* sola foto es un desperdicio: hay treinta de `me`. El verificador del proyecto toma como plantilla
# la media de sus embeddings y convierte el coseno con ella en una **puntuación** de 0 a 1, mediante una regresión
# logística de una sola variable: la probabilidad de `me`, si ambas clases fueran igual de frecuentes. `fit` es la
# función que usa la etapa `train`.
#
# Los `groups` dicen qué fotos van juntas: todas las de una misma persona ajena. Diez fotos de un desconocido no son
# diez desconocidos.

# %%
labels = is_me.astype(np.int64)
groups = np.unique(np.where(is_me, [f"me/{path.name}" for path in paths], people), return_inverse=True)[1]
data = Dataset(embeddings, labels, groups.astype(np.int64))
params = replace(
    load_params(ROOT / "params.yaml").train,
    verifier="cosine",
    protocol="cross_validation",
    folds=5,
    repeats=1,
    population="none",
)
verifier = fit(data, params, population=None)
seen = verifier.score(embeddings)

# %% [markdown] en
# **Never judge a model by what it has learnt from.** Who sets an exam with the very exercises of the lesson measures
# memory. So each face gets its score from a model that was trained without it: five times, four fifths of the faces are
# for training and one fifth is for testing, and all photos of one person stay on the same side (**cross-validation**).
# Compare the two rows: the lower one is less flattering, and it is the honest one.

# %% [markdown] es
# **Nunca juzgues un modelo por aquello de lo que ha aprendido.** Quien pone en el examen los mismos ejercicios de clase
# mide la memoria. Por eso cada cara recibe su puntuación de un modelo entrenado sin ella: cinco veces, cuatro quintas
# partes de las caras sirven para entrenar y una quinta parte para probar, y todas las fotos de una persona quedan en el
# mismo lado (**validación cruzada**). Compara las dos filas: la de abajo es menos halagüeña, y es la honrada.

# %%
splits = make_splits(data, params, without_others=False)
table = predict(data, splits, params, population=None)
scores = table.set_index("row")["score"].sort_index().to_numpy()

figure, axes = plt.subplots(figsize=(11, 3.2))
jitter = np.random.default_rng(0).uniform(-0.16, 0.16, len(faces))
for height, values in ((1, seen), (0, scores)):
    for chosen, colour, name in ((~is_me, OTHERS, "others"), (is_me, ME, "me")):
        label = TEXT[name] if height else ""
        axes.scatter(values[chosen], height + jitter[chosen], color=colour, s=30, alpha=0.75, label=label)
axes.axvline(DEFAULT_THRESHOLD, color="black", linestyle="--", linewidth=1)
axes.set(xlabel=TEXT["score"], yticks=[0, 1], ylim=(-0.45, 1.45))
axes.set_yticklabels([TEXT["unseen"], TEXT["seen"]])
axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
axes.legend(loc="center", bbox_to_anchor=(0.5, 0.5))
plt.show()

# %% [markdown] en
# <a id="threshold"></a>
# ## 8. A threshold, and two kinds of errors
#
# A score is no answer yet. The answer is "me" from a **threshold** on (the service's default is 0.75, the dashed line).
# Each threshold makes two kinds of errors:
#
# - **FAR**, the false acceptance rate: the share of strangers who are let in;
# - **FRR**, the false rejection rate: the share of photos of `me` that are turned away.
#
# A higher threshold lowers the one and raises the other. Which error costs more is not for mathematics to say: the door
# of a bank and the sorting of holiday photos need different thresholds. The **ROC curve** shows all thresholds at once,
# and the area below it (AUC) is the probability that a photo of `me` scores higher than one of a stranger: 0.5 for
# guessing, 1 for no confusion. The grey curve judges by one pair of photos (section 5): a template from many photos
# usually does better.

# %% [markdown] es
# <a id="threshold"></a>
# ## 8. Un umbral y dos tipos de error
#
# Una puntuación todavía no es una respuesta. La respuesta es `me` a partir de un **umbral** (el del servicio, si no se
# cambia, es 0,75: la línea discontinua). Con cada umbral hay dos tipos de error:
#
# - **FAR**, la tasa de falsa aceptación: la proporción de desconocidos a los que se acepta;
# - **FRR**, la tasa de falso rechazo: la proporción de fotos de `me` que se rechazan.
#
# Un umbral más alto baja la una y sube la otra. Qué error cuesta más no lo dicen las matemáticas: la puerta de un banco
# y ordenar fotos de vacaciones piden umbrales distintos. La **curva ROC** muestra todos los umbrales a la vez, y el
# área que queda debajo (AUC) es la probabilidad de que una foto de `me` puntúe más que la de un desconocido: 0,5 al
# azar, 1 sin ninguna confusión. La curva gris juzga por una sola pareja de fotos (apartado 5): con una plantilla de
# muchas fotos suele ir mejor.

# %%
thresholds = np.linspace(0, 1, 101)
rates = [error_rates(labels, scores, threshold) for threshold in thresholds]
far = np.array([rate["far"] for rate in rates])
frr = np.array([rate["frr"] for rate in rates])

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), width_ratios=(1.25, 1))
left.step(thresholds, far, where="post", color=OTHERS, linewidth=2, label=TEXT["far"])
left.step(thresholds, frr, where="post", color=ME, linewidth=2, label=TEXT["frr"])
left.axvline(DEFAULT_THRESHOLD, color="black", linestyle="--", linewidth=1)
left.set(xlabel=TEXT["threshold"], ylabel=TEXT["share"], ylim=(-0.01, 0.5))
left.legend(loc="upper center")
for truth, values, colour, name in ((same, pairs, "grey", "pairs"), (labels, scores, ME, "model")):
    false_accepts, true_accepts, _ = roc_curve(truth, values)
    area = number(roc_auc_score(truth, values), ".4f")
    right.plot(false_accepts, true_accepts, color=colour, linewidth=2, label=TEXT[name].format(auc=area))
right.plot([0, 1], [0, 1], color="grey", linestyle=":", label=TEXT["guessing"])
right.set(xlabel=TEXT["far"], ylabel=TEXT["roc"], aspect="equal")
right.legend(loc="lower right", fontsize=8)
for axes in (left, right):
    with_comma(axes)
    axes.grid(alpha=0.3)
plt.show()

# %% [markdown] en
# <a id="sure"></a>
# ## 9. How sure can one be?
#
# Suppose that none of the strangers got in. Is FAR zero? No: few were asked. If the true FAR is $p$, then $n$ strangers
# are all turned away with probability $(1-p)^n$. With $p = 7\,\%$ and $n = 40$ this is still 5 %: it can happen. All
# that one knows, with 95 % confidence, is that FAR is below about $3/n$: the **rule of three**. Where some did get in,
# the interval of Clopper and Pearson says what is possible.
#
# What counts is people, not photos: where some people have more photos than others, all of them together count as fewer
# people. And all this holds for strangers *like those who were asked*: drawn people promise nothing about real ones.

# %% [markdown] es
# <a id="sure"></a>
# ## 9. ¿Hasta qué punto se puede estar seguro?
#
# Supongamos que no se aceptó a ningún desconocido. ¿Es cero el FAR? No: se probó con pocos. Si el FAR verdadero es $p$,
# la probabilidad de rechazar a $n$ desconocidos es $(1-p)^n$. Con $p = 7\,\%$ y $n = 40$ sigue siendo el 5 %: puede
# pasar. Lo único que se sabe, con una confianza del 95 %, es que el FAR es inferior a unos $3/n$: la **regla del
# tres**. Si se aceptó a alguno, el intervalo de Clopper y Pearson dice qué es posible.
#
# Lo que cuenta son las personas, no las fotos: si unas tienen más fotos que otras, todas juntas cuentan como menos
# personas. Y todo esto vale para desconocidos *como los que se probaron*: unas personas dibujadas no prometen nada
# sobre las reales.

# %%
accepted = scores[~is_me] >= DEFAULT_THRESHOLD
interval = rate_interval(accepted, data.groups[~is_me], resamplings=2000)
effective = effective_count(data.groups[~is_me])
said = {"rate": number(100 * accepted.mean(), ".1f"), "high": number(100 * interval.high, ".1f")}
said |= {"threshold": number(DEFAULT_THRESHOLD), "effective": number(effective, ".1f")}
print(TEXT["measured"].format(faces=len(accepted), people=counts["people"], **said))

asked = np.arange(3, 3001)
figure, axes = plt.subplots(figsize=(8, 4.2))
axes.plot(asked, [1 - 0.05 ** (1 / count) for count in asked], color=ME, linewidth=2, label=TEXT["exact"])
axes.plot(
    asked, [exact_interval(0.0, float(count)).high for count in asked], color="black", linestyle=":", label=TEXT["rule"]
)
axes.scatter(
    [counts["people"]],
    [3 / counts["people"]],
    color=OTHERS,
    zorder=3,
    label=TEXT["here"].format(people=counts["people"]),
)
axes.set(xscale="log", yscale="log", xlabel=TEXT["tested"], ylabel=TEXT["bound"])
axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)} %"))
axes.grid(alpha=0.3, which="both")
axes.legend()
plt.show()

# %% [markdown] en
# <a id="decision"></a>
# ## 10. The decision
#
# Now the model that has learnt from all faces is asked about six photos that nobody has used so far (`demo/ask`): three
# of `me` and three of strangers. For each photo: find the face, align it, compute the embedding, score it, compare with
# the threshold. This is all that the service does at `POST /verify`.

# %% [markdown] es
# <a id="decision"></a>
# ## 10. La decisión
#
# Ahora se pregunta al modelo que ha aprendido de todas las caras por seis fotos que nadie ha usado hasta aquí
# (`demo/ask`): tres de `me` y tres de desconocidos. Con cada foto: encontrar la cara, alinearla, calcular el embedding,
# puntuarlo y compararlo con el umbral. Es todo lo que hace el servicio en `POST /verify`.

# %%
asked_paths = sorted((DEMO / "ask").iterdir())
asked_faces = [recognizer.faces(path)[0] for path in asked_paths]
recognizer.embed(asked_faces)
asked_embeddings = np.stack([face.embedding for face in asked_faces if face.embedding is not None])
asked_scores = verifier.score(asked_embeddings)

figure, grid = plt.subplots(2, 6, figsize=(11, 3.6), height_ratios=(8, 1))
for column, path, face, score in zip(grid.T, asked_paths, asked_faces, asked_scores, strict=True):
    colour = "#1b7f4b" if score >= DEFAULT_THRESHOLD else "#b3261e"
    show(column[0], open_photo(path), f"{path.stem}: {TEXT[bool(score >= DEFAULT_THRESHOLD)]}")
    x0, y0, x1, y1 = face.box
    column[0].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=colour, linewidth=2.5))
    column[1].barh([0], [score], color=colour)
    column[1].axvline(DEFAULT_THRESHOLD, color="black", linestyle="--", linewidth=1)
    column[1].set(xlim=(0, 1), yticks=[], xticks=[], xlabel=number(score, ".3f"))
plt.show()

# %% [markdown] en
# ### What this does not show
#
# - **Drawn faces are not photos.** How well it works with people can only be measured with photos of people
#   ([Evaluation](../docs/evaluation.md)).
# - **A printed photo of `me` is accepted as well.** Nothing here tells a living face from a picture.
# - **It does not work equally well for everybody.** Networks know those best of whom they saw most; ask who was
#   missing.
# - **A photo of a face is biometric data.** Ask people before you put them into `not_me`.

# %% [markdown] es
# ### Lo que aquí no se ve
#
# - **Unas caras dibujadas no son fotos.** Lo bien que funciona con personas solo se puede medir con fotos de personas
#   ([Evaluación](../docs/es/evaluation.md)).
# - **Una foto impresa de `me` también se acepta.** Nada de esto distingue una cara viva de una imagen.
# - **No funciona igual de bien para todo el mundo.** Las redes conocen mejor a quienes más vieron; pregunta quién
#   faltaba.
# - **La foto de una cara es un dato biométrico.** Pide permiso a las personas antes de ponerlas en `not_me`.

# %% [markdown] en
# <a id="exercises"></a>
# ## 11. Five exercises
#
# Replace each `...` with your code, and run the cell. The solutions below compare your answer with theirs.
#
# **Exercise 1.** Who looks most like `me`? Of the other people, find the one with the photo that has the highest cosine
# to the *mean* of the arrows of `me` (`unit[is_me]`). The answer is a name, such as `"person_07"`.

# %% [markdown] es
# <a id="exercises"></a>
# ## 11. Cinco ejercicios
#
# Sustituye cada `...` por tu código y ejecuta la celda. Las soluciones, más abajo, comparan tu respuesta con la suya.
#
# **Ejercicio 1.** ¿Quién se parece más a `me`? Entre las demás personas, busca la de la foto que tiene el coseno más
# alto con la *media* de las flechas de `me` (`unit[is_me]`). La respuesta es un nombre, como `"person_07"`.

# %%
most_like_me = ...

# %% [markdown] en
# **Exercise 2.** You want to let in 5 % of the strangers at most. Which is the lowest of the `thresholds` with `far` no
# higher than that? (And how many photos of `me` does it turn away? Look it up in `frr`.)

# %% [markdown] es
# **Ejercicio 2.** Quieres aceptar como mucho al 5 % de los desconocidos. ¿Cuál es el más bajo de los `thresholds` con
# un `far` que no pase de ahí? (¿Y cuántas fotos de `me` rechaza? Míralo en `frr`.)

# %%
lowest_threshold = ...

# %% [markdown] en
# **Exercise 3.** You want to promise, with 95 % confidence, that fewer than 1 stranger in 1,000 gets in. With how many
# strangers do you have to test, if none of them gets in? Find the smallest $n$ with $(1 - 0.001)^n \le 0.05$, and
# compare it with the rule of three.

# %% [markdown] es
# **Ejercicio 3.** Quieres prometer, con una confianza del 95 %, que se acepta a menos de 1 desconocido de cada 1000.
# ¿Con cuántos desconocidos tienes que probar, si no se acepta a ninguno? Busca el menor $n$ con
# $(1 - 0{,}001)^n \le 0{,}05$ y compáralo con la regla del tres.

# %%
strangers_needed = ...

# %% [markdown] en
# **Exercise 4.** How many photos of `me` does it take? Train with the first three photos of `me` and all the others
# (`data.rows` picks rows, `fit` trains), score the other photos of `me`, and compute the share of them that is turned
# away at `DEFAULT_THRESHOLD`.

# %% [markdown] es
# **Ejercicio 4.** ¿Cuántas fotos de `me` hacen falta? Entrena con las tres primeras fotos de `me` y todas las de otros
# (`data.rows` elige filas, `fit` entrena), puntúa las demás fotos de `me` y calcula qué proporción de ellas se rechaza
# con `DEFAULT_THRESHOLD`.

# %%
frr_with_three = ...

# %% [markdown] en
# **Exercise 5.** What is alignment worth? Cut the faces by their plain boxes (`cut_all(boxed, paths, faces)`), compute
# their embeddings (`embedder.embed`) and the cosines of all pairs, and judge with them who is the same person: compute
# the AUC (`roc_auc_score(same, …)`). Section 8 has the one for the crops that the network is meant to get.

# %% [markdown] es
# **Ejercicio 5.** ¿Cuánto vale la alineación? Recorta las caras por su recuadro sin más
# (`cut_all(boxed, paths, faces)`), calcula sus embeddings (`embedder.embed`) y los cosenos de todas las parejas, y
# juzga con ellos quién es la misma persona: calcula el AUC (`roc_auc_score(same, …)`). En el apartado 8 está el de los
# recortes que espera la red.

# %%
auc_boxed = ...

# %% [markdown] en
# <a id="solutions"></a>
# ## Solutions
#
# There is more than one way. Each cell checks itself with `assert`, and then compares your answer with its own.

# %% [markdown] es
# <a id="solutions"></a>
# ## Soluciones
#
# Hay más de un camino. Cada celda se comprueba a sí misma con `assert` y después compara tu respuesta con la suya.


# %%
def compare(yours: object, right: str | float) -> None:
    if yours is ...:
        print(TEXT["open"])
        return
    close = isinstance(yours, int | float | np.number) and not isinstance(right, str) and abs(yours - right) < 0.001
    print(TEXT["right" if close or yours == right else "wrong"].format(yours=yours, right=right))


# %% [markdown] en
# **Exercise 1.** The mean of arrows is shorter than 1, but that changes no order: it divides all cosines by the same
# number.

# %% [markdown] es
# **Ejercicio 1.** La media de las flechas mide menos de 1, pero eso no cambia ningún orden: divide todos los cosenos
# por el mismo número.

# %%
template = unit[is_me].mean(axis=0)
template /= np.linalg.norm(template)
to_template = unit @ template
solution_1 = str(people[~is_me][to_template[~is_me].argmax()])

assert solution_1 != "me"
assert all(to_template[people == solution_1].max() >= to_template[people == name].max() for name in people[~is_me])
compare(most_like_me, solution_1)

# %% [markdown] en
# **Exercise 2.** `far` falls as the threshold rises, so the first one that satisfies the condition is the lowest.

# %% [markdown] es
# **Ejercicio 2.** `far` baja cuando el umbral sube, así que el primero que cumple la condición es el más bajo.

# %%
at = int(np.argmax(far <= 0.05))
solution_2 = float(thresholds[at])

assert far[at] <= 0.05 < far[at - 1]
assert np.isclose(frr[at], (scores[is_me] < solution_2).mean())
compare(lowest_threshold, solution_2)

# %% [markdown] en
# **Exercise 3.** Take logarithms: $n \ge \log 0.05 / \log 0.999$. The rule of three asks for five people more, since it
# rounds $-\ln 0.05 = 2.996$ to 3.

# %% [markdown] es
# **Ejercicio 3.** Toma logaritmos: $n \ge \log 0{,}05 / \log 0{,}999$. La regla del tres pide cinco personas más,
# porque redondea $-\ln 0{,}05 = 2{,}996$ a 3.

# %%
solution_3 = int(np.ceil(np.log(0.05) / np.log(0.999)))

assert 0.999**solution_3 <= 0.05 < 0.999 ** (solution_3 - 1)
assert people_needed(0.001) == 3000 == solution_3 + 5
compare(strangers_needed, solution_3)

# %% [markdown] en
# **Exercise 4.** One choice of three photos says little, so the picture has fifteen choices by lot for each number
# (grey), and their mean. The more photos there are to learn from, the less a single choice matters: a template of three
# photos may happen to hold two unusual ones. With real photos, which differ in age, light and hair, this is more so.

# %% [markdown] es
# **Ejercicio 4.** Una sola elección de tres fotos dice poco; por eso el gráfico tiene, para cada número, quince
# elecciones al azar (en gris) y su media. Cuantas más fotos haya de las que aprender, menos importa cuáles sean: en una
# plantilla de tres fotos pueden coincidir dos poco habituales. Con fotos reales, que difieren en edad, luz y pelo, aún
# más.


# %%
def frr_trained_with(chosen: NDArray[np.int64]) -> float:
    rest = np.setdiff1d(np.flatnonzero(is_me), chosen)
    model = fit(data.rows(np.concatenate([chosen, np.flatnonzero(~is_me)])), params, population=None)
    return float((model.score(embeddings[rest]) < DEFAULT_THRESHOLD).mean())


solution_4 = frr_trained_with(np.flatnonzero(is_me)[:3])
lots = np.random.default_rng(0)
sizes = [2, 3, 5, 8, 12, 16]
drawn = {size: [lots.choice(np.flatnonzero(is_me), size, replace=False) for _ in range(15)] for size in sizes}
curve = np.array([[frr_trained_with(chosen) for chosen in drawn[size]] for size in sizes])

assert 0 <= solution_4 <= 1
assert np.isclose(solution_4 * (is_me.sum() - 3), round(solution_4 * (is_me.sum() - 3)))
compare(frr_with_three, solution_4)

figure, axes = plt.subplots(figsize=(7, 3.6))
axes.scatter(np.repeat(sizes, curve.shape[1]), curve, color="grey", s=14, alpha=0.5, label=TEXT["draw"])
axes.plot(sizes, curve.mean(axis=1), color=ME, marker="o", label=TEXT["draws"])
axes.set(xlabel=TEXT["enrolled"], ylabel=TEXT["error"], xticks=sizes, ylim=(-0.01, None))
with_comma(axes)
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %% [markdown] en
# **Exercise 5.** With `dlib-resnet` the plain boxes do worse. (With FaceNet they are the crops that the network is
# meant to get, and nothing changes.)

# %% [markdown] es
# **Ejercicio 5.** Con `dlib-resnet`, los recuadros sin más dan peor resultado. (Con FaceNet son los recortes que espera
# la red, y no cambia nada.)

# %%
unit_boxed = unit_length(embedder.embed(cut_all(boxed, paths, faces)).astype(np.float64))
solution_5 = float(roc_auc_score(same, (unit_boxed @ unit_boxed.T)[first, second]))

auc_as_meant = float(roc_auc_score(same, pairs))
assert solution_5 < auc_as_meant or used.alignment == "box"
compare(auc_boxed, solution_5)
print(number(solution_5, ".4f"), "<" if solution_5 < auc_as_meant else "=", number(auc_as_meant, ".4f"))

# %% [markdown] en
# ## How to go on
#
# - Take the regression on all numbers instead of the cosine, `replace(params, verifier="logistic_regression")`, and
#   compare the two ROC curves.
# - Blur the crops (`PIL.ImageFilter`) step by step. At which step does the score of `me_1` fall below the threshold?
# - Do the whole way with photos of your own: [`python3 quickstart.py --photos FOLDER`](../docs/photos.md). Keep results
#   with faces of real people out of notebooks that you share.
# - Read where each step lives in the code: [Architecture](../docs/architecture.md).

# %% [markdown] es
# ## Cómo seguir
#
# - Toma la regresión sobre todos los números en lugar del coseno, `replace(params, verifier="logistic_regression")`, y
#   compara las dos curvas ROC.
# - Desenfoca los recortes (`PIL.ImageFilter`) paso a paso. ¿En qué paso cae la puntuación de `me_1` por debajo del
#   umbral?
# - Haz todo el camino con tus propias fotos: [`python3 quickstart.py --photos FOLDER`](../docs/es/photos.md). No dejes
#   resultados con caras de personas reales en cuadernos que vayas a compartir.
# - Lee dónde está cada paso en el código: [Arquitectura](../docs/es/architecture.md).
