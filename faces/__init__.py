"""Everything that is true of a face both while training and while serving: decode, detect, align, embed, score.

`stages/` (the DVC pipeline) and `service/` (the HTTP API) both call this package for it and have no code of their own,
so that training and serving treat a photo alike. Nothing here imports torch except `faces.backbones`, which only the
stage `export` and embedding on a GPU need.
"""
