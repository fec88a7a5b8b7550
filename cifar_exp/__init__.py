"""Train convolutional networks, sweep over their settings, and report which of them matter."""

__version__ = "0.2.0"
