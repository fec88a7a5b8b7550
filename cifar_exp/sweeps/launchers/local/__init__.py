"""The launcher for this machine: each worker process trains one run at a time."""
