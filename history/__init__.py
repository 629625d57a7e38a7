"""The project's history without a lost photo: save, go back, apply an experiment. `python -m history --help`.

DVC's own `dvc checkout --force` and `dvc exp apply` delete photos that were not added yet, and git's `checkout` knows
nothing of photos. So each command here saves first: photos with DVC, their hashes, parameters, results with git.
"""
