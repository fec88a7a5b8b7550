"""From `confirm.*` on the command line to the trials of a confirming sweep."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cifar_exp.config.identity import NUISANCE, identifying
from cifar_exp.errors import UserError
from cifar_exp.hydra_app.compose import open_composer
from cifar_exp.hydra_app.confirm.origin import Origin, find_origin
from cifar_exp.hydra_app.confirm.source import Words, key_of, read_source
from cifar_exp.hydra_app.trials import check_overrides
from cifar_exp.storage.selection import SelectedConfiguration
from cifar_exp.sweeps.trial import Grid, Trial
from cifar_exp.text import format_value

WORD = "confirm."
SWEEPERS = ("hydra.sweeper", "hydra/sweeper", "hydra.mode")


def with_confirmation(grid: Grid, arguments: argparse.Namespace, *, in_hydra: bool) -> Grid:
    """The trials that confirm a sweep, if the command says so; otherwise `grid` as it is.

    `in_hydra`: whether Hydra composes each run again, from its overrides. Raises UserError with a
    sentence on each mistake.
    """
    mistakes = list(_mistakes(grid, arguments))
    if mistakes:
        raise UserError(mistakes)
    if grid.settings[0].confirm.sweep is None:
        return grid
    confirming = _confirming(grid, arguments.overrides)
    if in_hydra:
        _check_overrides(confirming.trials, arguments)
    return confirming


def _mistakes(grid: Grid, arguments: argparse.Namespace) -> Iterator[str]:
    """What does not go with confirm.*."""
    lines = arguments.overrides
    if grid.settings[0].confirm.sweep is None:
        for line in lines:
            if key_of(line).startswith(WORD) and key_of(line) != "confirm.sweep":
                yield f"{format_value(line)}: goes with confirm.sweep=outputs/sweeps/NAME"
        return
    if arguments.multirun:
        yield "--multirun: confirm.sweep makes a sweep of its own; leave it out"
    for line in lines:
        key = key_of(line)
        if key == "sweep" or key.startswith(SWEEPERS):
            yield f"{format_value(line)}: confirm.sweep makes a sweep of its own; leave it out"
        elif not key.startswith((WORD, "hydra.", "hydra/")) and key not in NUISANCE:
            yield (
                f"{format_value(line)}: confirm.sweep trains configurations as they were selected; "
                "leave it out"
            )


def _confirming(command: Grid, lines: Sequence[str]) -> Grid:
    # imported only when the command is known to be right: pandas takes half a second
    from cifar_exp.analysis.ranking import rank_configurations
    from cifar_exp.hydra_app.confirm.choice import choose

    confirm = command.settings[0].confirm
    origin = find_origin(str(confirm.sweep))
    try:
        ranking = rank_configurations(origin.sweep.path, set(origin.fresh))
    except UserError as error:
        raise UserError(f"{origin.shown}: {message}" for message in error.messages) from error
    choice = choose(ranking, origin.selection, confirm, {key_of(line) for line in lines})
    seeds = origin.fresh_seeds(confirm.seeds, (r.record.seed for r in ranking.runs.values()))
    words = Words(command.settings[0], [line for line in lines if _is_passed_on(line)])
    confirmed = [_Confirmed.of(origin, each, seeds, words) for each in choice.configurations]
    fresh = [each.configuration.with_fresh(each.run_ids) for each in confirmed]
    return replace(
        command,
        trials=[each.trials[place] for place in range(len(seeds)) for each in confirmed],
        keys=origin.keys,
        is_sweep=True,
        fixed=origin.fixed,
        confirms=replace(choice.selection.replaced(fresh), sweep=origin.sweep.name),
        note=choice.note,
    )


@dataclass(frozen=True)
class _Confirmed:
    """A configuration with a trial for each fresh seed, and the ids that these should have."""

    configuration: SelectedConfiguration
    trials: Sequence[Trial]
    run_ids: Sequence[str]

    @classmethod
    def of(
        cls,
        origin: Origin,
        configuration: SelectedConfiguration,
        seeds: Sequence[int],
        words: Words,
    ) -> "_Confirmed":
        """Raises UserError if the settings of its runs cannot be used again."""
        run_ids = [*configuration.selected_on, *configuration.confirmed_on]
        try:
            source = read_source(origin.sweep.runs_folder, run_ids)
        except UserError as error:
            start = f"{origin.shown}: {configuration.configuration}: "
            raise UserError(start + message for message in error.messages) from error
        values = origin.values(configuration.selected_on)
        trials = [source.trial(seed, words, values) for seed in seeds]
        return cls(configuration, trials, [source.run_id(trial) for trial in trials])


def _is_passed_on(line: str) -> bool:
    """Whether an override is one for the runs."""
    return key_of(line) in NUISANCE and not line.startswith(WORD)


def _check_overrides(trials: Sequence[Trial], arguments: argparse.Namespace) -> None:
    """Raise UserError if the overrides of a configuration no longer give its settings."""
    hydras = [line for line in arguments.overrides if key_of(line).startswith(("hydra.", "hydra/"))]
    with open_composer(arguments) as composer:
        for trial in (each for each in trials if each.settings.seed == trials[0].settings.seed):
            composed = check_overrides(composer, [*hydras, *trial.overrides], False).settings
            if [identifying(each) for each in composed] != [identifying(trial.settings)]:
                raise UserError(
                    f"{format_value(' '.join(trial.overrides))}: no longer gives the settings of "
                    "the run that it was typed for, so Hydra cannot compose them; leave out the "
                    "settings of hydra"
                )
