// The columns of each table of a group, and how the tables follow the state.
report.tables = {};

report.tables.column = (name, get, { digits = 0, scale = 1, ...options } = {}) => ({
  name, isNumber: true, key: get, text: (row) => report.number(get(row), digits, scale), first: -1, ...options,
});

report.tables.textColumn = (name, get, options = {}) => ({ name, key: get, text: (row) => get(row) ?? "", ...options });

report.tables.metricColumn = (group, name, get, options = {}) => {
  const { digits, scale, higher } = group.metric;
  return report.tables.column(name, get, { digits, scale, first: higher ? -1 : 1, ...options });
};

report.tables.levels = (group, configurationOf) =>
  group.factors.map((factor, place) => {
    const level = (row) => (configurationOf(row) < 0 ? "" : report.level(group, configurationOf(row), place));
    const key = factor.numeric ? (row) => (level(row) === "" ? null : Number(level(row))) : level;
    return { name: factor.name, isNumber: factor.numeric, text: level, key };
  });

// The columns that name a configuration: its name; or, where names are long, its rank and a column per
// factor. `configurationOf` gives a row's configuration (an index).
report.tables.naming = (group, configurationOf) => {
  const { configurations } = group;
  const isLong = configurations.some(({ name }) => name.length > report.tables.LONG_NAME);
  const full = (row) => report.tables.ranked(configurations[configurationOf(row)]);
  if (!isLong) {
    const order = report.tables.levelOrder(group);
    return [{ name: "configuration", text: full, key: (row) => order(configurationOf(row)) }];
  }
  const rank = (row) => configurations[configurationOf(row)].rank || null;
  const short = (row) => (rank(row) === null ? "none" : String(rank(row)));
  return [{ name: "rank", text: short, key: rank, full }, ...report.tables.levels(group, configurationOf)];
};
report.tables.LONG_NAME = 30;

report.tables.configurations = (group) => {
  const { configurations, metric } = group;
  const own = (key) => (row) => configurations[row][key];
  const { column, metricColumn } = report.tables;
  const interval = (row) => report.interval(group, configurations[row].low, configurations[row].high);
  return [
    ...report.tables.naming(group, (row) => row),
    metricColumn(group, `mean (${metric.unit})`, own("mean")),
    { name: "95 % interval", text: interval, key: own("low"), isNumber: true, first: metric.higher ? -1 : 1 },
    metricColumn(group, `SD (${metric.differenceUnit})`, own("sd"), { first: 1, title: "Standard deviation between seeds" }),
    column("n", (row) => configurations[row].n || null, { isDroppedIfEqual: true, title: "Seeds that count" }),
    ...(metric.name === "test_accuracy" ? [] : [column("test (%)", own("test"), { digits: 2, scale: 100 })]),
    column("train s", own("seconds"), { first: 1 }),
    column("PFLOP", own("pflop"), { digits: report.decimals(configurations.map(({ pflop }) => pflop)), first: 1 }),
    column("parameters", own("parameters"), { first: 1, isDroppedIfEqual: true }),
    { name: "not counted", text: (row) => report.tables.lost(configurations[row]), key: own("notCounted"), first: -1 },
  ];
};

// `2 failed, 1 diverged, 1 paused, 1 other`: other runs did not finish or were replaced.
report.tables.lost = ({ failed, diverged, paused, notCounted }) => {
  const rest = notCounted - failed - diverged - paused;
  const parts = [[failed, "failed"], [diverged, "diverged"], [paused, "paused"], [rest, "other"]];
  return parts.filter(([n]) => n).map(([n, what]) => `${n} ${what}`).join(", ");
};

// A number by which configurations are sorted level by level, in the order of their names.
report.tables.levelOrder = ({ configurations, factors }) => {
  const place = (i) => ` ${configurations[0]?.name}`.indexOf(` ${factors[i].name}=`);
  const places = [...factors.keys()].sort((a, b) => place(a) - place(b));
  return (row) => places.reduce((sum, i) => sum * (factors[i].levels.length + 1) + configurations[row].levels[i], 0);
};

report.tables.ranked = ({ rank, name }) => (rank ? `${rank}. ${name}` : name);

report.tables.runs = (group) => {
  const { runs, metric } = group;
  const own = (name) => (row) => runs[name][row];
  const { column, textColumn, metricColumn } = report.tables;
  const hasOwnColumn = metric.name === "val_accuracy" || metric.name === "test_accuracy";
  const epochs = (row) => (runs.planned[row] === null ? `${runs.epochs[row]}` : `${runs.epochs[row]}/${runs.planned[row]}`);
  return [
    textColumn("run", own("name")),
    textColumn("status", own("status"), { isDroppedIfEqual: true, kind: (row) => `status ${runs.status[row]}` }),
    ...report.tables.levels(group, own("configuration")),
    { name: "seed", text: (row) => String(runs.seed[row]), key: own("seed"), isNumber: true },
    ...(hasOwnColumn ? [] : [metricColumn(group, `${metric.label} (${metric.unit})`, own("value"))]),
    column("val (%)", own("val"), { digits: 2, scale: 100, text: report.tables.val(group) }),
    column("test (%)", own("test"), { digits: 2, scale: 100 }),
    { name: "epochs", text: epochs, key: own("epochs"), isNumber: true, first: -1, isDroppedIfEqual: true },
    column("train s", own("seconds"), { first: 1 }),
    column("PFLOP", own("pflop"), { digits: report.decimals(runs.pflop), first: 1 }),
  ];
};

