"""The code that draws the demo's portraits: people, light, pixels. `python -m demo.draw` uses it."""
