"""The networks, and what they cost. Importing this package loads no torch."""
