"""Which configurations a command confirms: those of earlier commands first, then the next best."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from cifar_exp.analysis.ranking import Ranking
from cifar_exp.config.confirm import ConfirmSection
from cifar_exp.errors import UserError
from cifar_exp.storage.selection import SelectedConfiguration, Selection
from cifar_exp.text import format_value


@dataclass(frozen=True)
class Choice:
    """The configurations to train, and all that is selected: by this command and by earlier ones.

    What has been selected stays selected: a sweep that has grown since ranks its configurations
    anew, but a confirmation must not choose twice.
    """

    configurations: Sequence[SelectedConfiguration]
    selection: Selection


def choose(
    ranking: Ranking, before: Selection | None, words: ConfirmSection, typed: Container[str]
) -> Choice:
    """The `top` configurations and the baseline; `typed` are the words that the user gave.

    Raises UserError if there are fewer configurations than were asked for, or no such baseline.
    """
    known = list(before.selected) if before else []
    others = [each for each in ranking.configurations if not _find(each, known)]
    if "confirm.top" in typed and words.top > len(known) + len(others):
        raise UserError(
            f"confirm.top={words.top}: must be at most {len(known) + len(others)}, the number of "
            "configurations with a completed run"
        )
    beside = list(before.baselines) if before else []
    added = [_find(each, beside) or each for each in others[: max(0, words.top - len(known))]]
    selected = [*known, *added]
    beside = [each for each in beside if not _find(each, selected)]
    chosen = selected[: words.top]
    if words.baseline is not None:
        named = _baseline(ranking, words.baseline)
        named = _find(named, [*selected, *beside]) or named
        beside += [] if _find(named, [*selected, *beside]) else [named]
        chosen += [] if _find(named, chosen) else [named]
    selection = before or Selection(
        sweep="", metric=ranking.metric, configurations=len(ranking.configurations), selected=[]
    )
    return Choice(chosen, replace(selection, selected=selected, baselines=beside))


def _find(
    configuration: SelectedConfiguration, among: Sequence[SelectedConfiguration]
) -> SelectedConfiguration | None:
    return next((each for each in among if each.is_same(configuration)), None)


def _baseline(ranking: Ranking, text: str) -> SelectedConfiguration:
    try:
        return ranking.find(text)
    except UserError as error:
        typed, shown = f"--baseline={text!r}", f"confirm.baseline={format_value(text)}"
        raise UserError(m.replace(typed, shown) for m in error.messages) from error
