// What the reader has chosen in a group: a filter and brushes (which runs are visible), ticked runs
// and configurations, the open run, sort orders, options of charts. Whoever changes it tells all who
// subscribed; js/permalink.js keeps it in the address.
class State {
  constructor(group) {
    this.group = group;
    this.sources = new Map(); // which runs each source leaves visible: the filter, charts with a brush
    this.visible = null; // a Set of indices of runs; null stands for all
    this.ticked = new Set(); // indices of runs
    this.tickedConfigurations = new Set();
    this.open = null; // the index of the run whose dialog is open
    this.comparing = false;
    this.filter = "";
    this.sorts = {}; // by table: [column, 1 or -1]
    this.options = {}; // by chart: {key: text}
    this.listeners = [];
  }

  // Calls listener(what) after each change; what is visible, ticked, open, compare, filter, sort or option.
  subscribe(listener) {
    this.listeners.push(listener);
  }

  changed(what) {
    for (const listener of this.listeners) listener(what);
  }

  isVisible(run) {
    return this.visible === null || this.visible.has(run);
  }

  // `source` leaves only these runs visible (null: all); what is visible is common to all sources.
  setVisible(source, runs) {
    if (runs === null ? !this.sources.delete(source) : !this.sources.set(source, runs)) return;
    this.visible = null;
    for (const own of this.sources.values())
      this.visible = this.visible === null ? own : new Set([...this.visible].filter((run) => own.has(run)));
    this.changed("visible");
  }

  // As setVisible, by a chart; what it has brushed is kept in its option "brush", as a short text
  // from which the chart can brush again.
  brush(chart, runs, text = "") {
    this.setOption(chart, "brush", runs === null ? "" : text);
    this.setVisible(chart, runs);
  }

  option(chart, key, otherwise = "") {
    return this.options[chart]?.[key] ?? otherwise;
  }

  setOption(chart, key, value) {
    const own = (this.options[chart] ??= {});
    if (value === "" || value === null) delete own[key];
    else own[key] = String(value);
    this.changed("option");
  }

  tick(run, isTicked) {
    if (isTicked) this.ticked.add(run);
    else this.ticked.delete(run);
    this.changed("ticked");
  }

  tickConfiguration(configuration, isTicked) {
    if (isTicked) this.tickedConfigurations.add(configuration);
    else this.tickedConfigurations.delete(configuration);
    this.changed("ticked");
  }

  set(what, key, value) {
    this[key] = value;
    this.changed(what);
  }
}

report.states = new Map(report.groups.map((group) => [group, new State(group)]));
report.state = (group) => report.states.get(group);
