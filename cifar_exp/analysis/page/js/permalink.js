// The state of the view in the address: #place?filter=...&sort.runs=...&run=...; of several groups, each
// name begins with the group's slug and "~". Reload and the back button restore it.
report.permalink = { isRestoring: false, last: "" };

report.permalink.prefix = (group) => (report.groups.length > 1 ? `${group.slug}~` : "");

report.permalink.read = () => {
  const [place, query = ""] = location.hash.slice(1).split("?", 2);
  return { place: decodeURIComponent(place), values: new URLSearchParams(query) };
};

report.permalink.values = (group, state) => {
  const pairs = [];
  if (state.filter) pairs.push(["filter", state.filter]);
  for (const [table, sort] of Object.entries(state.sorts))
    if (sort) pairs.push([`sort.${table}`, `${sort[1] > 0 ? "" : "-"}${sort[0]}`]);
  for (const place of state.tickedConfigurations) pairs.push(["configuration", group.configurations[place].name]);
  for (const run of state.ticked) pairs.push(["ticked", group.runs.id[run]]);
  if (state.comparing) pairs.push(["compare", "yes"]);
  if (state.open !== null) pairs.push(["run", group.runs.id[state.open]]);
  for (const [chart, options] of Object.entries(state.options))
    for (const [key, value] of Object.entries(options)) pairs.push([`chart.${chart}.${key}`, value]);
  return pairs.map(([key, value]) => [report.permalink.prefix(group) + key, value]);
};

// Typing, and dragging a brush, change one entry of the browser's history; anything else adds one.
report.permalink.write = (what) => {
  if (report.permalink.isRestoring) return;
  const { place } = report.permalink.read();
  const values = report.groups.flatMap((group) => report.permalink.values(group, report.state(group)));
  const query = new URLSearchParams(values).toString();
  const hash = `#${encodeURIComponent(place)}${query ? `?${query}` : ""}`;
  if (hash === (location.hash || "#")) return;
  const isSame = what === report.permalink.last && (what === "filter" || what === "option");
  report.permalink.last = what;
  history[isSame ? "replaceState" : "pushState"](null, "", hash);
};

report.permalink.restore = () => {
  report.permalink.isRestoring = true;
  const { place, values } = report.permalink.read();
  for (const group of report.groups) report.permalink.apply(group, report.state(group), values);
  report.permalink.isRestoring = false;
  report.permalink.last = "";
  return place;
};

report.permalink.apply = (group, state, values) => {
  const prefix = report.permalink.prefix(group);
  const entries = [...values].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]);
  const all = (name) => entries.filter(([key]) => key === name).map(([, value]) => value);
  const indices = (known, wanted) => wanted.map((each) => known.indexOf(each)).filter((place) => place >= 0);
  state.sorts = {};
  state.options = {};
  for (const [key, value] of entries) {
    const [kind, name, ...rest] = key.split(".");
    if (kind === "sort") state.sorts[name] = value.startsWith("-") ? [value.slice(1), -1] : [value, 1];
    if (kind === "chart" && rest.length) (state.options[name] ??= {})[rest.join(".")] = value;
  }
  state.ticked = new Set(indices(group.runs.id, all("ticked")));
  state.tickedConfigurations = new Set(indices(group.configurations.map(({ name }) => name), all("configuration")));
  state.comparing = all("compare").length > 0;
  state.open = indices(group.runs.id, all("run"))[0] ?? null;
  state.filter = all("filter")[0] ?? "";
  report.permalink.applyBrushes(group, state);
  state.changed("filter");
  state.changed("restored");
};

// A chart that has brushed before finds what it brushed by its option "brush".
report.permalink.applyBrushes = (group, state) => {
  for (const source of [...state.sources.keys()])
    if (source !== "filter" && !state.option(source, "brush")) state.setVisible(source, null);
  for (const chart of report.charts.all)
    if (state.option(chart.name, "brush")) chart.restore?.(group, state);
};

// Links within the page keep the rest of the address.
report.permalink.go = (place, isNew) => {
  const target = document.getElementById(place);
  if (!target) return;
  if (isNew) {
    const query = location.hash.split("?")[1];
    history.pushState(null, "", `#${encodeURIComponent(place)}${query ? `?${query}` : ""}`);
  }
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView();
  if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
  target.focus({ preventScroll: true });
};

report.permalink.start = () => {
  for (const group of report.groups) report.state(group).subscribe((what) => what !== "visible" && what !== "restored" && report.permalink.write(what));
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    report.permalink.go(decodeURIComponent(link.getAttribute("href").slice(1)), true);
  });
  window.addEventListener("popstate", report.permalink.restore);
  if (location.hash) report.permalink.go(report.permalink.restore(), false);
};
