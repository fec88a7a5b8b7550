// The best run so far, in the order in which runs finished: what searching longer brought.
report.charts.register({
  name: "best_so_far",
  title: "Best so far",
  caption:
    "A point is a run; the line is the best single run so far. A single best run is partly luck: compare means.",
  hasColors: true,
  isFor: (group) => finishedRuns(group).length > 2,
  controls(group) {
    const choices = [["run", "number of runs"], ["pflop", "PFLOP spent"]];
    const isKnown = group.runs.pflop.some((value) => value > 0);
    return isKnown ? [{ key: "by", label: "By", choices, value: "run" }] : [];
  },
  draw(container, group, state, { by = "run" }) {
    const runs = finishedRuns(group).filter((run) => state.isVisible(run));
    if (!runs.length) {
      container.textContent = "None of these runs has both a value and a time.";
      return "";
    }
    const { value, pflop } = group.runs;
    const best = bestSoFar(runs.map((run) => value[run]), group.metric.higher);
    const costs = by === "run" ? runs.map((_, i) => i + 1) : [...d3.cumsum(runs, (run) => pflop[run])];
    const sheet = report.plot.sheet(container, 300, { top: 26, right: 12, bottom: 44, left: 52 });
    const axis = report.plot.metricScale(group, runs.map((run) => value[run]), [sheet.height, 0]);
    report.plot.axis(sheet, "left", axis.scale, axis);
    const x = costAxis(sheet, costs, by === "run");
    sheet.g.append("path").attr("class", "trend").attr("d", report.plot.path(steps(best.map(axis.of), costs.map(x))));
    const points = runs.map((run, i) => ({
      ...report.plot.runPoint(group, state, run, x(costs[i]), axis.of(value[run])),
      lines: () => [...report.plot.runLines(group, run), `best so far ${report.plot.value(group, best[i])}`],
    }));
    report.plot.runs(sheet, group, points, points.length > 500 ? 4 : 6);
    return bestText(group, runs, best);
  },
});

function costAxis(sheet, costs, isCount) {
  const x = d3.scaleLinear([isCount ? 1 : 0, costs.at(-1) + (costs.length === 1)], [6, sheet.width - 6]);
  const ticks = x.ticks(Math.min(8, sheet.width / 70)).filter((tick) => !isCount || Number.isInteger(tick));
  report.plot.axis(sheet, "bottom", x, { ticks, grid: false, label: isCount ? "runs finished" : "PFLOP spent" });
  return x;
}

// The corners of a line that holds each height until the next place.
function steps(heights, places) {
  return heights.flatMap((y, i) => (i ? [[places[i], heights[i - 1]], [places[i], y]] : [[places[i], y]]));
}

// The runs that count, in the order in which they finished.
function finishedRuns(group) {
  const { value, finished } = group.runs;
  const runs = d3.range(report.runCount(group)).filter((run) => value[run] !== null && finished[run]);
  return d3.sort(runs, (run) => Date.parse(finished[run]));
}

function bestSoFar(values, isHigherBetter) {
  let best = values[0];
  return values.map((value) => (best = isHigherBetter ? Math.max(best, value) : Math.min(best, value)));
}

function bestText(group, runs, best) {
  const last = best.indexOf(best.at(-1));
  const { name } = group.configurations[group.runs.configuration[runs[last]]];
  return (
    `The best ${group.metric.label} so far over ${runs.length} runs in the order in which they finished: the ` +
    `last improvement was run ${last + 1}, ${name}, with ${report.plot.value(group, best.at(-1))}.`
  );
}
