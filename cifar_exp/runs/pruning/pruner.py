"""Asks the rule of a sweep about one of its runs."""

from dataclasses import dataclass

from cifar_exp.config.schema import TrainerSection
from cifar_exp.runs.pruning.base import PausedError, Rule, Siblings, standings
from cifar_exp.runs.pruning.registry import make_rule
from cifar_exp.runs.pruning.siblings import siblings_of
from cifar_exp.runs.spec import RunSpec
from cifar_exp.storage.record import PrunedInfo


@dataclass(frozen=True)
class Pruner:
    """The rule of a sweep for one of its runs."""

    rule: Rule
    siblings: Siblings
    run_id: str
    sweep: str
    trainer: TrainerSection

    def check(self, epoch: int) -> None:
        """Raise PausedError if the run is to be paused after this epoch, which metrics.csv has."""
        if not self.rule.applies(epoch, self.trainer.epochs):
            return
        if self.siblings.first_seed(self.run_id) != self.run_id:
            return
        standing = standings(self.siblings, self.run_id, epoch, self.trainer).get(self.run_id)
        if standing is not None and not self.rule.goes_on(standing):
            raise PausedError(PrunedInfo(sweep=self.sweep, rule=self.rule.name, epoch=epoch))


def pruner_of(spec: RunSpec, run_id: str) -> Pruner | None:
    """What prunes the run; None without a sweep or a rule."""
    rule = make_rule(spec.settings.pruning)
    if rule is None or spec.sweep is None:
        return None
    siblings = siblings_of(spec.outputs, spec.sweep)
    return Pruner(rule, siblings, run_id, spec.sweep, spec.settings.trainer)
