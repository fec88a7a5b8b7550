"""What runs trials, and where."""
