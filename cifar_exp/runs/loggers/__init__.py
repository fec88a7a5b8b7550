"""Where the metrics of each epoch go: files, the terminal, experiment trackers."""
