// Scales and their ticks.

const MOST_TICKS = 8;

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
report.plot.scaleKinds = [
  ["auto", "automatic"],
  ["linear", "linear"],
  ["log", "log"],
  ["percentile", "percentile"],
];

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
  const scale = d3.scaleLinear(
    distinct,
    distinct.map((value) => place(middle(value))),
  );
  scale.quantiles = [0, 0.25, 0.5, 0.75, 1].map((share) => d3.quantileSorted(sorted, share));
  return scale;
}

// Where to put ticks: at the numbers themselves if they are few.
report.plot.tickValues = (scale, values, most = MOST_TICKS) => {
  const distinct = d3.sort(new Set(values.filter((value) => !Number.isNaN(value))));
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
