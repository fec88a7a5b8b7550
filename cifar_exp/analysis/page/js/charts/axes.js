// Drawing areas and axes.

const TICK_LETTER = 6.4; // pixels that a letter of a tick's label takes at most

// An SVG as wide as its container; what is drawn in `g` is inside the margins.
report.plot.sheet = (container, height, { top, right, bottom, left }) => {
  const width = Math.max(240, container.clientWidth);
  d3.select(container).selectAll(":scope > svg, :scope > .tip").remove();
  const svg = d3
    .select(container)
    .append("svg")
    .attr("viewBox", [0, 0, width, height])
    .style("max-width", `${width}px`);
  const g = svg.append("g").attr("transform", `translate(${left},${top})`);
  return { container, svg, g, width: width - left - right, height: height - top - bottom, left, top };
};

// The scale of a factor and how its axis is drawn: {scale, at(level), isNumeric, ...options of
// report.plot.axis}. Levels are indices.
report.plot.factorAxis = (group, factor, kind, range) => {
  const { name, numeric, levels: texts } = group.factors[factor];
  const drawn = { label: name, grid: false, isNumeric: numeric };
  if (!numeric) {
    const ticks = report.plot.levelsOf(group, factor);
    const scale = d3.scalePoint(ticks, range).padding(0.5);
    return { ...drawn, scale, ticks, text: (level) => texts[level], at: scale };
  }
  const values = report.plot.numbers(group, factor);
  const scale = report.plot.numberScale(values, kind, range);
  const ticks = report.plot.tickValues(scale, values, Math.abs(range[1] - range[0]) / 60);
  return { ...drawn, scale, ticks, text: report.plot.short, at: (level) => scale(Number(texts[level])) };
};

// An axis at the bottom, top or left of an area, and lines of a grid. Ticks whose labels would
// overlap are left out.
report.plot.axis = (sheet, side, scale, { ticks, text = report.plot.short, label = "", grid = true }) => {
  const isLeft = side === "left";
  const kept = isLeft ? ticks : apart(scale, ticks, text);
  const axis = (isLeft ? d3.axisLeft : d3.axisBottom)(scale)
    .tickValues(kept)
    .tickFormat(text)
    .tickSize(grid ? -(isLeft ? sheet.width : sheet.height) : 4)
    .tickPadding(6);
  const g = sheet.g.append("g").attr("class", `axis ${side}`).call(axis);
  if (!isLeft) g.attr("transform", `translate(0,${sheet.height})`);
  g.attr("font-family", null).attr("font-size", null);
  if (!label) return;
  const name = g.append("text").attr("class", "label").text(label);
  if (isLeft) name.attr("x", -sheet.left).attr("y", -10).attr("text-anchor", "start");
  else name.attr("x", sheet.width / 2).attr("y", 34).attr("text-anchor", "middle");
};

// The ticks whose labels do not overlap those before them.
function apart(scale, ticks, text) {
  let free = -Infinity;
  const inOrder = [...ticks].sort((a, b) => scale(a) - scale(b));
  return inOrder.filter((tick) => {
    const half = (text(tick).length * TICK_LETTER) / 2 + 3;
    if (scale(tick) - half < free) return false;
    free = scale(tick) + half;
    return true;
  });
}

// The axis of the metric, in its unit, that has all of these stored values.
report.plot.metricScale = (group, values, range) => {
  const { scale: factor } = group.metric;
  const [low, high] = d3.extent(values.filter((value) => value !== null), (value) => value * factor);
  const margin = high > low ? 0.04 * (high - low) : Math.abs(high) * 0.05 || 1;
  const scale = d3.scaleLinear([low - margin, high + margin], range);
  const of = (value) => scale(value * factor);
  const ticks = scale.ticks(Math.max(2, Math.abs(range[1] - range[0]) / 48));
  return { scale, of, ticks, label: report.plot.metricLabel(group) };
};

// The same for all runs that count.
report.plot.metricOfRuns = (group, range) =>
  report.plot.metricScale(group, report.plot.countedRuns(group).map((run) => group.runs.value[run]), range);

report.plot.metricLabel = ({ metric }) => (metric.unit ? `${metric.label} (${metric.unit})` : metric.label);

report.plot.value = ({ metric }, value) =>
  value === null ? "unknown" : `${(value * metric.scale).toFixed(metric.digits)} ${metric.unit}`.trim();
