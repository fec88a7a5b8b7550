"""Pruning: rules that pause a run because of its siblings, the other runs of its sweep."""
