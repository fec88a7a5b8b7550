"""A paragraph for a paper or its appendix: what checklists of reproducibility ask for.

The items are those of the NeurIPS paper checklist: data and splits, hyperparameters and how they
were chosen, number of runs and error bars with their method, compute, and the version of the code.
"""

import math
from collections.abc import Iterator

import numpy as np

import cifar_exp
from cifar_exp.analysis.findings.paused import paused_when
from cifar_exp.analysis.findings.words import listed
from cifar_exp.analysis.load.frames import settings_columns
from cifar_exp.analysis.statistics.factors import Factor
from cifar_exp.analysis.statistics.group_statistics import GroupStatistics
from cifar_exp.text import counted, duration

DESCRIBED = ("model", "augmentation", "optimizer", "scheduler", "trainer")
TOLD_ELSEWHERE = ("trainer.epochs", "trainer.evaluate", "trainer.precision", "trainer.compile")
MOST_LEVELS = 8  # that are listed


def paper_paragraphs(statistics: GroupStatistics) -> list[str]:
    """Data, settings, results, compute and code, a paragraph each; empty if no run counts."""
    if not len(statistics.counted):
        return []
    parts = (_data, _settings, _results, _compute, _code)
    return [" ".join(part(statistics)) for part in parts]


def _data(statistics: GroupStatistics) -> Iterator[str]:
    first = statistics.counted.iloc[0]
    yield (
        f"We used {first['name']} with {first['train_size']:,} images for training, "
        f"{first['val_size']:,} for validation and {first['test_size']:,} for testing."
    )
    if not statistics.has_val:
        yield (
            "No validation images were held out, so the results below are on the test images and "
            "must not be used to choose between configurations."
        )
        return
    yield (
        "The validation images were held out of the training set, stratified by class, and are the "
        f"same in all runs (split seed {first['split_seed']})."
    )
    if not statistics.metric.is_on_test:
        yield "All choices were made on them; each run read the test images once, at its end."


def _settings(statistics: GroupStatistics) -> Iterator[str]:
    configurations = len(statistics.summary)
    combinations = math.prod(len(factor.levels) for factor in statistics.factors)
    if not statistics.factors:
        yield "All runs have the same settings and differ only in the seed."
    else:
        tried = "; ".join(_range(factor) for factor in statistics.factors)
        is_grid = configurations == combinations
        which = (
            f"all {combinations} combinations" if is_grid else f"{configurations} configurations"
        )
        yield f"We trained {which} of these settings: {tried}."
        sweep = statistics.group.sweep
        if sweep is not None and sweep.sampler is not None:
            yield f"They were proposed by {sweep.sampler} search."
        if statistics.baseline is None and configurations > 1:
            yield f"The one with the best mean {statistics.metric.label} was chosen."
    epochs = statistics.counted["epochs"].dropna().unique()
    if len(epochs) == 1:
        which = "Each run that was not paused" if len(statistics.paused.runs) else "Each run"
        yield f"{which} trained for {counted(int(epochs[0]), 'epoch')}."
    same = ", ".join(_common(statistics))
    yield (
        f"Settings common to all runs: {same}."
        if same
        else "Other settings are in each run's folder."
    )


def _common(statistics: GroupStatistics) -> Iterator[str]:
    """What was chosen for all runs, as key and value; parts that are switched off are left out."""
    for key in settings_columns(statistics.runs):
        values = statistics.raw_runs[key].dropna().unique()
        is_described = key.partition(".")[0] in DESCRIBED and key not in TOLD_ELSEWHERE
        if is_described and len(values) == 1 and values[0] not in ("none", "false", "0"):
            yield f"{key} {values[0]}"


def _range(factor: Factor) -> str:
    levels = [*factor.levels]
    if len(levels) > MOST_LEVELS and factor.is_numeric:
        text = f"{len(levels)} values from {levels[0]} to {levels[-1]}"
    else:
        text = ", ".join(levels)
    together = f" (together with {', '.join(factor.aliased)})" if factor.aliased else ""
    return f"{factor.key} {text}{together}"


