"""The documents, in English here and in Spanish in `es/`, and the program that makes their pictures."""
