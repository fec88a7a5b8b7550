// Parallel coordinates: each run is a line over the axes of all factors and of the metric.

const AXIS_WIDTH = 96; // pixels at least; more axes than fit are scrolled
const BRUSH_WIDTH = 12; // to each side of an axis
const BRUSH_MARGIN = 8; // beyond its ends, so that a drag that starts near an end has the end in it

report.charts.register({
  name: "parallel",
  title: "All factors together",
  caption: (group) =>
    (report.plot.pausedRuns(group).length ? "A dashed line is a run that was paused; it has no final value. " : "") +
    "Drag along an axis to brush it: the table and all charts show what is brushed. Drag an axis's name, or press " +
    "the left and right arrow keys on it, to move the axis. The fields above do the same without a pointer.",
  hasColors: true,
  isWide: true,
  showsHidden: true,
  isFor: (group) => report.plot.parallelAxes(group).size > 2,
  restore(group, state) {
    state.setVisible("parallel", report.plot.brushedRuns(group, report.plot.brushes(group, state)));
  },
  signature: (state) => JSON.stringify(state.options.parallel ?? {}),
  draw(container, group, state) {
    const order = report.plot.axisOrder(group, state);
    const kinds = order.map((key) => state.option("parallel", `scale ${key}`, "auto"));
    const drawn = JSON.stringify([order, kinds, container.clientWidth]);
    if (container.drawn !== drawn) {
      container.drawn = drawn;
      container.parallel = buildParallel(container, group, state, order, kinds);
    }
    if (!container.querySelector(".range:focus")) container.showBrushFields();
    drawParallelLines(container.parallel, group, state);
    showBrushes(container.parallel, group, state);
    const count = state.visible?.size ?? report.runCount(group);
    return (
      `Each run as a line over ${order.map((key) => report.plot.parallelAxes(group).get(key).name).join(", ")}. ` +
      `${count} of ${report.runCount(group)} runs are visible. The table of runs has the numbers.`
    );
  },
});

function buildParallel(container, group, state, order, kinds) {
  const focused = container.querySelector(":focus")?.dataset.focus;
  const inner = report.element("div", { class: "parallel" });
  inner.style.minWidth = `${order.length * AXIS_WIDTH}px`;
  const scroll = report.element("div", { class: "scroll-x" }, inner);
  container.replaceChildren(report.plot.parallelTools(group, state, container), scroll);
  const sheet = report.plot.sheet(inner, 380, { top: 50, right: 52, bottom: 16, left: 52 });
  const place = d3.scalePoint(order, [0, sheet.width]);
  const view = { sheet, place, order, lines: sheet.g.append("g"), axes: new Map() };
  order.forEach((key, i) => {
    const axis = report.plot.parallelAxes(group).get(key);
    const scale = report.plot.parallelScale(axis, kinds[i], sheet.height);
    const g = sheet.g.append("g").attr("transform", `translate(${place(key)},0)`);
    drawParallelAxis(g, axis, scale);
    view.axes.set(key, { ...axis, scale, g, brush: addBrush(g, group, state, key, scale, sheet.height) });
  });
  report.plot.axisNames(inner, group, state, view);
  report.plot.hoverBy(sheet, group, ...lineFinders(view, group, state));
  container.querySelector(`[data-focus="${focused}"]`)?.focus();
  return view;
}

function drawParallelAxis(g, { values, texts, format }, scale) {
  const known = values.filter((value) => !Number.isNaN(value));
  const ticks = texts ? d3.sort(new Set(known)) : report.plot.tickValues(scale, known, 6);
  let free = Infinity; // labels that would overlap are left out
  const kept = ticks.filter((tick) => scale(tick) <= free && ((free = scale(tick) - 13), true));
  const axis = d3
    .axisLeft(scale)
    .tickValues(kept)
    .tickFormat((tick) => (texts ? texts[tick] : format(tick)))
    .tickSize(4);
  g.append("g")
    .attr("class", "axis parallel-axis")
    .call(axis)
    .attr("font-family", null)
    .attr("font-size", null);
}

