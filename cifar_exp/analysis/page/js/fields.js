// What can be asked of a run by name: its settings, results and what its configuration reached.
// A field has `name`, `get(run)` (a number, a text or null) and `scale`: accuracies are given in %.
report.fields = (group) => {
  group.fields ??= report.makeFields(group);
  return group.fields;
};

report.makeFields = (group) => {
  const fields = new Map();
  const add = (name, get, scale = 1) => {
    if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), { name, get, scale });
  };
  const { runs, metric, configurations, details } = group;
  group.factors.forEach((factor, place) => {
    const get = (run) => report.runLevel(group, run, place);
    add(factor.name, get);
    add(factor.key, get);
  });
  for (const name of ["seed", "status", "epochs", "seconds", "pflop"]) add(name, (run) => runs[name][run]);
  add("val", (run) => runs.val[run], 100);
  add("test", (run) => runs.test[run], 100);
  for (const name of ["value", metric.name]) add(name, (run) => runs.value[run], metric.scale);
  for (const name of ["mean", "sd", "n", "rank", "parameters"]) {
    const scale = name === "mean" || name === "sd" ? metric.scale : 1;
    add(name, (run) => configurations[runs.configuration[run]]?.[name] ?? null, scale);
  }
  add("run", (run) => runs.name[run]);
  add("id", (run) => runs.id[run]);
  for (const [key, { values, index }] of Object.entries(details.settings)) {
    add(key, (run) => values[index[run]]);
    add(key.slice(key.lastIndexOf(".") + 1), (run) => values[index[run]]);
  }
  return fields;
};

report.runLevel = (group, run, factor) => {
  const configuration = group.runs.configuration[run];
  return configuration < 0 ? null : report.level(group, configuration, factor);
};

// Everything that is written about a run, in lower case, for a search without a field.
report.words = (group, run) => {
  group.wordsOf ??= [];
  group.wordsOf[run] ??= [
    group.runs.name[run],
    group.runs.status[run],
    group.configurations[group.runs.configuration[run]]?.name ?? "",
    group.details.reason[run],
    ...Object.values(group.details.settings).map(({ values, index }) => values[index[run]]),
  ].join(" ").toLowerCase();
  return group.wordsOf[run];
};

// The name closest to a mistyped one, or undefined if none is close.
report.nearest = (word, names) => {
  let best, fewest = Math.min(3, Math.ceil(word.length / 2) + 1);
  for (const name of names) {
    const edits = report.edits(word, name);
    if (edits < fewest) [best, fewest] = [name, edits];
  }
  return best;
};

// The number of letters to insert, delete, replace or swap to turn one word into the other.
report.edits = (a, b) => {
  const table = [[...Array(b.length + 1).keys()]];
  for (let i = 1; i <= a.length; i++) {
    table.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const replaced = table[i - 1][j - 1] + (a[i - 1] !== b[j - 1]);
      table[i][j] = Math.min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        table[i][j] = Math.min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.length][b.length];
};
