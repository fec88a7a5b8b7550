"""Studies and figures -> CSV files and one HTML page."""
