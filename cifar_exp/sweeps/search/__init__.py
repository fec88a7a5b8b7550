"""Sources of trials: what a sweep trains next, given the states of its runs."""
