"""The trials of a command, each with its checked settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cifar_exp.config.launcher import LauncherOptions
from cifar_exp.config.schema import Settings
from cifar_exp.storage.selection import Selection


@dataclass(frozen=True)
class Trial:
    """A run that a command requests. `values` are its swept settings or options, by key."""

    settings: Settings
    label: str
    overrides: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Grid:
    """All trials of a command, seeds outermost.

    `keys` are swept. `option` is the sweep option's name. `fixed` holds the settings that all
    trials share and that differ from the option's file, or from the defaults. `launcher_options`:
    those of our own launcher; None where `launcher` is the section of one of Hydra's. `confirms`:
    what another sweep selected, if the trials confirm it. `note`: what the user should know.
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

    @property
    def settings(self) -> list[Settings]:
        """The settings of every trial."""
        return [trial.settings for trial in self.trials]
