// The best run so far, in the order in which runs finished: what searching longer brought.
report.charts.register({
  name: "best_so_far",
  title: "Best so far",
  caption: "A point is a run, the line the best single run until then. A single best run flatters: compare means.",
  hasColors: true,
  isFor: (group) => finishedRuns(group).length > 2,
  controls: (group) => group.runs.pflop.some((value) => value > 0)
    ? [{ key: "by", label: "By", choices: [["run", "number of runs"], ["pflop", "PFLOP spent"]], value: "run" }] : [],
  draw(container, group, state, { by = "run" }) {
    const runs = finishedRuns(group).filter((run) => state.isVisible(run));
    if (!runs.length) {
      container.textContent = "None of these runs has both a value and a time.";
      return "";
    }
    const sheet = report.plot.sheet(container, 300, { top: 26, right: 12, bottom: 44, left: 52 });
    const { value, pflop } = group.runs;
    const costs = by === "run" ? runs.map((_, i) => i + 1) : [...d3.cumsum(runs, (run) => pflop[run])];
    const axis = report.plot.metricScale(group, runs.map((run) => value[run]), [sheet.height, 0]);
    const x = d3.scaleLinear([by === "run" ? 1 : 0, costs.at(-1) + (costs.length === 1)], [6, sheet.width - 6]);
    report.plot.axis(sheet, "left", axis.scale, axis);
    const ticks = x.ticks(Math.min(8, sheet.width / 70)).filter((tick) => by !== "run" || Number.isInteger(tick));
    report.plot.axis(sheet, "bottom", x, { ticks, grid: false, label: by === "run" ? "runs finished" : "PFLOP spent" });
    const best = bestSoFar(runs.map((run) => value[run]), group.metric.higher);
    const steps = best.map((each, i) => `${i ? `H${x(costs[i])}V` : `M${x(costs[i])} `}${axis.of(each)}`).join("");
    sheet.g.append("path").attr("class", "trend").attr("d", steps);
    const points = runs.map((run, i) => ({
      x: x(costs[i]), y: axis.of(value[run]), run, color: report.plot.colors(group).of(group.runs.configuration[run]),
      lines: () => [...report.plot.runLines(group, run), `best so far ${report.plot.value(group, best[i])}`],
    }));
    report.plot.scatter(sheet.g, points, points.length > 500 ? 4 : 6);
    report.plot.hover(sheet, group, points);
    return bestText(group, runs, best);
  },
});

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
  return `The best ${group.metric.label} so far over ${runs.length} runs in the order in which they finished: the `
    + `last gain was run ${last + 1}, ${name}, with ${report.plot.value(group, best.at(-1))}.`;
}
