"""The files in outputs/: one reader and one writer for each format."""
