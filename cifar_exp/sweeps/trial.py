"""The trials of a command, each with its checked settings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cifar_exp.config.launcher import LauncherOptions
from cifar_exp.config.schema import Settings
from cifar_exp.storage.selection import Selection
from cifar_exp.sweeps.search.space import Space


@dataclass(frozen=True)
class Trial:
    """A run that a command requests. `values` are its swept settings or options, by key."""

    settings: Settings
    label: str
    overrides: tuple[str, ...]
    values: Mapping[str, Any]


# Values by key, and a seed. Raises UserError if the schema does not allow the combination.
MakeTrial = Callable[[Mapping[str, Any], int], Trial]


@dataclass(frozen=True)
class Search:
    """What a command searches, and what makes a trial of a proposal.

    `suffix` tells the sweep's folder from that of a grid, or of another sampler or seed.
    """

    space: Space
    make_trial: MakeTrial
    suffix: str


@dataclass(frozen=True)
class Grid:
    """All trials of a command, seeds outermost; of a search an example for each option.

    `keys` are swept. `option` is the sweep option's name. `fixed` holds the settings that all
    trials share and that differ from the option's file, or from the defaults. `launcher_options`:
    those of our own launcher; None where `launcher` is the section of one of Hydra's. `confirms`:
    what another sweep selected, if the trials confirm it. `note`: what the user should know.
    `search`: where trials are proposed instead of listed.
    """

    trials: Sequence[Trial]
    keys: Sequence[str]
    is_sweep: bool
    option: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    launcher: Mapping[str, Any] = field(default_factory=dict)
    launcher_options: LauncherOptions | None = None
    has_foreign_sweeper: bool = False
    confirms: Selection | None = None
    note: str | None = None
    search: Search | None = None

    @property
    def settings(self) -> list[Settings]:
        """The settings of every trial."""
        return [trial.settings for trial in self.trials]
