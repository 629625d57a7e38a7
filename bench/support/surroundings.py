"""What the service stands on fails: the disk, shared memory, the clock, memory, its files."""
class NotPossibleError(Exception):
    pass
SURROUNDINGS = ()
