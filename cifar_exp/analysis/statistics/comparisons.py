"""Every configuration against one: the best, or a baseline that was named."""

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
    """A row a configuration: its values less the reference's, paired by seed where seeds pair.

    Columns are those of `Difference` and of `judged`.
    """
    groups = {str(name): by_seed(group) for name, group in counted.groupby("configuration")}
    base = groups.pop(reference)
    rows = [
        {"configuration": name, "reference": reference, **asdict(difference(values, base))}
        for name, values in groups.items()
    ]
    return judged(pd.DataFrame(rows, columns=None if rows else list(COLUMNS)))


def judged(differences: pd.DataFrame) -> pd.DataFrame:
    """Differences with Holm's correction over all of them, the verdict, and their power.

    resolvable: the smallest true difference that so many seeds resolve in four of five tries, of
    so many differences at once. needed: seeds that would resolve one as large as was found.
    """
    if not len(differences):
        return differences.assign(p_holm=[], is_resolved=[], resolvable=[], needed=[])
    corrected = holm(differences["p"].tolist())
    alpha = ALPHA / max(1, int(differences["p"].notna().sum()))
    known = [row if row.p == row.p else None for row in differences.itertuples()]
    sizes = [row.sd * resolvable_effect(row.n, alpha) if row else NAN for row in known]
    needed = [seeds_needed(abs(row.mean) / row.sd, alpha) if row else NAN for row in known]
    verdict = {"p_holm": corrected, "is_resolved": corrected < ALPHA}
    return differences.assign(**verdict, resolvable=sizes, needed=needed)


def by_seed(runs: pd.DataFrame) -> pd.Series:
    """Values by seed."""
    return pd.Series(runs["value"].to_numpy(dtype=float), index=runs["seed"].to_numpy())
