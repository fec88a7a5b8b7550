"use strict";
// All scripts of the page share one object. `report.groups` is what page/data.py wrote, one object
// per comparison group:
//   slug, title, metric: {name, label, unit, differenceUnit, scale, digits, higher},
//   factors: [{key, name, numeric, levels: [text]}], by importance,
//   configurations: [{name, levels: [index per factor], n, mean, low, high, sd, test, seconds,
//     pflop, parameters, rank, failed, diverged, paused, notCounted}], the best first,
//   runs: {id, name, status, seed, configuration (an index, or -1), value (null if it does not count),
//     val, test, epochs, planned, seconds, pflop, finished}, columns in the same order,
//   details: {common, settings, folder, command, reason}, curves (packed),
//   comparisons, effects, interactions: [{..., mean, low, high, p, verdict}],
//   importance: {terms: [{term, range, share}], method}, model: {sd, df, critical},
//   progress: [{name, compute, best}] of comparable other sweeps (null before their first result),
//   trends: [{factor, other, level, x, mean, low, high, good}] (see page/trends.py), worth: a difference that matters.
// Values are as stored: fractions, not percentages; null where there is none.
const report = {};
report.groups = JSON.parse(document.getElementById("data").textContent);

// The curve of a run (an index) in a series such as "val_accuracy": its epochs and values.
report.curve = (group, run, series) => {
  const { epochs, grid } = group.curves;
  const values = report.decoded(group, series);
  const x = epochs.length ? epochs[grid[run]] : [];
  if (!values) return { x, y: x.map(() => null) };
  const first = report.curveStart(group, run);
  return { x, y: values.slice(first, first + x.length) };
};

// Where the values of a run begin in a decoded series.
report.curveStart = (group, run) => {
  const { epochs, grid } = group.curves;
  if (!group.curveStarts) {
    let next = 0;
    group.curveStarts = grid.map((place) => (next += epochs[place].length) - epochs[place].length);
  }
  return group.curveStarts[run];
};

// All values of a series, decoded when they are first asked for; undefined if there are none.
report.decoded = (group, series) => {
  const packed = group.curves.series[series];
  if (!packed) return undefined;
  packed.values ??= report.unpack(packed);
  return packed.values;
};

report.unpack = ({ scale, low, high, data }) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const step = (high - low) / 65533;
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const code = bytes[2 * i] + 256 * bytes[2 * i + 1];
    if (code === 65535) return null;
    if (code === 65534) return 0;
    return scale === "log" ? Math.exp(low + code * step) : low + code * step;
  });
};

// The text of a level of a configuration or of a run's configuration.
report.level = (group, configuration, factor) =>
  group.factors[factor].levels[group.configurations[configuration].levels[factor]];

report.runCount = (group) => group.runs.id.length;
