"""From run folders to tables, statistics, figures and one page; no torch, no Hydra."""
