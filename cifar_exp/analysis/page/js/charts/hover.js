// What a chart says of the point under the pointer, or of the one that the arrow keys have reached.

report.plot.near = 28; // pixels: how far from the pointer a point may be
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// find(x, y) gives the point near that place, step(point, [across, down]) the next one for an arrow key
// (without a point: the first). A point is {x, y, lines: [text], run}; choosing it opens its run.
report.plot.hoverBy = (sheet, group, find, step) => {
  const tip = report.element("div", { class: "tip", hidden: true });
  tip.setAttribute("role", "status");
  sheet.container.append(tip);
  const ring = sheet.g.append("circle").attr("class", "ring").attr("r", 6).attr("visibility", "hidden");
  let point = null;
  const show = (next) => {
    point = next;
    tip.hidden = !point;
    ring.attr("visibility", point ? "visible" : "hidden");
    if (!point) return;
    ring.attr("cx", point.x).attr("cy", point.y).raise();
    tip.replaceChildren(...point.lines.map((line, i) => report.element(i ? "span" : "b", {}, line)));
    place(tip, sheet, point);
  };
  const choose = () => point?.run !== undefined && report.charts.open(group, point.run);
  let isSecondTap = false; // of a finger, whose first one only reads
  const follow = (event) => {
    const before = point?.run;
    show(find(...d3.pointer(event, sheet.g.node())));
    if (event.type === "pointerdown") isSecondTap = before === point?.run;
  };
  const isFinger = ({ pointerType }) => pointerType === "touch";
  sheet.svg
    .attr("tabindex", 0)
    .on("pointermove pointerdown", follow)
    .on("pointerleave", (event) => isFinger(event) || show(null))
    .on("blur", () => show(null))
    .on("click", (event) => (isFinger(event) && !isSecondTap) || choose())
    .on("keydown", (event) => {
      if (event.key === "Enter") choose();
      else if (event.key === "Escape" && point) show(null);
      else if (ARROWS[event.key]) show(step(point, ARROWS[event.key]) ?? point);
      else return;
      event.preventDefault();
    });
};

// The same for a list of points, in the order in which the arrow keys go through them.
report.plot.hover = (sheet, group, points) => {
  const find = (x, y) => {
    const nearest = d3.least(points, (point) => Math.hypot(point.x - x, point.y - y));
    return nearest && Math.hypot(nearest.x - x, nearest.y - y) < report.plot.near ? withLines(nearest) : null;
  };
  const step = (point, [across, down]) => {
    const next = points.indexOf(point) + across + down;
    return points.length ? withLines(points[Math.min(Math.max(next, 0), points.length - 1)]) : null;
  };
  report.plot.hoverBy(sheet, group, find, step);
};

// Texts are made only when they are read.
function withLines(point) {
  if (typeof point.lines === "function") point.lines = point.lines();
  return point;
}

function place(tip, { container, svg, left, top }, point) {
  const factor = svg.node().clientWidth / svg.node().viewBox.baseVal.width;
  const [x, y] = [(left + point.x) * factor, (top + point.y) * factor];
  const isRight = x > container.clientWidth / 2;
  tip.style.left = isRight ? "auto" : `${x + 14}px`;
  tip.style.right = isRight ? `${container.clientWidth - x + 14}px` : "auto";
  const isLow = y > svg.node().clientHeight - tip.offsetHeight - 10; // then it stands above the point
  tip.style.top = `${Math.max(0, svg.node().offsetTop + y + (isLow ? -tip.offsetHeight - 10 : 10))}px`;
}

// What is said of a run.
report.plot.runLines = (group, run) => {
  const { configuration, seed, value, name, status } = group.runs;
  const own = group.configurations[configuration[run]];
  const isDone = ["completed", "pruned"].includes(status[run]) ? "" : `, ${status[run]}`;
  const first = report.plot.isPaused(group, run) ? report.plot.pausedAt(group, run) : report.plot.value(group, value[run]);
  return [first, own?.name ?? name[run], `seed ${seed[run]}${isDone}`];
};
