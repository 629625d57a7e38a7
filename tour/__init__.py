"""The tour that quickstart.py gives once .venv holds the packages: photos, pipeline, service, two answers explained."""
