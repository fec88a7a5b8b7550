from cifar_exp.sweeps.monitor.chart import accuracy_chart

RISING = [(epoch, 0.1 * epoch) for epoch in range(1, 8)]


def positions(chart: str) -> list[tuple[int, int]]:
    """Column, from the left axis, and row, from the bottom, of each star."""
    rows = [line.partition("|")[2] for line in chart.split("\n")]
    bottom = next(i for i, line in enumerate(chart.split("\n")) if line.startswith("---")) - 1
    stars = [
        (x - 1, bottom - y) for y, row in enumerate(rows) for x, c in enumerate(row) if c == "*"
    ]
    return sorted(stars)


def test_points_stand_where_the_axes_say() -> None:
    chart = accuracy_chart(RISING, 10, is_ascii=True)
    assert chart.isascii()
    # ten characters are two epochs, a row is nine points: 72 % is the first multiple of 8 above 70
    assert [x for x, _ in positions(chart)] == [5 * epoch for epoch, _ in RISING]
    assert [y for _, y in positions(chart)] == [int(10 * epoch / 9) for epoch, _ in RISING]
    lines = chart.split("\n")
    assert [line.partition(" %")[0].strip() for line in lines[1:10]] == [
        str(9 * row) for row in range(8, -1, -1)
    ]
    assert lines[-1].split() == ["|", "0", "2", "4", "6", "8", "10"]


def test_a_line_is_drawn_where_the_terminal_has_the_characters() -> None:
    chart = accuracy_chart(RISING, 10, is_ascii=False)
    assert not chart.isascii()
    assert "*" not in chart
    assert "\u2800" not in chart  # a blank pattern is a space
    assert max(map(len, chart.split("\n"))) < 80


def test_a_curve_of_zeros_and_one_of_hundreds_of_epochs_fit() -> None:
    flat = accuracy_chart([(1, 0.0), (2, 0.0)], 2, is_ascii=True)
    assert [y for _, y in positions(flat)] == [0, 0]
    long = accuracy_chart([(epoch, 1.0) for epoch in range(1, 301)], 300, is_ascii=True)
    assert long.split("\n")[-1].split()[-1] == "300"
