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
    anew, but a confirmation must not choose twice. `note` says so where it matters.
    """

    configurations: Sequence[SelectedConfiguration]
    selection: Selection
    note: str | None = None


def choose(
    ranking: Ranking, before: Selection | None, words: ConfirmSection, typed: Container[str]
) -> Choice:
    """The `top` configurations and the baseline; `typed` are the words that the user gave.

    Raises UserError if there are fewer configurations than were asked for, or no such baseline.
    """
    selection = before or Selection("", ranking.metric, len(ranking.configurations), [])
    selection = _with_best(selection, ranking, words.top, is_asked="confirm.top" in typed)
    chosen = selection.selected[: words.top]
    if words.baseline is not None:
        named = _baseline(ranking, words.baseline)
        known = _find(named, selection.all)
        if known is None:
            selection = replace(selection, baselines=[*selection.baselines, named])
        chosen = [*(each for each in chosen if each is not known), known or named]
    return Choice(chosen, selection, _note(ranking, selection, words.top))


def _with_best(selection: Selection, ranking: Ranking, top: int, *, is_asked: bool) -> Selection:
    """With the next best of the sweep, until there are `top`; a baseline may be one of them."""
    known = selection.selected
    others = [each for each in ranking.configurations if not _find(each, known)]
    if is_asked and top > len(known) + len(others):
        raise UserError(
            f"confirm.top={top}: must be at most {len(known) + len(others)}, the number of "
            "configurations with a completed run"
        )
    added = [
        _find(each, selection.baselines) or each for each in others[: max(0, top - len(known))]
    ]
    left = [each for each in selection.baselines if each not in added]
    return replace(selection, selected=[*known, *added], baselines=left)


def _note(ranking: Ranking, selection: Selection, top: int) -> str | None:
    """What a sweep that has grown would select now, if it is not selected."""
    others = [each for each in ranking.configurations if not _find(each, selection.selected)]
    if not others or others[0].rank > top:
        return None
    which = "the best" if top == 1 else f"one of the best {top}"
    return (
        f"{others[0].configuration} is {which} now, but the selection stays as it was; "
        f"confirm.top={len(selection.selected) + 1} adds it"
    )


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
