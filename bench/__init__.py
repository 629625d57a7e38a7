"""Side-by-side measurements, one file a question: `python -m bench.<name>` prints a table and, last, a JSON line."""
