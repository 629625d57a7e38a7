"""`python -m stages.export`."""

from stages.errors import run_stage

if __name__ == "__main__":
    run_stage("export")
