"""The pictures of the documents, made by `python -m docs.pictures` from the demo's drawn portraits."""
