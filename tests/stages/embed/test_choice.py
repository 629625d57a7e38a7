"""Of several faces on photos of me, the one that comes back is taken; where two come back, nobody is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.recognition.recognizer import Recognizer
from stages.embed.choice import choose_faces
from tests.stages.support import Workspace

ME, PARTNER = "George_W_Bush", "Colin_Powell"  # of LFW, with enough photos


def person(number: int) -> np.ndarray:
    """Somebody's direction in 64 dimensions."""
    return np.random.default_rng(1000 + number).normal(size=64)


def faces(*people: int, seed: int = 0) -> np.ndarray:
    """Embeddings of some people on one photo: each is like that person's, but not the same."""
    rng = np.random.default_rng(seed)
    return np.stack([person(number) + rng.normal(0, 0.4, 64) for number in people]).astype(np.float32)


def photos(*shown: tuple[int, ...]) -> list[np.ndarray]:
    return [faces(*people, seed=seed) for seed, people in enumerate(shown)]


class TestChoice:
    """With made-up embeddings; 0 is me."""

    def test_larger_strangers(self) -> None:
        shown = photos(*[(0,)] * 9, (7, 0), (8, 0, 9), (0, 7))
        assert choose_faces(shown).chosen == [0] * 9 + [1, 1, 0]

    def test_the_same_stranger_on_some(self) -> None:
        assert choose_faces(photos(*[(0,)] * 3, (7, 0), (7, 0))).chosen == [0, 0, 0, 1, 1]

    def test_never_alone_but_with_others_each_time(self) -> None:
        assert choose_faces(photos((1, 0), (2, 0), (0, 3), (4, 5, 0))).chosen == [1, 1, 0, 2]

    def test_a_wrong_photo_among_the_others(self) -> None:
        choice = choose_faces(photos((5,), (0,), (0,), (6, 0), (0, 7), (0,)))
        assert choice.chosen == [0, 0, 0, 1, 0, 0]
        assert choice.rivals == []

    @pytest.mark.parametrize("count", [2, 3, 12])
    def test_a_couple(self, count: int) -> None:
        choice = choose_faces(photos(*[(0, 1), (1, 0)] * (count // 2), *[(0, 1)] * (count % 2)))
        assert len(choice.rivals) == count
        for (photo, place), chosen in zip(choice.rivals, choice.chosen, strict=True):
            assert place == 1 - chosen, photo

    def test_a_couple_and_one_photo_alone(self) -> None:
        choice = choose_faces(photos(*[(1, 0)] * 6, (0,)))
        assert choice.chosen == [1] * 6 + [0]
        assert choice.rivals == []

    @pytest.mark.parametrize(("mine", "theirs"), [(1, 1), (2, 2), (1, 2), (2, 1)])
    def test_a_couple_and_photos_of_each_alone(self, mine: int, theirs: int) -> None:
        """Who is alone more often is me."""
        choice = choose_faces(photos(*[(1, 0)] * 6, *[(0,)] * mine, *[(1,)] * theirs))
        assert len(choice.rivals) == (6 if mine == theirs else 0)
        if mine != theirs:
            assert choice.chosen[:6] == [int(mine > theirs)] * 6

    def test_two_people_who_are_never_together_are_no_couple(self) -> None:
        """Stage quality tells of them. Beside one of the two, a friend stands twice."""
        choice = choose_faces(photos(*[(0,)] * 8, (1, 7), (1, 7), *[(1,)] * 6))
        assert choice.chosen[:8] == [0] * 8
        assert choice.rivals == []

    def test_a_couple_beside_others(self) -> None:
        choice = choose_faces(photos((0, 1, 5), (6, 1, 0), (1, 0), (0, 7, 8, 1)))
        assert len(choice.rivals) == 4

    def test_two_photos_with_a_stranger_each(self) -> None:
        choice = choose_faces(photos((0, 7), (8, 0)))
        assert choice.chosen == [0, 1]
        assert choice.rivals == []

    def test_one_photo(self) -> None:
        assert choose_faces(photos((3, 0))).chosen == [0]

    def test_one_face_each(self) -> None:
        assert choose_faces(photos((0,), (0,), (1,))).chosen == [0, 0, 0]

    def test_length_does_not_count(self) -> None:
        shown = photos(*[(0,)] * 4, (7, 0))
        shown[4][0] *= 50
        assert choose_faces(shown).chosen[4] == 1

    def test_many_photos(self) -> None:
        shown = photos(*[(0,)] * 700, *[(7, 0)] * 20)
        assert choose_faces(shown).chosen == [0] * 700 + [1] * 20
        assert choose_faces(photos(*[(0, 1)] * 700, (0,))).rivals == []
        assert len(choose_faces(photos(*[(0, 1)] * 700)).rivals) == 700


def beside(person: Path, others: Path | None, path: Path) -> None:
    """A photo of somebody; with `others`, beside it one of somebody else, larger."""
    canvas = Image.new("RGB", (560, 320), (120, 130, 140))
    canvas.paste(Image.open(person).resize((220, 220)), (10, 50))
    if others is not None:
        canvas.paste(Image.open(others).resize((310, 310), Image.Resampling.LANCZOS), (240, 5))
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(path, quality=95)


def central(recognizer: Recognizer, path: Path) -> bool:
    """Whether a photo has one face alone."""
    return len(recognizer.faces(path)) == 1


@pytest.fixture(scope="module")
def portraits(recognizer: Recognizer, lfw_dir: Path) -> dict[str, list[Path]]:
    """Photos with one face: of me, of a partner, of strangers."""
    images = lfw_dir / "images"
    own = {name: [path for path in sorted((images / name).glob("*.jpg"))[:30] if central(recognizer, path)]
           for name in (ME, PARTNER)}  # fmt: skip
    strangers = [sorted(folder.glob("*.jpg"))[0] for folder in sorted(images.iterdir())[5:40:2]]
    return {**own, "strangers": [path for path in strangers if central(recognizer, path)]}


def left_half(workspace: Workspace, name: str) -> bool:
    """Whether the face that is used of a photo of me is the one on the left, of the person meant."""
    index = workspace.index()
    (row,) = index[index["photo"] == f"me/{name}"].itertuples()
    report = workspace.crop_report()
    (face,) = report[(report["photo"] == f"me/{name}") & (report["face"].astype(int) == row.face)].itertuples()
    return float(face.right) < 280


class TestStages:
    """Real photographs through crop and embed."""

    def test_the_person_is_taken_on_all(self, empty: Workspace, portraits: dict[str, list[Path]]) -> None:
        """12 photos of me; on 3 of them a larger stranger stands beside."""
        for number in range(12):
            stranger = portraits["strangers"][number] if number < 3 else None
            beside(portraits[ME][number], stranger, empty.path(f"data/me/{number}.jpg"))
        for number, path in enumerate(portraits["strangers"][4:10]):
            beside(path, None, empty.path(f"data/not_me/{number}.jpg"))
        said = empty.stage("crop").stderr
        assert "more than one face on photos of me (3): stage embed takes the one that agrees" in said
        kept = sorted(path.relative_to(empty.path("data/cropped")).as_posix()
                      for path in empty.path("data/cropped").rglob("*.png"))  # fmt: skip
        assert [name for name in kept if name.startswith("me_several/")] == [
            f"me_several/{number}.jpg-{face}.png" for number in range(3) for face in range(2)
        ]
        assert len([name for name in kept if name.startswith("me/")]) == 9
        empty.stage("embed")
        assert len(empty.index()) == 18 == len(empty.embeddings())
        for number in range(12):
            assert left_half(empty, f"{number}.jpg"), number
        assert not empty.path("reports/two_people.png").exists()
        empty.stage("quality")
        problems = empty.path("reports/data_quality.csv").read_text()
        assert problems.count("the one that agrees with the other photos is taken, which is not the largest") == 3

    def test_a_couple_on_every_photo(self, empty: Workspace, portraits: dict[str, list[Path]]) -> None:
        for number in range(5):
            beside(portraits[ME][number], portraits[PARTNER][number], empty.path(f"data/me/{number}.jpg"))
        for number, path in enumerate(portraits["strangers"][4:10]):
            beside(path, None, empty.path(f"data/not_me/{number}.jpg"))
        empty.stage("crop")
        said = empty.failing("embed")
        assert "two people are together on photos of me (5, such as me/0.jpg)" in said
        with Image.open(empty.path("reports/two_people.png")) as picture:
            assert picture.size == (5 * 168 + 8, 2 * 168 + 8)
        assert not empty.path("data/embeddings.npy").exists()

        beside(portraits[ME][8], None, empty.path("data/me/alone.jpg"))
        empty.stage("crop")
        empty.stage("embed")
        assert all(left_half(empty, f"{number}.jpg") for number in range(5))
        assert not empty.path("reports/two_people.png").exists()

    def test_as_before_with_the_largest(self, empty: Workspace, portraits: dict[str, list[Path]]) -> None:
        beside(portraits[ME][0], portraits[PARTNER][0], empty.path("data/me/0.jpg"))
        for number in (1, 2):
            beside(portraits[ME][number], None, empty.path(f"data/me/{number}.jpg"))
        beside(portraits["strangers"][4], None, empty.path("data/not_me/0.jpg"))
        empty.set_params(crop__me_faces="largest")
        assert "the largest taken (1): me/0.jpg" in empty.stage("crop").stderr
        empty.stage("embed")
        assert len(empty.index()) == 4
        assert not left_half(empty, "0.jpg")
        assert not empty.path("data/cropped/me_several").exists()
