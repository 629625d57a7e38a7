"""Demo portraits: people who do not exist, drawn by the code in this folder, and the photos it drew.

`python -m demo.draw` draws them again. See README.md beside this file.
"""
