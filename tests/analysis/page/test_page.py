"""The content of the page and the CSV files."""

import csv
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cifar_exp.analysis.page
from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.report import ReportOptions, make_report
from cifar_exp.analysis.statistics.metric import METRICS
from cifar_exp.errors import EnvironmentFailure

VENDOR = Path(cifar_exp.analysis.page.__file__).parent / "vendor"
EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>&\"'"


def made(outputs: Any, *paths: Path) -> Path:
    report: Path = outputs.path / "out"
    inputs = find_inputs(list(paths) or [outputs.path])
    options = ReportOptions(METRICS["val_accuracy"], output=report)
    make_report(inputs, options, lambda _line: None)
    return report


class Page(HTMLParser):
    """Tags, text, and the data that tables and charts are drawn from."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(path.read_text())
        self.groups: list[dict[str, Any]] = json.loads(self.scripts[0])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside = tag
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        else:
            self.text += data


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_the_tables_have_a_row_a_run_an_epoch_and_a_configuration(outputs: Any) -> None:
    for seed in range(3):
        for width in (8, 16):
            outputs.run(seed=seed, val=width / 40 + seed / 100, model__width=width)
    outputs.run(seed=3, status="failed", error="boom", model__width=16, done=1)
    report = made(outputs)
    runs = rows_of(report / "runs.csv")
    assert len(runs) == 7
    assert list(runs[0])[:3] == ["run_id", "label", "groups"]
    assert {row["reason"] for row in runs} == {"", "ValueError: boom"}
    assert {row["groups"] for row in runs} == {"convnet"}
    history = rows_of(report / "history.csv")
    assert len(history) == 6 * 3 + 1
    assert list(history[0])[:4] == ["run_id", "epoch", "step", "lr"]
    assert history[0]["epoch"] == "1"
    summary = rows_of(report / "summary.csv")
    assert [(row["configuration"], row["n"]) for row in summary] == [
        ("width=16", "3"),
        ("width=8", "3"),
    ]
    expected = pd.Series([0.4, 0.41, 0.42])
    assert float(summary[0]["mean"]) == pytest.approx(expected.mean())
    assert float(summary[0]["sd"]) == pytest.approx(expected.std())
    assert summary[0]["failed"] == "1"
    for name in ("comparisons", "effects", "importance"):
        assert {row["group"] for row in rows_of(report / f"{name}.csv")} == {"convnet"}


def test_ids_stay_text_whatever_they_look_like(outputs: Any) -> None:
    ids = ["12e4567890", "0000000012", "1234567890"]
    for seed, run_id in enumerate(ids):
        outputs.run(seed=seed, run_id=run_id)
    report = made(outputs)
    assert {row["run_id"] for row in rows_of(report / "runs.csv")} == set(ids)
    assert {row["run_id"] for row in rows_of(report / "history.csv")} == set(ids)
    (group,) = Page(report / "index.html").groups
    assert set(group["runs"]["id"]) == set(ids)


def test_each_run_has_its_results_settings_and_command(outputs: Any) -> None:
    run = outputs.run(val=0.5, model__width=8, overrides=["model.width=8", "data.root='a b'"])
    outputs.run(val=0.6, model__width=16, seed=2)
    page = Page(made(outputs) / "index.html")
    run_id = run.name[-10:]
    (group,) = page.groups
    assert len(group["runs"]["id"]) == 2
    place = group["runs"]["id"].index(run_id)
    settings = group["details"]["settings"]
    assert list(settings) == ["model.width"]
    assert settings["model.width"]["values"][settings["model.width"]["index"][place]] == "8"
    assert group["details"]["common"]["trainer.epochs"] == "3"
    command = shlex.split(group["details"]["command"][place])
    overrides = ["model.width=8", "data.root='a b'", "seed=0"]
    assert command == ["python", "-m", "cifar_exp.train", *overrides]


def test_texts_that_users_wrote_are_escaped(outputs: Any) -> None:
    names = [EVIL, "bee", "cat", "dog"]
    data = {"name": EVIL, "class_names": names, "superclasses": [EVIL, *names[1:]]}
    for status in ("completed", "failed"):
        outputs.run(
            status=status,
            run_id=f"{len(status):010d}",
            label="evil",
            error=None if status == "completed" else EVIL,
            data=data,
            overrides=[f"x={EVIL}"],
            model__name=EVIL,
        )
    run = outputs.run(seed=1, data=data)
    sweep = outputs.sweep("mine", [run])
    (sweep / "sweep.yaml").write_text(json.dumps({"name": "mine", "commands": [{"command": EVIL}]}))
    path = made(outputs) / "index.html"
    page = Page(path)
    assert [tag for tag, _ in page.tags].count("script") == 2 + len(list(VENDOR.glob("*.js")))
    assert [attrs for tag, attrs in page.tags if tag == "img"] == []
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert EVIL in page.text
    groups = page.groups
    evil = next(group for group in groups if "0000000009" in group["runs"]["id"])
    assert any(repr(EVIL) in group["details"]["common"].values() for group in groups)
    command = evil["details"]["command"][evil["runs"]["id"].index("0000000009")]
    assert f"x={EVIL}" in shlex.split(command)


def test_the_page_refers_to_nothing_outside_itself(outputs: Any) -> None:
    outputs.run()
    source = (made(outputs) / "index.html").read_text()
    for path in VENDOR.glob("*.js"):  # their comments name their home
        assert path.read_text() in source
        source = source.replace(path.read_text(), "")
    assert re.findall(r"""(?:src|href)=["'](?!data:|#|figures/)[^"']*""", source) == []
    assert set(re.findall(r"https?://[^\"'\s)]+", source)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in source
    assert "url(" not in source


def test_methods_say_how_far_other_images_would_move_an_accuracy(outputs: Any) -> None:
    outputs.run(val=0.5)
    text = Page(made(outputs) / "index.html").text
    # 100 images: the binomial SD of 50 % is 5 points
    assert (
        "another 100 would move that of the best by up to 9.8 percentage points either way" in text
    )


def test_counts_failures_and_commands_are_on_the_page(outputs: Any) -> None:
    runs = [outputs.run(seed=0, val=0.5), outputs.run(seed=1, status="failed", error="boom")]
    runs.append(outputs.run(seed=2, status="pruned"))
    sweep = outputs.sweep("mine", runs, pending=["0123456789"])
    text = Page(made(outputs, sweep) / "index.html").text
    assert "run completed; 1 pending, 1 failed, 1 pruned" in text
    assert "python -m cifar_exp.train sweep=mine" in text
    assert "ValueError: boom" in text
    assert ": paused after" not in text  # which is no failure: the table of runs has it
    assert "Means leave out runs that failed or diverged (the only configuration)" in text


def test_a_group_names_its_methods_and_what_calls_for_caution(outputs: Any) -> None:
    outputs.run(seed=0, compute={"threads": 1})
    outputs.run(seed=1, compute={"threads": 2})
    outputs.run(seed=0, model__width=16)
    text = Page(made(outputs) / "index.html").text
    assert "900 images for training, 100 for choosing (val), 200 for testing" in text
    assert "The runs were made with different numbers of threads (1, 2)." in text
    assert "The configurations have unequal numbers of seeds (1 to 2)." in text


def test_without_val_the_page_says_that_test_is_not_for_choosing(outputs: Any) -> None:
    outputs.run(val=None, test=0.5, data={"val_size": 0})
    text = Page(made(outputs) / "index.html").text
    assert (
        "There are no validation images (data.val_fraction=0): results are on test, not for "
        "choosing." in text
    )


def test_of_too_many_runs_the_best_and_some_failed_ones_are_shown(
    outputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cifar_exp.analysis.page.data.MOST_RUNS", 4)
    ids = [outputs.run(seed=i, val=0.1 * i).name[-10:] for i in range(1, 7)]
    bad = outputs.run(seed=9, status="failed", error="x").name[-10:]
    report = made(outputs)
    page = Page(report / "index.html")
    assert set(page.groups[0]["runs"]["id"]) == {*ids[-3:], bad}
    assert "3 more runs are in runs.csv" in page.text
    assert len(rows_of(report / "runs.csv")) == 7


def test_the_tables_of_differences_say_what_the_csv_says(outputs: Any) -> None:
    for seed, (narrow, pivot) in enumerate([(0.30, 0.40), (0.31, 0.42), (0.30, 0.38)]):
        outputs.run(seed=seed, val=narrow, model__width=8)
        outputs.run(seed=seed, val=pivot, model__width=16)
    report = made(outputs)
    (row,) = rows_of(report / "effects.csv")
    (shown,) = Page(report / "index.html").groups[0]["effects"]
    assert [shown[name] for name in ("name", "level", "reference")] == ["width", "16", "8"]
    for name in ("mean", "low", "high", "p"):
        assert shown[name] == pytest.approx(float(row[name]), rel=1e-8)
    assert shown["verdict"] == "better"


def test_pending_runs_are_counted_once_if_a_sweep_is_split(outputs: Any) -> None:
    runs = [outputs.run(), outputs.run(compute={"precision": "bf16"})]
    sweep = outputs.sweep("mine", runs, pending=["0123456789"])
    text = Page(made(outputs, sweep) / "index.html").text
    assert text.count("1 pending") == 1


def test_settings_that_changed_only_together_call_for_caution(outputs: Any) -> None:
    for width in (8, 16, 32):
        outputs.run(val=width / 100, model__width=width, optimizer__lr=1 / width)
    text = Page(made(outputs) / "index.html").text
    assert (
        "optimizer.lr changed only with width: the effect shown for width may be that of either."
        in text
    )


def test_without_any_readable_run_the_page_says_so(outputs: Any) -> None:
    (outputs.run() / "run.json").write_text("{")
    text = Page(made(outputs) / "index.html").text
    assert "No run could be read." in text
    assert "run.json is damaged: not valid JSON" in text


def test_mixed_outputs_have_separate_groups_with_their_own_means(outputs: Any) -> None:
    shapes = [outputs.run(seed=s, val=0.2 + s / 100) for s in range(2)]
    other = {"name": "folder", "fingerprint": "0" * 64}
    for seed in range(2):
        outputs.run(seed=seed, val=0.8, data=other)
        outputs.run(seed=seed, val=0.6, model__name="torchvision.models.resnet18")
    outputs.sweep("mine", shapes)
    report = made(outputs)
    found = {row["group"]: (row["n"], row["mean"]) for row in rows_of(report / "summary.csv")}
    assert {name: (int(n), pytest.approx(float(mean))) for name, (n, mean) in found.items()} == {
        "mine": (2, 0.205),
        "convnet, in no sweep": (2, 0.8),
        "resnet18, in no sweep": (2, 0.6),
    }
    tags = Page(report / "index.html").tags
    hrefs = [str(attrs["href"]) for tag, attrs in tags if tag == "a"]
    hrefs = [href for href in hrefs if href.startswith("#")]
    assert hrefs[:4] == [
        "#main",
        "#group-mine",
        "#group-convnet-in-no-sweep",
        "#group-resnet18-in-no-sweep",
    ]
    ids = {attrs["id"] for _, attrs in tags if "id" in attrs}
    assert {href.removeprefix("#") for href in hrefs} <= ids


def test_a_report_that_cannot_be_written_says_that_the_runs_are_unchanged(
    outputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs.run()

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cifar_exp.analysis.page.render.write_text", fail)
    with pytest.raises(EnvironmentFailure) as caught:
        made(outputs)
    assert str(caught.value) == (
        f"the report could not be written to {outputs.path / 'out'}: there is no space left on "
        "its disk; the runs are unchanged"
    )
