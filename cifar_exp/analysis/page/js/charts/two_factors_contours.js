// Contours of local means of the runs.

const GRID = 32; // points in each direction
const BANDWIDTH = 0.12; // of an axis: how far a run counts for a local mean
const NEAR_ENOUGH = 0.3; // of a run's weight: with less, there is no local mean
const CONTOURS = 8;

report.plot.twoFactorContours = (container, group, state, x, y) => {
  const sheet = report.plot.sheet(container, 400, { top: 26, right: 16, bottom: 46, left: 56 });
  const across = report.plot.factorAxis(group, x, "auto", [0, sheet.width]);
  const up = report.plot.factorAxis(group, y, "auto", [sheet.height, 0]);
  const placed = (runs) => runs.map((run) => {
    const { levels } = group.configurations[group.runs.configuration[run]];
    const point = report.plot.runPoint(group, state, run, across.at(levels[x]), up.at(levels[y]));
    return { ...point, color: "var(--ink)", value: group.runs.value[run] };
  }).filter(report.plot.isPlaced);
  const points = placed(report.plot.countedRuns(group));
  const paused = placed(report.plot.pausedRuns(group));
  drawAreas(sheet, group, localMeans(points, sheet));
  report.plot.axis(sheet, "bottom", across.scale, across);
  report.plot.axis(sheet, "left", up.scale, up);
  report.plot.hollow(sheet.g, paused);
  report.plot.scatter(sheet.g, points, 5);
  report.plot.hover(sheet, group, [...points, ...paused].filter(({ isHidden }) => !isHidden));
  return contoursText(group, x, y, points);
};

function drawAreas({ g, width, height }, group, means) {
  const known = means.filter((mean) => mean !== null);
  const [low, high] = d3.extent(known);
  const thresholds = d3.range(CONTOURS).map((i) => low + (i / CONTOURS) * (high - low));
  const contours = d3.contours().size([GRID, GRID]).thresholds(thresholds);
  const fill = report.plot.heat(group, known);
  const ring = (line) => `${report.plot.path(line.map(([a, b]) => [(a / GRID) * width, (b / GRID) * height]))}Z`;
  const beyond = low - (high - low) - 1; // below all contours
  for (const { value, coordinates } of contours(means.map((mean) => mean ?? beyond)))
    g.append("path").attr("class", "area").attr("d", coordinates.flat().map(ring).join("")).style("fill", fill(value));
}

// The mean of the runs around each point of a grid, weighted by a Gaussian of their distance
// (Nadaraya 1964, Watson 1964); null where no run is near.
function localMeans(points, { width, height }) {
  return d3.range(GRID * GRID).map((place) => {
    const [gx, gy] = [((place % GRID) + 0.5) / GRID, (Math.floor(place / GRID) + 0.5) / GRID];
    const weight = ({ x, y }) => Math.exp(-((x / width - gx) ** 2 + (y / height - gy) ** 2) / BANDWIDTH ** 2 / 2);
    const weights = d3.sum(points, weight);
    return weights > NEAR_ENOUGH ? d3.sum(points, (point) => weight(point) * point.value) / weights : null;
  });
}

function contoursText(group, x, y, points) {
  const best = d3.greatest(points, ({ value }) => value * (group.metric.higher ? 1 : -1));
  const { name } = group.configurations[group.runs.configuration[best.run]];
  return `Local means of ${group.metric.label} over ${group.factors[x].name} and ${group.factors[y].name}. `
    + `The best run is ${name} with ${report.plot.value(group, best.value)}. The table of runs has the numbers.`;
}