function addBrush(g, group, state, key, scale, height) {
  let waiting = null; // one change of the state a frame is enough
  const brush = d3
    .brushY()
    .extent([
      [-BRUSH_WIDTH, -BRUSH_MARGIN],
      [BRUSH_WIDTH, height + BRUSH_MARGIN],
    ])
    .on("brush end", (event) => {
      if (!event.sourceEvent) return; // moved by showBrushes
      const range = event.selection?.map(scale.invert).reverse();
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => report.plot.brushAxis(group, state, key, range));
    });
  const element = g.append("g").attr("class", "brush").call(brush);
  element.selectAll("*").attr("aria-hidden", "true");
  return { brush, element };
}

function showBrushes({ axes }, group, state) {
  const brushes = report.plot.brushes(group, state);
  for (const [
    key,
    {
      scale,
      brush: { brush, element },
    },
  ] of axes) {
    const range = brushes.get(key);
    const [top, bottom] = d3.extent(scale.range());
    const within = (y) => Math.min(bottom + BRUSH_MARGIN, Math.max(top - BRUSH_MARGIN, y));
    const wanted = range && range.map((value) => within(scale(value))).reverse();
    const now = d3.brushSelection(element.node());
    if (!wanted && !now) continue;
    if (wanted && now && Math.abs(wanted[0] - now[0]) < 1 && Math.abs(wanted[1] - now[1]) < 1) continue;
    element.call(brush.move, wanted ?? null);
  }
}

function linePoints({ order, place, axes }, run) {
  return order
    .map((key) => [place(key), axes.get(key).scale(axes.get(key).values[run])])
    .filter(([, y]) => Number.isFinite(y)); // a run may lack a setting
}

function drawParallelLines(view, group, state) {
  const colors = report.plot.colors(group);
  const runs = d3.range(report.runCount(group)).filter((run) => report.plot.isParallel(group, run));
  const colorOf = (run) => (state.isVisible(run) ? colors.of(group.runs.configuration[run]) : "");
  const byLook = d3.flatGroup(runs, colorOf, (run) => report.plot.isPaused(group, run));
  view.lines.selectAll("path").remove();
  for (const [color, isPaused, own] of d3.sort(byLook, ([color]) => color !== "")) {
    const d = own.map(
      (run) =>
        `M${linePoints(view, run)
          .map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`)
          .join("L")}`,
    );
    view.lines
      .append("path")
      .attr("class", `curve thin${isPaused ? " paused" : ""}${color ? "" : " hidden"}`)
      .attr("d", d.join(""))
      .style("stroke", color || null);
  }
}

// find and step for report.plot.hoverBy: the nearest visible line; arrows go along it and to the next.
function lineFinders(view, group, state) {
  const visible = () =>
    d3.range(report.runCount(group)).filter((run) => report.plot.isParallel(group, run) && state.isVisible(run));
  const at = (run, key) => {
    const { scale, values } = view.axes.get(key);
    return { x: view.place(key), y: scale(values[run]) ?? view.sheet.height, key, run, lines: parallelLines(view, group, run) };
  };
  const find = (x, y) => {
    const nearest = d3.least(visible(), (run) => Math.abs(heightAt(linePoints(view, run), x) - y));
    if (nearest === undefined || Math.abs(heightAt(linePoints(view, nearest), x) - y) > report.plot.near / 2)
      return null;
    return at(
      nearest,
      d3.least(view.order, (key) => Math.abs(view.place(key) - x)),
    );
  };
  const step = (now, [across, down]) => {
    const runs = visible();
    if (!runs.length) return null;
    if (!now) return at(runs[0], view.order.at(-1));
    const run = runs[Math.min(Math.max(runs.indexOf(now.run) + down, 0), runs.length - 1)];
    return at(
      run,
      view.order[Math.min(Math.max(view.order.indexOf(now.key) + across, 0), view.order.length - 1)],
    );
  };
  return [find, step];
}

function heightAt(points, x) {
  const i = Math.min(
    Math.max(
      d3.bisectRight(
        points.map(([each]) => each),
        x,
      ),
      1,
    ),
    points.length - 1,
  );
  const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

function parallelLines({ axes, order }, group, run) {
  const [first] = report.plot.runLines(group, run);
  const texts = order.map((key) => {
    const { name, texts: levels, values, format } = axes.get(key);
    const value = values[run];
    return `${name} ${levels ? levels[value] : Number.isNaN(value) ? "none" : format(value)}`;
  });
  return [first, ...texts.slice(0, 12), `seed ${group.runs.seed[run]}`];
}
