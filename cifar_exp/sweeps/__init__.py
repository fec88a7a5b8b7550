"""All that knows Hydra: from a command line to checked settings, one trial or many."""
