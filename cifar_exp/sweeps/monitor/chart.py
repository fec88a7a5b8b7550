"""A curve in plain characters, for a terminal."""

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 50, 8  # characters; an interval of the axes is ten wide and one high
BLANK = "\u2800"  # a Braille pattern without dots, which some fonts draw


def accuracy_chart(
    accuracies: Sequence[tuple[float, float]], epochs: int, *, is_ascii: bool
) -> str:
    """Accuracies, as (epoch, fraction), on axes from 0 to whole numbers above them and `epochs`.

    `is_ascii`: a point for each epoch, for output that has no Braille patterns to draw lines with.
    """
    import plotille  # a tenth of a second that other commands do without

    figure = plotille.Figure()
    figure.width, figure.height = WIDTH, HEIGHT
    figure.with_colors, figure.origin = False, False
    xs, ys = zip(*((epoch, 100 * accuracy) for epoch, accuracy in accuracies), strict=True)
    figure.set_y_limits(0, _rounded_up(max(ys), HEIGHT))
    figure.set_x_limits(0, _rounded_up(epochs, WIDTH // 10))
    figure.y_ticks_fkt = lambda value, _next: f"{value:.0f} %"
    figure.x_ticks_fkt = lambda value, _next: f"{value:.0f}"
    figure.x_label, figure.y_label = "epoch", "accuracy"
    figure.plot(xs, ys, interp=None if is_ascii else "linear", marker="*" if is_ascii else None)
    lines = str(figure.show()).replace(BLANK, " ").split("\n")
    return "\n".join(line.rstrip() for line in lines)


def _rounded_up(number: float, step: int) -> int:
    return step * max(1, math.ceil(number / step))
