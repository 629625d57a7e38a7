"""gunicorn's own defaults. A peer is started in the project's folder, and must not take the settings that lie there."""
