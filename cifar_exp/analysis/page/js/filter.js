// The filter's language: terms that must all be true, and `or` between alternatives.
//   width>8   val>=60   width=8,16   width!=8   -failed   seed=0 or seed=1   "free text"
report.filter = {};

// [[term]]: alternatives of terms; a term is {text, isNot, name, sign, values} or {text, isNot, word}.
report.filter.parse = (query) => {
  const tight = query.replace(/\s+(<=|>=|!=|=|<|>)\s+/g, "$1").replace(/(<=|>=|<|>)\s+(?=[-+.\d])/g, "$1");
  const alternatives = [[]];
  for (const text of tight.match(/(?:"[^"]*"?|[^\s"])+/g) ?? []) {
    if (text.toLowerCase() === "or" || text === "|") alternatives.push([]);
    else if (/[^,]/.test(text)) alternatives.at(-1).push(report.filter.term(text.replace(/,+$/, "")));
  }
  return alternatives.filter((terms) => terms.length);
};

report.filter.term = (text) => {
  const isNot = /^-./.test(text) && !/^-[\d.]/.test(text);
  const rest = isNot ? text.slice(1) : text;
  const found = /^([^"<>=!]+)(<=|>=|!=|=|<|>)(.*)$/.exec(rest);
  if (!found) return { text, isNot, word: rest.replaceAll('"', "").toLowerCase() };
  const [, name, sign, value] = found;
  return { text, isNot, name: name.toLowerCase(), sign, values: value.toLowerCase().replaceAll('"', "").split(",") };
};

// A function of a run that says whether the term is true of it, or a text that says why there is none.
report.filter.test = (group, term) => {
  if (term.word !== undefined) return (run) => report.words(group, run).includes(term.word) !== term.isNot;
  const fields = report.fields(group);
  const field = fields.get(term.name);
  if (!field) {
    const nearest = report.nearest(term.name, fields.keys());
    const names = group.factors.slice(0, 4).map((factor) => factor.name).join(", ");
    const advice = nearest ? `Did you mean ${fields.get(nearest).name}?` : `Names are ${names ? `${names}, ` : ""}seed, status, val and test.`;
    return `Nothing is called ${term.name}. ${advice}`;
  }
  if (term.values.every((value) => value === "")) return () => true; // still being typed
  const isEqual = (value, wanted) =>
    String(value).toLowerCase() === wanted ||
    (wanted !== "" && Math.abs(Number(value) * field.scale - Number(wanted)) < 1e-9);
  const limit = Number(term.values[0]);
  if (/[<>]/.test(term.sign) && Number.isNaN(limit)) return `${term.text}: ${term.values[0]} is not a number.`;
  const tests = {
    "=": (value) => term.values.some((wanted) => wanted !== "" && isEqual(value, wanted)),
    "!=": (value) => !term.values.some((wanted) => isEqual(value, wanted)),
    "<": (value) => value * field.scale < limit,
    "<=": (value) => value * field.scale <= limit + 1e-9,
    ">": (value) => value * field.scale > limit,
    ">=": (value) => value * field.scale >= limit - 1e-9,
  };
  return (run) => {
    const value = field.get(run);
    if (value === null || value === "" || (/[<>]/.test(term.sign) && Number.isNaN(Number(value)))) return term.isNot;
    return tests[term.sign](value) !== term.isNot;
  };
};

// {runs: a Set of those that match, or null if all do; hint: what to change if something is wrong}.
report.filter.apply = (group, query) => {
  const alternatives = report.filter.parse(query);
  if (!alternatives.length) return { runs: null, hint: "" };
  const runs = new Set();
  let hint = "";
  for (const terms of alternatives) {
    const tests = terms.map((term) => report.filter.test(group, term));
    hint ||= tests.find((test) => typeof test === "string") ?? "";
    if (tests.some((test) => typeof test === "string")) continue;
    for (let run = 0; run < report.runCount(group); run++)
      if (tests.every((test) => test(run))) runs.add(run);
  }
  if (!runs.size) hint ||= report.filter.reason(group, alternatives);
  return { runs, hint };
};

// Why nothing matches: the first term that no run fulfills, with the values that there are.
report.filter.reason = (group, alternatives) => {
  const runs = [...group.runs.id.keys()];
  const wrong = alternatives.flat().find((term) => !runs.some(report.filter.test(group, term)));
  if (!wrong) return "Each condition is true of some run, but no run meets them all.";
  if (wrong.word !== undefined) return `No run has ${wrong.text}.`;
  const field = report.fields(group).get(wrong.name);
  const values = [...new Set(runs.map(field.get))].filter((value) => value !== null && value !== "");
  if (!values.length) return `No run has a value of ${field.name}.`;
  const isNumeric = values.every((value) => !Number.isNaN(Number(value)));
  values.sort((a, b) => (isNumeric ? a - b : String(a).localeCompare(b)));
  const text = (value) => (field.scale === 1 ? value : report.number(value, 2, field.scale));
  const unit = field.scale === 100 ? " %" : "";
  const range = isNumeric && values.length > 8 ? `${text(values[0])} to ${text(values.at(-1))}${unit}` : null;
  const listed = values.slice(0, 8).map(text).join(", ") + (values.length > 8 ? ", ..." : "") + unit;
  return `No run has ${wrong.text}: ${field.name} is ${range ?? listed}.`;
};

report.filter.start = (section, group) => {
  const state = report.state(group);
  const form = section.querySelector(".filter");
  if (!form) return;
  const [input, shown, hint, clear] = ["input", ".shown", ".hint", ".clear"].map((name) => form.querySelector(name));
  const configurations = new Set(group.runs.configuration);
  const show = () => {
    const visible = [...group.runs.id.keys()].filter((run) => state.isVisible(run));
    const own = new Set(visible.map((run) => group.runs.configuration[run]));
    shown.textContent = `${visible.length.toLocaleString("en-US")} of ${report.count(report.runCount(group), "run")}` +
      (configurations.size > 1 ? `, ${own.size.toLocaleString("en-US")} of ${report.count(configurations.size, "configuration")}` : "");
    clear.hidden = state.visible === null && state.filter === "";
  };
  const apply = () => {
    const found = report.filter.apply(group, state.filter);
    if (input.value !== state.filter) input.value = state.filter;
    hint.textContent = found.hint;
    state.setVisible("filter", found.runs);
    show();
  };
  input.addEventListener("input", () => state.set("filter", "filter", input.value));
  form.addEventListener("submit", (event) => event.preventDefault());
  clear.addEventListener("click", () => {
    for (const source of [...state.sources.keys()]) if (source !== "filter") state.brush(source, null);
    state.set("filter", "filter", "");
    input.focus();
  });
  state.subscribe((what) => {
    if (what === "filter") apply();
    if (what === "visible") show();
  });
  apply();
};
