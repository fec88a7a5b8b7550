"""Optimizers, schedules, the loop and evaluation; knows no files and no Hydra."""
