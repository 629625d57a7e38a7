"""Scores of faces that the model did not see: read by part, counted by face and by person, refused if of other data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.errors import StageError
from stages.estimation.held_out import HeldOutScores, load_held_out

LABELS, GROUPS = [0, 0, 0, 0, 1, 1, 1], [30, 30, 31, 31, 40, 41, 42]
SOUND = "0,1,test,0,0.25\n0,4,test,1,0.75\n1,1,test,0,0.5\n1,3,test,0,0.125\n1,4,test,1,1.0\n"
VALIDATION = "0,0,validation,0,0.375\n0,6,validation,1,0.875\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven faces, as the stages embed and quality leave them, in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    np.save("data/embeddings.npy", np.eye(7, 8, dtype=np.float32))
    np.save("data/labels.npy", np.array(LABELS, np.int64))
    rows = "".join(f"{row},{group}\n" for row, group in enumerate(GROUPS))
    Path("data/groups.csv").write_text(f"row,group\n{rows}", encoding="utf-8")
    return tmp_path


def put(rows: str) -> None:
    Path("data/predictions.csv").write_text("repeat,row,part,label,score\n" + rows, encoding="utf-8")


def test_each_part_has_its_rows_with_their_groups() -> None:
    put(SOUND + VALIDATION)
    parts = load_held_out()
    assert list(parts) == ["test", "validation"]
    test, validation = parts["test"], parts["validation"]
    assert test.rows.tolist() == [1, 4, 1, 3, 4]
    assert test.labels.tolist() == [0, 1, 0, 0, 1]
    assert test.scores.tolist() == [0.25, 0.75, 0.5, 0.125, 1.0]
    assert test.groups.tolist() == [30, 40, 30, 31, 40]
    assert (validation.rows.tolist(), validation.groups.tolist()) == ([0, 6], [30, 42])
    assert validation.scores.tolist() == [0.375, 0.875]


def test_a_face_scored_in_each_round_is_one_and_a_persons_faces_are_one_person() -> None:
    """Rows 0 and 1 are one person's, 2 another's; each was scored twice. Of me 4 and 5 are one burst, 6 and 7 not."""
    rows = np.array([0, 1, 2, 0, 1, 2, 4, 5, 6, 7, 4])
    labels, groups = np.array([0] * 6 + [1] * 5), np.array([9, 9, 8, 9, 9, 8, 1, 1, 2, 3, 1])
    scores = HeldOutScores(rows, labels, np.linspace(0, 1, 11), groups)
    assert scores.count_faces() == {"not_me": 3, "me": 4}
    assert scores.count_groups() == {"not_me": 2, "me": 3}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0,0,test,0,0.1\n0,7,test,1,0.9\n", "speaks of other faces than the 7 embeddings"),
        ("0,-1,test,1,0.1\n0,0,test,0,0.1\n", "speaks of other faces than the 7 embeddings"),
        ("0,0,test,1,0.1\n", "speaks of other faces than the 7 embeddings"),
        ("0,0,test,1,0.1\n0,4,test,0,0.1\n", "speaks of other faces than the 7 embeddings"),
        ("0,0,test,0,0.1\n0,1,test,0,0.1\n", "no face of one class, or of both, to the part 'test'"),
        ("0,0,validation,0,0.1\n0,6,validation,1,0.9\n", "no face of one class, or of both, to the part 'test'"),
        (SOUND + "0,0,validation,0,0.1\n", "no face of one class, or of both, to the part 'validation'"),
        ("0,0,test,0,high\n", "is damaged"),
        ("", "speaks of other faces"),
    ],
)
def test_scores_of_other_data_are_refused(rows: str, said: str) -> None:
    put(rows)
    with pytest.raises(StageError, match="run 'dvc repro --force train'") as caught:
        load_held_out()
    assert said in str(caught.value)
