"""What Hydra finds of cifar_exp: thin faces of `cifar_exp.hydra_app`, and nothing else."""
