"""What the service's answers mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tour.support import write
from tour.questions import advice_on_wrong, estimate_is_of_strangers_like_me, explain_backbone, meaning


@pytest.mark.parametrize(
    ("name", "is_me", "said"),
    [("me", True, "right"), ("me", False, "WRONG"), ("not_me", True, "WRONG"), ("not_me", False, "right")],
)
def test_meaning_says_right_and_wrong(name: str, is_me: bool, said: str) -> None:
    assert f": {said}." in meaning(name, 200, {"is_me": is_me, "score": 0.5, "threshold": 0.5})


@pytest.mark.parametrize(
    ("share", "is_me", "said"),
    [
        (0.61, False, "A usual score for strangers: about 61 % of them score this high"),
        (8.1e-4, True, "About 1 stranger in 1,200 scores this high"),
        (1e-8, True, "Fewer than 1 stranger in 30,000 scores this high"),
    ],
)
def test_meaning_says_how_many_strangers_score_as_high(share: float, is_me: bool, said: str) -> None:
    answer = {"is_me": is_me, "score": 0.5, "threshold": 0.5, "strangers_like_this": share}
    assert meaning("me", 200, answer).endswith(f". {said} (estimated).")
    among = " (estimated for strangers who resemble the person of «me»)."
    assert meaning("me", 200, answer, resembling=True).endswith(f". {said}{among}")
    del answer["strangers_like_this"]
    assert "estimated" not in meaning("me", 200, answer)


def test_whom_the_estimate_is_of_is_read_from_the_metrics(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not estimate_is_of_strangers_like_me()
    path = root / "reports" / "metrics.json"
    for text, expected in (
        ('{"population": {"used": true, "strangers": "anyone"}}', False),
        ('{"population": {"used": false}}', False),
        ('{"population": null}', False),
        ('{"population": {"used": true, "strangers": "like_me"}}', True),
    ):
        write(path, text.encode())
        assert estimate_is_of_strangers_like_me() is expected
    monkeypatch.setenv("MODEL_PATH", str(root / "models" / "model.joblib"))
    assert estimate_is_of_strangers_like_me()
    monkeypatch.setenv("MODEL_PATH", "/another/model.joblib")
    assert not estimate_is_of_strangers_like_me(), "the metrics are of this project's model"


def test_a_wrong_verdict_is_explained() -> None:
    for name, place, threshold in (("me", "contact_sheet.png", "lower"), ("not_me", "strangers.csv", "higher")):
        said = advice_on_wrong(name, [])
        assert place in said and f"A {threshold} threshold" in said and "reports/INFORME_H10.md" in said
        assert "complained" not in said
        blamed = advice_on_wrong(name, ["blurred", "dark_face"])
        assert "complained of this photo (blurred, dark_face)" in blamed and "contact_sheet.png" in blamed


def test_meaning_of_no_verdict() -> None:
    assert "MAX_CONTENT_MB" in meaning("me", 413, {"error": "..."})
    assert "no verdict (status 503)" in meaning("me", 503, {"error": "..."})
    assert "no verdict" in meaning("me", 200, None)


def test_the_backbone_is_explained(root: Path) -> None:
    assert explain_backbone("dlib-resnet") == "dlib-resnet"
    path = root / "models" / "networks" / "networks.json"
    write(path, json.dumps({"requested": "facenet-vggface2"}).encode())
    said = explain_backbone("dlib-resnet")
    assert "could not be had" in said
    lines = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    assert lines[0] in (f"cd '{root}'", f'pushd "{root}"') and "activate" in lines[1]
    assert lines[2:] == ["dvc repro --force export", "dvc repro"]
    assert explain_backbone("facenet-vggface2") == "facenet-vggface2, as params.yaml says"
