// Ticked runs and configurations side by side: the settings that differ, results, differences, curves.
report.compare = {};

// What is ticked, best first: {name, value, n, runs (indices), settings (a Map), ...results}.
report.compare.items = (group) => {
  const { ticked, tickedConfigurations } = report.state(group);
  const items = [
    ...[...tickedConfigurations].map((place) => report.compare.configuration(group, place)),
    ...[...ticked].map((run) => report.compare.run(group, run)),
  ];
  const sign = group.metric.higher ? -1 : 1;
  const rank = ({ value }) => (value === null ? Infinity : sign * value);
  return items.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
};

report.compare.configuration = (group, place) => {
  const { name, mean, n, test, seconds, pflop, levels } = group.configurations[place];
  const runs = [...group.runs.id.keys()].filter((run) => group.runs.configuration[run] === place);
  const settings = new Map(group.factors.map((factor, i) => [factor.key, factor.levels[levels[i]]]));
  return { name, value: mean, n, test, seconds, pflop, runs, settings };
};

report.compare.run = (group, run) => {
  const { name, value, test, seconds, pflop } = group.runs;
  const n = value[run] === null ? 0 : 1;
  const settings = new Map(report.run.settings(group, run).map(([key, text]) => [key, String(text)]));
  return { name: name[run], value: value[run], n, test: test[run], seconds: seconds[run], pflop: pflop[run], runs: [run], settings };
};

// Rows of [heading, texts] of the settings that are not the same for all items.
report.compare.settings = (items) => {
  const keys = new Set(items.flatMap(({ settings }) => [...settings.keys()]));
  return [...keys]
    .map((key) => [key, items.map(({ settings }) => settings.get(key) ?? "any")])
    .filter(([, texts]) => new Set(texts).size > 1);
};

report.compare.results = (group, items) => {
  const { metric } = group;
  const row = (name, text) => [name, items.map(text)];
  const rows = [row(`${metric.label} (${metric.unit})`, ({ value }) => report.value(group, value)), row("seeds", ({ n }) => String(n))];
  if (metric.name !== "test_accuracy") rows.push(row("test accuracy (%)", ({ test }) => report.number(test, 2, 100)));
  rows.push(row("train s", ({ seconds }) => report.number(seconds, 0)), row("PFLOP", ({ pflop }) => report.threeDigits(pflop)));
  return rows.filter(([name, texts]) => texts.some(Boolean) && !(name === "seeds" && texts.every((text) => text === "1")));
};

// The difference of each item from the first, with the interval that noise between seeds gives it.
report.compare.differences = (group, [first, ...others]) => {
  const bounds = others.map((other) => report.compare.judged(group, first, other) ?? report.compare.difference(group, first, other));
  const rows = [[`difference (${group.metric.differenceUnit})`, ["", ...bounds.map(([mean]) => (mean === null ? "" : report.difference(group, mean)))]]];
  if (bounds.some(([, low]) => low !== null))
    rows.push(["95 % interval", ["", ...bounds.map(([, low, high]) => report.interval(group, low, high))]]);
  return rows;
};

// Where the table of comparisons has the difference, it is the same here.
report.compare.judged = (group, first, other) => {
  const find = (a, b) => group.comparisons.find(({ configuration, reference }) => configuration === a.name && reference === b.name);
  const [row, opposite] = [find(other, first), find(first, other)];
  if (row) return [row.mean, row.low, row.high];
  if (opposite && opposite.low !== null) return [-opposite.mean, -opposite.high, -opposite.low];
  return null;
};

report.compare.difference = (group, first, other) => {
  const { sd, critical } = group.model;
  if (other.value === null || first.value === null) return [null, null, null];
  const mean = other.value - first.value;
  if (sd === null || critical === null) return [mean, null, null];
  const half = critical * sd * Math.sqrt(1 / other.n + 1 / first.n);
  return [mean, mean - half, mean + half];
};

report.compare.note = (group, items) => {
  const { sd, df } = group.model;
  if (sd === null) return "With one seed each, there is no estimate of the noise between seeds, so there are no intervals.";
  const noise = `${report.number(sd, group.metric.digits, group.metric.scale)} ${group.metric.differenceUnit}`;
  const single = items.some(({ runs }) => runs.length === 1)
    ? " For a single run, the interval is what noise between seeds alone would give." : "";
  return `Differences are from the first. Their intervals hold simultaneously for all configurations; the SD between seeds is ${noise} (${df} degrees of freedom).${single}`;
};

report.compare.table = (group, items) => {
  const line = (cell, [heading, texts]) =>
    report.element("tr", {}, report.element("th", { scope: "row" }, heading), ...texts.map((text) => report.element(cell, { class: "number" }, text)));
  const head = report.element("tr", {}, report.element("th", { scope: "col" }, ""),
    ...items.map(({ name }) => report.element("th", { scope: "col", class: "number" }, name)));
  const rows = [...report.compare.settings(items), ...report.compare.results(group, items), ...report.compare.differences(group, items)];
  return report.element("table", {}, report.element("thead", {}, head), report.element("tbody", {}, ...rows.map((row) => line("td", row))));
};

report.compare.show = (dialog, group) => {
  const items = report.compare.items(group);
  dialog.querySelector(".compare-table").replaceChildren(report.compare.table(group, items));
  dialog.querySelector(".compare-note").textContent = report.compare.note(group, items);
  const curves = dialog.querySelector(".compare-curves");
  curves.replaceChildren();
  report.charts.overlay(curves, group, items.flatMap(({ runs }) => runs));
};

report.compare.start = (section, group) => {
  const state = report.state(group);
  const dialog = document.querySelector("#compare");
  const bar = section.querySelector(".ticked");
  const [text, button] = [bar.querySelector("span"), bar.querySelector(".compare")];
  const update = () => {
    const n = state.countTicked();
    bar.hidden = n === 0;
    text.textContent = state.isFull ? `No more than ${n} can be compared` : n === 1 ? "1 ticked: tick another to compare" : `${n} ticked`;
    button.disabled = n < 2;
    const isShown = state.comparing && n >= 2;
    if (isShown) {
      report.compare.shown = state;
      if (!dialog.open) dialog.showModal();
      report.compare.show(dialog, group);
    } else if (dialog.open && report.compare.shown === state) dialog.close();
  };
  state.subscribe((what) => ["ticked", "compare", "restored"].includes(what) && update());
  button.addEventListener("click", () => state.set("compare", "comparing", true));
  bar.querySelector(".untick").addEventListener("click", () => state.clearTicked());
  dialog.addEventListener("close", () => state.comparing && state.set("compare", "comparing", false));
};
