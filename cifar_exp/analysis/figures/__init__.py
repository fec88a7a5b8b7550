"""Studies -> figures. Drawing computes no statistics: what is shown comes from `statistics`."""
