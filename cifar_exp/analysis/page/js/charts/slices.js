// The metric by each factor: a panel for each, with every run that counts as a point.

const PANEL_HEIGHT = 230, PANEL_FOOT = 70, PANEL_GAP = 34; // pixels
const PANEL_WIDTH = 300; // at least that wide, if there is room
const PANELS_AT_FIRST = 6;
const MOST_STEPS = 12; // levels that get a mean each; more are put into bins
const BINS = 8;
const CROSS = 4; // pixels from its middle to its ends

report.charts.register({
  name: "slices",
  title: "One factor at a time",
  caption: (group) => "A point is a run; all other factors vary among the points of a panel. A line through ticks joins "
    + "the means at each level, or in bins of equally many runs where many values were drawn."
    + report.plot.trendText(group, d3.range(group.factors.length)) + report.plot.crossText(group) + report.plot.pausedText(group),
  hasColors: true,
  isWide: true,
  showsHidden: true,
  isFor: (group) => group.factors.length > 0 && report.plot.runsOf(group).size > 1,
  controls(group) {
    const controls = group.factors.some(({ numeric }) => numeric)
      ? [{ key: "axis", label: "Axis", choices: report.plot.scaleKinds, value: "auto" }]
      : [];
    return group.factors.length > PANELS_AT_FIRST
      ? [...controls, { key: "all", label: `all ${group.factors.length} factors`, value: false }]
      : controls;
  },
  draw(container, group, state, { axis, all }) {
    const factors = d3.range(all ? group.factors.length : Math.min(PANELS_AT_FIRST, group.factors.length));
    return drawSlices(container, group, state, factors, axis ?? "auto");
  },
});

// The view of the most important factor alone, for the first screen.
report.plot.firstFactor = (container, group, state) => drawSlices(container, group, state, [0], "auto");

function drawSlices(container, group, state, factors, kind) {
  const layout = panels(container, factors.length);
  const sheet = report.plot.sheet(container, layout.down * (layout.height + PANEL_FOOT), layout);
  const axis = report.plot.metricOfRuns(group, [layout.height, 0]);
  const points = factors.flatMap((factor, i) => {
    const [column, row] = [i % layout.across, Math.floor(i / layout.across)];
    const [dx, dy] = [column * (layout.width + PANEL_GAP), row * (layout.height + PANEL_FOOT)];
    const g = sheet.g.append("g").attr("transform", `translate(${dx},${dy})`);
    const own = drawSlice({ ...layout, g }, group, state, factor, kind, axis, column === 0);
    return own.map((point) => ({ ...point, x: point.x + dx, y: point.y + dy }));
  });
  report.plot.hover(sheet, group, points.filter(({ isHidden }) => !isHidden));
  const count = report.plot.incompleteRuns(group).length;
  const texts = factors.map((factor) => sliceText(group, factor));
  if (count) texts.push(`${report.count(count, "run")} failed or diverged.`);
  return [...texts, "The table of runs has the numbers."].join(" ");
}

// Rows of equally many panels, and their size.
function panels(container, count) {
  const margins = { top: 24, right: 10, bottom: 46, left: 48 };
  const room = container.clientWidth - margins.left - margins.right + PANEL_GAP;
  const most = Math.max(1, Math.min(count, Math.floor(room / (PANEL_WIDTH + PANEL_GAP))));
  const down = Math.ceil(count / most);
  const across = Math.ceil(count / down);
  const height = (count === 1 ? 1.3 : 1) * PANEL_HEIGHT;
  return { ...margins, across, down, height, width: room / across - PANEL_GAP };
}

