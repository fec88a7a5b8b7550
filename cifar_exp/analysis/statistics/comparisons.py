"""Every configuration against one reference: the baseline, or else the best."""

from dataclasses import asdict

import pandas as pd

from cifar_exp.analysis.statistics.significance import (
    ALPHA,
    NAN,
    difference,
    holm,
    resolvable_effect,
    seeds_needed,
)

COLUMNS = ("configuration", "reference")


def compare(counted: pd.DataFrame, reference: str) -> pd.DataFrame:
    """A row per configuration: its values minus the reference's, paired by seed where seeds pair.

    The columns are those of `Difference` and of `with_verdicts`.
    """
    by_name = {str(name): values_by_seed(runs) for name, runs in counted.groupby("configuration")}
    base = by_name.pop(reference)
    rows = [
        {"configuration": name, "reference": reference, **asdict(difference(values, base))}
        for name, values in by_name.items()
    ]
    return with_verdicts(pd.DataFrame(rows, columns=None if rows else list(COLUMNS)))


def with_verdicts(differences: pd.DataFrame) -> pd.DataFrame:
    """Add Holm's correction over all these differences, whether each is significant, and power.

    resolvable: the smallest true difference that n seeds detect with 80 % power, given the number
    of differences. needed: the seeds that would detect a difference as large as the one found.
    """
    if not len(differences):
        return differences.assign(p_holm=[], is_resolved=[], resolvable=[], needed=[])
    corrected = holm(differences["p"].tolist())
    alpha = ALPHA / max(1, int(differences["p"].notna().sum()))
    tested = [row if row.p == row.p else None for row in differences.itertuples()]
    sizes = [row.sd * resolvable_effect(row.n, alpha) if row else NAN for row in tested]
    needed = [seeds_needed(abs(row.mean) / row.sd, alpha) if row else NAN for row in tested]
    verdict = {"p_holm": corrected, "is_resolved": corrected < ALPHA}
    return differences.assign(**verdict, resolvable=sizes, needed=needed)


def values_by_seed(runs: pd.DataFrame) -> pd.Series:
    """Values by seed."""
    return pd.Series(runs["value"].to_numpy(dtype=float), index=runs["seed"].to_numpy())
