"""What a GPU is worth to this project: `embed` on one (embedding), and `crop` without one (cropping)."""
