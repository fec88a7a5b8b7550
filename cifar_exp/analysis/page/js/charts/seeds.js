// Every run as a point, in a row for its configuration.
report.charts.register({
  name: "seeds",
  title: "Every seed by configuration",
  caption: (group) => (group.configurations.some(({ n }) => n > 1)
    ? "A point is a run. The bar is a configuration's mean with its 95 % interval, of all its seeds."
    : "A point is a run; each configuration was trained once."),
  hasColors: true,
  isFor: (group) => report.plot.runsOf(group).size > 1,
  controls: (group) => report.plot.allRowsControl(group, group.configurations.length, "configurations"),
  draw(container, group, state, { all }) {
    const shown = report.plot.visibleConfigurations(group, state);
    const rows = report.plot.firstRows(shown, all);
    const { sheet, middle } = report.plot.rowSheet(container, rows.map((i) => group.configurations[i].name), 16);
    const runs = rows.map((row) => report.plot.runsOf(group).get(row));
    const { value } = group.runs;
    const ends = rows.flatMap((row) => [group.configurations[row].low, group.configurations[row].high]);
    const axis = report.plot.metricScale(group, [...runs.flat().map((run) => value[run]), ...ends], [0, sheet.width]);
    report.plot.axis(sheet, "bottom", axis.scale, axis);
    const points = rows.flatMap((row, i) => runs[i].map((run) => ({
      x: axis.of(value[run]), y: middle(i), run, isHidden: !state.isVisible(run),
      color: report.plot.colors(group).of(row), lines: () => report.plot.runLines(group, run),
    })));
    rows.forEach((row, i) => drawMean(sheet.g, axis, group.configurations[row], middle(i)));
    report.plot.scatter(sheet.g, points, 9);
    report.plot.hover(sheet, group, points.filter((point) => !point.isHidden));
    return seedsText(group, shown, rows);
  },
});

function drawMean(g, axis, { mean, low, high, n }, y) {
  if (n < 2 || mean === null) return;
  if (low !== null)
    g.append("line").attr("class", "interval").attr("x1", axis.of(low)).attr("x2", axis.of(high))
      .attr("y1", y).attr("y2", y);
  g.append("line").attr("class", "mean").attr("x1", axis.of(mean)).attr("x2", axis.of(mean))
    .attr("y1", y - 8).attr("y2", y + 8);
}

function seedsText(group, shown, rows) {
  const [first, last] = [group.configurations[rows[0]], group.configurations[rows.at(-1)]];
  const count = rows.length < shown.length ? `the best ${rows.length} of ${shown.length}` : rows.length;
  return `${group.metric.label} of every run of ${count} configurations, the best first: from `
    + `${first.name} with ${report.plot.value(group, first.mean)} to ${last.name} with `
    + `${report.plot.value(group, last.mean)}. The table of configurations has the numbers.`;
}
