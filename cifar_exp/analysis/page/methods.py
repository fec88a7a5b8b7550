"""How a group's runs were made and compared, and what calls for caution."""

from collections.abc import Iterator

from cifar_exp.analysis.load.discover import Skipped
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def methods(statistics: GroupStatistics) -> list[tuple[str, str]]:
    """Data, metric, factors, device, versions and statistical methods: name and text."""
    if not len(statistics.runs):
        return []
    first = statistics.runs.iloc[0]
    data = (
        f"{first['name']} ({first['fingerprint'][:12]}), split seed {first['split_seed']}: "
        f"{first['train_size']:,} images for training, {first['val_size']:,} for choosing (val), "
        f"{first['test_size']:,} for testing"
    )
    return [
        ("Data", data),
        ("Ranked by", _metric(statistics)),
        ("Varied", ", ".join(_varied(statistics)) or "only the seed"),
        (
            "Device",
            f"{first['device']} ({_all(statistics, 'device_name')}), {first['precision']}, "
            f"threads per run: {_all(statistics, 'threads')}",
        ),
        (
            "Versions",
            f"torch {_all(statistics, 'torch')}; commit {_all(statistics, 'git_commit', 10)}",
        ),
        ("Made", f"{statistics.runs['started_at'].min()} to {_end(statistics)}"),
        ("Intervals", "95 %, Student's t over seeds; none for one seed"),
        (
            "Differences",
            "paired by seed if two seeds are shared, else Welch's t test; p corrected for the "
            "number of differences in the table (Holm); significant: p < 0.05; the seeds needed "
            "and the detectable difference are for a power of 80 %",
        ),
    ]


def cautions(statistics: GroupStatistics) -> list[str]:
    """What a reader must know before trusting the numbers."""
    return list(_cautions(statistics))


def superseded_runs(statistics: GroupStatistics) -> list[Skipped]:
    """Completed runs that do not count, because a newer run has the same settings and seed."""
    reason = "has the settings and seed of a newer run, so it is not counted"
    return [
        Skipped(str(statistics.runs.loc[run_id, "folder"]), reason)
        for run_id in statistics.configured.superseded
    ]


def _cautions(statistics: GroupStatistics) -> Iterator[str]:
    if not len(statistics.counted):
        return
    yield from _test_cautions(statistics)
    yield from _run_cautions(statistics)
    for factor in statistics.factors:
        if factor.aliased and not factor.key.endswith(".name"):
            names = ", ".join((factor.name, *factor.aliased))
            yield (
                f"{names} changed only together: the effect shown for {factor.name} is that of "
                "them all."
            )
    configurations = len(statistics.evaluated)
    if statistics.baseline is None and configurations > 2:
        yield (
            f"The best of {configurations} was selected by these same runs, which flatters its "
            "lead a little; a --baseline named in advance avoids that."
        )
    summary = statistics.summary
    lost = summary[summary["diverged"] + summary["failed"] > 0]
    if len(lost):
        names = ", ".join(lost["configuration"].head(3)) + (", ..." if len(lost) > 3 else "")
        yield f"Means leave out runs that failed or diverged ({names})."


def _test_cautions(statistics: GroupStatistics) -> Iterator[str]:
    if not statistics.has_val:
        yield (
            "There are no validation images (data.val_fraction=0): results are on test, not for "
            "choosing."
        )
    elif statistics.metric.is_on_test:
        yield (
            f"Ranked by {statistics.metric.label}, as requested: not for choosing between "
            "configurations."
        )


def _run_cautions(statistics: GroupStatistics) -> Iterator[str]:
    for column, what in (
        ("torch", "versions of torch"),
        ("git_commit", "commits"),
        ("threads", "numbers of threads"),
    ):
        if statistics.counted[column].nunique() > 1:
            yield f"The runs were made with different {what} ({_all(statistics, column, 10)})."
    sizes = statistics.evaluated["n"]
    if sizes.min() < sizes.max():
        yield f"The configurations have unequal numbers of seeds ({sizes.min()} to {sizes.max()})."


def _end(statistics: GroupStatistics) -> str:
    ends = statistics.runs["finished_at"].dropna()
    return str(ends.max()) if len(ends) else "now"


def _metric(statistics: GroupStatistics) -> str:
    has_setting = "trainer.evaluate" in statistics.runs
    weights = _all(statistics, "trainer.evaluate") if has_setting else "last"
    which = {"last": "the last epoch's weights", "best": "the weights that did best on val"}
    named = which.get(weights, "the weights that trainer.evaluate names")
    return f"{statistics.metric.label} of {named}"


def _varied(statistics: GroupStatistics) -> Iterator[str]:
    for factor in statistics.factors:
        shown = factor.levels if len(factor.levels) <= 8 else (*factor.levels[:7], "...")
        together = f" (together with {', '.join(factor.aliased)})" if factor.aliased else ""
        yield f"{factor.key}: {', '.join(shown)}{together}"


def _all(statistics: GroupStatistics, column: str, length: int = 40) -> str:
    values = sorted({str(value)[:length] for value in statistics.runs[column].dropna()})
    if column == "git_commit" and statistics.runs[column].isna().any():
        values.append("unknown")
    return ", ".join([*values[:4], *(["..."] if len(values) > 4 else [])]) or "unknown"
