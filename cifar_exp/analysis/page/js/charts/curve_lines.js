// Lines of learning curves: of runs, or means of runs, smoothed.

report.plot.seriesText = {
  val_accuracy: "val accuracy",
  train_accuracy: "train accuracy",
  train_eval_accuracy: "train accuracy without augmentation",
  val_loss: "val loss",
  train_loss: "train loss",
  train_eval_loss: "train loss without augmentation",
  lr: "learning rate",
};

report.plot.dashes = [null, "6 3", "2 2", "8 3 2 3"];

report.plot.seriesLabel = (series) => report.plot.seriesText[series] + (series.endsWith("accuracy") ? " (%)" : "");
report.plot.seriesScale = (series) => (series.endsWith("accuracy") ? 100 : 1);

// Lines for report.plot.lines. `by` is "run", "configuration" or "color".
report.plot.curveLines = (group, runs, series, by, smooth) => {
  const { configuration, value } = group.runs;
  const keys = {
    run: (run) => run,
    configuration: (run) => configuration[run],
    color: (run) => report.plot.colors(group).of(configuration[run]),
  };
  // a run that does not count has a curve of its own, and no part in a mean
  const shown = by === "run" ? runs : runs.filter((run) => value[run] !== null);
  const lines = [...d3.group(shown, keys[by]).values()].map((own) => curveLine(group, own, series, by, smooth));
  if (by === "configuration")
    lines.push(...runs.filter((run) => report.plot.isPaused(group, run)).map((run) => curveLine(group, [run], series, "run", smooth)));
  return lines.filter(({ y }) => y.some((each) => each !== null));
};

function curveLine(group, own, series, by, smooth) {
  const colors = report.plot.colors(group);
  const mean = meanCurve(own.map((run) => report.curve(group, run, series)));
  const scale = report.plot.seriesScale(series);
  const y = smoothed(mean.y, smooth).map((value) => (value === null ? null : value * scale));
  const name = nameOf(group, own, by, colors);
  return {
    x: mean.x,
    y,
    name,
    color: colors.of(group.runs.configuration[own[0]]),
    dash: by === "color" ? null : dashOf(group, own[0], colors),
    isPaused: by === "run" && report.plot.isPaused(group, own[0]),
    run: own.length === 1 ? own[0] : undefined,
    lines: (i) => report.plot.curveTexts(name, own.length, series, mean.x[i], y[i]),
  };
}

// The means of curves at each epoch that any of them has.
function meanCurve(curves) {
  if (curves.length === 1) return curves[0];
  const values = new Map();
  for (const { x, y } of curves)
    x.forEach((epoch, i) => {
      if (y[i] === null) return;
      const own = values.get(epoch) ?? [0, 0];
      values.set(epoch, [own[0] + y[i], own[1] + 1]);
    });
  const x = d3.sort(values.keys());
  return { x, y: x.map((epoch) => values.get(epoch)[0] / values.get(epoch)[1]) };
}

// An exponential moving average that starts at the first value without a bias toward 0.
function smoothed(values, weight) {
  if (!weight) return values;
  let [sum, weights] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    weights = weight * weights + (1 - weight);
    return sum / weights;
  });
}

// With two factors, the one that has no colors has the dashes, if there are enough of them.
report.plot.dashedLevels = (group, { factor }) => {
  const levels = group.factors.length === 2 ? report.plot.levelsOf(group, 1 - factor) : [];
  return levels.length <= report.plot.dashes.length ? levels : [];
};

function dashOf(group, run, colors) {
  const configuration = group.configurations[group.runs.configuration[run]];
  const place = report.plot.dashedLevels(group, colors).indexOf(configuration?.levels[1 - colors.factor]);
  return report.plot.dashes[place] ?? null;
}

function nameOf(group, [run], by, { factor }) {
  const own = group.configurations[group.runs.configuration[run]];
  if (by === "configuration") return own.name;
  if (by === "run") return own ? `${own.name}, seed ${group.runs.seed[run]}` : group.runs.name[run];
  return `${group.factors[factor].name}=${group.factors[factor].levels[own.levels[factor]]}`;
}

// What is said of a point of a curve.
report.plot.curveTexts = (name, runs, series, epoch, value) => {
  const text = series.endsWith("accuracy") ? `${value.toFixed(2)} %` : report.plot.short(value);
  return [
    `${report.plot.seriesText[series]} ${text}`,
    name,
    `epoch ${epoch}${runs > 1 ? `, mean of ${runs} runs` : ""}`,
  ];
};
