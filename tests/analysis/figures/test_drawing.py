"""Every figure is drawn if the data supports it, and skipped with a reason if not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from cifar_exp.analysis.figures.base import FigureData
from cifar_exp.analysis.figures.catalog import NAMES, plan_figures
from cifar_exp.analysis.figures.drawing.registry import DRAW
from cifar_exp.analysis.figures.drawing.save import figure_style, save
from cifar_exp.analysis.load.discover import find_inputs
from cifar_exp.analysis.load.runs import load_runs

pytestmark = pytest.mark.slow  # draws every figure

RUN_FIGURES = ("confusion", "pairs", "reliability")
OVERHANG = 3.0  # pixels that may stick out of a figure


Drawn = dict[str, Figure]


def data_of(outputs: Any) -> FigureData:
    statistics = outputs.statistics()
    runs = load_runs(find_inputs([outputs.path]), outputs.path / "report").runs
    best = statistics.counted["configuration"] == statistics.best
    return FigureData(statistics, [runs[run_id] for run_id in statistics.counted.index[best]])


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


def test_a_whole_grid_is_drawn_in_every_figure(outputs: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    grid = outputs.grid(lambda width, dropout: 0.4 + width / 100 - dropout - dropout * (width == 8))
    random = np.random.default_rng(0)
    label = random.integers(0, 4, 200)
    outputs.write_predictions(grid[32, 0.0, 0], label, random.integers(0, 4, 200))
    outputs.write_predictions(grid[32, 0.0, 1], label, random.integers(0, 4, 200))
    outputs.write_predictions(grid[32, 0.0, 2], label, random.integers(0, 4, 200))
    assert draw(outputs, tmp_path, figures) == dict.fromkeys(NAMES)
    (folder,) = (tmp_path / "figures").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")
    )
    for name, figure in figures.items():
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.size[0] == pytest.approx(figure.get_figwidth() * 150, abs=1)
        assert figure.get_suptitle()
        assert_nothing_is_cut_off(name, figure)
        assert_titles_and_legends_do_not_overlap(name, figure)


def test_three_hundred_configurations_stay_legible(outputs: Any, tmp_path: Path) -> None:
    figures: Drawn = {}
    random = np.random.default_rng(0)
    for i in range(300):
        lr, width = float(random.uniform(0.01, 1)), int(random.choice([8, 16, 32, 64]))
        name = str(random.choice(["sgd", "muon"]))
        outputs.run(
            run_id=f"{i:010d}",
            val=0.4 + width / 200 - 0.1 * (lr - 0.5) ** 2 + float(random.normal(0, 0.01)),
            compute={"pflop": width / 100, "train_seconds": float(random.uniform(50, 500))},
            model__width=width,
            optimizer__lr=lr,
            optimizer__name=name,
        )
    reasons = draw(outputs, tmp_path, figures)
    assert {name for name, reason in reasons.items() if reason} == {
        "heatmap",
        "interaction",
        "noise",
        *RUN_FIGURES,
    }
    assert "best 30 of 300 configurations" in figures["comparison"].get_suptitle()
    for name, figure in figures.items():
        assert_nothing_is_cut_off(name, figure)
        assert_titles_and_legends_do_not_overlap(name, figure)
        assert min(text.get_fontsize() for text in figure.findobj(Text)) >= 6.5


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
    assert points == pytest.approx([30, 40, 50, 60])
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
    for name, figure in figures.items():
        assert_nothing_is_cut_off(name, figure)
        assert_titles_and_legends_do_not_overlap(name, figure)
