// The metric by one factor, with a line for each level of another: how the two act together.

const SEED_STEP = 5; // pixels between the points of a configuration
const DODGE = 6; // pixels between lines

// Mean of configurations by pairs of levels of the two factors that are shown: Map from
// "level of the lines,level of the axis" to {configurations, mean}.
report.plot.cells = (group, lines = 0, across = 1) => {
  const groups = d3.group(
    group.configurations.map((each, i) => ({ ...each, i })).filter(({ mean }) => mean !== null),
    ({ levels }) => `${levels[lines]},${levels[across]}`,
  );
  return new Map(
    [...groups].map(([key, configurations]) => [
      key,
      { configurations, mean: d3.mean(configurations, ({ mean }) => mean) },
    ]),
  );
};

report.plot.interaction = (container, group, state) => {
  const { lines, across } = shownFactors(group);
  const cells = report.plot.cells(group, lines, across);
  const { name, levels } = group.factors[lines];
  const names = report.plot.levelsOf(group, lines).map((level) => `${name} ${levels[level]}`);
  const right = Math.min(150, 22 + 7 * Math.max(...names.map(({ length }) => length)));
  const sheet = report.plot.sheet(container, 340, { top: 28, right, bottom: 44, left: 48 });
  const axis = report.plot.metricOfRuns(group, [sheet.height, 0]);
  const x = report.plot.factorAxis(group, across, "auto", [24, sheet.width - 24]);
  report.plot.axis(sheet, "left", axis.scale, { ...axis, label: othersLabel(group, [lines, across]) });
  report.plot.axis(sheet, "bottom", x.scale, x);
  const drawn = linesOf(group, lines, across, (cell, other, dodge) =>
    ({ cell, x: x.at(other) + dodge, y: axis.of(cell.mean) }));
  for (const line of drawn) drawLine(sheet.g, axis, line);
  report.plot.runs(sheet, group, drawn.flatMap(({ own }) => seedPoints(group, state, axis, own)), 7);
  endLabels(sheet, drawn);
  return interactionText(group, lines, across, cells);
};

// The factor that has the colors and the most important other one, of those with few levels.
function shownFactors(group) {
  const few = d3.range(group.factors.length)
    .filter((factor) => report.plot.levelsOf(group, factor).length <= report.plot.mostLines);
  const { factor } = report.plot.colors(group);
  const lines = few.includes(factor) ? factor : few[0];
  return { lines, across: few.find((each) => each !== lines) };
}

// A line for each level: {name, color, own: [place(cell, level across, dodge)]}.
function linesOf(group, lines, across, place) {
  const colors = report.plot.colors(group);
  const cells = report.plot.cells(group, lines, across);
  const levels = report.plot.levelsOf(group, lines);
  return levels.map((level, i) => ({
    name: `${group.factors[lines].name} ${group.factors[lines].levels[level]}`,
    color: colors.factor === lines ? colors.ofLevel(level) : "var(--ink)",
    own: report.plot.levelsOf(group, across)
      .filter((other) => cells.has(`${level},${other}`))
      .map((other) => place(cells.get(`${level},${other}`), other, (i - (levels.length - 1) / 2) * DODGE)),
  }));
}

function othersLabel(group, shown) {
  const others = group.factors.filter((_, factor) => !shown.includes(factor)).map(({ name }) => name);
  return report.plot.metricLabel(group) + (others.length ? `, mean over ${others.join(" and ")}` : "");
}

function drawLine(g, axis, { color, own }) {
  const path = report.plot.path(own.map(({ x, y }) => [x, y]));
  g.append("path").attr("class", "curve").attr("d", path).style("stroke", color);
  for (const { cell, x, y } of own) {
    report.plot.segment(g, "mean", [x - 11, y], [x + 11, y]);
    const [only] = cell.configurations;
    if (cell.configurations.length > 1 || only.low === null) continue; // a mean over cells has no interval here
    report.plot.segment(g, "interval thin", [x, axis.of(only.low)], [x, axis.of(only.high)]);
  }
}

function seedPoints(group, state, axis, own) {
  const places = own.flatMap(({ cell, x }) => cell.configurations.flatMap(({ i }) =>
    (report.plot.runsOf(group).get(i) ?? []).map((run, place, { length }) =>
      [run, x + SEED_STEP * (place - (length - 1) / 2)])));
  return places.map(([run, x]) => report.plot.runPoint(group, state, run, x, axis.of(group.runs.value[run])));
}

// The lines' names at their right ends, moved apart where they would overlap.
function endLabels({ g, width }, drawn) {
  const labels = drawn.filter(({ own }) => own.length)
    .map(({ name, color, own }) => ({ name, color, y: own.at(-1).y }));
  for (const { name, color, y } of report.plot.moveApart(labels))
    g.append("text")
      .attr("class", "line-name")
      .attr("x", width + 2)
      .attr("y", y)
      .attr("dy", ".35em")
      .style("fill", color)
      .text(name);
}

function interactionText(group, lines, across, cells) {
  const [first, second] = [group.factors[lines], group.factors[across]];
  const levels = report.plot.levelsOf(group, lines);
  const sentences = [`${group.metric.label} by ${second.name}, a line for each ${first.name}.`];
  const best = (other) =>
    d3.greatest(
      levels.filter((level) => cells.has(`${level},${other}`)),
      (level) => cells.get(`${level},${other}`).mean * (group.metric.higher ? 1 : -1),
    );
  const others = report.plot.levelsOf(group, across);
  const winners = new Set(others.map(best));
  if (winners.size === 1)
    sentences.push(`${first.name} ${first.levels[[...winners][0]]} is best at every ${second.name}.`);
  else
    sentences.push(
      ...others.map(
        (other) =>
          `${first.name} ${first.levels[best(other)]} is best at ${second.name} ${second.levels[other]}.`,
      ),
    );
  const [top] = group.configurations;
  sentences.push(`The best of all is ${top.name} with ${report.plot.value(group, top.mean)}.`);
  return sentences.join(" ");
}
