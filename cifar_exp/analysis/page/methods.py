"""How a group's runs were made and compared."""

from collections.abc import Iterator

from cifar_exp.analysis.findings.words import distinct_values
from cifar_exp.analysis.load.discover import Skipped
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def methods(statistics: GroupStatistics) -> list[tuple[str, str]]:
    """Data, metric, factors, device, versions and statistical methods: name and text."""
    if not len(statistics.runs):
        return []

    def every(column: str, length: int = 40) -> str:
        return distinct_values(statistics, column, length)

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
            f"{first['device']} ({every('device_name')}), {first['precision']}, "
            f"threads per run: {every('threads')}",
        ),
        (
            "Versions",
            f"torch {every('torch')}; commit {every('git_commit', 10)}",
        ),
        ("Made", f"{statistics.runs['started_at'].min()} to {_end(statistics)}"),
        *_statistics(statistics),
    ]


def _statistics(statistics: GroupStatistics) -> list[tuple[str, str]]:
    """How means and differences are estimated and tested."""
    pairs = (
        "comparisons with the baseline by Dunnett's test"
        if statistics.baseline is not None
        else "comparisons with the best by the Tukey-Kramer method, which allows for the best "
        "having been picked by the same runs; which configurations may be the best, by Hsu's method"
    )
    return [
        (
            "Model",
            "a mean per configuration with the seed as a block, fitted to all completed runs; "
            "where configurations have different seeds, by generalized least squares",
        ),
        (
            "Intervals",
            "95 %, simultaneous within each table, so that an interval excludes 0 exactly where "
            "its difference is significant; based on the scatter between seeds, pooled over "
            "configurations, and wider where the scatter is uneven; none without repeated seeds",
        ),
        (
            "Differences",
            "factor effects are tested against the interaction of seed and factor, interactions "
            f"against the residual; {pairs}",
        ),
        (
            "Errors",
            "where nothing differs, about 5 % of reports claim a difference; conclusions hold for "
            "other seeds on the same images and split",
        ),
        *_images(statistics),
    ]


def _images(statistics: GroupStatistics) -> list[tuple[str, str]]:
    """How far an accuracy would move if other images of the same kind were used."""
    metric, runs = statistics.metric, statistics.counted
    if not len(runs) or metric.name not in ("val_accuracy", "test_accuracy"):
        return []
    images = int(runs["test_size" if metric.is_on_test else "val_size"].iloc[0])
    accuracy = float(statistics.summary["mean"].iloc[0])
    reach = 1.96 * (accuracy * (1 - accuracy) / images) ** 0.5
    text = (
        f"accuracies are measured on {images:,} images; another {images:,} would move that of the "
        f"best by up to {reach * 100:.1f} percentage points either way (binomial, 95 %), and "
        "differences by less, because all runs see the same images"
    )
    return [("Images", text)]


def superseded_runs(statistics: GroupStatistics) -> list[Skipped]:
    """Completed runs that do not count, because a newer run has the same settings and seed."""
    reason = "has the settings and seed of a newer run, so it is not counted"
    return [
        Skipped(str(statistics.runs.loc[run_id, "folder"]), reason)
        for run_id in statistics.configured.superseded
    ]


def _end(statistics: GroupStatistics) -> str:
    ends = statistics.runs["finished_at"].dropna()
    return str(ends.max()) if len(ends) else "now"


def _metric(statistics: GroupStatistics) -> str:
    has_setting = "trainer.evaluate" in statistics.runs
    weights = distinct_values(statistics, "trainer.evaluate") if has_setting else "last"
    which = {"last": "the last epoch's weights", "best": "the weights that did best on val"}
    named = which.get(weights, "the weights that trainer.evaluate names")
    return f"{statistics.metric.label} of {named}"


def _varied(statistics: GroupStatistics) -> Iterator[str]:
    for factor in statistics.factors:
        shown = factor.levels if len(factor.levels) <= 8 else (*factor.levels[:7], "...")
        together = f" (together with {', '.join(factor.aliased)})" if factor.aliased else ""
        yield f"{factor.key}: {', '.join(shown)}{together}"
