"""The sweep to confirm: its folder, its seeds, and what earlier commands have selected from it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from cifar_exp.errors import UserError
from cifar_exp.storage.layout import is_folder, is_sweep, real_path, sweep_folders
from cifar_exp.storage.selection import Selection, confirming_name
from cifar_exp.storage.sweep_folder import SweepFolder
from cifar_exp.text import did_you_mean, format_value, value_as_text

OUTPUTS = Path("outputs")


@dataclass(frozen=True)
class Origin:
    """The sweep that selects, and the `confirming` sweep, which may not exist yet."""

    sweep: SweepFolder
    confirming: SweepFolder

    @property
    def shown(self) -> str:
        """The sweep as a message names it."""
        return f"confirm.sweep={format_value(str(self.sweep.path))}"

    @property
    def selection(self) -> Selection | None:
        """What earlier commands have selected."""
        return self.confirming.read_file().confirms

    @property
    def fresh(self) -> list[int]:
        """The seeds of earlier commands, in ascending order."""
        return sorted(_seeds(self.confirming))

    def fresh_seeds(self, number: int, used: Iterable[int]) -> list[int]:
        """So many seeds: those of earlier commands, then the lowest that are not in `used`.

        `used` are the seeds of the sweep's runs. They may have come to include earlier fresh ones,
        where the sweep was extended; these stay fresh, because nothing is selected by them.
        """
        known = self.fresh
        taken = {*known, *used, *_seeds(self.sweep)}
        free = (seed for seed in count() if seed not in taken)
        return [*known, *islice(free, max(0, number - len(known)))][:number]

    @property
    def keys(self) -> list[str]:
        """The swept keys, with the seed."""
        return list(dict.fromkeys([*self.sweep.read_file().parameters, "seed"]))

    @property
    def fixed(self) -> dict[str, Any]:
        """What else was set; the seed is swept now."""
        return {key: value for key, value in self.sweep.read_file().fixed.items() if key != "seed"}

    def values(self, run_ids: Iterable[str]) -> dict[str, Any]:
        """The values of the swept keys but the seed, for a configuration with these runs."""
        parameters = self.sweep.read_file().parameters
        own = set(run_ids)
        row = next((row for row in self.sweep.rows() if row.run_id in own), None)
        if row is None:
            return {}
        typed = {key: {value_as_text(v): v for v in listed} for key, listed in parameters.items()}
        values = {
            key: typed.get(key, {}).get(text, _read(text)) for key, text in row.values.items()
        }
        return {key: value for key, value in values.items() if key != "seed"}


def _read(text: str) -> Any:
    """A value of a search, whose runs.csv alone has it."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value_as_text(value) == text else text


def find_origin(text: str) -> Origin:
    """The sweep that a user names, by its folder or by its name alone.

    Raises UserError if there is none, if it is in another outputs folder, or if it confirms a
    sweep itself.
    """
    path = Path(text) if is_folder(Path(text)) else OUTPUTS / "sweeps" / text
    shown = f"confirm.sweep={format_value(text)}"
    if not is_folder(path):
        raise UserError(f"{shown}: there is no such sweep{_others(text)}")
    if not is_sweep(path):
        raise UserError(f"{shown}: is not a sweep's folder{_others(text)}")
    real = real_path(path)
    if real.parent != real_path(OUTPUTS) / "sweeps":
        here = real.parent.parent.parent
        raise UserError(f"{shown}: is not in the outputs folder here; run the command in {here}")
    folder = OUTPUTS / "sweeps" / real.name
    confirms = SweepFolder(folder).read_file().confirms
    if confirms is not None:
        raise UserError(
            f"{shown}: confirms {confirms.sweep} itself; "
            f"confirm.sweep={folder.parent / confirms.sweep} continues it"
        )
    return Origin(SweepFolder(folder), _confirming(folder, shown))


def _confirming(sweep: Path, shown: str) -> SweepFolder:
    folder = SweepFolder(sweep.parent / confirming_name(sweep.name))
    if is_sweep(folder.path):
        confirms = folder.read_file().confirms
        if confirms is None or confirms.sweep != sweep.name:
            raise UserError(f"{shown}: {folder.path} is another sweep; rename its folder")
    return folder


def _others(text: str) -> str:
    """The nearest sweep, or else where sweeps are."""
    known = {path.name: path for path in sweep_folders(OUTPUTS)}
    near = did_you_mean(Path(text).name, known)
    if near:
        return near.replace("did you mean ", f"did you mean {OUTPUTS / 'sweeps'}/")
    if not known:
        return f"; there are none in {OUTPUTS / 'sweeps'} yet"
    return f"; give a folder in {OUTPUTS / 'sweeps'}, such as {next(iter(known.values()))}"


def _seeds(sweep: SweepFolder) -> set[int]:
    """The swept seeds of its runs, as far as runs.csv has them."""
    texts = {row.values.get("seed", "") for row in sweep.rows()}
    return {int(text) for text in texts if text.isdecimal()}
