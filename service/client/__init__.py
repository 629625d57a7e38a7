"""`python -m service.client`: asks a service that runs, here or elsewhere, about photos and folders of photos.

It runs wherever Python has requests, Pillow and tqdm: of the project it imports nothing but this package and what
`faces` has of the standard library alone. A test holds that.
"""
