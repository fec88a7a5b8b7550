// Curves of some runs above each other, for the comparison of runs and for a run's dialog.

const OVERLAY_KINDS = [
  ["accuracy", "accuracy (%)"],
  ["loss", "loss"],
];

const MOST_OWN_COLORS = 5;

// Replaces what is in `container`. Solid lines are val, dashed ones train; each run has a color of its own,
// or, of many runs, each configuration.
report.charts.overlay = (container, group, runs) => {
  const name = (run) => overlayName(group, run, runs.length > MOST_OWN_COLORS);
  const names = [...new Set(runs.map(name))];
  const color = (run) => report.plot.series(names.indexOf(name(run)));
  const parts = OVERLAY_KINDS.flatMap(([kind, label]) => {
    const lines = runs.flatMap((run) => overlayLines(group, run, kind, color(run)));
    return lines.length ? [{ label, lines }] : [];
  });
  container.classList.add("overlay");
  if (!parts.length) {
    container.textContent = "No epoch is recorded.";
    return;
  }
  container.replaceChildren(overlayKey(names));
  for (const { label, lines } of parts) {
    const plot = report.element("div", { class: "plot" });
    container.append(plot);
    const { svg } = report.plot.lines(plot, group, lines, { height: 240, xLabel: "epoch", yLabel: label });
    svg.attr("role", "img").attr("aria-label", overlayText(lines, label));
  }
};

function overlayName(group, run, isShort) {
  const own = group.configurations[group.runs.configuration[run]];
  if (!own) return group.runs.name[run];
  return isShort ? own.name : `${own.name}, seed ${group.runs.seed[run]}`;
}

function overlayLines(group, run, kind, color) {
  return ["val", "train"].flatMap((split) => {
    const series = `${split}_${kind}`;
    const { x, y } = report.curve(group, run, series);
    const values = y.map((value) => (value === null ? null : value * report.plot.seriesScale(series)));
    if (values.every((value) => value === null)) return [];
    const name = overlayName(group, run, false);
    const lines = (i) => report.plot.curveTexts(name, 1, series, x[i], values[i]);
    return [
      { x, y: values, color, dash: split === "train" ? "5 3" : null, name: `${split} of ${name}`, lines },
    ];
  });
}

function overlayKey(names) {
  const item = (className, text, color) => {
    const swatch = report.element("i", { class: className, "aria-hidden": "true" });
    swatch.style.borderColor = color;
    return report.element("span", {}, swatch, text);
  };
  const own = names.length > 1 ? names.map((name, i) => item("line", name, report.plot.series(i))) : [];
  const splits = [item("line", "val", "var(--ink)"), item("line dashed", "train", "var(--ink)")];
  return report.element("p", { class: "key" }, ...own, ...splits);
}

function overlayText(lines, label) {
  const last = ({ y }) => y.findLast((value) => value !== null);
  const ends = lines.map((line) => `${line.name} ${report.plot.short(last(line))}`);
  return `${label} by epoch. At the end: ${ends.join(", ")}.`;
}
