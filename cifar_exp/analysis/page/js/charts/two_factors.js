// The metric over two factors: a cell for each pair of levels, or contours of local means where many
// values were drawn.

const MOST_CELLS = 12; // levels of a factor

report.charts.register({
  name: "contour",
  title: "Two factors at a time",
  caption: (group, chosen) => isOfCells(group, factorsOf(group, chosen))
    ? "A cell is the mean of the configurations with these two levels."
    : "The areas are local means of the runs, the bluer the better; a point is a run. Where no run is near, "
      + `the area stays empty.${report.plot.pausedText(group, "")}`,
  showsHidden: true,
  isFor: (group) => group.factors.length > 1 && report.plot.runsOf(group).size > 3,
  controls(group) {
    const choices = group.factors.map(({ key, name }) => [key, name]);
    return [
      { key: "x", label: "Across", choices, value: choices[1][0] },
      { key: "y", label: "Up", choices, value: choices[0][0] },
    ];
  },
  draw(container, group, state, chosen) {
    const [x, y] = factorsOf(group, chosen);
    if (x === y) {
      container.textContent = "Choose two different factors.";
      return "";
    }
    const kind = isOfCells(group, [x, y]) ? "twoFactorCells" : "twoFactorContours";
    return report.plot[kind](container, group, state, x, y);
  },
});

function factorsOf(group, chosen) {
  return ["x", "y"].map((key) => group.factors.findIndex((factor) => factor.key === chosen[key]));
}

function isOfCells(group, factors) {
  return factors.every((factor) =>
    !group.factors[factor].numeric || report.plot.levelsOf(group, factor).length <= MOST_CELLS);
}

// The fill of a value among these: the better, the stronger.
report.plot.heat = (group, values) => {
  const [low, high] = d3.extent(values);
  const range = group.metric.higher ? [0, 100] : [100, 0];
  const percent = low < high ? d3.scaleLinear([low, high], range).clamp(true) : () => 50;
  return (value) => `color-mix(in oklab, var(--heat-good) ${Math.round(percent(value))}%, var(--heat-bad))`;
};
