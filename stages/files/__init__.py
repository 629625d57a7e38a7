"""What lies on the disk: where the files are, which photos there are, tables and arrays that stages hand on."""
