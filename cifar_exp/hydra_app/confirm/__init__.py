"""`confirm.sweep=SWEEP`: the best configurations of a sweep on seeds that it did not use."""
