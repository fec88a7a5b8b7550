"""The state of a sweep, read from files and shown live or once."""
