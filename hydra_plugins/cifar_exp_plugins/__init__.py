"""What Hydra finds of cifar_exp: the faces of `cifar_exp.sweeps`, and nothing else."""
