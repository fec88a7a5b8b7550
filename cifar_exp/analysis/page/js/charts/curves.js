// Learning curves of every run, or means of runs.

const SERIES_TEXT = {
  val_accuracy: "val accuracy", train_accuracy: "train accuracy", train_eval_accuracy: "train accuracy without augmentation",
  val_loss: "val loss", train_loss: "train loss", train_eval_loss: "train loss without augmentation", lr: "learning rate",
};
const DASHES = [null, "6 3", "2 2", "8 3 2 3"];

report.charts.register({
  name: "curves",
  title: "Learning curves",
  caption: "Smoothing is an exponential moving average over epochs.",
  hasColors: true,
  showsHidden: true,
  isFor: (group) => Object.keys(group.curves.series).length > 0,
  controls(group) {
    const series = Object.entries(SERIES_TEXT).filter(([name]) => name in group.curves.series);
    const shown = [["configuration", "mean of each configuration"], ["run", "each run"]];
    if (group.factors.length > 1) shown.splice(1, 0, ["color", "mean of each color"]);
    return [
      { key: "series", label: "Series", choices: series, value: series[0][0] },
      { key: "lines", label: "Lines", choices: shown, value: "configuration" },
      { key: "smooth", label: "Smoothing", value: 0, min: 0, max: 0.95, step: 0.05 },
      { key: "logy", label: "log values", value: false },
      { key: "logx", label: "log epochs", value: false },
    ];
  },
  draw(container, group, state, { series, lines, smooth, logy, logx }) {
    const runs = d3.range(report.runCount(group)).filter((run) => state.isVisible(run));
    const curves = report.plot.curveLines(group, runs, series, lines, smooth);
    if (!curves.length) {
      container.textContent = "No epoch of these runs is recorded.";
      return "";
    }
    container.replaceChildren(...(lines === "color" ? [] : dashKey(group)));
    report.plot.lines(container, group, curves,
      { xLabel: "epoch", yLabel: report.plot.seriesLabel(series), isLogX: logx, isLogY: logy });
    return curvesText(group, curves, series);
  },
});

report.plot.seriesLabel = (series) =>
  SERIES_TEXT[series] + (series.endsWith("accuracy") ? " (%)" : "");
report.plot.seriesScale = (series) => (series.endsWith("accuracy") ? 100 : 1);

// Lines for report.plot.lines. `by` is "run", "configuration" or "color".
report.plot.curveLines = (group, runs, series, by, smooth) => {
  const colors = report.plot.colors(group);
  const { configuration } = group.runs;
  const keyOf = { run: (run) => run, configuration: (run) => configuration[run], color: (run) => colors.of(configuration[run]) }[by];
  const isMeant = by === "run" ? () => true : (run) => configuration[run] >= 0 && group.runs.value[run] !== null;
  const lines = [];
  for (const [, own] of d3.group(runs.filter(isMeant), keyOf)) {
    const { x, y } = meanCurve(own.map((run) => report.curve(group, run, series)));
    const values = smoothed(y, smooth).map((value) => (value === null ? null : value * report.plot.seriesScale(series)));
    if (values.every((value) => value === null)) continue;
    const [first] = own;
    const name = nameOf(group, own, by, colors);
    lines.push({
      x, y: values, name, color: colors.of(configuration[first]), dash: by === "color" ? null : dashOf(group, first, colors),
      run: own.length === 1 ? first : undefined, lines: (i) => report.plot.curveTexts(name, own.length, series, x[i], values[i]),
    });
  }
  return lines;
};

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
function dashedLevels(group, { factor }) {
  const levels = group.factors.length === 2 ? report.plot.levelsOf(group, 1 - factor) : [];
  return levels.length <= DASHES.length ? levels : [];
}

function dashOf(group, run, colors) {
  const configuration = group.configurations[group.runs.configuration[run]];
  const place = dashedLevels(group, colors).indexOf(configuration?.levels[1 - colors.factor]);
  return DASHES[place] ?? null;
}

// A legend of the dashes.
function dashKey(group) {
  const colors = report.plot.colors(group);
  const shown = dashedLevels(group, colors);
  if (shown.length < 2) return [];
  const { name, levels } = group.factors[1 - colors.factor];
  const items = shown.map((level, i) => {
    const svg = d3.create("svg").attr("class", "dash").attr("viewBox", "0 0 28 4").attr("aria-hidden", "true");
    svg.append("line").attr("x2", 28).attr("y1", 2).attr("y2", 2).style("stroke-dasharray", DASHES[i]);
    return report.element("span", {}, svg.node(), levels[level]);
  });
  return [report.element("div", { class: "key" }, report.element("b", {}, name), ...items)];
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
  return [`${SERIES_TEXT[series]} ${text}`, name, `epoch ${epoch}${runs > 1 ? `, mean of ${runs} runs` : ""}`];
};

function curvesText(group, curves, series) {
  const last = ({ y }) => y.findLast((value) => value !== null);
  const isUp = series.endsWith("accuracy");
  const best = d3.greatest(curves, (curve) => last(curve) * (isUp ? 1 : -1));
  const text = isUp ? `${last(best).toFixed(2)} %` : report.plot.short(last(best));
  const count = `${curves.length} line${curves.length === 1 ? "" : "s"}`;
  const end = series === "lr" ? "" : ` ${best.name} ends ${isUp ? "highest" : "lowest"}, at ${text}.`;
  return `${report.plot.seriesLabel(series)} by epoch, ${count}.${end} history.csv beside this page has the numbers.`;
}
