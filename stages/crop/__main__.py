"""`python -m stages.crop`."""

from stages.errors import run_stage

if __name__ == "__main__":
    run_stage("crop")
