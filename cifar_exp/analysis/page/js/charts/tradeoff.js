// What a better result costs: each configuration by its compute, with the Pareto front.

const LOG_FROM = 5; // times the cheapest: the dearest from which on the axis is logarithmic

report.charts.register({
  name: "tradeoff",
  title: "Result against compute",
  caption: "A point is a configuration. The line joins the ringed ones, the Pareto front: nothing cheaper is as good.",
  hasColors: true,
  isFor: (group) => new Set(placed(group).map(({ pflop }) => pflop)).size > 1,
  draw(container, group, state) {
    const shown = new Set(report.plot.visibleConfigurations(group, state));
    const all = placed(group);
    const sheet = report.plot.sheet(container, 320, { top: 26, right: 16, bottom: 44, left: 52 });
    const axis = report.plot.metricScale(group, all.map(({ mean }) => mean), [sheet.height, 0]);
    report.plot.axis(sheet, "left", axis.scale, axis);
    const x = costScale(sheet, all.map(({ pflop }) => pflop));
    const front = paretoFront(group, all);
    const at = ({ pflop, mean }) => [x(pflop), axis.of(mean)];
    sheet.g.append("path").attr("class", "trend other").attr("d", report.plot.path(front.map(at)));
    const points = all.map((own) => pointOf(group, own, at(own), shown));
    report.plot.scatter(sheet.g, points, points.length > 500 ? 4 : 7);
    for (const own of front) sheet.g.append("circle").attr("class", "front").attr("r", 6).attr("cx", at(own)[0]).attr("cy", at(own)[1]);
    report.plot.hover(sheet, group, points.filter(({ isHidden }) => !isHidden));
    return tradeoffText(group, all, front);
  },
});

function placed(group) {
  return group.configurations.map((each, place) => ({ ...each, place })).filter(({ mean, pflop }) => mean !== null && pflop > 0);
}

function costScale(sheet, costs) {
  const x = report.plot.numberScale(costs, d3.max(costs) > LOG_FROM * d3.min(costs) ? "log" : "linear", [10, sheet.width - 10]);
  const ticks = x.base ? report.plot.tickValues(x, costs) : x.ticks(Math.min(8, sheet.width / 70));
  report.plot.axis(sheet, "bottom", x, { ticks, grid: false, label: "training compute (PFLOP)" });
  return x;
}

// As statistics/pareto.py: none is as good or better and no dearer.
function paretoFront({ metric }, all) {
  const gain = ({ mean }) => (metric.higher ? mean : -mean);
  let best = -Infinity;
  return d3.sort(all, (a, b) => a.pflop - b.pflop || gain(b) - gain(a)).filter((own) => gain(own) > best && ((best = gain(own)), true));
}

function pointOf(group, { place, name, mean, pflop, n }, [x, y], shown) {
  const runs = report.plot.runsOf(group).get(place) ?? [];
  const lines = [report.plot.value(group, mean), name, `${report.threeDigits(pflop)} PFLOP`, report.count(n, "seed")];
  const run = runs.length === 1 ? runs[0] : undefined;
  return { x, y, run, color: report.plot.colors(group).of(place), isHidden: !shown.has(place), lines };
}

function tradeoffText(group, all, front) {
  const text = ({ name, mean, pflop }) => `${name} with ${report.plot.value(group, mean)} for ${report.threeDigits(pflop)} PFLOP`;
  return (
    `${group.metric.label} of ${all.length} configurations against compute; ${front.length} are on the Pareto front, from ` +
    `${text(front[0])} to ${text(front.at(-1))}. The table of configurations has the numbers.`
  );
}
