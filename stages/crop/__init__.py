"""Stage crop: the faces of every photo, found and cut."""
