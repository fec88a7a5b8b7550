"""The train command line, parsed and checked once."""

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cifar_exp.errors import UserError
from cifar_exp.hydra_app.arguments import options_first, parse_arguments
from cifar_exp.hydra_app.confirm.grid import with_confirmation
from cifar_exp.hydra_app.help import help_text
from cifar_exp.hydra_app.overrides import quoted
from cifar_exp.hydra_app.trials import check_command_line
from cifar_exp.sweeps.trial import Grid

OURS = ("hydra.launcher", "hydra.sweeper", "hydra/launcher", "hydra.mode")


@dataclass(frozen=True)
class Command:
    """A command line. `typed` is as the user gave it, `arguments` with text in quotes."""

    typed: Sequence[str]
    arguments: Sequence[str]
    parsed: argparse.Namespace

    @property
    def is_help(self) -> bool:
        """Whether this is a request for help."""
        return bool(self.parsed.help)

    @property
    def shows_hydra(self) -> bool:
        """Whether Hydra only prints something, and nothing is trained."""
        parsed = self.parsed
        return bool(parsed.cfg or parsed.info or parsed.shell_completion or parsed.hydra_help)

    @property
    def needs_hydra(self) -> bool:
        """Whether only Hydra's main can run it: it sets parts of Hydra that we do not handle."""
        keys = [line.partition("=")[0].lstrip("+~") for line in self.parsed.overrides]
        hydras = [key for key in keys if key.startswith(("hydra.", "hydra/"))]
        return not all(key.startswith(OURS) for key in hydras)

    @cached_property
    def grid(self) -> Grid:
        """The checked trials. Raises UserError with a sentence on each mistake."""
        grid = check_command_line(self.parsed)
        options = grid.launcher_options
        if options is not None and not options.takes_hydra:
            self._check_own_launcher(grid, f"hydra/launcher={options.name}")
        elif grid.search is not None:
            self._check_own_launcher(grid, "a search")
        in_hydra = options is None or self.needs_hydra
        return with_confirmation(grid, self.parsed, in_hydra=in_hydra)

    def _check_own_launcher(self, grid: Grid, what: str) -> None:
        if grid.has_foreign_sweeper:
            raise UserError(f"{what} does not go with hydra/sweeper: leave the sweeper out")
        if self.needs_hydra:
            raise UserError(
                f"{what} does not go with other settings of Hydra's: leave out what begins "
                "with hydra, except for hydra.launcher"
            )

    @property
    def line(self) -> str:
        """The command that sweep.yaml records; it works without an installed package too."""
        return shlex.join(["python", "-m", "cifar_exp.train", *self.typed])

    def help_text(self) -> str:
        """The text of --help."""
        return help_text(self.parsed)

    def hydra_arguments(self) -> list[str]:
        """The arguments for Hydra's main, which must know of a sweep before it composes."""
        arguments = options_first(self.arguments, self.parsed.overrides)
        is_new = not self.shows_hydra and self.grid.is_sweep and not self.parsed.multirun
        return ["--multirun", *arguments] if is_new else arguments


def read_command(typed: Sequence[str]) -> Command:
    """Parse a command line. Raises UserError."""
    arguments = [quoted(argument) for argument in typed]
    return Command(typed, arguments, parse_arguments(arguments))
