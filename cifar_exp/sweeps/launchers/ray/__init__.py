"""The launcher for a Ray cluster: each task trains one run. Only these modules import Ray."""
