// A chart of rows with names: beside the axes where there is room, otherwise each above its row.

const ROW_NAME_LETTER = 7.4; // pixels
report.plot.rowsAtFirst = 20;

report.plot.allRowsControl = (group, rows, what) =>
  rows > report.plot.rowsAtFirst ? [{ key: "all", label: `all ${rows} ${what}`, value: false }] : [];

report.plot.firstRows = (rows, showsAll) => (showsAll ? rows : rows.slice(0, report.plot.rowsAtFirst));

// The drawing area for rows with these names, and where each row's middle is. `right` pixels stay free.
report.plot.rowSheet = (container, names, right) => {
  const longest = Math.max(...names.map((name) => name.length)) * ROW_NAME_LETTER + 16;
  const isBeside = longest < 0.42 * container.clientWidth;
  const step = isBeside ? 24 : 36;
  const margin = { top: 8, right, bottom: 44, left: isBeside ? longest : 12 };
  const sheet = report.plot.sheet(container, names.length * step + margin.top + margin.bottom, margin);
  const middle = (i) => (i + 0.5) * step + (isBeside ? 0 : 8);
  const most = Math.floor((isBeside ? longest : sheet.width + right) / ROW_NAME_LETTER);
  names.forEach((name, i) => {
    const text = sheet.g.append("text").attr("class", "row-name").text(shortened(name, most));
    if (isBeside) text.attr("x", -12).attr("y", middle(i)).attr("dy", ".35em").attr("text-anchor", "end");
    else text.attr("x", 0).attr("y", middle(i) - 13);
    text.append("title").text(name);
  });
  return { sheet, middle };
};

function shortened(name, most) {
  return name.length <= most ? name : `${name.slice(0, most - 1)}…`;
}
