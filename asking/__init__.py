"""`python -m faces verify` and `explain`: ask the trained model on this machine, without a server.

What they say of a photo is what the service would: they load the same files with the same checks and settings. They
belong to no other package: `faces` imports nothing else of the project, and the service's own folder must do without
the stages, whose files (photos that are locked, crops, embeddings) are read here.
"""
