"""The photos encrypted where they lie: `python -m privacy lock`, `unlock` and `rekey`. docs/encryption.md."""
