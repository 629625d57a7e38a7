"""The language of the stages: what they say on the terminal, and the words on charts and on the contact sheet.

`language` in params.yaml chooses it. The code has English texts; spanish_*.py here have the same in Spanish, and
faces/spanish.py has what the service says too. The words of the report stand elsewhere, in stages/report/templates.
"""
