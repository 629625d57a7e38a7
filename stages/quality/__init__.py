"""Stage quality: problems in the photos, shown; and which faces stay together in every split."""
