"""Settings under `hydra`, on the command line and in sweep files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.hydra_app.arguments import parse_arguments
from cifar_exp.hydra_app.trials import check_command_line

ErrorsOf = Callable[..., list[str]]

HEAD = "# @package _global_\n"
PAIRED_FORM = (
    "must be a list of settings that move together, "
    "as [{model.width: 16, optimizer.lr: 0.4}, {model.width: 64, optimizer.lr: 0.2}]"
)
LINES = {
    "hydra.launcher=x": "hydra.launcher=x: choose a launcher by hydra/launcher=NAME",
    "hydra.launcher={n_jobs:2}": (
        "hydra.launcher={n_jobs:2}: choose a launcher by hydra/launcher=NAME"
    ),
    "hydra.launcher._target_=os.system": (
        "hydra.launcher._target_=os.system: choose a launcher by hydra/launcher=NAME"
    ),
    "hydra.sweeper._target_=os.system": (
        "hydra.sweeper._target_=os.system: choose a sweeper by hydra/sweeper=NAME"
    ),
    "hydra.launcher.memory_gb=${nope}": (
        "hydra.launcher.memory_gb: Interpolation key 'nope' not found"
    ),
    "hydra.launcher.njobs=2": "hydra.launcher.njobs: no such setting; did you mean n_jobs?",
    "hydra.launcher.zzz=2": (
        "hydra.launcher.zzz: no such setting; "
        "there are n_jobs, jobs_per_device, memory_gb, timeout_min"
    ),
    "+hydra.launcher.njobs=2": "hydra.launcher.njobs: no such setting; did you mean n_jobs?",
    "hydra.sweeper.parms=3": "hydra.sweeper.parms: no such setting; did you mean params?",
    "hydra.sweeper.max_batch_size=2": (
        "hydra.sweeper.max_batch_size: no such setting; there are params, paired"
    ),
    "hydra.lancher.n_jobs=2": "hydra.lancher: no such setting; did you mean launcher?",
    "hydra.job.nam=x": "hydra.job.nam: no such setting; did you mean name?",
    "hydra.mode=nope": "hydra.mode=nope: Invalid value 'nope', expected one of [RUN, MULTIRUN]",
}
# With --multirun the sweeper's values are read.
SWEEPS = {
    "hydra.sweeper.params=3": "hydra.sweeper.params=3: must be keys with their values",
    "hydra.sweeper.params=[1]": "hydra.sweeper.params=[1]: must be keys with their values",
    "hydra.sweeper.paired={a:1}": f'hydra.sweeper.paired={{"a": 1}}: {PAIRED_FORM}',
    "hydra.sweeper.paired=3": f"hydra.sweeper.paired=3: {PAIRED_FORM}",
}
FILES = {
    "parms: {seed: 1}": "hydra.sweeper.parms: no such setting; did you mean params?",
    "pair: []": "hydra.sweeper.pair: no such setting; did you mean paired?",
    "paired: {a: 1}": f'hydra.sweeper.paired={{"a": 1}}: {PAIRED_FORM}',
    "params: [1]": "hydra.sweeper.params=[1]: must be keys with their values",
    "params: {model.width: [4, 8]}": (
        "model.width=[4, 8]: write the values as text, model.width: 4,8"
    ),
    "params: {model: [tiny, wide]}": (
        'model=["tiny", "wide"]: write the values as text, model: tiny,wide'
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_a_setting_that_hydra_does_not_have_or_take_is_a_mistake(
    errors_of: ErrorsOf, line: str
) -> None:
    assert errors_of(line) == [LINES[line]]


def test_any_environment_variable_can_be_set_for_the_job() -> None:
    arguments = parse_arguments(["+hydra.job.env_set.OMP_NUM_THREADS=1"])
    assert len(check_command_line(arguments).trials) == 1


def test_an_environment_variable_that_is_not_set_is_named(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("hydra.launcher.timeout_min=${oc.env:NO_SUCH_VARIABLE}")
    assert sentence.startswith("hydra.launcher.timeout_min: ")
    assert "'NO_SUCH_VARIABLE' not found" in sentence


@pytest.mark.parametrize("line", SWEEPS)
def test_lists_of_the_sweeper_in_a_wrong_form_are_mistakes(errors_of: ErrorsOf, line: str) -> None:
    assert errors_of("--multirun", "seed=0,1", line) == [SWEEPS[line]]


@pytest.mark.parametrize("section", FILES)
def test_usual_slips_in_a_sweep_file_are_mistakes(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path], section: str
) -> None:
    folder = own_yaml(**{"sweep/own": f"{HEAD}hydra: {{sweeper: {{{section}}}}}\n"})
    assert errors_of("--config-dir", str(folder), "sweep=own") == [FILES[section]]


def test_a_list_that_is_one_value_stays_one(own_yaml: Callable[..., Path]) -> None:
    params = "scheduler: step, scheduler.milestones: [0.2, 0.4], seed: '0,1'"
    folder = own_yaml(**{"sweep/own": f"{HEAD}hydra: {{sweeper: {{params: {{{params}}}}}}}\n"})
    grid = check_command_line(parse_arguments(["--config-dir", str(folder), "sweep=own"]))
    assert [s.scheduler.milestones for s in grid.settings] == [(0.2, 0.4)] * 2


@pytest.mark.parametrize("group", ["sweep", "experiment"])
def test_a_recipe_without_its_first_line_is_a_mistake(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path], group: str
) -> None:
    folder = own_yaml(**{f"{group}/own": "trainer: {epochs: 3}\n"})
    assert errors_of("--config-dir", str(folder), f"{group}=own") == [
        f"{group}=own: its file must begin with the line `# @package _global_`"
    ]


def test_a_wrong_mode_in_a_sweep_file_is_reported_with_its_key(
    errors_of: ErrorsOf, own_yaml: Callable[..., Path]
) -> None:
    folder = own_yaml(**{"sweep/own": f"{HEAD}hydra: {{mode: nope}}\n"})
    assert errors_of("--config-dir", str(folder), "sweep=own") == [
        "In 'sweep/own': hydra.mode: Invalid value 'nope', expected one of [RUN, MULTIRUN]"
    ]


def test_a_launcher_of_hydras_has_its_own_options(errors_of: ErrorsOf) -> None:
    line = ["--multirun", "seed=0,1", "hydra/launcher=joblib"]
    grid = check_command_line(parse_arguments([*line, "hydra.launcher.n_jobs=0"]))
    assert (grid.launcher_options, grid.launcher["n_jobs"]) == (
        None,
        0,
    )  # joblib checks its values itself
    (sentence,) = errors_of(*line, "hydra.launcher.n_job=2", "hydra.launcher.backend=loky")
    assert sentence == "hydra.launcher.n_job: no such setting; did you mean n_jobs?"


@pytest.mark.parametrize("launcher", ["slurm", "ray"])
def test_an_own_launcher_has_checked_options(errors_of: ErrorsOf, launcher: str) -> None:
    line = ["--multirun", "seed=0,1", f"hydra/launcher={launcher}"]
    grid = check_command_line(parse_arguments([*line, "hydra.launcher.cpus=3"]))
    assert grid.launcher_options.model_dump()["cpus"] == 3
    assert errors_of(*line, "hydra.launcher.cpsu=2", "hydra.launcher.cpus=x") == [
        "hydra.launcher.cpsu: no such setting; did you mean cpus?",
        "hydra.launcher.cpus=x: must be an integer in [1, 1024]",
    ]


def test_options_of_a_launcher_that_does_not_exist_are_not_checked(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("hydra/launcher=slrum", "hydra.launcher.partition=gpu")
    assert sentence.startswith("hydra/launcher=slrum: no such option; hydra/launcher may be basic,")


def test_a_folder_of_hydra_searchpath_that_does_not_exist_is_a_mistake(errors_of: ErrorsOf) -> None:
    (sentence,) = errors_of("hydra.searchpath=[file:///no/such/folder]")
    assert "path=/no/such/folder is not available" in sentence
