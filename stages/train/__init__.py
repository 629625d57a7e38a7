"""Stage train: errors estimated on faces kept apart, then the verifier that serves."""
