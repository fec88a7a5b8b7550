"""Folders -> tidy frames. Whatever cannot be read is left out, and said with its reason."""
