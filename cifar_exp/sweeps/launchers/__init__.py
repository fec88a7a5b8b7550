"""Executors: they run trials on this machine or elsewhere."""