def _results(statistics: GroupStatistics) -> Iterator[str]:
    metric, row = statistics.metric, statistics.summary.iloc[0]
    sizes = statistics.evaluated["n"]
    seeds = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
    what = "seed" if seeds == "1" else "seeds"
    subject = "Each configuration" if len(sizes) > 1 else "The configuration"
    if statistics.paused.configurations:
        subject = f"{subject} that was not paused"
    yield (
        f"{subject} was trained with {seeds} {what}, which determine the initial weights, the "
        "order of the images and their augmentation."
    )
    mean = metric.text(row["mean"])
    which = f"The best, {row['configuration']}," if len(sizes) > 1 else "It"
    best = f"{which} has a mean {metric.label} of {mean}"
    if row["n"] < 2:
        yield f"{best} with one seed, so no interval can be given."
    else:
        interval = metric.interval_text(row["ci_low"], row["ci_high"])
        sd = metric.difference_text(row["sd"]).removeprefix("+")
        of_all = ""
        if len(sizes) > 1:
            of_all = " from the scatter pooled over configurations, simultaneous over all of them"
        yield f"{best} (SD {sd} over {int(row['n'])} seeds; 95 % interval {interval}{of_all})."
    if not metric.is_on_test and np.isfinite(row["test_mean"]):
        spread = "" if row["n"] < 2 else f" (SD {row['test_sd'] * 100:.2f} pp)"
        yield f"Its mean test accuracy is {row['test_mean'] * 100:.2f} %{spread}."
    pooled, df = statistics.noise
    if df:
        noise = metric.difference_text(pooled).removeprefix("+")
        yield f"The SD between seeds, pooled over configurations, is {noise} ({df} df)."
    if df and len(sizes) > 1:
        yield (
            "Differences between configurations are tested at the 5 % level with simultaneous "
            f"intervals ({_method(statistics)}) from a model with a mean per configuration and the "
            "seed as a block."
        )
    lost = statistics.summary[["failed", "diverged"]].sum()
    parts = [f"{n} {status}" for status, n in lost.items() if n]
    paused = len(statistics.paused.runs)
    if paused:
        was = "was" if paused == 1 else "were"
        parts.append(f"{paused} {was} paused by a pruner ({paused_when(statistics)})")
    if parts:
        runs = counted(len(statistics.runs), "run")
        yield f"Of {runs}, {listed(parts)}; they are left out of all means."


def _method(statistics: GroupStatistics) -> str:
    if statistics.baseline is None:
        return "Tukey-Kramer, for all pairs"
    return f"Dunnett, against the baseline {statistics.baseline}"


def _compute(statistics: GroupStatistics) -> Iterator[str]:
    runs = statistics.runs
    time, pflop = duration(runs["train_seconds"].sum()), runs["pflop"].sum()
    kinds = ", ".join(sorted({str(name) for name in runs["device_name"].dropna()})) or "unknown"
    threads = sorted({int(n) for n in runs["threads"].dropna()})
    what = "thread" if threads == [1] else "threads"
    cpu = f" with {', '.join(map(str, threads))} {what} per run" if threads else ""
    precision = ", ".join(sorted(set(runs["precision"].dropna())))
    yield (
        f"The {len(runs):,} runs took {time} of training and {pflop:.3g} PFLOP in total "
        f"(6 x multiply-accumulates x images), on {kinds}{cpu}, in {precision}."
    )


def _code(statistics: GroupStatistics) -> Iterator[str]:
    runs = statistics.runs
    commits = sorted({str(text)[:10] for text in runs["git_commit"].dropna()})
    versions = ", ".join(sorted({str(text) for text in runs["torch"].dropna()})) or "unknown"
    commit = f"commit {', '.join(commits)}" if commits else "commit not recorded"
    yield (
        f"Runs were trained and analyzed with cifar_exp {cifar_exp.__version__} ({commit}) and "
        f"PyTorch {versions}; each run's folder holds its settings, metrics by epoch and results."
    )
