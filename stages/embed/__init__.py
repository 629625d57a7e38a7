"""Stage embed: one embedding for each crop."""