// The value that a paused run had when it was paused is in parentheses.
report.tables.val = ({ runs }) => (row) => {
  const text = report.number(runs.val[row], 2, 100);
  return text && runs.status[row] === "pruned" ? `(${text})` : text;
};

report.tables.differences = (group, rows, naming, verdicts = report.VERDICTS) => [
  ...naming,
  report.tables.metricColumn(group, `difference (${group.metric.differenceUnit})`, (row) => rows[row].mean, {
    text: (row) => report.difference(group, rows[row].mean),
  }),
  { name: "95 % interval", text: (row) => report.interval(group, rows[row].low, rows[row].high), key: (row) => rows[row].low, isNumber: true },
  report.tables.textColumn("verdict", (row) => (rows[row].low === null ? "unknown" : verdicts[rows[row].verdict]), {
    kind: (row) => (verdicts === report.VERDICTS ? `verdict ${rows[row].verdict}` : "verdict"),
  }),
  report.tables.column("p", (row) => rows[row].p, { first: 1, text: (row) => report.pText(rows[row].p) }),
  report.tables.textColumn("averaged over", (row) => rows[row].averaged_over),
];

report.tables.change = (name, text) => [{ name, text, key: text }];

report.pText = (p) => (p === null ? "" : p < 0.001 ? "< 0.001" : p.toFixed(3));

report.tables.effects = (group) => {
  const rows = group.effects;
  const text = (row) => `${rows[row].name} ${rows[row].level} against ${rows[row].reference}`;
  return report.tables.differences(group, rows, report.tables.change("change", text));
};

report.tables.importance = (group) => {
  const { terms } = group.importance;
  const { column, metricColumn } = report.tables;
  return [
    { name: "setting or pair", text: (row) => terms[row].term, key: (row) => terms[row].term },
    metricColumn(group, `range (${group.metric.differenceUnit})`, (row) => terms[row].range, {
      first: -1, title: "Highest minus lowest mean over its levels",
    }),
    column("share of variance (%)", (row) => terms[row].share, { digits: 1, scale: 100 }),
  ];
};

report.tables.interactions = (group) => {
  const rows = group.interactions;
  const text = (row) => {
    const { name, reference, level, other_name, other_level, other_reference } = rows[row];
    return `${name} ${reference} to ${level}, at ${other_name} ${other_level} against ${other_reference}`;
  };
  return report.tables.differences(group, rows, report.tables.change("interaction", text), report.INTERACTIONS);
};

report.tables.comparisons = (group) =>
  report.tables.differences(group, group.comparisons, report.tables.naming(group, report.tables.compared(group)));

// The configuration (an index) of each row of the comparisons.
report.tables.compared = (group) => {
  group.places ??= new Map(group.configurations.map(({ name }, place) => [name, place]));
  return (row) => group.places.get(group.comparisons[row].configuration);
};

report.tables.start = (section, group) => {
  const state = report.state(group);
  const makers = {
    configurations: () => report.tables.grid(section, group, "configurations", group.configurations.length, 25, {
      isVisible: (row) => report.isConfigurationVisible(group, row),
      ticks: { has: (row) => state.tickedConfigurations.has(row), set: (row, on) => state.tickConfiguration(row, on) },
      onOpen: (row) => state.tickConfiguration(row, !state.tickedConfigurations.has(row)),
    }),
    importance: () => report.tables.grid(section, group, "importance", group.importance.terms.length, 12),
    effects: () => report.tables.grid(section, group, "effects", group.effects.length, 25),
    interactions: () => report.tables.grid(section, group, "interactions", group.interactions.length, 12),
    comparisons: () => report.tables.grid(section, group, "comparisons", group.comparisons.length, 25, {
      isVisible: (row) => report.isConfigurationVisible(group, report.tables.compared(group)(row)),
    }),
    runs: () => report.tables.grid(section, group, "runs", report.runCount(group), 50, {
      isVisible: (row) => state.isVisible(row),
      ticks: { has: (row) => state.ticked.has(row), set: (row, on) => state.tick(row, on) },
      onOpen: (row) => state.set("open", "open", row),
    }),
  };
  const grids = (group.grids = {});
  for (const place of section.querySelectorAll("[data-table]")) grids[place.dataset.table] = makers[place.dataset.table]();
  state.subscribe((what) => report.tables.follow(state, grids, what));
};

report.tables.grid = (section, group, name, size, limit, options = {}) => {
  const state = report.state(group);
  const place = section.querySelector(`[data-table="${name}"]`);
  return new report.Grid(place, {
    label: place.dataset.label, columns: report.tables[name](group), size, limit,
    isVisible: () => true, sort: state.sorts[name] ?? null,
    onSort: (sort) => {
      state.sorts[name] = sort;
      state.changed("sort");
    },
    ...options,
  });
};

report.tables.FILTERED = ["configurations", "comparisons", "runs"];

// The tables follow what other parts of the page change.
report.tables.follow = (state, grids, what) => {
  for (const [name, grid] of Object.entries(grids)) {
    const isSorted = what === "restored" && grid.sort?.join() !== state.sorts[name]?.join();
    if (isSorted) grid.sort = state.sorts[name] ?? null;
    if (isSorted || (what === "visible" && report.tables.FILTERED.includes(name))) grid.refresh();
    if ((what === "ticked" || what === "restored") && grid.ticks) grid.showTicks();
  }
};

report.isConfigurationVisible = (group, configuration) => {
  const { visible } = report.state(group);
  if (visible === null) return true;
  if (group.visibleRuns !== visible) {
    group.visibleRuns = visible;
    group.visibleConfigurations = new Set([...visible].map((run) => group.runs.configuration[run]));
  }
  return group.visibleConfigurations.has(configuration);
};
