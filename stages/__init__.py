"""The pipeline: one file a stage, same name as in dvc.yaml; each also runs alone as `python -m stages.<name>`."""
