// Tables and texts for the clipboard.
report.copy = {};

report.copy.formats = {
  Markdown: (columns, rows) => {
    const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
    const rule = `|${columns.map(({ isNumber }) => (isNumber ? "---:" : "---")).join("|")}|`;
    return [line(columns.map(({ name }) => name)), rule, ...rows.map(line)].join("\n");
  },
  LaTeX: (columns, rows) => {
    const line = (cells) => `${cells.map(report.copy.latex).join(" & ")} \\\\`;
    const alignment = columns.map(({ isNumber }) => (isNumber ? "r" : "l")).join("");
    const head = [`\\begin{tabular}{${alignment}}`, "\\toprule", line(columns.map(({ name }) => name)), "\\midrule"];
    return [...head, ...rows.map(line), "\\bottomrule", "\\end{tabular}"].join("\n");
  },
  CSV: (columns, rows) => {
    const line = (cells) => cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
    return [line(columns.map(({ name }) => name)), ...rows.map(line)].join("\n");
  },
};

report.copy.latex = (text) => {
  const escaped = text.replace(/[\\&%$#_{}~^]/g, (letter) =>
    ({ "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" })[letter] ?? `\\${letter}`);
  return escaped.replace(/(?<![\w])-(?=\d)/g, "$-$");
};

// The visible rows of a table in their order, as they are shown.
report.copy.table = (grid, format, button) => {
  const plain = (text) => text.replaceAll("−", "-").replace(/(\d),(?=\d{3})/g, "$1");
  const rows = grid.order.map((row) => grid.columns.map((column) => plain(column.text(row))));
  return report.copy.text(report.copy.formats[format](grid.columns, rows), button);
};

// Where the clipboard may not be written to, the text is shown, selected.
report.copy.text = async (text, button) => {
  const isCopied = await (navigator.clipboard?.writeText(text).then(() => true, () => false) ?? false);
  if (!isCopied) return report.copy.show(text);
  const name = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = name), 1500);
};

report.copy.show = (text) => {
  const dialog = document.querySelector("#copy");
  const area = dialog.querySelector("textarea");
  area.value = text;
  dialog.showModal();
  area.select();
};
