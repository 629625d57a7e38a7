"""Everything that is true of a face both while training and while serving: decode, detect, align, embed, score.

`stages/` (the DVC pipeline) and `service/` (the HTTP API) both call this package and nothing else for it, so
what is learnt from a photo and what is asked of it later go through the same code. Nothing here imports torch
except `faces.backbones`, which only the stage `export` and embedding on a GPU need.
"""
