// The metric over two factors: a cell for each pair of levels, or contours of local means where many
// values were drawn.

const MOST_CELLS = 12; // levels of a factor
const GRID = 32; // points of the contours' grid in each direction
const BANDWIDTH = 0.12; // of the axis: how far a run counts for a local mean
const CONTOURS = 8;

report.charts.register({
  name: "contour",
  title: "Two factors at a time",
  caption: (group, chosen) => (report.plot.isOfCells(group, ...chosenFactors(group, chosen))
    ? "A cell is the mean of the configurations with these two levels."
    : "The areas are local means of the runs, the bluer the better; a point is a run. Where no run is near, "
      + "the area stays empty."),
  showsHidden: true,
  isFor: (group) => group.factors.length > 1 && report.plot.runsOf(group).size > 3,
  controls(group) {
    const choices = group.factors.map(({ key, name }) => [key, name]);
    return [
      { key: "x", label: "Across", choices, value: choices[1][0] },
      { key: "y", label: "Up", choices, value: choices[0][0] },
    ];
  },
  draw(container, group, state, chosen) {
    const [x, y] = chosenFactors(group, chosen);
    if (x === y) {
      container.textContent = "Choose two different factors.";
      return "";
    }
    return report.plot.isOfCells(group, x, y) ? drawCells(container, group, state, x, y) : drawContours(container, group, state, x, y);
  },
});

function chosenFactors(group, chosen) {
  return ["x", "y"].map((key) => group.factors.findIndex((factor) => factor.key === chosen[key]));
}

report.plot.isOfCells = (group, ...factors) => factors.every((factor) =>
  !group.factors[factor].numeric || report.plot.levelsOf(group, factor).length <= MOST_CELLS);

// From 0, the worst of these values, to 1, the best.
function goodness(group, values) {
  const [low, high] = d3.extent(values);
  const range = group.metric.higher ? [0, 1] : [1, 0];
  return low < high ? d3.scaleLinear([low, high], range) : () => 0.5;
}

function heat(share) {
  return `color-mix(in oklab, var(--heat-good) ${Math.round(100 * share)}%, var(--heat-bad))`;
}

function drawCells(container, group, state, x, y) {
  const cells = report.plot.cells(group, y, x);
  const [across, up] = [x, y].map((factor) => report.plot.levelsOf(group, factor));
  const names = up.map((level) => group.factors[y].levels[level]);
  const left = 24 + Math.min(140, 7 * Math.max(...names.map(({ length }) => length)));
  const cellHeight = 40;
  const sheet = report.plot.sheet(container, up.length * cellHeight + 76, { top: 26, right: 10, bottom: 50, left });
  const width = Math.min(150, sheet.width / across.length);
  const share = goodness(group, [...cells.values()].map(({ mean }) => mean));
  const isVisible = (each) => (report.plot.runsOf(group).get(each.i) ?? []).some((run) => state.isVisible(run));
  const points = [];
  across.forEach((column, i) => up.forEach((row, j) => {
    const cell = cells.get(`${row},${column}`);
    if (!cell) return;
    const [cx, cy] = [i * width, (up.length - 1 - j) * cellHeight];
    const g = sheet.g.append("g").attr("class", cell.configurations.some(isVisible) ? "cell" : "cell hidden");
    g.append("rect").attr("x", cx + 1).attr("y", cy + 1).attr("width", width - 2).attr("height", cellHeight - 2)
      .style("fill", heat(share(cell.mean)));
    if (width > 34)
      g.append("text").attr("x", cx + width / 2).attr("y", cy + cellHeight / 2).attr("dy", ".35em")
        .text((cell.mean * group.metric.scale).toFixed(width > 50 ? group.metric.digits : 1));
    points.push({ x: cx + width / 2, y: cy + cellHeight / 2, lines: cellLines(group, cell, [[x, column], [y, row]]) });
  }));
  const bottom = { ...sheet, width: width * across.length };
  report.plot.axis(bottom, "bottom", d3.scalePoint(across, [width / 2, width * (across.length - 0.5)]),
    { ticks: across, text: (level) => group.factors[x].levels[level], label: group.factors[x].name, grid: false });
  report.plot.axis(sheet, "left", d3.scalePoint(up, [cellHeight * (up.length - 0.5), cellHeight / 2]),
    { ticks: up, text: (level) => group.factors[y].levels[level], label: group.factors[y].name, grid: false });
  report.plot.hover(sheet, group, points);
  return cellsText(group, x, y, cells);
}

