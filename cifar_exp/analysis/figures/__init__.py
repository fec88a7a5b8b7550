"""Statistics -> figures. Drawing computes nothing: every number shown comes from `statistics`."""
