"""The table of consents as people edit it: `python -m privacy consent`."""
