"""The run directory: what is in it, who holds it, and how a run fills it."""
