"""The whole tour with a few real photos of me and of nobody else: it answers, and says what it estimates."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image, ImageEnhance

from tests.clone import new_clone, stages_run
from tests.ports import free_port
from tests.stages.support import photos_of_me, put

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_photos_of_me_alone_are_answered(tmp_path: Path, lfw_dir: Path) -> None:
    clone = new_clone(tmp_path / "clone")
    params = clone.path("params.yaml")
    text = params.read_text(encoding="utf-8").replace("  name: dlib-resnet", "  name: facenet-vggface2")
    params.write_text(text, encoding="utf-8")  # as shipped: its weights are not looked for
    photos = photos_of_me(lfw_dir)
    for photo in photos[:2]:
        put(photo, tmp_path / "pocas" / "me" / photo.name)
    for photo in photos[2:5]:
        put(photo, tmp_path / "fotos" / "me" / photo.name)
    with Image.open(photos[5]) as image:
        ImageEnhance.Brightness(image).enhance(0.25).save(tmp_path / "fotos" / "me" / "0.jpg")

    def tour(folder: str) -> subprocess.CompletedProcess[str]:
        command = ("-m", "tour", "--photos", str(tmp_path / folder), "--once", "--port", str(free_port()))
        return clone.call(sys.executable, *command)

    failed = tour("pocas")
    assert failed.returncode == 1 and "Traceback" not in failed.stdout + failed.stderr
    assert "To begin again with other photos in place of those that --photos has copied" in failed.stderr
    done = tour("fotos")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "params.yaml now has backbone.name: dlib-resnet" in failed.stdout
    assert yaml.safe_load(params.read_text(encoding="utf-8"))["backbone"]["name"] == "dlib-resnet"
    assert stages_run(done.stdout)[-1] == "report"
    (answer,) = (json.loads(line) for line in done.stdout.splitlines() if line.startswith('  {"model_version"'))
    assert sorted(path.name for path in clone.path("data/me").iterdir()) == sorted(
        path.name for path in (tmp_path / "fotos" / "me").iterdir()
    )
    assert "data/me/0.jpg" not in done.stdout, "stage quality has complained of it"
    assert '"me/0.jpg","dark_face"' in clone.path("reports/data_quality.csv").read_text(encoding="utf-8")
    assert answer["is_me"] is True and answer["strangers_like_this"] < 5e-4
    assert re.search(r"1 stranger in [0-9,]+ scores this high \(estimated\)", done.stdout)
    assert "how often strangers get in is estimated" in done.stdout
    for hint in ("is empty.", "git add", "dvc push"):  # by DVC; the project says in other words that not_me is empty
        assert hint not in done.stdout + done.stderr
    tracked = yaml.safe_load(clone.path("data/not_me.dvc").read_text(encoding="utf-8"))["outs"][0]
    assert (tracked["path"], tracked["nfiles"]) == ("not_me", 0)
    assert clone.repro() == [], "an empty folder does not change"
