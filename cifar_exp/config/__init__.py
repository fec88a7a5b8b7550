"""The typed schema of all settings, its checks, and a run's identity."""
