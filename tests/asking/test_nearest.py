"""The nearest photos of me: by embeddings computed anew here, plain and encrypted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from asking.local_service import LocalService
from asking.nearest import Neighbours, NoNeighboursError, find_nearest
from faces.verification import Verification
from stages.files.encryption import RAW, Key, LockedError
from stages.files.paths import CROPPED, EMBEDDING_RECIPE, EMBEDDINGS, INDEX
from tests.asking.support import seal
from tests.stages.support import Workspace

pytestmark = pytest.mark.usefixtures("workspace")

KEY = Key(bytes(range(64)), RAW)


def explained(service: LocalService, photo: Path, count: int = 5) -> tuple[Verification, Neighbours]:
    """The photo's face, and the nearest photos of me."""
    data = photo.read_bytes()
    verification = service.verify(data)
    assert verification is not None and verification.face.embedding is not None and service.engine.recipe is not None
    return verification, find_nearest(verification.face.embedding, service.engine.recipe, data, count)


def test_the_nearest_are_those_with_the_largest_cosine(
    workspace: Workspace, service: LocalService, stranger_photo: Path
) -> None:
    """Of the faces of me alone, each with its crop; computed anew here."""
    verification, found = explained(service, stranger_photo, 4)
    assert verification.face.embedding is not None
    index, embeddings = workspace.index(), workspace.embeddings()
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    own = verification.face.embedding / np.linalg.norm(verification.face.embedding)
    cosines = dict(zip(index["photo"], (unit @ own).tolist(), strict=True))
    of_me = {photo: cosine for photo, cosine in cosines.items() if photo.startswith("me/")}
    best = sorted(of_me, key=lambda photo: -of_me[photo])[:4]
    assert [neighbour.photo for neighbour in found.nearest] == best
    assert [neighbour.similarity for neighbour in found.nearest] == pytest.approx([of_me[name] for name in best])
    assert max(cosines.values()) > found.nearest[0].similarity, "somebody else is nearer, and is not shown"
    crops = dict(zip(index["photo"], index["crop"], strict=True))
    for neighbour in found.nearest:
        with Image.open(CROPPED / crops[neighbour.photo]) as crop:
            assert neighbour.crop is not None and neighbour.crop.tobytes() == crop.convert("RGB").tobytes()
    assert not any(neighbour.same for neighbour in found.nearest)
    mine = unit[[name in of_me for name in index["photo"]]]
    others = unit[[name not in of_me for name in index["photo"]]]
    assert found.of_me == len(mine) == 12
    assert found.usual == pytest.approx(np.median((mine @ mine.T)[np.triu_indices(12, 1)]))
    assert found.of_others == pytest.approx(np.median(mine @ others.T))


def test_a_photo_of_the_data_is_its_own_nearest(service: LocalService) -> None:
    _, found = explained(service, Path("data/me/Hans_Blix_0005.jpg"), 2)
    first, second = found.nearest
    assert (first.photo, first.same, second.same) == ("me/Hans_Blix_0005.jpg", True, False)
    assert first.similarity == pytest.approx(1, abs=1e-5) and second.similarity < 0.9999


@pytest.mark.parametrize("name", ["data", "recipe", "rows"])
def test_without_data_that_fit_it_says_so(
    service: LocalService, called: Callable[..., tuple[int, str, str]], me_photo: Path, name: str
) -> None:
    """And the rest is drawn."""
    if name == "data":
        shutil.rmtree("data")
        reason = f"{EMBEDDINGS} is not here"
    elif name == "recipe":
        EMBEDDING_RECIPE.write_text(EMBEDDING_RECIPE.read_text("utf-8").replace('"flip": true', '"flip": false'))
        reason = "was made with another network or other settings than the model: run 'dvc repro'"
    else:
        INDEX.write_text("\n".join(INDEX.read_text("utf-8").splitlines()[:-1]) + "\n")
        reason = "do not belong together: run 'dvc repro --force embed'"
    with pytest.raises(NoNeighboursError, match=reason):
        explained(service, me_photo)
    assert called("explain", me_photo, "-o", "b.png")[:2] == (0, "b.png is written\n")


def test_a_crop_that_is_another_is_not_shown(service: LocalService, me_photo: Path) -> None:
    _, before = explained(service, me_photo, 2)
    for path in CROPPED.rglob(f"{Path(before.nearest[0].photo).name}-*.png"):
        Image.new("RGB", (160, 160)).save(path)
    _, after = explained(service, me_photo, 2)
    assert after.nearest[0].crop is None and after.nearest[1].crop is not None
    assert after.nearest[0].similarity == before.nearest[0].similarity


@pytest.mark.security
def test_what_is_encrypted_is_decrypted_in_memory(
    service: LocalService, me_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = explained(service, me_photo)
    seal(KEY)
    monkeypatch.delenv("PRIVACY_KEY", raising=False)
    with pytest.raises(LockedError, match="there is no key"):
        explained(service, me_photo)
    before = sorted(Path().rglob("*"))
    monkeypatch.setenv("PRIVACY_KEY", KEY.secret.hex())
    _, found = explained(service, me_photo)
    assert found.encrypted and not plain.encrypted
    assert [one.similarity for one in found.nearest] == [one.similarity for one in plain.nearest]
    assert all(one.crop is not None for one in found.nearest)
    assert sorted(Path().rglob("*")) == before
