"""What a person can ask for whose photos are here: to be forgotten, to see what is held, to be kept encrypted."""
