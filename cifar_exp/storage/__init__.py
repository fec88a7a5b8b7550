"""What lies in outputs/: the only reader and the only writer of each format."""
