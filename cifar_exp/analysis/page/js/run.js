const dialog = document.querySelector("dialog");
const inDialog = (selector) => dialog.querySelector(selector);

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

function chart(group, run, kind, scale, unit) {
  const epochs = report.curve(group, run, `val_${kind}`).x;
  const curves = ["train", "val"].map((split) => [split, report.curve(group, run, `${split}_${kind}`).y]);
  const values = curves.flatMap(([, curve]) => curve).filter((value) => value !== null);
  if (!values.length) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const first = epochs[0], last = epochs[epochs.length - 1];
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
    const points = curve.flatMap((value, i) => (value === null ? [] : [[x(epochs[i]), y(value)]]));
    const path = points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
    svg.append(element("path", { d: points.length === 1 ? `${path}h.1` : path, class: split }));
  }
  return svg;
}

function open(group, run) {
  const { runs, details } = group;
  inDialog("#run-name").textContent = runs.name[run];
  inDialog(".run-status").textContent = runs.status[run];
  inDialog(".run-status").className = `run-status status ${runs.status[run]}`;
  inDialog(".run-reason").textContent = details.reason[run];
  inDialog(".run-command").textContent = details.command[run];
  inDialog(".run-folder").textContent = details.folder[run];
  const charts = [chart(group, run, "accuracy", 100, "%"), chart(group, run, "loss", 1, "nats")];
  inDialog(".run-history").replaceChildren(...charts.filter(Boolean));
  if (!charts.some(Boolean)) inDialog(".run-history").textContent = "No epoch is recorded.";
  inDialog(".copy").textContent = "Copy";
  const settings = Object.entries(details.settings).map(([key, own]) => [key, own.values[own.index[run]]]);
  fill(inDialog(".run-settings"), Object.fromEntries([["seed", runs.seed[run]], ...settings]));
  fill(inDialog(".run-common"), details.common);
  dialog.showModal();
  dialog.scrollTop = 0;
}

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
