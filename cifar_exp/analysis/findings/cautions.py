"""What a reader must know before trusting the numbers."""

from collections.abc import Iterator

from cifar_exp.analysis.findings.confirmed import confirm_hint
from cifar_exp.analysis.findings.paused import paused_cautions
from cifar_exp.analysis.findings.words import distinct_values, listed
from cifar_exp.analysis.statistics.factors import is_option
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics


def cautions(statistics: GroupStatistics) -> list[str]:
    """Everything that calls for caution in a group, as sentences."""
    return list(_cautions(statistics))


def _cautions(statistics: GroupStatistics) -> Iterator[str]:
    if not len(statistics.counted):
        return
    yield from _test_cautions(statistics)
    hint = confirm_hint(statistics)
    if hint is not None:
        yield hint
    yield from _run_cautions(statistics)
    yield from paused_cautions(statistics)
    if not statistics.is_confirming:
        yield from _aliased_cautions(statistics)
    if statistics.model is not None and statistics.model.scatter.is_uneven:
        yield (
            "The scatter differs between configurations, so each comparison has the wider of two "
            "intervals: from the pooled scatter, or from that of its two configurations alone."
        )
    if _is_additive(statistics):
        yield (
            "With one seed each, the intervals of effects come from the residuals of an additive "
            "model: they hold only if the settings do not interact."
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
    if set(statistics.counted.get("trainer.evaluate", ())) == {"best"} and statistics.has_val:
        yield (
            "With trainer.evaluate=best, a run's val accuracy is the highest of its epochs, and so "
            "somewhat flattered."
        )


def _aliased_cautions(statistics: GroupStatistics) -> Iterator[str]:
    for factor in statistics.factors:
        if factor.aliased and not is_option(factor.key):
            yield (
                f"{listed(factor.aliased)} changed only with {factor.name}: the effect shown for "
                f"{factor.name} may be that of {'either' if len(factor.aliased) == 1 else 'any'}."
            )


def _is_additive(statistics: GroupStatistics) -> bool:
    model = statistics.model
    return model is not None and not model.strata.error.df and bool(model.strata.additive.df)


def _raced_cautions(statistics: GroupStatistics) -> Iterator[str]:
    """Where a search gave further seeds to those that kept up, chance left some of the others.

    By simulation (12 or 20 equal configurations, twice or 1.5 times as many runs, 150 sweeps each),
    11 to 17 % of such reports claim a difference where there is none, instead of 4 %.
    """
    sweep = statistics.group.sweep
    if sweep is not None and sweep.search is not None:
        yield (
            "The search gave further seeds only to configurations that kept up. Some of the others "
            "were behind by chance, so differences from those with fewer seeds are too large on "
            "average, and more than 5 % of the claims about them may be wrong."
        )


def _run_cautions(statistics: GroupStatistics) -> Iterator[str]:
    for column, what in (
        ("torch", "versions of torch"),
        ("git_commit", "commits"),
        ("threads", "numbers of threads"),
    ):
        if statistics.counted[column].nunique() > 1:
            values = distinct_values(statistics, column, 10)
            yield f"The runs were made with different {what} ({values})."
    sizes = statistics.evaluated["n"]
    if sizes.min() < sizes.max():
        yield f"The configurations have unequal numbers of seeds ({sizes.min()} to {sizes.max()})."
        yield from _raced_cautions(statistics)
