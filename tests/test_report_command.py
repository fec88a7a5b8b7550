"""The report as a user types it: its output, its exit codes, and damaged folders."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_exp.report import main

pytestmark = pytest.mark.slow  # commands in processes of their own

RUN = {
    "schema": 1,
    "label": "tiny",
    "status": "completed",
    "dataset": {
        "name": "shapes",
        "fingerprint": "f" * 64,
        "classes": 2,
        "class_names": ["a", "b"],
        "superclasses": None,
        "split_seed": 0,
        "train_size": 90,
        "val_size": 10,
        "test_size": 20,
    },
    "model": {"parameters": 10, "macs": 10},
    "compute": {
        "device": "cpu",
        "device_name": "cpu",
        "threads": 1,
        "precision": "fp32",
        "lr_groups": [],
    },
    "segments": [],
    "started_at": "2026-11-01T00:00:00+00:00",
    "environment": {},
}
Report = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """Two completed runs of one sweep, of widths 8 and 16."""
    for run_id, width in (("0000000008", 8), ("12e4567890", 16)):
        folder = tmp_path / "outputs" / "runs" / f"tiny-{run_id}"
        folder.mkdir(parents=True)
        params = {"seed": 0, "trainer.epochs": 1, "model.width": width}
        final = {"epoch": 1, "val_accuracy": width / 100, "val_loss": 1.0}
        record = {**RUN, "run_id": run_id, "seed": 0, "params": params, "final": final}
        (folder / "run.json").write_text(json.dumps(record))
    return tmp_path / "outputs"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Report:
    """Runs the command in this process without figures: exit code, output lines, error lines."""

    def run(*line: object) -> tuple[int, list[str], list[str]]:
        monkeypatch.setattr(sys, "argv", ["report", *map(str, line), "--figures", "none"])
        code = main()
        printed = capsys.readouterr()
        return code, printed.out.splitlines(), printed.err.splitlines()

    return run


def test_it_prints_the_findings_and_where_the_page_is(report: Report, outputs: Path) -> None:
    code, lines, errors = report(outputs)
    page = outputs / "report" / "index.html"
    assert (code, errors) == (0, [])
    assert lines[0] == "runs     2"
    assert lines[-1] == f"report   {page}"
    assert (
        "answer   Best of 2: width=16, validation accuracy 16.00 %, no interval, 1 seed."
    ) in lines
    assert page.exists()


def test_json_is_one_object_with_the_sentences_and_nothing_else(
    report: Report, outputs: Path
) -> None:
    _, lines, _ = report(outputs)
    code, printed, errors = report(outputs, "--json")
    assert (code, errors) == (0, [])
    (group,) = json.loads("\n".join(printed))["groups"]
    said = [f"answer   {finding['text']}" for finding in group["findings"]]
    said += [f"caution  {text}" for text in group["cautions"]]
    assert said == [line for line in lines if line.startswith(("answer", "caution"))]


def test_a_terminal_gets_lines_that_fit_it_and_the_first_answer_in_bold(
    report: Report, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain, _ = report(outputs)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in (("COLUMNS", "50"), ("TERM", "xterm"), ("FORCE_COLOR", "1")):
        monkeypatch.setenv(name, value)
    _, lines, _ = report(outputs)  # the same as before, from what it keeps
    (bold,) = [
        number for number, line in enumerate(lines) if "\x1b[1m" in line and "answer" in line
    ]
    assert bold == next(i for i, line in enumerate(lines) if "answer" in line)
    bare = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines]
    assert all(len(line) <= 50 for line in bare if " " in line.strip() and "/" not in line)
    assert " ".join(" ".join(bare).split()) == " ".join(" ".join(plain).split())
    assert json.loads("\n".join(report(outputs, "--json")[1]))


def test_the_report_goes_to_the_output_folder(
    report: Report, outputs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "er"
    before = sorted(outputs.rglob("*"))
    assert report(outputs / "runs" / "tiny-12e4567890", "--output", folder)[0] == 0
    assert {"index.html", "runs.csv", "history.csv", "summary.csv"} <= set(os.listdir(folder))
    assert sorted(outputs.rglob("*")) == before


def test_what_is_left_out_is_printed_with_the_reason(report: Report, outputs: Path) -> None:
    foreign = outputs / "runs" / "other-0123456789"
    foreign.mkdir()
    (foreign / "run.json").write_text('{"project": "another"}')
    code, lines, _ = report(outputs)
    assert code == 0
    assert f"left out {foreign}: run.json is not a run of cifar_exp" in lines
    assert "runs     2" in lines


def test_outputs_without_any_readable_run_still_give_a_report(
    report: Report, outputs: Path
) -> None:
    for path in outputs.glob("runs/*/run.json"):
        path.write_text("{")
    code, lines, errors = report(outputs)
    assert (code, errors) == (0, [])
    assert lines[0] == "runs     0"
    assert (outputs / "report" / "index.html").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            ["absent"],
            "absent: is not a folder; give an outputs folder, sweep folders or run folders",
        ),
        (
            ["OUTPUTS", "--metric", "val_acuracy"],
            "--metric=val_acuracy: must be one of val_accuracy, val_loss, test_accuracy, "
            "test_top5_accuracy, test_loss, test_ece, test_superclass_accuracy; did you mean "
            "val_accuracy?",
        ),
        (
            ["OUTPUTS", "--baseline", "widht=8"],
            "--baseline='widht=8': widht did not vary here (what varied: width); did you mean "
            "width?",
        ),
        (
            ["OUTPUTS", "--baseline", "width=9"],
            "--baseline='width=9': no completed run matches",
        ),
        (
            ["OUTPUTS", "--worth", "half"],
            "--worth=half: must be a positive number, such as 0.5",
        ),
        (["OUTPUTS", "--worth=-1"], "--worth=-1: must be a positive number, such as 0.5"),
        (["OUTPUTS", "--output", "FILE"], "--output=FILE: is not a folder"),
        (
            ["OUTPUTS", "--output", "OUTPUTS"],
            "--output=OUTPUTS: contains runs, which a report must not mix with; give another "
            "folder",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_written(
    report: Report, outputs: Path, tmp_path: Path, line: list[str], message: str
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    names = {"OUTPUTS": str(outputs), "FILE": str(file)}
    before = sorted(tmp_path.rglob("*"))
    code, _, errors = report(*(names.get(word, word) for word in line))
    assert (code, errors) == (2, [f"error: {_named(message, names)}"])
    assert sorted(tmp_path.rglob("*")) == before


def _named(text: str, names: dict[str, str]) -> str:
    for word, name in names.items():
        text = text.replace(word, name)
    return text


def test_the_folder_of_all_sweeps_is_reported(report: Report, outputs: Path) -> None:
    sweep = outputs / "sweeps" / "mine"
    sweep.mkdir(parents=True)
    (sweep / "sweep.yaml").write_text("name: mine\n")
    line = "0000000008,../../runs/tiny-0000000008,completed"
    (sweep / "runs.csv").write_text(f"run_id,folder,status\n{line}\n")
    code, lines, errors = report(outputs / "sweeps")
    assert (code, errors) == (0, [])
    assert lines[0] == "runs     1"
    assert lines[-1] == f"report   {outputs / 'reports' / 'sweeps' / 'index.html'}"


@pytest.mark.parametrize(
    ("baseline", "messages"),
    [
        ("width=5", ["--baseline='width=5': no completed run matches"]),
        (
            "momentum=5",
            [
                "--baseline='momentum=5': in group 'convnet', momentum did not vary here (what "
                "varied: width)",
                "--baseline='momentum=5': in group 'other', momentum did not vary here (what "
                "varied: lr)",
            ],
        ),
    ],
)
def test_a_baseline_that_none_of_several_groups_has_is_a_mistake(
    report: Report, outputs: Path, baseline: str, messages: list[str]
) -> None:
    for path in outputs.glob("runs/*/run.json"):
        record = json.loads(path.read_text())
        record["params"]["model.name"] = "convnet"
        path.write_text(json.dumps(record))
        other = {"model.name": "other", "optimizer.lr": record["params"]["model.width"] / 10}
        run_id = record["run_id"][::-1]
        folder = outputs / "runs" / f"other-{run_id}"
        folder.mkdir()
        other_record = {**record, "run_id": run_id, "params": {"trainer.epochs": 1, **other}}
        (folder / "run.json").write_text(json.dumps(other_record))
    code, _, errors = report(outputs, "--baseline", baseline)
    assert (code, errors) == (2, [f"error: {message}" for message in messages])


def test_escape_sequences_in_a_record_do_not_reach_the_terminal(
    report: Report, outputs: Path
) -> None:
    path = outputs / "runs" / "tiny-12e4567890" / "run.json"
    record = json.loads(path.read_text())
    record["params"]["model.width"] = "\x1b[2J\x07wide"
    path.write_text(json.dumps(record))
    (outputs / "runs" / "\x1b]0;title").mkdir()
    _, lines, _ = report(outputs)
    assert all(line.isprintable() for line in lines)
    assert any("\\x1b]0;title: is not named like a run's folder" in line for line in lines)
    assert any("Best of 2: width=" in line and "wide, " in line for line in lines)
    _, _, errors = report("\x1b[2Jabsent")
    assert errors[0].startswith("error: \\x1b[2Jabsent: is not a folder")


def test_damaged_files_are_left_out_with_a_reason_and_never_break_the_report(
    report: Report, outputs: Path
) -> None:
    runs = outputs / "runs"
    surrogate = json.loads((runs / "tiny-0000000008" / "run.json").read_text())
    surrogate["params"]["x.y"] = "\ud800"
    for name, content in (("a", json.dumps(surrogate)), ("b", "[" * 100_000)):
        (runs / f"tiny-{name * 10}").mkdir()
        (runs / f"tiny-{name * 10}" / "run.json").write_text(content)
    (runs / "tiny-cccccccccc").symlink_to("tiny-cccccccccc")
    os.mkfifo(runs / "tiny-0000000008" / "metrics.csv")
    os.mkfifo(runs / "tiny-12e4567890" / "predictions.npz")
    sweep = outputs / "sweeps" / "deep"
    sweep.mkdir(parents=True)
    (sweep / "sweep.yaml").write_text("- " * 5000 + "1\n")
    (sweep / "runs.csv").write_text("run_id,folder,status\n0000000008,,completed\n")
    code, lines, errors = report(outputs)
    assert (code, errors) == (0, [])
    for left_out in (
        f"the commands of {sweep}: sweep.yaml is damaged: not valid YAML",
        f"{runs / 'tiny-aaaaaaaaaa'}: run.json is damaged: not valid JSON",
        f"{runs / 'tiny-bbbbbbbbbb'}: run.json is damaged: not valid JSON",
        f"{runs / 'tiny-cccccccccc'}: run.json cannot be read: Too many levels of symbolic links",
        f"{runs / 'tiny-0000000008'}: metrics.csv cannot be read: not a regular file",
    ):
        assert f"left out {left_out}" in lines
    assert "runs     2" in lines


def test_another_metric_ranks_by_it(report: Report, outputs: Path) -> None:
    _, lines, _ = report(outputs, "--metric", "val_loss")
    assert any("validation loss 1.000 nats" in line for line in lines)


def test_the_report_is_written_even_if_nobody_reads_the_output(outputs: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "cifar_exp.report", str(outputs)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    ran = subprocess.run(
        command, env=environment, stdout=write_end, stderr=subprocess.PIPE, check=False
    )
    os.close(write_end)
    assert (outputs / "report" / "index.html").exists(), ran.stderr


def test_ctrl_c_has_its_own_exit_code(
    report: Report, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cifar_exp.analysis.load.discover.find_inputs", stop)
    assert report(outputs)[0] == 130


def test_the_command_loads_no_torch_and_its_help_does_not_load_pandas(outputs: Path) -> None:
    program = (
        "import sys; from cifar_exp.report import main\n"
        "sys.argv[1:] = sys.argv[1:] or ['--help']\n"
        "code = None\n"
        "try: code = main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'hydra', 'omegaconf', 'pandas'} & set(sys.modules)), code)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    loaded = []
    for line in ([], [str(outputs)]):
        command = [sys.executable, "-c", program, *line]
        ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        loaded.append(ran.stdout.splitlines()[-1])
        assert ran.stderr == ""
    assert loaded == ["[] None", "['pandas'] 0"]


def test_linear_algebra_gets_one_thread_unless_told_otherwise(
    report: Report, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    report(outputs)
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["MKL_NUM_THREADS"] == "3"
