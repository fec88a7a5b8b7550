"""What a confirmation selects from: the configurations as the report ranks them."""

import pytest

from cifar_exp.analysis.ranking import rank_configurations
from cifar_exp.errors import UserError


@pytest.fixture
def sweep(outputs):
    folders = outputs.grid(lambda width, dropout: 0.4 + width / 100 - dropout)
    return outputs.sweep("mine", list(folders.values()))


def test_the_ranking_is_that_of_the_report(outputs, sweep) -> None:
    ranking, summary = rank_configurations(sweep, ()), outputs.statistics(sweep).summary
    found = ranking.configurations
    assert [each.configuration for each in found] == summary["configuration"].tolist()
    assert [each.mean for each in found] == pytest.approx(summary["mean"].tolist())
    assert [each.rank for each in found] == list(range(1, 10))
    assert ranking.metric == "val_accuracy"


def test_a_configuration_has_its_own_runs_by_seed(sweep) -> None:
    ranking = rank_configurations(sweep, ())
    for each in ranking.configurations:
        records = [ranking.runs[run_id].record for run_id in each.selected_on]
        assert [record.seed for record in records] == [0, 1, 2]
        assert len({record.params["model.width"] for record in records}) == 1


def test_runs_of_some_seeds_do_not_count(sweep) -> None:
    ranking = rank_configurations(sweep, {0, 2})
    assert len(ranking.configurations) == 9
    for each in ranking.configurations:
        (run_id,) = each.selected_on
        assert ranking.runs[run_id].record.seed == 1
        final = ranking.runs[run_id].record.final
        assert final is not None
        assert each.mean == pytest.approx(final.val_accuracy)
    with pytest.raises(UserError, match=r"^none of its runs is completed$"):
        rank_configurations(sweep, {0, 1, 2})


def test_a_configuration_is_found_by_settings_or_by_a_run(sweep) -> None:
    ranking = rank_configurations(sweep, ())
    named = ranking.find("width=16 dropout=0.1")
    assert named.configuration == "width=16 dropout=0.1"
    assert ranking.find(named.selected_on[1]) == named
    with pytest.raises(UserError, match="no completed run matches"):
        ranking.find("0123456789")
