"""Folders -> tidy frames. Anything that cannot be read is skipped, and the report says why."""
