"""The only room that knows Hydra: from a command line to checked trials."""
