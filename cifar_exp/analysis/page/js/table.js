// Numbers are sorted as numbers and texts as texts; empty cells come last.
function keyOf(row, column) {
  const text = row.cells[column].dataset.key;
  const isText = column === 0 && row.dataset.run !== undefined; // an id may look like a number
  return text === "" ? null : isText || isNaN(text) ? text : Number(text);
}

function sortBy(table, column) {
  const head = table.tHead.rows[0].cells[column];
  const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => [keyOf(row, column), row]);
  rows.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === typeof b) return sign * (a < b ? -1 : a > b ? 1 : 0);
    return sign * (typeof a === "number" ? -1 : 1);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

// Every word must match: a cell's text, or a column's value as name=value.
function matches(row, names, words) {
  const texts = [...row.cells].map((cell) => cell.textContent.toLowerCase());
  const whole = texts.join(" ");
  return words.every((word) => {
    const [name, value] = word.split("=");
    const column = names.indexOf(name);
    if (value === undefined || column < 0) return whole.includes(word);
    const same = texts[column] === value || (texts[column] !== "" && Number(texts[column]) === Number(value));
    return value === "" || same; // 0.10 equals 0.1, and a value may still be incomplete
  });
}

function filter(section) {
  const table = section.querySelector("table.runs");
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.toLowerCase());
  const words = section.querySelector("input").value.toLowerCase().split(/[\s,]+/).filter(Boolean);
  const group = report.groups[Number(section.dataset.group)];
  const places = new Map(group.runs.id.map((id, run) => [id, run]));
  const visible = new Set();
  for (const row of table.tBodies[0].rows) {
    row.hidden = !matches(row, names, words);
    if (!row.hidden) visible.add(places.get(row.dataset.run));
  }
  const shown = visible.size;
  report.state(group).setVisible("filter", words.length ? visible : null);
  section.querySelector(".shown").textContent = `${shown} of ${table.tBodies[0].rows.length} runs`;
}

for (const table of document.querySelectorAll("table"))
  [...table.tHead.rows[0].cells].forEach((cell, column) =>
    cell.querySelector("button").addEventListener("click", () => sortBy(table, column)));

for (const section of document.querySelectorAll("[data-group]")) {
  const table = section.querySelector("table.runs");
  if (!table) continue;
  section.querySelector("input").addEventListener("input", () => filter(section));
  filter(section);
  table.tBodies[0].addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    const group = report.groups[Number(section.dataset.group)];
    if (row) open(group, group.runs.id.indexOf(row.dataset.run));
  });
}
