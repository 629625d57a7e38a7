"""Stage evaluate: error rates, curves, and the threshold to serve with."""
