// Runs that a pruner paused: hollow or dashed wherever they are drawn, because they have no final value.

const RADIUS = 2.8; // pixels

report.plot.isPaused = (group, run) => group.runs.status[run] === "pruned";

report.plot.pausedRuns = (group) =>
  d3.range(report.runCount(group)).filter((run) => report.plot.isPaused(group, run) && group.runs.configuration[run] >= 0);

report.plot.pausedText = (group, where = " at the bottom") =>
  report.plot.pausedRuns(group).length ? ` A hollow point${where} is a run that was paused.` : "";

// Rings, in one path for each color like the points of `scatter`.
report.plot.hollow = (g, points) => {
  const ring = ({ x, y }) => `M${x - RADIUS} ${y}a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0`;
  for (const [color, own] of d3.group(points, ({ color, isHidden }) => (isHidden ? "var(--hidden)" : color)))
    g.append("path").attr("class", "rings").attr("d", own.map(ring).join("")).style("stroke", color);
};

// `paused after epoch 3 of 9, at 41.20 %`.
report.plot.pausedAt = (group, run) => {
  const { epochs, planned, val } = group.runs;
  const of = planned[run] === null ? "" : ` of ${planned[run]}`;
  const at = val[run] === null ? "" : `, at ${report.number(val[run], 2, 100)} %`;
  return `paused after epoch ${epochs[run]}${of}${at}`;
};
