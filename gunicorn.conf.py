"""gunicorn reads this file where it is started in this folder without `-c`: the settings are the service's own."""

import runpy
from pathlib import Path

globals().update(runpy.run_path(str(Path(__file__).resolve().parent / "service/gunicorn.conf.py")))
