"""ONNX Runtime is imported when it is needed, silent, and shares its memory between sessions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

IMPORTS = """
import os, sys, warnings
import numpy, PIL.Image, joblib  # numpy has filters of its own
before = dict(os.environ), list(warnings.filters)
import faces.recognition.recognizer, faces.verification, faces.backbones
print((dict(os.environ), list(warnings.filters)) == before, "onnxruntime" in sys.modules)
"""

SESSIONS = """
import os, sys
from pathlib import Path
from faces.recognition.networks import Networks
opened = Networks.load(Path(sys.argv[1])).open_detector()
import onnxruntime
print(os.environ["ORT_DISABLE_TELEMETRY"], opened.cascade.pnet.get_providers())
options = opened.cascade.pnet.get_session_options()
print(options.intra_op_num_threads, options.inter_op_num_threads)
print(options.get_session_config_entry("session.use_env_allocators"))
"""


def output_of(code: str, *arguments: str) -> list[str]:
    """The lines that a new Python prints, in the project's root."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_an_import_changes_nothing_for_others() -> None:
    assert output_of(IMPORTS) == ["True False"]


def test_sessions_are_as_this_project_wants_them(networks_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    assert output_of(SESSIONS, str(networks_dir)) == ["1 ['CPUExecutionProvider']", "1 1", "1"]
