"""Stage quality: finds and shows problems in the photos, and says which faces stay together in every split."""
