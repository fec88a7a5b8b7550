"""Statistics -> findings in sentences: the same ones for the terminal, JSON and the page."""
