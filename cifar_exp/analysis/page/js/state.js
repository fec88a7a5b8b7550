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
    this.comparing = false; // whether the ticked ones are shown side by side
    this.isFull = false; // whether a tick was refused
    this.filter = "";
    this.sorts = {}; // by table: [column, 1 or -1]
    this.options = {}; // by chart: {key: text}
    this.listeners = [];
  }

  // Calls listener(what) after each change: visible, ticked, open, compare, filter, sort, option, or
  // restored (anything but what is visible may have changed).
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

  // Ticks a run or takes the tick away; no more than MOST_TICKED runs and configurations together.
  tick(run, isTicked) {
    this.change(this.ticked, run, isTicked);
  }

  tickConfiguration(configuration, isTicked) {
    this.change(this.tickedConfigurations, configuration, isTicked);
  }

  change(ticked, item, isTicked) {
    this.isFull = isTicked && this.countTicked() >= State.MOST_TICKED;
    if (isTicked && !this.isFull) ticked.add(item);
    if (!isTicked) ticked.delete(item);
    this.changed("ticked");
  }

  countTicked() {
    return this.ticked.size + this.tickedConfigurations.size;
  }

  clearTicked() {
    this.ticked.clear();
    this.tickedConfigurations.clear();
    this.isFull = false;
    this.comparing = false;
    this.changed("ticked");
  }

  set(what, key, value) {
    this[key] = value;
    this.changed(what);
  }
}

State.MOST_TICKED = 5;

report.states = new Map(report.groups.map((group) => [group, new State(group)]));
report.state = (group) => report.states.get(group);
