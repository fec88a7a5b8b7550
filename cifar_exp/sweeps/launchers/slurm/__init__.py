"""The launcher for a SLURM cluster: a job trains one run."""
