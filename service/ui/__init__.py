"""The page at /ui, for people: a photo in, the answer of /verify to look at.

`static/` holds all of it: HTML, CSS, modules of JavaScript and the texts in both languages. Nothing is built, and
nothing comes from another host.
"""
