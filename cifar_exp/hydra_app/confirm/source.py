"""From a run to trials with other seeds: the settings of its config.yaml, whatever gave them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_exp.config.identity import NUISANCE, flatten, run_id
from cifar_exp.config.schema import COMMAND_GROUPS, Settings
from cifar_exp.config.validation import validate
from cifar_exp.data.registry import is_known_by_content
from cifar_exp.errors import UserError
from cifar_exp.storage.reading import UnreadableError, read_yaml
from cifar_exp.storage.record import RunRecord, read_record
from cifar_exp.storage.run_folder import find_run, read_overrides
from cifar_exp.sweeps.trial import Trial

# Said by each command for itself; what else is no part of a run's identity is the run's, unless
# the command says otherwise.
OF_THE_COMMAND = (
    "plan",
    "report",
    "rerun",
    "retry_failed",
    "retries",
    "max_failures",
    "on_end",
    "wait",
    "sweep_name",
    "trainer.progress",
)


@dataclass(frozen=True)
class Words:
    """What a command line says beside `confirm.*`: its settings, and the `typed` overrides."""

    settings: Settings
    typed: Sequence[str]

    @property
    def values(self) -> dict[str, Any]:
        """The values that replace a run's own, by dotted key."""
        keys = {*OF_THE_COMMAND, *map(key_of, self.typed)} & NUISANCE
        return {key: value for key, value in flatten(self.settings).items() if key in keys}


@dataclass(frozen=True)
class Source:
    """A run to take the settings from. `fingerprint`: of its images if they are part of its id."""

    record: RunRecord
    tree: Mapping[str, Any]
    overrides: Sequence[str]
    fingerprint: str | None

    def trial(self, seed: int, words: Words, values: Mapping[str, Any]) -> Trial:
        """The trial of this seed; `values` are those of the swept keys but the seed."""
        tree = _updated(self.tree, {**words.values, "seed": seed})
        replaced = {"seed", *OF_THE_COMMAND, *map(key_of, words.typed)}
        kept = [
            line
            for line in self.overrides
            if key_of(line) not in replaced and key_of(line).partition(".")[0] not in COMMAND_GROUPS
        ]
        return Trial(
            settings=validate(tree),
            label=self.record.label,
            overrides=(*kept, *words.typed, f"seed={seed}"),
            values={**values, "seed": seed},
        )

    def run_id(self, trial: Trial) -> str:
        """The id of one of its trials, if the images have not changed."""
        return run_id(trial.settings, self.fingerprint)


def read_source(runs: Path, run_ids: Iterable[str]) -> Source:
    """The first of these runs of one configuration whose files can be read.

    Raises UserError, with the reason, if there is none, or if its settings now name another run.
    """
    reason = "its runs are gone"
    for each in run_ids:
        folder = find_run(runs, each)
        if folder is None:
            continue
        try:
            return _read(folder)
        except (OSError, UnreadableError) as error:
            reason = f"{folder}: {error}"
    raise UserError(reason)


def key_of(line: str) -> str:
    """The key of an override."""
    return line.lstrip("+~").partition("=")[0]


def _read(folder: Path) -> Source:
    record, tree = read_record(folder), read_yaml(folder / "config.yaml")
    if not isinstance(tree, Mapping):
        raise UnreadableError("config.yaml does not hold settings")
    settings = validate(tree)
    fingerprint = record.dataset.fingerprint if is_known_by_content(settings.data) else None
    if run_id(settings, fingerprint) != record.run_id:
        raise UserError(
            f"{folder}: its settings name another run now, because the source of its class or of "
            "cifar_exp has changed since"
        )
    own = {key: value for key, value in tree.items() if key not in COMMAND_GROUPS}
    return Source(record, own, read_overrides(folder), fingerprint)


def _updated(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the settings with these values by dotted key, `key` or `group.key`."""
    updated = dict(tree)
    for key, value in values.items():
        group, _, name = key.partition(".")
        updated[group] = {**updated.get(group, {}), name: value} if name else value
    return updated
