// The axes of the parallel coordinates, and what is brushed on them.

// All axes of a group by their keys: {key, name, values (by run; a level's index where levels are no
// numbers), texts (of such levels, otherwise null), format}. Runs that do not count have NaN, but for paused
// ones, which lack only the metric.
report.plot.parallelAxes = (group) => {
  if (group.parallelAxes) return group.parallelAxes;
  const { configuration, value, pflop } = group.runs;
  const runs = d3.range(report.runCount(group));
  const column = (of) => runs.map((run) => (report.plot.isParallel(group, run) ? of(run) : NaN));
  const axes = group.factors.map(({ key, name, numeric, levels }, factor) => ({
    key,
    name,
    texts: numeric ? null : levels,
    format: report.plot.short,
    values: column((run) => {
      const level = group.configurations[configuration[run]].levels[factor];
      return numeric ? Number(levels[level]) : level;
    }),
  }));
  const { metric } = group;
  axes.push({
    key: "pflop",
    name: "PFLOP",
    texts: null,
    format: report.plot.short,
    values: column((run) => pflop[run] ?? NaN),
  });
  axes.push({
    key: metric.name,
    name: metric.label,
    texts: null,
    format: report.plot.short,
    values: column((run) => (value[run] === null ? NaN : value[run] * metric.scale)),
  });
  const varies = ({ values }) => new Set(values.filter((each) => !Number.isNaN(each))).size > 1;
  group.parallelAxes = new Map(axes.filter(varies).map((axis) => [axis.key, axis]));
  return group.parallelAxes;
};

// Whether a run has a line over the axes.
report.plot.isParallel = (group, run) =>
  group.runs.value[run] !== null || (report.plot.isPaused(group, run) && group.runs.configuration[run] >= 0);

// The keys of the axes from left to right: as the reader has put them, then those not yet placed.
report.plot.axisOrder = (group, state) => {
  const axes = report.plot.parallelAxes(group);
  const chosen = state
    .option("parallel", "order")
    .split(" ")
    .filter((key) => axes.has(key));
  return [...chosen, ...[...axes.keys()].filter((key) => !chosen.includes(key))];
};

report.plot.moveAxis = (group, state, key, place) => {
  const order = report.plot.axisOrder(group, state).filter((each) => each !== key);
  order.splice(Math.min(Math.max(place, 0), order.length), 0, key);
  state.setOption("parallel", "order", order.join(" "));
};

// The scale of an axis, from the bottom to the top.
report.plot.parallelScale = ({ values, texts }, kind, height) => {
  const known = values.filter((value) => !Number.isNaN(value));
  if (texts) return d3.scaleLinear([d3.min(known) - 0.5, d3.max(known) + 0.5], [height, 0]);
  return report.plot.numberScale(known, kind, [height, 0]);
};

// Brushes as a text, `model.width=8..16 val_accuracy=60..64`, and back: a Map from key to [low, high].
report.plot.brushText = (brushes) =>
  [...brushes]
    .map(([key, [low, high]]) => `${key}=${+low.toPrecision(6)}..${+high.toPrecision(6)}`)
    .join(" ");

report.plot.parseBrushes = (group, text) => {
  const brushes = new Map();
  for (const part of text.split(" ")) {
    const match = /^(.+)=(.+)\.\.(.+)$/.exec(part);
    if (match && report.plot.parallelAxes(group).has(match[1]) && isFinite(match[2]) && isFinite(match[3]))
      brushes.set(match[1], [Number(match[2]), Number(match[3])]);
  }
  return brushes;
};

report.plot.brushes = (group, state) => report.plot.parseBrushes(group, state.option("parallel", "brush"));

// Brushes [low, high] of an axis, or nothing of it: the table and all charts follow.
report.plot.brushAxis = (group, state, key, range) => {
  const brushes = report.plot.brushes(group, state);
  if (range) brushes.set(key, range);
  else brushes.delete(key);
  state.brush("parallel", report.plot.brushedRuns(group, brushes), report.plot.brushText(brushes));
};

// The runs that lie within all brushes; null without a brush.
report.plot.brushedRuns = (group, brushes) => {
  if (!brushes.size) return null;
  const axes = report.plot.parallelAxes(group);
  const isWithin = (run) =>
    [...brushes].every(([key, [low, high]]) => {
      const value = axes.get(key).values[run];
      const slack = 1e-6 * Math.abs(value); // texts have six digits
      return value >= low - slack && value <= high + slack;
    });
  return new Set(d3.range(report.runCount(group)).filter(isWithin));
};