function drawSlice(panel, group, state, factor, kind, axis, isFirst) {
  const x = report.plot.factorAxis(group, factor, kind, [20, panel.width - 20]);
  const texts = isFirst ? {} : { label: "", text: () => "" };
  report.plot.axis(panel, "left", axis.scale, { ...axis, ...texts });
  report.plot.axis(panel, "bottom", x.scale, x);
  const levels = report.plot.levelsOf(group, factor).length;
  const spread = levels > MOST_STEPS ? 0 : Math.min(26, (0.5 * panel.width) / levels);
  const across = (run, i) =>
    x.at(group.configurations[group.runs.configuration[run]].levels[factor]) + spread * jitter(i);
  const points = report.plot.countedRuns(group)
    .map((run, i) => report.plot.runPoint(group, state, run, across(run, i), axis.of(group.runs.value[run])));
  const crosses = report.plot.incompleteRuns(group)
    .map((run, i) => report.plot.runPoint(group, state, run, across(run, i), panel.height - CROSS));
  const paused = report.plot.pausedRuns(group)
    .map((run, i) => report.plot.runPoint(group, state, run, across(run, i), panel.height - CROSS));
  const { isPlaced } = report.plot;
  report.plot.scatter(panel.g, points.filter(isPlaced), points.length > 500 ? 4 : 6);
  report.plot.hollow(panel.g, paused.filter(isPlaced));
  drawCrosses(panel.g, crosses.filter(isPlaced));
  if (!report.plot.drawTrends(panel, group, factor, x, axis)) drawMeans(panel.g, meansOf(group, factor), x, axis);
  return [...points, ...paused, ...crosses].filter(isPlaced);
}

function drawCrosses(g, crosses) {
  const stroke = (x, y, slope) => report.plot.path([[x - CROSS, y - slope * CROSS], [x + CROSS, y + slope * CROSS]]);
  const shown = crosses.filter(({ isHidden }) => !isHidden);
  g.append("path").attr("class", "cross").attr("d", shown.map(({ x, y }) => stroke(x, y, 1) + stroke(x, y, -1)).join(""));
}

// Evenly spread numbers between -0.5 and 0.5, the same at every drawing: the golden ratio's multiples.
function jitter(i) {
  return ((i * 0.618034) % 1) - 0.5;
}

// The means of the runs at each level, or in bins of equally many runs: [{level or number, mean}].
function meansOf(group, factor) {
  const level = (run) => group.configurations[group.runs.configuration[run]].levels[factor];
  const { numeric, levels: texts } = group.factors[factor];
  const mean = (own) => d3.mean(own, (run) => group.runs.value[run]);
  const runs = report.plot.countedRuns(group);
  const byLevel = d3.sort(d3.rollup(runs, mean, level), ([each]) => each);
  if (!numeric || byLevel.length <= MOST_STEPS) return byLevel.map(([each, value]) => ({ level: each, mean: value }));
  const number = (run) => Number(texts[level(run)]);
  const sorted = d3.sort(runs.filter((run) => !Number.isNaN(number(run))), number);
  const bins = Math.min(BINS, Math.floor(sorted.length / 4));
  return d3.range(bins).map((bin) => {
    const own = sorted.slice((bin * sorted.length) / bins, ((bin + 1) * sorted.length) / bins);
    return { number: d3.median(own, number), mean: mean(own) };
  });
}

function drawMeans(g, means, x, axis) {
  const places = means.map(({ level, number, mean }) =>
    [level === undefined ? x.scale(number) : x.at(level), axis.of(mean)])
    .filter(([left]) => Number.isFinite(left));
  if (x.isNumeric) g.append("path").attr("class", "trend").attr("d", report.plot.path(places));
  for (const [left, top] of places) report.plot.segment(g, "mean", [left - 8, top], [left + 8, top]);
}

function sliceText(group, factor) {
  const { name, levels } = group.factors[factor];
  const means = meansOf(group, factor);
  if (!means.length) return "";
  const best = d3.greatest(means, ({ mean }) => mean * (group.metric.higher ? 1 : -1));
  const worst = d3.least(means, ({ mean }) => mean * (group.metric.higher ? 1 : -1));
  const at = ({ level, number, mean }) =>
    `${level === undefined ? `about ${report.plot.short(number)}` : levels[level]} (${report.plot.value(group, mean)})`;
  return `By ${name}, the mean ${group.metric.label} is best at ${at(best)} and worst at ${at(worst)}.`;
}
