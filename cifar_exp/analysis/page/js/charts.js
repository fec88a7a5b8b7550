// The register of charts. Each draws itself into <div data-chart="NAME"> of its group's section, or
// into <div data-charts> if there is none of its own: only when it comes into view, and again after
// each change of what is visible, of its options, of the colors or of its width.
report.charts = { all: [] };
report.plot = {}; // what charts are drawn with: axes, colors, controls, hovering; see js/charts/

// In the order of a reader's questions, whatever the order of the files.
const CHART_ORDER = ["main", "seeds", "contour", "slices", "curves", "progress", "tradeoff", "parallel"];

// chart: {name, title, caption, isFor(group), draw(container, group, state, options)}, and if wanted
// controls(group), the options that a reader may choose (see js/charts/controls.js), hasColors (whether a
// legend is shown) or hasColors(group, options), isWide, showsHidden (it is drawn even where the filter
// leaves no run that counts), signature(state) of other options that it is drawn from, and
// restore(group, state), which brushes as its option "brush" says. draw() returns a sentence that says
// what is seen, for those who do not see it; caption may be a text or caption(group, options).
report.charts.register = (chart) => report.charts.all.push(chart);

// The dialog of a run follows what the state says.
report.charts.open = (group, run) => report.state(group).set("open", "open", run);

class ChartPanel {
  constructor(chart, group, place) {
    Object.assign(this, { chart, group, state: report.state(group), isSeen: false, isStale: true });
    this.controls = chart.controls?.(group) ?? [];
    const parts = ["options", "key", "plot"].map((name) => report.element("div", { class: name }));
    const kind = chart.isWide ? "chart wide" : "chart";
    this.figure = report.element(
      "figure",
      { class: kind, id: `${group.slug}-${chart.name}` },
      report.element(chart.heading ?? "h4", {}, chart.title),
      ...parts,
      report.element("figcaption"),
    );
    report.plot.controls(this.part(".options"), this.controls, this.state, chart.name);
    place.append(this.figure);
    this.seen = this.signature();
    this.state.subscribe((what) => this.follow(what));
  }

  part(selector) {
    return this.figure.querySelector(selector);
  }

  options() {
    return Object.fromEntries(
      this.controls.map((each) => [each.key, report.plot.chosen(this.state, this.chart.name, each)]),
    );
  }

  // Two equal signatures: nothing that is drawn from options has changed.
  signature() {
    const own = this.chart.signature?.(this.state);
    return JSON.stringify([this.options(), own, report.plot.colors(this.group).factor]);
  }

  follow(what) {
    if (what === "option" || what === "restored") {
      const now = this.signature();
      if (now === this.seen) return;
      this.seen = now;
      report.plot.showChosen(this.part(".options"), this.controls, this.state, this.chart.name);
    } else if (what !== "visible") return;
    this.request();
  }

  request() {
    this.isStale = true;
    if (this.isSeen) report.charts.waiting.add(this);
    report.charts.frame ??= requestAnimationFrame(report.charts.drawWaiting);
  }

  hasColors() {
    const { hasColors = false } = this.chart;
    return typeof hasColors === "function" ? hasColors(this.group, this.options()) : hasColors;
  }

  draw() {
    if (!this.isStale || !this.figure.clientWidth) return;
    this.isStale = false;
    const plot = this.part(".plot");
    if (!this.chart.showsHidden && !report.plot.visibleConfigurations(this.group, this.state).length) {
      plot.textContent = "The filter leaves no run that counts.";
      return;
    }
    if (plot.firstChild?.nodeType === Node.TEXT_NODE) plot.textContent = "";
    this.part(".key").replaceChildren(...(this.hasColors() ? report.plot.legend(this.group) : []));
    const { caption } = this.chart;
    this.part("figcaption").textContent =
      typeof caption === "function" ? caption(this.group, this.options()) : caption;
    const text = this.chart.draw(plot, this.group, this.state, this.options());
    const svg = plot.querySelector("svg:not([aria-hidden])");
    svg?.setAttribute("role", "img");
    svg?.setAttribute("aria-label", text);
  }
}

report.charts.waiting = new Set();
report.charts.frame = null;
report.charts.drawWaiting = () => {
  report.charts.frame = null;
  const panels = [...report.charts.waiting];
  report.charts.waiting.clear();
  for (const panel of panels) panel.draw();
};

// A chart that is not in the order comes last.
report.charts.place = ({ name }) => CHART_ORDER.indexOf(name) + 1 || CHART_ORDER.length + 1;

report.charts.start = () => {
  const panels = new Map(); // by their figures
  report.charts.all.sort((a, b) => report.charts.place(a) - report.charts.place(b));
  for (const section of document.querySelectorAll("[data-group]")) {
    const group = report.groups[Number(section.dataset.group)];
    report.plot.colorControl(section.querySelector("[data-charts]"), group);
    for (const chart of report.charts.all) {
      const place = section.querySelector(`[data-chart="${chart.name}"], [data-charts]`);
      if (!place || !chart.isFor(group)) continue;
      const panel = new ChartPanel(chart, group, place);
      panels.set(panel.figure, panel);
    }
  }
  report.charts.watch(panels);
};

report.charts.watch = (panels) => {
  const view = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const panel = panels.get(target);
        panel.isSeen = isIntersecting;
        if (isIntersecting && panel.isStale) panel.request();
      }
    },
    { rootMargin: "400px" },
  );
  const sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const panel = panels.get(target);
      if (panel.width !== undefined && panel.width !== contentRect.width) panel.request();
      panel.width = contentRect.width;
    }
  });
  for (const figure of panels.keys()) {
    view.observe(figure);
    sizes.observe(figure);
  }
  // what was never in view is printed too, and all at the width of the paper
  const drawAll = () => {
    for (const panel of panels.values()) {
      panel.isStale = true;
      panel.draw();
    }
  };
  addEventListener("beforeprint", drawAll);
  matchMedia("print").addEventListener("change", drawAll);
};
