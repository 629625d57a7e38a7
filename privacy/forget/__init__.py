"""A person is forgotten everywhere: photos, what was made of them, every version of them that DVC keeps.

`planning` finds everything before anything is deleted; `journal` keeps that `plan` until the end, so that an
interrupted run is finished by the next one; `workspace` and `privacy.dvc` delete; `retrain` makes everything anew;
`certificate` proves it.
"""
