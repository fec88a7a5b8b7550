// Learning curves of every run, or means of runs.

report.charts.register({
  name: "curves",
  title: "Learning curves",
  caption: (group, { lines }) => "Smoothing is an exponential moving average over epochs."
    + (lines !== "color" && report.plot.pausedRuns(group).length
      ? " A thin dashed line that ends in a ring is a run that was paused." : ""),
  hasColors: true,
  showsHidden: true,
  isFor: (group) => Object.keys(group.curves.series).length > 0,
  controls(group) {
    const series = Object.entries(report.plot.seriesText).filter(([name]) => name in group.curves.series);
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
    const labels = { xLabel: "epoch", yLabel: report.plot.seriesLabel(series) };
    report.plot.lines(container, group, curves, { ...labels, isLogX: logx, isLogY: logy });
    return curvesText(group, curves, series);
  },
});

// A legend of the dashes.
function dashKey(group) {
  const colors = report.plot.colors(group);
  const shown = report.plot.dashedLevels(group, colors);
  if (shown.length < 2) return [];
  const { name, levels } = group.factors[1 - colors.factor];
  const items = shown.map((level, i) => {
    const svg = d3.create("svg").attr("class", "dash").attr("viewBox", "0 0 28 4").attr("aria-hidden", "true");
    svg.append("line").attr("x2", 28).attr("y1", 2).attr("y2", 2).style("stroke-dasharray", report.plot.dashes[i]);
    return report.element("span", {}, svg.node(), levels[level]);
  });
  return [report.element("div", { class: "key" }, report.element("b", {}, name), ...items)];
}

function curvesText(group, curves, series) {
  const last = ({ y }) => y.findLast((value) => value !== null);
  const isUp = series.endsWith("accuracy");
  const best = d3.greatest(curves, (curve) => last(curve) * (isUp ? 1 : -1));
  const text = isUp ? `${last(best).toFixed(2)} %` : report.plot.short(last(best));
  const count = report.count(curves.length, "line");
  const end = series === "lr" ? "" : ` ${best.name} ends ${isUp ? "highest" : "lowest"}, at ${text}.`;
  return `${report.plot.seriesLabel(series)} by epoch, ${count}.${end} history.csv next to this page has the numbers.`;
}
