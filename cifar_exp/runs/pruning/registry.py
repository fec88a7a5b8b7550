"""The pruning rules by name."""

from collections.abc import Callable

from cifar_exp.config.pruning import PruningSection
from cifar_exp.runs.pruning.asha import Asha
from cifar_exp.runs.pruning.base import Rule
from cifar_exp.runs.pruning.median import Median
from cifar_exp.runs.pruning.top_k import TopK

RULES: dict[str, Callable[[PruningSection], Rule]] = {
    "asha": lambda section: Asha(section.grace, section.reduction),
    "median": lambda section: Median(section.grace),
    "top_k": lambda section: TopK(section.grace, section.top),
}


def make_rule(section: PruningSection) -> Rule | None:
    """The rule that the settings name; None where there is none."""
    return None if section.name == "none" else RULES[section.name](section)
