"""Every figure is drawn if the data supports it, and skipped with a reason if not."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.catalog import plan_figures
from cifar_exp.analysis.figures.drawing.registry import DRAW
from cifar_exp.analysis.figures.drawing.save import figure_style, save
from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.load.runs import load_runs
from cifar_exp.analysis.statistics.progress import all_progress

pytestmark = pytest.mark.slow  # draws every figure

RUN_FIGURES = ("confusion", "pairs", "reliability")
OVERHANG = 3.0  # pixels that may stick out of a figure


Drawn = dict[str, Figure]


def data_of(outputs: Any) -> FigureData:
    statistics = outputs.statistics()
    runs = load_runs(find_inputs([outputs.path]), outputs.path / "report").runs
    best = statistics.counted["configuration"] == statistics.best
    own = [runs[run_id] for run_id in statistics.counted.index[best]]
    return FigureData(statistics, own, all_progress(statistics, []))


def draw(outputs: Any, report: Path, drawn: Drawn | None = None) -> dict[str, str | None]:
    """The reasons by figure, None where it was drawn; the figures are put into `drawn`."""
    data = data_of(outputs)
    planned = plan_figures(data, report).planned
    with figure_style():
        for figure in planned:
            if figure.alt and drawn is not None:
                figure.folder.mkdir(parents=True, exist_ok=True)
                drawn[figure.spec.name] = DRAW[figure.spec.name](data)
                save(drawn[figure.spec.name], figure)
    return {figure.spec.name: figure.reason for figure in planned}


def assert_nothing_is_cut_off(name: str, figure: Figure) -> None:
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    over = max(-drawn.x0, -drawn.y0, drawn.x1 - width, drawn.y1 - height)
    assert over <= OVERHANG / figure.dpi, f"{name}: something is cut off"


def assert_titles_and_legends_do_not_overlap(name: str, figure: Figure) -> None:
    boxes = {"title": figure._suptitle.get_window_extent()}  # type: ignore[attr-defined]
    if figure._supxlabel is not None:  # type: ignore[attr-defined]
        boxes["note"] = figure._supxlabel.get_window_extent()  # type: ignore[attr-defined]
    boxes |= {f"legend {i}": legend.get_window_extent() for i, legend in enumerate(figure.legends)}
    boxes |= {f"axes {i}": axes.get_tightbbox() for i, axes in enumerate(figure.axes)}
    names = list(boxes)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            shared = type(boxes[one]).intersection(boxes[one], boxes[other])
            touching = shared is not None and min(shared.width, shared.height) > OVERHANG
            assert not touching, f"{name}: {one} lies on {other}"


def assert_legible(figures: Drawn) -> None:
    for name, figure in figures.items():
        assert figure.get_suptitle()
        assert figure.get_figwidth() <= 8.0
        assert_nothing_is_cut_off(name, figure)
        assert_titles_and_legends_do_not_overlap(name, figure)
        assert_names_do_not_overlap(name, figure)
        smallest = min(text.get_fontsize() for text in figure.findobj(Text))
        assert smallest >= 6.5, f"{name}: text of {smallest} points"


def assert_names_do_not_overlap(name: str, figure: Figure) -> None:
    for axes in figure.axes:
        below = [label for label in axes.get_xticklabels() if label.get_rotation() == 0]
        columns = [label.get_window_extent() for label in below if label.get_text()]
        columns = sorted((box for box in columns if box.width), key=lambda box: box.x0)
        for left, right in pairwise(columns):
            assert left.x1 <= right.x0 + OVERHANG, f"{name}: names of columns overlap"
        boxes = [label.get_window_extent() for label in axes.get_yticklabels() if label.get_text()]
        boxes = sorted((box for box in boxes if box.height), key=lambda box: box.y0)
        for lower, upper in pairwise(boxes):
            assert lower.y1 <= upper.y0 + OVERHANG, f"{name}: names of rows overlap"


def test_a_whole_grid_is_drawn(outputs: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    grid = outputs.grid(lambda width, dropout: 0.4 + width / 100 - dropout - dropout * (width == 8))
    random = np.random.default_rng(0)
    for seed in range(3):
        label = random.integers(0, 4, 200)
        outputs.write_predictions(grid[32, 0.0, seed], label, random.integers(0, 4, 200))
    reasons = draw(outputs, tmp_path, figures)
    assert {name: reason for name, reason in reasons.items() if reason} == {
        "slices": "fewer than 12 configurations, which other figures show",
        "completion": "all runs completed",
        "progress": "the runs are no search, so their order says nothing",
    }
    (folder,) = (tmp_path / "figures").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in figures for kind in ("png", "svg")
    )
    for name, figure in figures.items():
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.size[0] == pytest.approx(figure.get_figwidth() * 150, abs=1)
    assert_legible(figures)


def test_three_hundred_configurations_stay_legible(outputs: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    random = np.random.default_rng(0)
    for i in range(300):
        lr, width = float(10 ** random.uniform(-3, 1)), int(random.choice([8, 16, 32, 64]))
        name = str(random.choice(["sgd", "muon"]))
        is_bad = lr > 5
        outputs.run(
            run_id=f"{i:010d}",
            status="diverged" if is_bad else "completed" if i % 7 else "pruned",
            done=3 if i % 7 else 1,
            val=None if is_bad else 0.4 + width / 200 - 0.05 * np.log10(lr) ** 2,
            compute={"pflop": width / 100, "train_seconds": float(random.uniform(50, 500))},
            model__width=width,
            optimizer__lr=lr,
            optimizer__name=name,
        )
    reasons = draw(outputs, tmp_path, figures)
    assert {name for name, reason in reasons.items() if reason} == {
        "forest",
        "heatmap",
        "interaction",
        "noise",
        *RUN_FIGURES,
    }
    assert f"best 30 of {data_of(outputs).statistics.evaluated.shape[0]} configurations" in (
        figures["comparison"].get_suptitle()
    )
    assert_legible(figures)
    spans = figures["slices"].axes[0].patches
    assert len(spans) == len(data_of(outputs).statistics.regions.query("name == 'lr'"))


def test_a_grid_of_one_seed_and_one_with_failing_levels_are_legible(
    outputs: Any, tmp_path: Path
) -> None:
    for lr in (0.01, 0.1, 1.0, 10.0):
        for width in (8, 16, 32):
            status = "diverged" if lr == 10.0 else "completed"
            val = None if lr == 10.0 else 0.3 + width / 100 - 0.05 * (np.log10(lr) + 1) ** 2
            outputs.run(val=val, status=status, optimizer__lr=lr, model__width=width)
    figures: Drawn = {}
    reasons = draw(outputs, tmp_path, figures)
    assert reasons["completion"] is None
    assert reasons["noise"] == "no configuration has two seeds"
    assert_legible(figures)
    bars = figures["completion"].axes[0].get_yticklabels()
    assert [text.get_text() for text in bars][:4] == ["lr 0.01", "lr 0.1", "lr 1", "lr 10"]


def test_the_comparison_shows_every_seed_the_mean_and_n(outputs: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    for seed, value in enumerate((0.3, 0.4, 0.5)):
        outputs.run(seed=seed, val=value, model__width=8)
    outputs.run(val=0.6, model__width=16)
    draw(outputs, tmp_path, figures)
    axes = figures["comparison"].axes[0]
    points = sorted(
        x for line in axes.lines if line.get_marker() == "o" for x in np.asarray(line.get_xdata())
    )
    assert points == pytest.approx([30, 40, 50])  # a single seed is its mean
    means = sorted(
        x for line in axes.lines if line.get_marker() == "D" for x in np.asarray(line.get_xdata())
    )
    assert means == pytest.approx([40, 60])
    assert {text.get_text() for text in axes.texts} == {"n=1", "n=3"}
    assert figures["comparison"].get_suptitle() == (
        "Validation accuracy of 2 configurations, 1 to 3 seeds"
    )


def test_one_run_has_its_curves_and_says_why_the_rest_is_missing(
    outputs: Any, tmp_path: Path
) -> None:
    outputs.run(val=0.5)
    reasons = draw(outputs, tmp_path)
    drawn = {name for name, reason in reasons.items() if reason is None}
    assert drawn == {"comparison", "history"}
    assert reasons["noise"] == "no configuration has two seeds"
    assert reasons["importance"] == "no two configurations have completed runs"
    assert reasons["confusion"] == "the best configuration has no readable predictions.npz"
    assert reasons["heatmap"] == "fewer than two settings vary among the completed runs"


def test_seeds_with_equal_results_show_no_noise(outputs: Any, tmp_path: Path) -> None:
    for seed in range(2):
        outputs.run(seed=seed, val=0.01)
    assert draw(outputs, tmp_path)["noise"] == "all seeds of a configuration have the same result"


def test_many_classes_without_superclasses_have_pairs_but_no_confusion(
    outputs: Any, tmp_path: Path
) -> None:
    names = [f"class {i}" for i in range(40)]
    many = {"classes": 40, "class_names": names, "superclasses": None}
    run = outputs.run(val=0.5, data=many)
    outputs.write_predictions(run, range(40), [*range(1, 40), 0])
    reasons = draw(outputs, tmp_path)
    assert reasons["pairs"] is None
    assert reasons["confusion"] == "there are no superclasses and more than 30 classes"


@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_that_are_long_or_look_like_formulas_are_legible(
    outputs: Any, tmp_path: Path
) -> None:
    figures: Drawn = {}
    names = {"class_names": ["$a_$", "$\\frac$", "<b>", "日本"], "superclasses": ["$x$", "$x$"]}
    for i, smoothing in enumerate((0.05, 0.1, 0.15)):
        for seed in range(2):
            run = outputs.run(
                seed=seed,
                val=0.3 + smoothing + 0.001 * seed * i,
                label="wide_resnet_28_10_experiment",
                data=names,
                regularisation__dropout_rate=smoothing * 2,
                optimizer__weight_decay=0.0005 * (i % 2),
                scheduler__warmup_epochs=i + 1,
                augmentation__kind=["auto_$x_$", "random_erasing_and_more", "none"][i],
                trainer__label_smoothing=smoothing,
            )
            outputs.write_predictions(run, [0, 1, 2, 3], [1, 1, 2, 2])
    reasons = draw(outputs, tmp_path, figures)
    assert reasons["comparison"] is reasons["confusion"] is reasons["pairs"] is None
    assert_legible(figures)


def test_long_names_of_levels_stay_apart(outputs: Any, tmp_path: Path) -> None:
    kinds = ("auto_augment_and_random_erasing_with_cutout", "trivial_augment_wide", "nothing")
    names = ("torchvision.models.resnet.wide_resnet50_2", "convnet")
    random = np.random.default_rng(0)
    for i, (kind, name, decay) in enumerate(product(kinds, names, (0.0005, 0.00051))):
        for seed in range(2):
            outputs.run(
                seed=seed,
                val=0.5 + 0.01 * i + float(random.normal(0, 0.004)),
                compute={"pflop": 1.0 + i % 2},
                augmentation__kind_of_transformation=kind,
                model__architecture=name,
                optimizer__weight_decay_of_all=decay,
            )
    figures: Drawn = {}
    reasons = draw(outputs, tmp_path, figures)
    drawn = {"comparison", "forest", "interaction", "heatmap", "importance", "slices", "history"}
    assert drawn <= {name for name, reason in reasons.items() if reason is None}
    assert_legible(figures)


@pytest.fixture
def two_factors(outputs: Any) -> Any:
    """A grid in which the width matters most."""
    outputs.grid(lambda width, dropout: 0.3 + width / 100 - dropout / 10)
    return outputs


def test_a_level_has_the_same_color_in_every_figure(two_factors: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    draw(two_factors, tmp_path, figures)
    colors = {}
    for name in ("interaction", "history", "compute"):
        (legend,) = figures[name].legends
        entries = zip(legend.get_texts(), legend.legend_handles, strict=True)
        own = {text.get_text(): handle.get_color() for text, handle in entries}
        colors[name] = {level: own[level] for level in ("width 8", "width 16", "width 32")}
    assert colors["interaction"] == colors["history"] == colors["compute"]
    assert len(set(colors["history"].values())) == 3


def test_the_better_is_darker_for_a_loss_too(two_factors: Any) -> None:
    for metric, best in (("val_accuracy", np.nanargmax), ("val_loss", np.nanargmin)):
        statistics = two_factors.statistics(metric=metric)
        data = FigureData(statistics, [], all_progress(statistics, []))
        with figure_style():
            (mesh,) = DRAW["heatmap"](data).axes[0].collections
        values = np.asarray(mesh.get_array()).ravel()
        brightness = mesh.to_rgba(values)[:, :3].sum(axis=1)
        assert np.argmin(brightness) == best(values)


def test_early_stopping_leaves_out_the_last_epoch(two_factors: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    draw(two_factors, tmp_path, figures)
    (axes,) = figures["budget"].axes
    assert np.asarray(axes.lines[0].get_xdata()).tolist() == [1, 2]  # of three
    assert axes.get_xlabel() == "stopping at epoch k of this schedule"


def test_the_forest_shows_the_verdicts_of_the_tables(two_factors: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    draw(two_factors, tmp_path, figures)
    statistics = two_factors.statistics()
    effects, configurations = figures["forest"].axes
    for axes, table in ((effects, statistics.effects), (configurations, statistics.comparisons)):
        points = [line for line in axes.lines if line.get_marker() not in ("", "None", None)]
        drawn = [float(np.asarray(line.get_xdata())[0]) for line in points]
        assert drawn == pytest.approx((table["mean"] * 100).tolist())
        markers = {"better": "^", "worse": "v", "undecided": "o"}
        assert [line.get_marker() for line in points] == [markers[v] for v in table["verdict"]]
