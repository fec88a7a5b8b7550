"""From a command line to the space of a search, and from values in it to checked trials."""
