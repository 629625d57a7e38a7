"""What DVC stores of a project: objects, each named by its hash, in the cache and on remotes.

`stores` lists, reads and deletes files, those of S3 with `buckets` in every version; `objects` says what they hold, and
deletes objects with all that names them; `owed` remembers what a remote that is away still has to lose.
"""
