"use strict";
const groups = JSON.parse(document.getElementById("data").textContent);
const dialog = document.querySelector("dialog");
const inDialog = (selector) => dialog.querySelector(selector);

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
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    row.hidden = !matches(row, names, words);
    shown += !row.hidden;
  }
  section.querySelector(".shown").textContent = `${shown} of ${table.tBodies[0].rows.length} runs`;
}

function fill(list, settings) {
  list.replaceChildren();
  for (const [key, value] of Object.entries(settings)) {
    for (const [tag, text] of [["dt", key], ["dd", value]]) {
      const item = document.createElement(tag);
      item.textContent = text;
      list.append(item);
    }
  }
}

function element(name, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function chart(history, kind, scale, unit) {
  const curves = ["train", "val"].map((split) => [split, history[`${split}_${kind}`] || []]);
  const values = curves.flatMap(([, curve]) => curve).filter((value) => value !== null);
  if (!values.length) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const first = history.epoch[0], last = history.epoch[history.epoch.length - 1];
  const x = (epoch) => 48 + (last > first ? (epoch - first) / (last - first) : 0.5) * 300;
  const y = (value) => 150 - (high > low ? (value - low) / (high - low) : 0.5) * 120;
  const svg = element("svg", { viewBox: "0 0 360 190", role: "img", "aria-label": `${kind} by epoch` });
  svg.append(element("text", { x: 48, y: 14 }, `${kind} (${unit}) by epoch: line val, dashes train`));
  for (const value of [low, high]) {
    svg.append(element("line", { x1: 48, x2: 348, y1: y(value), y2: y(value) }));
    svg.append(element("text", { x: 44, y: y(value) + 4, "text-anchor": "end" }, (value * scale).toFixed(2)));
  }
  for (const epoch of new Set([first, last]))
    svg.append(element("text", { x: x(epoch), y: 172, "text-anchor": "middle" }, epoch));
  for (const [split, curve] of curves) {
    const points = curve.flatMap((value, i) => (value === null ? [] : [[x(history.epoch[i]), y(value)]]));
    const path = points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
    svg.append(element("path", { d: points.length === 1 ? `${path}h.1` : path, class: split }));
  }
  return svg;
}

function open(group, id) {
  const run = group.runs[id];
  inDialog("#run-name").textContent = run.name;
  inDialog(".run-status").textContent = run.status;
  inDialog(".run-status").className = `run-status status ${run.status}`;
  inDialog(".run-reason").textContent = run.reason;
  inDialog(".run-command").textContent = run.command;
  inDialog(".run-folder").textContent = run.folder;
  const charts = [chart(run.history, "accuracy", 100, "%"), chart(run.history, "loss", 1, "nats")];
  inDialog(".run-history").replaceChildren(...charts.filter(Boolean));
  if (!charts.some(Boolean)) inDialog(".run-history").textContent = "No epoch is recorded.";
  inDialog(".copy").textContent = "Copy";
  fill(inDialog(".run-settings"), run.settings);
  fill(inDialog(".run-common"), group.common);
  dialog.showModal();
  dialog.scrollTop = 0;
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
    if (row) open(groups[Number(section.dataset.group)], row.dataset.run);
  });
}

for (const button of document.querySelectorAll("figure button"))
  button.addEventListener("click", () => {
    button.setAttribute("aria-expanded", button.parentElement.classList.toggle("large"));
  });

dialog.addEventListener("click", (event) => {
  const box = dialog.getBoundingClientRect();
  const isInside = event.clientX >= box.left && event.clientX <= box.right
    && event.clientY >= box.top && event.clientY <= box.bottom;
  if (event.target === dialog && !isInside) dialog.close();
});
inDialog(".copy").addEventListener("click", async () => {
  const range = document.createRange();
  range.selectNodeContents(inDialog(".run-command"));
  getSelection().removeAllRanges();
  getSelection().addRange(range); // without access to the clipboard, at least select the text
  const copied = navigator.clipboard?.writeText(range.toString()).then(() => true, () => false);
  inDialog(".copy").textContent = (await copied) ? "Copied" : "Selected: copy it";
});