function cellLines(group, { configurations, mean }, levels) {
  const n = d3.sum(configurations, (each) => each.n);
  const where = levels.map(([factor, level]) => `${group.factors[factor].name}=${group.factors[factor].levels[level]}`);
  return [report.plot.value(group, mean), where.join(" "), `mean of ${n} run${n === 1 ? "" : "s"}`];
}

function cellsText(group, x, y, cells) {
  const best = d3.greatest([...cells], ([, { mean }]) => mean * (group.metric.higher ? 1 : -1));
  const [row, column] = best[0].split(",");
  return `Mean ${group.metric.label} by ${group.factors[x].name} and ${group.factors[y].name}: best at `
    + `${group.factors[x].name} ${group.factors[x].levels[column]} and ${group.factors[y].name} `
    + `${group.factors[y].levels[row]} with ${report.plot.value(group, best[1].mean)}. `
    + "The table of configurations has the numbers.";
}

function drawContours(container, group, state, x, y) {
  const sheet = report.plot.sheet(container, 400, { top: 26, right: 16, bottom: 46, left: 56 });
  const axes = [report.plot.factorAxis(group, x, "auto", [0, sheet.width]), report.plot.factorAxis(group, y, "auto", [sheet.height, 0])];
  const runs = [...report.plot.runsOf(group).values()].flat();
  const points = runs.map((run) => {
    const { levels } = group.configurations[group.runs.configuration[run]];
    return {
      x: axes[0].at(levels[x]), y: axes[1].at(levels[y]), run, value: group.runs.value[run], color: "var(--ink)",
      isHidden: !state.isVisible(run), lines: () => report.plot.runLines(group, run),
    };
  });
  const means = localMeans(points, sheet);
  const known = means.filter((mean) => mean !== null);
  const share = goodness(group, known);
  const [low, high] = d3.extent(known);
  const thresholds = d3.range(CONTOURS).map((i) => low + (i / CONTOURS) * (high - low));
  const far = low - (high - low) - 1;
  for (const area of d3.contours().size([GRID, GRID]).thresholds(thresholds)(means.map((mean) => mean ?? far)))
    sheet.g.append("path").attr("class", "area").attr("d", outline(area, sheet)).style("fill", heat(share(area.value)));
  report.plot.axis(sheet, "bottom", axes[0].scale, { ticks: axes[0].ticks, text: axes[0].text, label: group.factors[x].name, grid: false });
  report.plot.axis(sheet, "left", axes[1].scale, { ticks: axes[1].ticks, text: axes[1].text, label: group.factors[y].name, grid: false });
  report.plot.scatter(sheet.g, points, 5);
  report.plot.hover(sheet, group, points.filter((point) => !point.isHidden));
  return contoursText(group, x, y, points);
}

// The mean of the runs around each point of a grid, weighted by a Gaussian of their distance
// (Nadaraya 1964, Watson 1964); null where no run is near.
function localMeans(points, { width, height }) {
  return d3.range(GRID * GRID).map((place) => {
    const [gx, gy] = [((place % GRID) + 0.5) / GRID, (Math.floor(place / GRID) + 0.5) / GRID];
    let [sum, weights] = [0, 0];
    for (const { x, y, value } of points) {
      const distance = ((x / width - gx) ** 2 + (y / height - gy) ** 2) / BANDWIDTH ** 2;
      const weight = Math.exp(-distance / 2);
      sum += weight * value;
      weights += weight;
    }
    return weights > 0.3 ? sum / weights : null;
  });
}

function outline({ coordinates }, { width, height }) {
  const ring = (line) => `M${line.map(([a, b]) => `${((a / GRID) * width).toFixed(1)} ${((b / GRID) * height).toFixed(1)}`).join("L")}Z`;
  return coordinates.map((polygon) => polygon.map(ring).join("")).join("");
}

function contoursText(group, x, y, points) {
  const best = d3.greatest(points, ({ value }) => value * (group.metric.higher ? 1 : -1));
  const { name } = group.configurations[group.runs.configuration[best.run]];
  return `Local means of ${group.metric.label} over ${group.factors[x].name} and ${group.factors[y].name}. `
    + `The best run is ${name} with ${report.plot.value(group, best.value)}. The table of runs has the numbers.`;
}
