"""Stage report: the technical report to read."""
