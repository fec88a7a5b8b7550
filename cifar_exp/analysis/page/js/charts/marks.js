// What is drawn inside the axes.

const LABEL_HEIGHT = 15; // pixels

report.plot.segment = (g, className, [x1, y1], [x2, y2]) =>
  g.append("line").attr("class", className).attr("x1", x1).attr("y1", y1).attr("x2", x2).attr("y2", y2);

// A path through places [x, y].
report.plot.path = (places) => (places.length ? `M${places.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}` : "");

function round(pixels) {
  return Math.round(pixels * 10) / 10;
}

// Draws points (with x, y, color, isHidden) in one path of round dots for each color: thousands of them
// are drawn at once. Hidden ones are pale, and below.
report.plot.scatter = (g, points, size) => {
  const dots = (own) => own.map(({ x, y }) => `M${round(x)} ${round(y)}h0`).join("");
  const paths = d3.groups(points, ({ isHidden }) => !isHidden, ({ color }) => color);
  for (const [isShown, byColor] of paths.sort(([a], [b]) => a - b))
    for (const [color, own] of byColor)
      g.append("path")
        .attr("class", isShown ? "dots" : "dots hidden")
        .attr("d", dots(own))
        .style("stroke", color)
        .style("stroke-width", size);
};

// A run without such a setting has no place on its axis.
report.plot.isPlaced = ({ x, y }) => Number.isFinite(x) && Number.isFinite(y);

// A run as a point for `scatter` and `hover`.
report.plot.runPoint = (group, state, run, x, y) => ({
  x,
  y,
  run,
  color: report.plot.colors(group).of(group.runs.configuration[run]),
  isHidden: !state.isVisible(run),
  lines: () => report.plot.runLines(group, run),
});

// Draws runs, and lets the visible ones be read.
report.plot.runs = (sheet, group, points, size) => {
  report.plot.scatter(sheet.g, points, size);
  report.plot.hover(sheet, group, visiblePoints(points));
};

function visiblePoints(points) {
  return points.filter(({ isHidden }) => !isHidden);
}

// A mean as a tick across a row, with its interval.
report.plot.rowMean = (g, axis, { mean, low, high }, y) => {
  if (low !== null) report.plot.segment(g, "interval", [axis.of(low), y], [axis.of(high), y]);
  report.plot.segment(g, "mean", [axis.of(mean), y - 8], [axis.of(mean), y + 8]);
};

// Moves labels (with y) down where they would overlap.
report.plot.moveApart = (labels) => {
  const sorted = d3.sort(labels, ({ y }) => y).map((label) => ({ ...label }));
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + LABEL_HEIGHT);
  return sorted;
};
