"""What is held of whom: `python -m privacy status`, `expire` and `export`."""
