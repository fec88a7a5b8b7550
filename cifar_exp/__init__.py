"""Train convolutional networks of our own, sweep over their settings, and report what mattered."""

__version__ = "0.2.0"
