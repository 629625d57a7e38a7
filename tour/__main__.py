"""python -m tour --port N [--photos DIR] [--once]: what quickstart.py runs inside .venv."""

import sys

from tour.tour import main

if __name__ == "__main__":
    sys.exit(main())
