// Differences from the best configuration or the baseline, with simultaneous intervals.

const INTERVAL_TEXT = 222; // pixels

report.plot.forest = (container, group, state) => {
  const { rows, reference } = forestRows(group, state);
  if (!rows.length) {
    container.textContent = "The filter leaves no comparison.";
    return "";
  }
  const hasRoom = container.clientWidth > 700;
  const { sheet, middle } = report.plot.rowSheet(container, rows.map(({ name }) => name), hasRoom ? INTERVAL_TEXT : 16);
  const difference = (run) => group.runs.value[run] - reference.mean;
  const ends = rows.flatMap(({ low, high, runs }) => [low, high, ...runs.map(difference)]);
  const axis = report.plot.metricScale(group, [0, group.worth ?? 0, ...ends], [0, sheet.width]);
  const label = `difference from ${reference.name} (${group.metric.differenceUnit})`;
  report.plot.axis(sheet, "bottom", axis.scale, { ...axis, label });
  if (group.worth !== null) drawWorth(sheet, axis, group.worth);
  report.plot.segment(sheet.g, "zero", [axis.of(0), 0], [axis.of(0), sheet.height]);
  rows.forEach((row, i) => {
    report.plot.rowMean(sheet.g.append("g").attr("class", row.verdict), axis, row, middle(i));
    if (hasRoom) intervalText(sheet, group, row, middle(i));
  });
  const points = rows.flatMap(({ runs }, i) =>
    runs.map((run) => report.plot.runPoint(group, state, run, axis.of(difference(run)), middle(i))));
  report.plot.runs(sheet, group, points, 7);
  return forestText(group, rows, reference);
};

// The first comparisons that the filter leaves, with their runs, and the configuration they are with.
function forestRows(group, state) {
  const places = new Map(group.configurations.map(({ name }, place) => [name, place]));
  const visible = new Set(report.plot.visibleConfigurations(group, state));
  const all = group.comparisons.filter(({ configuration }) => visible.has(places.get(configuration)));
  const rows = report.plot.firstRows(all, false).map((row) => ({
    ...row,
    name: row.configuration,
    runs: report.plot.runsOf(group).get(places.get(row.configuration)) ?? [],
  }));
  return { rows, reference: group.configurations[places.get(group.comparisons[0].reference)] };
}

// The differences that do not matter.
function drawWorth({ g, height }, axis, worth) {
  const [low, high] = [axis.of(-worth), axis.of(worth)];
  g.append("rect").attr("class", "band").attr("x", low).attr("width", high - low).attr("height", height);
}

function intervalText({ g, width }, group, { mean, low, high }, y) {
  g.append("text")
    .attr("x", width + 14)
    .attr("y", y)
    .attr("dy", ".35em")
    .text(report.plot.interval(group, mean, low, high));
}

// `−3.97 [−5.10, −2.80] pp`
report.plot.interval = ({ metric }, mean, low, high) => {
  const text = (value) => `${value < 0 ? "−" : ""}${Math.abs(value * metric.scale).toFixed(metric.digits)}`;
  const range = low === null ? "" : ` [${text(low)}, ${text(high)}]`;
  return `${mean > 0 ? "+" : ""}${text(mean)}${range} ${metric.differenceUnit}`.trim();
};

function forestText(group, rows, reference) {
  const counts = d3.rollup(rows, (own) => own.length, ({ verdict }) => verdict);
  const parts = Object.entries(report.VERDICTS)
    .filter(([verdict]) => counts.has(verdict))
    .map(([verdict, text]) => `${counts.get(verdict)} ${text}`);
  const [first] = rows;
  return (
    `Differences in ${group.metric.label} from ${reference.name} with simultaneous 95 % intervals: `
    + `${parts.join(", ")}. The closest is ${first.name} with `
    + `${report.plot.interval(group, first.mean, first.low, first.high)}.`
  );
}
