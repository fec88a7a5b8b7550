"""Folders -> tidy frames. Whatever cannot be read is skipped, and the report says why."""
