"""How the runs were made, and what in that calls for caution."""

from collections.abc import Iterator

from cifar_exp.analysis.load.discover import Skipped
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def measured(study: GroupStatistics) -> list[tuple[str, str]]:
    """What, on which images, where, by which method: name and text."""
    if not len(study.runs):
        return []
    first = study.runs.iloc[0]
    data = (
        f"{first['name']} ({first['fingerprint'][:12]}), split seed {first['split_seed']}: "
        f"{first['train_size']:,} images to train on, {first['val_size']:,} to choose on (val), "
        f"{first['test_size']:,} to test on"
    )
    return [
        ("Data", data),
        ("Judged by", _judged(study)),
        ("Varied", ", ".join(_varied(study)) or "nothing but the seed"),
        (
            "Device",
            f"{first['device']} ({_all(study, 'device_name')}), {first['precision']}, "
            f"threads a run: {_all(study, 'threads')}",
        ),
        ("Versions", f"torch {_all(study, 'torch')}; commit {_all(study, 'git_commit', 10)}"),
        ("Made", f"{study.runs['started_at'].min()} to {_end(study)}"),
        ("Intervals", "95 %, Student's t over seeds; none for one seed"),
        (
            "Differences",
            "run by run of one seed where two seeds are shared, else Welch's t; p corrected for "
            "the number of differences in the table (Holm); resolved: p < 0.05; seeds it would "
            "take, and the difference that can be resolved: for a power of 80 %",
        ),
    ]


def cautions(study: GroupStatistics) -> list[str]:
    """What a reader must know before believing the figures."""
    return list(_cautions(study))


def doubles(study: GroupStatistics) -> list[Skipped]:
    """Completed runs that newer ones with the same settings and seed stand for."""
    reason = "has the settings and seed of a newer run, and is in no mean"
    return [
        Skipped(str(study.runs.loc[run_id, "folder"]), reason)
        for run_id in study.configured.doubles
    ]


def _cautions(study: GroupStatistics) -> Iterator[str]:
    counted = study.selected
    if not len(counted):
        return
    if not study.has_val:
        yield "Nothing was held out (data.val_fraction=0): figures are on test, not for choosing."
    elif study.metric.is_on_test:
        yield f"Ranked by {study.metric.label}, as asked: not for choosing between configurations."
    for column, what in (
        ("torch", "versions of torch"),
        ("git_commit", "commits"),
        ("threads", "numbers of threads"),
    ):
        if counted[column].nunique() > 1:
            yield f"The runs were made with different {what} ({_all(study, column, 10)})."
    sizes = study.known["n"]
    if sizes.min() < sizes.max():
        yield f"The configurations have unequal numbers of seeds ({sizes.min()} to {sizes.max()})."
    for setting in study.settings:
        if setting.along and not setting.key.endswith(".name"):
            names = ", ".join((setting.name, *setting.along))
            yield f"{names} changed only together: what is said of {setting.name} is of them all."
    if study.baseline is None and len(study.known) > 2:
        yield (
            f"The best of {len(study.known)} was picked by these very runs, so its lead is a "
            "little flattered; naming a --baseline beforehand is free of that."
        )
    lost = study.summary[study.summary["diverged"] + study.summary["failed"] > 0]
    if len(lost):
        names = ", ".join(lost["configuration"].head(3)) + (", ..." if len(lost) > 3 else "")
        yield f"Means leave out runs that failed or diverged ({names}): they tell of the rest only."


def _end(study: GroupStatistics) -> str:
    ends = study.runs["finished_at"].dropna()
    return str(ends.max()) if len(ends) else "now"


def _judged(study: GroupStatistics) -> str:
    weights = _all(study, "trainer.evaluate") if "trainer.evaluate" in study.runs else "last"
    which = {"last": "the last epoch's weights", "best": "the weights that did best on val"}
    return (
        f"{study.metric.label} of {which.get(weights, 'the weights that trainer.evaluate names')}"
    )


def _varied(study: GroupStatistics) -> Iterator[str]:
    for setting in study.settings:
        shown = setting.levels if len(setting.levels) <= 8 else (*setting.levels[:7], "...")
        along = f" (and with it {', '.join(setting.along)})" if setting.along else ""
        yield f"{setting.key}: {', '.join(shown)}{along}"


def _all(study: GroupStatistics, column: str, length: int = 40) -> str:
    values = sorted({str(value)[:length] for value in study.runs[column].dropna()})
    if column == "git_commit" and study.runs[column].isna().any():
        values.append("unknown")
    return ", ".join([*values[:4], *(["..."] if len(values) > 4 else [])]) or "unknown"
