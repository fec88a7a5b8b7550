// The metric by one factor, with a line for each level of another: how the two act together.

const SEED_STEP = 5; // pixels between the points of a configuration
const DODGE = 6; // pixels between lines

// Mean of configurations by pairs of levels of the two factors that are shown: Map from
// "level of the lines,level of the axis" to {configurations, mean}.
report.plot.cells = (group, lines = 0, across = 1) => {
  const groups = d3.group(
    group.configurations.map((each, i) => ({ ...each, i })).filter(({ mean }) => mean !== null),
    ({ levels }) => `${levels[lines]},${levels[across]}`);
  return new Map([...groups].map(([key, configurations]) =>
    [key, { configurations, mean: d3.mean(configurations, ({ mean }) => mean) }]));
};

report.plot.interaction = (container, group, state) => {
  const few = d3.range(group.factors.length)
    .filter((factor) => report.plot.levelsOf(group, factor).length <= report.plot.mostLines);
  const colors = report.plot.colors(group);
  const lines = few.includes(colors.factor) ? colors.factor : few[0];
  const across = few.find((factor) => factor !== lines);
  const cells = report.plot.cells(group, lines, across);
  const levels = report.plot.levelsOf(group, lines);
  const names = levels.map((level) => `${group.factors[lines].name} ${group.factors[lines].levels[level]}`);
  const right = Math.min(150, 22 + 7 * Math.max(...names.map(({ length }) => length)));
  const sheet = report.plot.sheet(container, 340, { top: 28, right, bottom: 44, left: 48 });
  const runs = [...report.plot.runsOf(group).values()].flat();
  const axis = report.plot.metricScale(group, runs.map((run) => group.runs.value[run]), [sheet.height, 0]);
  const x = report.plot.factorAxis(group, across, "auto", [24, sheet.width - 24]);
  report.plot.axis(sheet, "left", axis.scale, { ...axis, label: othersLabel(group, [lines, across]) });
  report.plot.axis(sheet, "bottom", x.scale, { ticks: x.ticks, text: x.text, label: group.factors[across].name, grid: false });
  const drawn = levels.map((level, i) => {
    const color = colors.factor === lines ? colors.ofLevel(level) : "var(--ink)";
    const dodge = (i - (levels.length - 1) / 2) * DODGE;
    const own = report.plot.levelsOf(group, across).map((other) => ({ other, cell: cells.get(`${level},${other}`) }))
      .filter(({ cell }) => cell).map(({ other, cell }) => ({ cell, other, x: x.at(other) + dodge, y: axis.of(cell.mean) }));
    return { level, name: names[i], color, own };
  });
  for (const { color, own } of drawn) drawLine(sheet.g, axis, color, own);
  const points = drawn.flatMap((line) => seedPoints(group, state, axis, line));
  report.plot.scatter(sheet.g, points, 7);
  endLabels(sheet, drawn);
  report.plot.hover(sheet, group, points.filter((point) => !point.isHidden));
  return interactionText(group, lines, across, cells);
};

function othersLabel(group, shown) {
  const others = group.factors.filter((_, factor) => !shown.includes(factor)).map(({ name }) => name);
  return report.plot.metricLabel(group) + (others.length ? `, mean over ${others.join(" and ")}` : "");
}

function drawLine(g, axis, color, own) {
  const path = own.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  g.append("path").attr("class", "curve").attr("d", path).style("stroke", color);
  for (const { cell, x, y } of own) {
    g.append("line").attr("class", "mean").attr("x1", x - 11).attr("x2", x + 11).attr("y1", y).attr("y2", y);
    const [only] = cell.configurations;
    if (cell.configurations.length > 1 || only.low === null) continue; // a mean over cells has no interval here
    g.append("line").attr("class", "interval thin").attr("x1", x).attr("x2", x)
      .attr("y1", axis.of(only.low)).attr("y2", axis.of(only.high));
  }
}

function seedPoints(group, state, axis, { color, own }) {
  return own.flatMap(({ cell, x }) => cell.configurations.flatMap(({ i }) =>
    (report.plot.runsOf(group).get(i) ?? []).map((run, place, { length }) => ({
      x: x + SEED_STEP * (place - (length - 1) / 2), y: axis.of(group.runs.value[run]), run, color, isHidden: !state.isVisible(run),
      lines: () => report.plot.runLines(group, run),
    }))));
}

// The lines' names at their right ends, moved apart where they would overlap.
function endLabels({ g, width }, drawn) {
  const labels = drawn.filter(({ own }) => own.length).map(({ name, color, own }) => ({ name, color, y: own.at(-1).y }));
  labels.sort((a, b) => a.y - b.y);
  for (let i = 1; i < labels.length; i++) labels[i].y = Math.max(labels[i].y, labels[i - 1].y + 15);
  for (const { name, color, y } of labels)
    g.append("text").attr("class", "line-name").attr("x", width + 2).attr("y", y).attr("dy", ".35em")
      .style("fill", color).text(name);
}

function interactionText(group, lines, across, cells) {
  const [first, second] = [group.factors[lines], group.factors[across]];
  const levels = report.plot.levelsOf(group, lines);
  const sentences = [`${group.metric.label} by ${second.name}, a line for each ${first.name}.`];
  const best = (other) => d3.greatest(levels.filter((level) => cells.has(`${level},${other}`)),
    (level) => cells.get(`${level},${other}`).mean * (group.metric.higher ? 1 : -1));
  const others = report.plot.levelsOf(group, across);
  const winners = new Set(others.map(best));
  if (winners.size === 1)
    sentences.push(`${first.name} ${first.levels[[...winners][0]]} is best at every ${second.name}.`);
  else
    sentences.push(...others.map((other) => `${first.name} ${first.levels[best(other)]} is best at ${second.name} ${second.levels[other]}.`));
  const [top] = group.configurations;
  sentences.push(`The best of all is ${top.name} with ${report.plot.value(group, top.mean)}.`);
  return sentences.join(" ");
}
