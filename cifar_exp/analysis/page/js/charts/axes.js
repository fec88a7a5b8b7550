// Drawing areas, scales and axes.

const TICK_LETTER = 6.4; // pixels that a letter of a tick's label takes at most
const MOST_TICKS = 8;

// An SVG as wide as its container; what is drawn in `g` is inside the margins.
report.plot.sheet = (container, height, { top, right, bottom, left }) => {
  const width = Math.max(240, container.clientWidth);
  d3.select(container).selectAll(":scope > svg, :scope > .tip").remove();
  const svg = d3.select(container).append("svg").attr("viewBox", [0, 0, width, height])
    .style("max-width", `${width}px`);
  const g = svg.append("g").attr("transform", `translate(${left},${top})`);
  return { container, svg, g, width: width - left - right, height: height - top - bottom, left, top };
};

// Whether positive numbers are spaced by ratios: their middle is then nearer to the middle of their
// range on a log axis than on a linear one.
report.plot.isLogSpaced = (values) => {
  const sorted = d3.sort(new Set(values));
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (!(low > 0) || sorted.length < 2) return false;
  if (sorted.length === 2) return high / low >= 10;
  const middle = d3.median(sorted);
  const offLinear = Math.abs((middle - low) / (high - low) - 0.5);
  const offLog = Math.abs(Math.log(middle / low) / Math.log(high / low) - 0.5);
  return offLog < offLinear;
};

// What a reader may choose for an axis of numbers.
report.plot.scaleKinds = [["auto", "automatic"], ["linear", "linear"], ["log", "log"], ["percentile", "percentile"]];

// A scale of numbers. kind: "auto", "linear", "log" (linear, where a number is not above 0), or
// "percentile": the share of the numbers that are smaller.
report.plot.numberScale = (values, kind, range) => {
  const known = values.filter((value) => value !== null && !Number.isNaN(value));
  const [low, high] = d3.extent(known);
  const isLog = kind === "log" || (kind === "auto" && report.plot.isLogSpaced(known));
  if (kind === "percentile" && low < high) return percentileScale(known, range);
  if (low === high) return d3.scaleLinear([low - 1, high + 1], range);
  if (isLog && low > 0) return d3.scaleLog([low, high], range);
  return d3.scaleLinear([low, high], range);
};

function percentileScale(values, range) {
  const sorted = d3.sort(values);
  const distinct = [...new Set(sorted)];
  const middle = (value) => (d3.bisectLeft(sorted, value) + d3.bisectRight(sorted, value) - 1) / 2;
  const place = d3.scaleLinear([middle(distinct[0]), middle(distinct.at(-1))], range);
  const scale = d3.scaleLinear(distinct, distinct.map((value) => place(middle(value))));
  scale.quantiles = [0, 0.25, 0.5, 0.75, 1].map((share) => d3.quantileSorted(sorted, share));
  return scale;
}

// Where to put ticks: at the numbers themselves if they are few.
report.plot.tickValues = (scale, values, most = MOST_TICKS) => {
  const distinct = d3.sort(new Set(values));
  if (distinct.length <= MOST_TICKS + 4) return distinct;
  if (scale.quantiles) return d3.sort(new Set(scale.quantiles));
  if (!scale.base) return scale.ticks(most);
  const [low, high] = scale.domain();
  const ticks = scale.ticks();
  const mantissas = high / low > 1e3 ? "1" : "125";
  return ticks.filter((tick) => mantissas.includes(tick.toExponential()[0]));
};

// A number in three digits: 0.0316, 1e-5.
report.plot.short = (value) => {
  if (value < 0) return `−${report.plot.short(-value)}`;
  if (value === 0 || (value >= 1e-4 && value < 1e6)) return String(+value.toPrecision(3));
  return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
};

// The scale and the ticks of a factor: {scale, ticks, at(level), isNumeric}. Levels are indices.
report.plot.factorAxis = (group, factor, kind, range) => {
  const { numeric, levels: texts } = group.factors[factor];
  if (!numeric) {
    const levels = [...new Set(group.configurations.map((each) => each.levels[factor]))].sort((a, b) => a - b);
    const scale = d3.scalePoint(levels, range).padding(0.5);
    return { scale, ticks: levels, text: (level) => texts[level], at: scale, isNumeric: false };
  }
  const values = report.plot.numbers(group, factor);
  const scale = report.plot.numberScale(values, kind, range);
  const ticks = report.plot.tickValues(scale, values, Math.abs(range[1] - range[0]) / 60);
  return { scale, ticks, text: report.plot.short, at: (level) => scale(Number(texts[level])), isNumeric: true };
};

// The numbers that the configurations have for a factor.
report.plot.numbers = (group, factor) =>
  group.configurations.map((each) => Number(group.factors[factor].levels[each.levels[factor]]));

// An axis at the bottom, top or left of an area, and lines of a grid. Ticks whose labels would
// overlap are left out.
report.plot.axis = (sheet, side, scale, { ticks, text = report.plot.short, label = "", grid = true }) => {
  const isLeft = side === "left";
  const kept = isLeft ? ticks : apart(scale, ticks, text);
  const axis = (isLeft ? d3.axisLeft : d3.axisBottom)(scale).tickValues(kept).tickFormat(text)
    .tickSize(grid ? -(isLeft ? sheet.width : sheet.height) : 4).tickPadding(6);
  const g = sheet.g.append("g").attr("class", `axis ${side}`).call(axis);
  if (!isLeft) g.attr("transform", `translate(0,${sheet.height})`);
  g.attr("font-family", null).attr("font-size", null);
  if (!label) return;
  const name = g.append("text").attr("class", "label").text(label);
  if (isLeft) name.attr("x", -sheet.left).attr("y", -10).attr("text-anchor", "start");
  else name.attr("x", sheet.width / 2).attr("y", 34).attr("text-anchor", "middle");
};

function apart(scale, ticks, text) {
  let free = -Infinity;
  const first = [...ticks].sort((a, b) => scale(a) - scale(b));
  return first.filter((tick) => {
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
  return { scale, of, ticks: scale.ticks(Math.max(2, Math.abs(range[1] - range[0]) / 48)), label: metricLabel(group) };
};

function metricLabel({ metric }) {
  return metric.unit ? `${metric.label} (${metric.unit})` : metric.label;
}
report.plot.metricLabel = metricLabel;

report.plot.value = ({ metric }, value) =>
  value === null ? "unknown" : `${(value * metric.scale).toFixed(metric.digits)} ${metric.unit}`.trim();

report.plot.difference = ({ metric }, value) => {
  const text = Math.abs(value * metric.scale).toFixed(metric.digits);
  return `${value < 0 ? "−" : "+"}${text} ${metric.differenceUnit}`.trim();
};

// Points as one path of round dots: thousands of them are drawn at once.
report.plot.dots = (points) => points.map(({ x, y }) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`).join("");

// Draws points (with x, y, color, isHidden) in one path for each color; hidden ones are pale, and below.
report.plot.scatter = (g, points, size) => {
  const paths = d3.groups(points, ({ isHidden }) => !isHidden, ({ color }) => color);
  for (const [isShown, byColor] of paths.sort(([a], [b]) => a - b))
    for (const [color, own] of byColor)
      g.append("path").attr("class", isShown ? "dots" : "dots hidden").attr("d", report.plot.dots(own))
        .style("stroke", color).style("stroke-width", size);
};
