"""The lesson from photo to decision: `lesson.py` is its source, `python -m notebooks` writes it as two notebooks."""
