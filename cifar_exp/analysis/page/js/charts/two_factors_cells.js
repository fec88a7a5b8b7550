// A cell for each pair of levels, with the mean of its configurations.

const CELL_HEIGHT = 40, MOST_CELL_WIDTH = 150; // pixels
const TEXT_WIDTH = 34, LONG_TEXT_WIDTH = 50; // pixels that a number needs, with few and with all digits

report.plot.twoFactorCells = (container, group, state, x, y) => {
  const cells = report.plot.cells(group, y, x);
  const [across, up] = [x, y].map((factor) => report.plot.levelsOf(group, factor));
  const sheet = cellSheet(container, group.factors[y], up);
  const width = Math.min(MOST_CELL_WIDTH, sheet.width / across.length);
  const columns = d3.scaleBand(across, [0, width * across.length]);
  const rows = d3.scaleBand(up, [CELL_HEIGHT * up.length, 0]);
  const fill = report.plot.heat(group, [...cells.values()].map(({ mean }) => mean));
  const points = d3.cross(across, up).flatMap(([column, row]) => {
    const cell = cells.get(`${row},${column}`);
    if (!cell) return [];
    const place = { x: columns(column) + width / 2, y: rows(row) + CELL_HEIGHT / 2 };
    drawCell(sheet.g, group, state, cell, place, width, fill(cell.mean));
    return { ...place, lines: cellLines(group, cell, [[x, column], [y, row]]) };
  });
  const axis = (factor, ticks) => ({
    ticks, label: group.factors[factor].name, grid: false, text: (level) => group.factors[factor].levels[level],
  });
  report.plot.axis({ ...sheet, width: columns.range()[1] }, "bottom", columns, axis(x, across));
  report.plot.axis(sheet, "left", rows, axis(y, up));
  report.plot.hover(sheet, group, points);
  return cellsText(group, x, y, cells);
};

function cellSheet(container, { levels }, up) {
  const longest = Math.max(...up.map((level) => levels[level].length));
  const margins = { top: 26, right: 10, bottom: 50, left: 24 + Math.min(140, 7 * longest) };
  return report.plot.sheet(container, up.length * CELL_HEIGHT + margins.top + margins.bottom, margins);
}

function drawCell(g, group, state, { mean, configurations }, { x, y }, width, fill) {
  const isVisible = configurations.some(({ i }) =>
    (report.plot.runsOf(group).get(i) ?? []).some((run) => state.isVisible(run)));
  const cell = g.append("g").attr("class", isVisible ? "cell" : "cell hidden");
  cell.append("rect").style("fill", fill)
    .attr("x", x - width / 2 + 1).attr("y", y - CELL_HEIGHT / 2 + 1)
    .attr("width", width - 2).attr("height", CELL_HEIGHT - 2);
  if (width < TEXT_WIDTH) return;
  const digits = width < LONG_TEXT_WIDTH ? 1 : group.metric.digits;
  cell.append("text").attr("x", x).attr("y", y).attr("dy", ".35em").text((mean * group.metric.scale).toFixed(digits));
}

function cellLines(group, { configurations, mean }, levels) {
  const where = levels.map(([factor, level]) => `${group.factors[factor].name}=${group.factors[factor].levels[level]}`);
  const count = report.count(d3.sum(configurations, ({ n }) => n), "run");
  return [report.plot.value(group, mean), where.join(" "), `mean of ${count}`];
}

function cellsText(group, x, y, cells) {
  const [key, { mean }] = d3.greatest([...cells], ([, cell]) => cell.mean * (group.metric.higher ? 1 : -1));
  const [row, column] = key.split(",");
  const [across, up] = [group.factors[x], group.factors[y]];
  return `Mean ${group.metric.label} by ${across.name} and ${up.name}: best at ${across.name} ${across.levels[column]} `
    + `and ${up.name} ${up.levels[row]} with ${report.plot.value(group, mean)}. `
    + "The table of configurations has the numbers.";
}
