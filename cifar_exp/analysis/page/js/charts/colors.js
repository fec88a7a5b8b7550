// One encoding for all charts of a group: the most important factor, or the one that the reader
// chooses, has the colors. Levels in an order (numbers) get a ramp, others colors that differ most.
// Colors are CSS variables of charts.css, so that dark mode and print need no drawing anew.

const RAMP_STOPS = 5;
const MOST_RAMP_LEVELS = 8; // more levels are colored by their place on the factor's axis
const RAMP_STEPS = 12; // that a reader can distinguish at best
const SERIES_COLORS = 6;

// The color at `share` (0 to 1) of the ramp.
report.plot.ramp = (share) => {
  const place = Math.min(1, Math.max(0, share)) * (RAMP_STOPS - 1);
  const stop = Math.min(Math.floor(place), RAMP_STOPS - 2);
  const percent = Math.round(100 * (place - stop));
  if (percent === 0) return `var(--ramp-${stop})`;
  if (percent === 100) return `var(--ramp-${stop + 1})`;
  return `color-mix(in oklab, var(--ramp-${stop + 1}) ${percent}%, var(--ramp-${stop}))`;
};

report.plot.series = (i) => (i < SERIES_COLORS ? `var(--series-${i + 1})` : "var(--quiet)");

// {factor (an index, -1 if nothing varies), ofLevel(level), of(configuration), levels (indices of those
// that the legend lists), isContinuous}
report.plot.colors = (group) => {
  const chosen = report.state(group).option("charts", "color", null);
  const found = group.factors.findIndex(({ key }) => key === chosen);
  const factor = found >= 0 ? found : group.factors.length ? 0 : -1;
  if (factor < 0) return { factor, ofLevel: () => "var(--accent)", of: () => "var(--accent)", levels: [] };
  group.colorings ??= new Map();
  if (!group.colorings.has(factor)) group.colorings.set(factor, coloring(group, factor));
  return group.colorings.get(factor);
};

function coloring(group, factor) {
  const { numeric } = group.factors[factor];
  const levels = [...new Set(group.configurations.map((each) => each.levels[factor]))].sort((a, b) => a - b);
  const isContinuous = numeric && levels.length > MOST_RAMP_LEVELS;
  const colors = new Map(levels.map((level, i) => [level, report.plot.series(i)]));
  if (isContinuous) {
    const scale = report.plot.numberScale(report.plot.numbers(group, factor), "auto", [0, 1]);
    for (const level of levels) {
      const share = scale(Number(group.factors[factor].levels[level]));
      colors.set(level, report.plot.ramp(Math.round(share * RAMP_STEPS) / RAMP_STEPS));
    }
  } else if (numeric && levels.length > 1)
    levels.forEach((level, i) => colors.set(level, report.plot.ramp(i / (levels.length - 1))));
  const ofLevel = (level) => colors.get(level) ?? "var(--quiet)";
  const of = (configuration) =>
    configuration < 0 ? "var(--quiet)" : ofLevel(group.configurations[configuration].levels[factor]);
  return { factor, ofLevel, of, levels, isContinuous };
}

// The elements of a legend of the colors.
report.plot.legend = (group) => {
  const { factor, levels, isContinuous, ofLevel } = report.plot.colors(group);
  if (factor < 0 || levels.length < 2) return [];
  const { name, levels: texts } = group.factors[factor];
  const item = (text, color) => {
    const swatch = report.element("i", { "aria-hidden": "true" });
    swatch.style.background = color;
    return report.element("span", {}, swatch, text);
  };
  const title = report.element("b", {}, name);
  if (isContinuous) {
    const short = (level) => report.plot.short(Number(texts[level]));
    const stops = d3.range(RAMP_STOPS).map((stop) => `var(--ramp-${stop})`);
    const bar = item(short(levels.at(-1)), `linear-gradient(to right, ${stops})`);
    bar.firstChild.className = "bar";
    return [title, report.element("span", {}, short(levels[0])), bar];
  }
  const most = group.factors[factor].numeric ? levels.length : SERIES_COLORS;
  const items = levels.slice(0, most).map((level) => item(texts[level], ofLevel(level)));
  if (levels.length > most) items.push(item("others", "var(--quiet)"));
  return [title, ...items];
};

// A choice of the factor that has the colors, where there is one.
report.plot.colorControl = (container, group) => {
  if (!container || group.factors.length < 2) return;
  const choices = group.factors.map(({ key, name }) => [key, name]);
  const control = { key: "color", label: "Color in all charts", choices, value: choices[0][0] };
  const line = report.element("p", { class: "options" });
  const state = report.state(group);
  report.plot.controls(line, [control], state, "charts");
  state.subscribe((what) => {
    if (what === "option") report.plot.showChosen(line, [control], state, "charts");
  });
  container.prepend(line);
};
