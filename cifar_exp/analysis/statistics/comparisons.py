"""Every configuration against one: the best, or a baseline that was named."""

from dataclasses import asdict

import pandas as pd

from cifar_exp.analysis.statistics.inference import ALPHA, difference, holm

COLUMNS = ("configuration", "reference")


def compare(counted: pd.DataFrame, reference: str) -> pd.DataFrame:
    """A row a configuration: its values less the reference's, paired by seed where seeds pair.

    Columns are those of `Difference`, p corrected for the number of comparisons (Holm) and
    whether the difference is resolved.
    """
    groups = {str(name): by_seed(group) for name, group in counted.groupby("configuration")}
    base = groups.pop(reference)
    rows = [
        {"configuration": name, "reference": reference, **asdict(difference(values, base))}
        for name, values in groups.items()
    ]
    return judged(pd.DataFrame(rows, columns=None if rows else list(COLUMNS)))


def judged(differences: pd.DataFrame) -> pd.DataFrame:
    """Differences with Holm's correction over all of them, and the verdict."""
    if not len(differences):
        return differences.assign(p_holm=[], is_resolved=[])
    corrected = holm(differences["p"].tolist())
    return differences.assign(p_holm=corrected, is_resolved=corrected < ALPHA)


def by_seed(runs: pd.DataFrame) -> pd.Series:
    """Values by seed."""
    return pd.Series(runs["value"].to_numpy(dtype=float), index=runs["seed"].to_numpy())
