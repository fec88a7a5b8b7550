"""The launcher for this machine: one run a worker process."""
