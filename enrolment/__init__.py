"""Guided enrolment, `python -m service --enrol`: a page on this machine, from photos of me to the model's first answer.

`command` starts it, `routes` is what the page asks, `session` keeps all that it shows. `static/` has the page itself;
the rest of its modules and its colours are those of the page at /ui (service/ui/static).
"""
