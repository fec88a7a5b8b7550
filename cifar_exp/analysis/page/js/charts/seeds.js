// Every run as a point, in a row for its configuration.
report.charts.register({
  name: "seeds",
  title: "Every seed by configuration",
  caption: (group) =>
    group.configurations.some(({ n }) => n > 1)
      ? "A point is a run. The bar is a configuration's mean with its 95 % interval, over all its seeds."
      : "A point is a run; each configuration was trained once.",
  hasColors: true,
  isFor: (group) => report.plot.runsOf(group).size > 1,
  controls: (group) => report.plot.allRowsControl(group, group.configurations.length, "configurations"),
  draw(container, group, state, { all }) {
    const shown = report.plot.visibleConfigurations(group, state);
    const rows = report.plot.firstRows(shown, all).map((place) => ({
      ...group.configurations[place],
      runs: report.plot.runsOf(group).get(place),
    }));
    const { value } = group.runs;
    const { sheet, middle } = report.plot.rowSheet(container, rows.map(({ name }) => name), 16);
    const ends = rows.flatMap(({ low, high, runs }) => [low, high, ...runs.map((run) => value[run])]);
    const axis = report.plot.metricScale(group, ends, [0, sheet.width]);
    report.plot.axis(sheet, "bottom", axis.scale, axis);
    rows.forEach((row, i) => row.n > 1 && report.plot.rowMean(sheet.g, axis, row, middle(i)));
    const points = rows.flatMap(({ runs }, i) =>
      runs.map((run) => report.plot.runPoint(group, state, run, axis.of(value[run]), middle(i))));
    report.plot.runs(sheet, group, points, 9);
    return seedsText(group, shown, rows);
  },
});

function seedsText(group, shown, rows) {
  const [first, last] = [rows[0], rows.at(-1)];
  const count = rows.length < shown.length ? `the best ${rows.length} of ${shown.length}` : rows.length;
  return (
    `${group.metric.label} of every run of ${count} configurations, the best first: from ` +
    `${first.name} with ${report.plot.value(group, first.mean)} to ${last.name} with ` +
    `${report.plot.value(group, last.mean)}. The table of configurations has the numbers.`
  );
}
