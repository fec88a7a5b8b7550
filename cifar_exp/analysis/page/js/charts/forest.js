// Differences from the best configuration or the baseline, with simultaneous intervals.

const INTERVAL_TEXT = 222; // pixels

report.plot.forest = (container, group, state) => {
  const places = new Map(group.configurations.map((each, i) => [each.name, i]));
  const visible = new Set(report.plot.visibleConfigurations(group, state));
  const rows = report.plot.firstRows(
    group.comparisons.filter(({ configuration }) => visible.has(places.get(configuration))), false);
  if (!rows.length) {
    container.textContent = "The filter leaves no comparison.";
    return "";
  }
  const reference = places.get(rows[0].reference);
  const base = group.configurations[reference].mean;
  const hasRoom = container.clientWidth > 700;
  const names = rows.map(({ configuration }) => configuration);
  const { sheet, middle } = report.plot.rowSheet(container, names, hasRoom ? INTERVAL_TEXT : 16);
  const runs = rows.map(({ configuration }) => report.plot.runsOf(group).get(places.get(configuration)) ?? []);
  const { value } = group.runs;
  const all = [0, ...rows.flatMap(({ low, high }) => [low, high]), ...runs.flat().map((run) => value[run] - base)];
  const axis = report.plot.metricScale(group, all, [0, sheet.width]);
  const label = `difference from ${rows[0].reference} (${group.metric.differenceUnit})`;
  report.plot.axis(sheet, "bottom", axis.scale, { ...axis, label });
  sheet.g.append("line").attr("class", "zero").attr("x1", axis.of(0)).attr("x2", axis.of(0)).attr("y2", sheet.height);
  const colors = report.plot.colors(group);
  const points = rows.flatMap((row, i) => runs[i].map((run) => ({
    x: axis.of(value[run] - base), y: middle(i), run, isHidden: !state.isVisible(run),
    color: colors.of(places.get(row.configuration)), lines: () => report.plot.runLines(group, run),
  })));
  rows.forEach((row, i) => drawDifference(sheet, group, axis, row, middle(i), hasRoom));
  report.plot.scatter(sheet.g, points, 7);
  report.plot.hover(sheet, group, points.filter((point) => !point.isHidden));
  return forestText(group, rows);
};

function drawDifference({ g, width }, group, axis, { mean, low, high, verdict }, y, hasRoom) {
  const row = g.append("g").attr("class", `difference ${verdict}`);
  if (low !== null)
    row.append("line").attr("class", "interval").attr("x1", axis.of(low)).attr("x2", axis.of(high))
      .attr("y1", y).attr("y2", y);
  row.append("line").attr("class", "mean").attr("x1", axis.of(mean)).attr("x2", axis.of(mean))
    .attr("y1", y - 8).attr("y2", y + 8);
  if (hasRoom)
    row.append("text").attr("class", "interval-text").attr("x", width + 14).attr("y", y).attr("dy", ".35em")
      .text(report.plot.interval(group, mean, low, high));
}

// `−3.97 [−5.10, −2.80] pp`
report.plot.interval = ({ metric }, mean, low, high) => {
  const text = (value) => `${value < 0 ? "−" : ""}${Math.abs(value * metric.scale).toFixed(metric.digits)}`;
  const range = low === null ? "" : ` [${text(low)}, ${text(high)}]`;
  return `${mean > 0 ? "+" : ""}${text(mean)}${range} ${metric.differenceUnit}`.trim();
};

function forestText(group, rows) {
  const counts = d3.rollup(rows, (own) => own.length, ({ verdict }) => verdict);
  const parts = [["worse", "worse"], ["better", "better"], ["equivalent", "equivalent"], ["undecided", "not significantly different"]]
    .filter(([verdict]) => counts.get(verdict)).map(([verdict, text]) => `${counts.get(verdict)} ${text}`);
  const [first] = rows;
  return `Differences in ${group.metric.label} from ${first.reference} with simultaneous 95 % intervals: `
    + `${parts.join(", ")}. The closest is ${first.configuration} with `
    + `${report.plot.interval(group, first.mean, first.low, first.high)}.`;
}
