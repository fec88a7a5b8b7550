// The best run so far, in the order in which runs ended: what searching longer brought, and what it cost.

const WORST_SHARE = 0.25; // of the runs, which may lie beyond the axis where no line does
const MARGIN = 0.05; // of the values shown

report.charts.register({
  name: "progress",
  title: "Best so far",
  caption: (group, { by }) =>
    "A point is a run at its end; the line is the best single run so far, which is partly luck: compare means." +
    (by === "run" ? "" : " Compute counts whether or not a run completed.") +
    report.plot.pausedText(group) +
    (hasBeyond(group) ? " The worst runs lie beyond the axis." : ""),
  hasColors: true,
  isFor: (group) => valuesOf(group, endedRuns(group)).length > 2,
  controls(group) {
    const choices = [["pflop", "PFLOP spent"], ["run", "number of runs"]];
    const isKnown = group.runs.pflop.some((value) => value > 0);
    return isKnown ? [{ key: "by", label: "By", choices, value: "pflop" }] : [];
  },
  draw(container, group, state, { by = "run" }) {
    const runs = endedRuns(group).filter((run) => state.isVisible(run));
    const { value, pflop } = group.runs;
    const best = bestSoFar(runs.map((run) => value[run]), group.metric.higher);
    const costs = by === "run" ? runs.map((_, i) => i + 1) : [...d3.cumsum(runs, (run) => pflop[run] ?? 0)];
    const others = by === "run" ? [] : group.progress;
    container.replaceChildren(...seriesKey(group, others));
    const sheet = report.plot.sheet(container, 320, { top: 26, right: 12, bottom: 44, left: 52 });
    const ends = [...best, ...others.flatMap((each) => each.best)].filter((each) => each !== null);
    const shown = [...ends, ...valuesOf(group, runs).filter(isWithin(group, ends))];
    const axis = report.plot.metricScale(group, shown, [sheet.height - (report.plot.pausedRuns(group).length ? 14 : 0), 0]);
    report.plot.axis(sheet, "left", axis.scale, axis);
    const x = costAxis(sheet, Math.max(costs.at(-1), ...others.map(({ compute }) => compute.at(-1))), by === "run");
    others.forEach((other, i) => drawSeries(sheet.g, other.best, other.compute, axis, x, "trend other", report.plot.dashes[i + 1]));
    drawSeries(sheet.g, best, costs, axis, x, "trend", null);
    const points = runs.map((run, i) => ({
      ...report.plot.runPoint(group, state, run, x(costs[i]), value[run] === null ? sheet.height - 4 : axis.of(value[run])),
      lines: () => [...report.plot.runLines(group, run), bestText(group, best[i])],
    }));
    const isDrawn = ({ run, y }) => report.plot.isPaused(group, run) || (value[run] !== null && y >= 0 && y <= sheet.height);
    drawPoints(sheet, group, points.filter(isDrawn));
    return progressText(group, runs, best, costs, by);
  },
});

function drawPoints(sheet, group, points) {
  const [hollow, full] = [true, false].map((is) => points.filter(({ run }) => report.plot.isPaused(group, run) === is));
  report.plot.scatter(sheet.g, full, points.length > 500 ? 4 : 6);
  report.plot.hollow(sheet.g, hollow);
  report.plot.hover(sheet, group, points);
}

function costAxis(sheet, most, isCount) {
  const x = d3.scaleLinear([isCount ? 1 : 0, most + (isCount && most === 1)], [6, sheet.width - 6]);
  const ticks = x.ticks(Math.min(8, sheet.width / 70)).filter((tick) => !isCount || Number.isInteger(tick));
  report.plot.axis(sheet, "bottom", x, { ticks, grid: false, label: isCount ? "runs that ended" : "compute spent (PFLOP)" });
  return x;
}

// A line that holds each height until the next place.
function drawSeries(g, best, costs, axis, x, className, dash) {
  const places = best.map((value, i) => [value, x(costs[i])]).filter(([value]) => value !== null)
    .map(([value, place]) => [place, axis.of(value)]);
  const corners = places.flatMap(([place, y], i) => (i ? [[place, places[i - 1][1]], [place, y]] : [[place, y]]));
  g.append("path").attr("class", className).attr("d", report.plot.path(corners)).style("stroke-dasharray", dash);
}

function seriesKey(group, others) {
  if (!others.length) return [];
  const item = (name, i) => {
    const svg = d3.create("svg").attr("class", "dash").attr("viewBox", "0 0 28 4").attr("aria-hidden", "true");
    svg.append("line").attr("x2", 28).attr("y1", 2).attr("y2", 2).style("stroke-dasharray", report.plot.dashes[i]);
    return report.element("span", {}, svg.node(), name);
  };
  return [report.element("div", { class: "key" }, ...[group.title, ...others.map(({ name }) => name)].map(item))];
}

// The runs that ended, in the order in which they did, whatever became of them.
function endedRuns(group) {
  const { status, finished } = group.runs;
  const runs = d3.range(report.runCount(group)).filter((run) => finished[run] && status[run] !== "running");
  return d3.sort(runs, (run) => Date.parse(finished[run]));
}

function valuesOf(group, runs) {
  return runs.map((run) => group.runs.value[run]).filter((value) => value !== null);
}

// Null before the first run that counts.
function bestSoFar(values, isHigherBetter) {
  let best = null;
  return values.map((value) => {
    if (value !== null && (best === null || (isHigherBetter ? value > best : value < best))) best = value;
    return best;
  });
}

// Whether a value is not so bad that it would press the lines to an edge.
function isWithin(group, ends) {
  const sign = group.metric.higher ? 1 : -1;
  const gains = d3.sort(valuesOf(group, endedRuns(group)), (value) => sign * value).map((value) => sign * value);
  const worst = Math.min(d3.quantileSorted(gains, WORST_SHARE), ...ends.map((value) => sign * value));
  const limit = worst - 3 * MARGIN * (gains.at(-1) - worst);
  return (value) => sign * value >= limit;
}

function hasBeyond(group) {
  const values = valuesOf(group, endedRuns(group));
  const best = bestSoFar(values, group.metric.higher);
  return !values.every(isWithin(group, best));
}

function bestText(group, best) {
  return best === null ? "nothing completed before" : `best so far ${report.plot.value(group, best)}`;
}

function progressText(group, runs, best, costs, by) {
  if (best.at(-1) == null) return "None of these runs has completed.";
  const last = best.indexOf(best.at(-1));
  const { name } = group.configurations[group.runs.configuration[runs[last]]];
  const cost = by === "run" ? "" : ` after ${report.threeDigits(costs[last])} of ${report.threeDigits(costs.at(-1))} PFLOP`;
  return (
    `The best ${group.metric.label} so far over ${runs.length} runs in the order in which they ended: the ` +
    `last improvement was run ${last + 1}, ${name}, with ${report.plot.value(group, best.at(-1))}${cost}.`
  );
}
