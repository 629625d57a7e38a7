"""The usual ways to do what this project does, written plainly: what the benchmarks compare it with."""
