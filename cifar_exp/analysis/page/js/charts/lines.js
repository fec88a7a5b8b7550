// Lines over a common axis: learning curves, and what is overlaid of some runs.

const MOST_LINES_WITH_DOTS = 30, MOST_EPOCHS_WITH_DOTS = 20, MOST_THICK_LINES = 60;

// lines: [{x: [number], y: [number or null], color, dash, isPaused, run, lines(i): [text]}] with y as it is drawn;
// options: {height, xLabel, yLabel, isLogX, isLogY}. Returns the drawing area.
report.plot.lines = (container, group, lines, { height = 340, xLabel, yLabel, isLogX = false, isLogY = false }) => {
  const sheet = report.plot.sheet(container, height, { top: 26, right: 12, bottom: 44, left: 52 });
  const ys = lines.flatMap(({ y }) => y.filter((value) => value !== null && (!isLogY || value > 0)));
  const xs = [...new Set(lines.flatMap(({ x }) => x))];
  const x = report.plot.numberScale(xs, isLogX ? "log" : "linear", [6, sheet.width - 6]);
  const y = report.plot.numberScale(ys, isLogY ? "log" : "linear", [sheet.height - 4, 4]);
  const ticks = y.base ? report.plot.tickValues(y, y.domain().concat(y.ticks())) : y.ticks(5);
  report.plot.axis(sheet, "left", y, { ticks, label: yLabel });
  report.plot.axis(sheet, "bottom", x, { ticks: report.plot.tickValues(x, xs), label: xLabel, grid: false });
  const placed = lines.map((line) => ({ ...line, places: placesOf(line, x, y, isLogY) }));
  drawLines(sheet.g, placed);
  if (lines.length <= MOST_LINES_WITH_DOTS && xs.length <= MOST_EPOCHS_WITH_DOTS) drawDots(sheet.g, placed);
  report.plot.hollow(sheet.g, pausedEnds(placed));
  hoverLines(sheet, group, placed);
  return sheet;
};

// Where the values of a line are; null for those that are not drawn.
function placesOf({ x: xs, y: ys }, x, y, isLogY) {
  const isDrawn = (value) => value !== null && (!isLogY || value > 0);
  return xs.map((value, i) => (isDrawn(ys[i]) ? { x: x(value), y: y(ys[i]) } : null));
}

// Lines that look the same are one path: thousands of them are drawn at once.
function drawLines(g, placed) {
  const kind = placed.length > MOST_THICK_LINES ? "curve thin" : "curve";
  for (const [, own] of d3.group(placed, ({ color, dash, isPaused }) => `${color} ${dash} ${isPaused}`)) {
    const d = own.flatMap(({ places }) => unbroken(places)).map(report.plot.path).join("");
    const path = g.append("path").attr("class", own[0].isPaused ? "curve thin paused" : kind).attr("d", d);
    path.style("stroke", own[0].color).style("stroke-dasharray", own[0].dash ?? null);
  }
}

function drawDots(g, placed) {
  const dots = placed.flatMap(({ places, color }) => places.filter(Boolean).map((at) => ({ ...at, color })));
  report.plot.scatter(g, dots, 5);
}

function pausedEnds(placed) {
  const ends = placed.filter(({ isPaused }) => isPaused).map(({ places, color }) => ({ ...places.findLast(Boolean), color }));
  return ends.filter(report.plot.isPlaced);
}

// The parts of a curve between its gaps, as lists of [x, y].
function unbroken(places) {
  const parts = [[]];
  for (const at of places)
    if (at) parts.at(-1).push([at.x, at.y]);
    else parts.push([]);
  return parts;
}

function hoverLines(sheet, group, placed) {
  const point = (line, i) => {
    const at = placed[line]?.places[i];
    return at ? { ...at, line, i, run: placed[line].run, lines: placed[line].lines(i) } : null;
  };
  const find = (x, y) => {
    let [nearest, distance] = [null, report.plot.near];
    placed.forEach(({ places }, line) =>
      places.forEach((at, i) => {
        const own = at ? Math.hypot(at.x - x, at.y - y) : Infinity;
        if (own < distance) [nearest, distance] = [[line, i], own];
      }),
    );
    return nearest && point(...nearest);
  };
  // left and right go along a line, up and down to the next one
  const step = (now, [across, down]) => {
    if (!now) return point(0, placed[0]?.places.length - 1);
    return down
      ? point(now.line + down, Math.min(now.i, (placed[now.line + down]?.places.length ?? 0) - 1))
      : point(now.line, now.i + across);
  };
  report.plot.hoverBy(sheet, group, find, step);
}
