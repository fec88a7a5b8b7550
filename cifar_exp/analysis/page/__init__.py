"""Statistics -> CSV files and one HTML page."""
