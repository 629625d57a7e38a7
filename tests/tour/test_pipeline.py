"""The commands of DVC that the tour runs. (Those of a first run: tests/test_quickstart.py.)"""

from __future__ import annotations

from pathlib import Path

import pytest

from quickstart import Problem, in_environment
from tests.tour.support import write
from tour.pipeline import dvc


@pytest.mark.parametrize("quiet", [True, False])
def test_what_dvc_says_of_a_failure_is_seen(root: Path, capfd: pytest.CaptureFixture[str], quiet: bool) -> None:
    """DVC keeps its errors to itself with --quiet."""
    silent = "import sys\nprint('' if '--quiet' in sys.argv else 'params.yaml: line 44 is no YAML')\nsys.exit(1)\n"
    write(root / "dvc" / "__init__.py", b"")  # so that it comes before the real one
    write(root / "dvc" / "__main__.py", silent.encode())
    with pytest.raises(Problem, match=r"`dvc add data/me` failed\. Put right what its messages above name") as caught:
        dvc("add", "data/me", quiet=quiet)
    assert str(caught.value).endswith(in_environment()), "commands in those messages need the environment"
    assert capfd.readouterr().out.count("line 44 is no YAML") == 1
