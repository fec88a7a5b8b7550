"""How a sweep stands: a snapshot from files, shown as a table, live or once."""
