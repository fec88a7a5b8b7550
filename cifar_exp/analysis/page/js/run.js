// The dialog of a run: its results, history, command and settings.
report.run = {};

report.run.fill = (list, entries) => {
  list.replaceChildren(...entries.flatMap(([key, value]) => [report.element("dt", {}, key), report.element("dd", {}, String(value))]));
};

report.run.settings = (group, run) => [
  ["seed", group.runs.seed[run]],
  ...Object.entries(group.details.settings).map(([key, { values, index }]) => [key, values[index[run]]]),
];

report.run.results = (group, run) => {
  const { runs, metric } = group;
  const percent = (value) => (value === null ? null : `${report.number(value, 2, 100)} %`);
  const isOther = !["val_accuracy", "test_accuracy"].includes(metric.name);
  const own = runs.value[run] === null || !isOther ? null : `${report.value(group, runs.value[run])} ${metric.unit}`;
  return [
    ["validation accuracy", percent(runs.val[run])],
    ["test accuracy", percent(runs.test[run])],
    [metric.label, own],
    ["epochs", runs.planned[run] === null ? runs.epochs[run] : `${runs.epochs[run]} of ${runs.planned[run]}`],
    ["training", runs.seconds[run] === null ? null : `${report.number(runs.seconds[run], 0)} s`],
    ["compute", runs.pflop[run] === null ? null : `${report.threeDigits(runs.pflop[run])} PFLOP`],
  ].filter(([, text]) => text !== null);
};

report.run.show = (dialog, group, run) => {
  const { runs, details } = group;
  const inside = (name) => dialog.querySelector(name);
  inside("#run-name").textContent = runs.name[run];
  const configuration = group.configurations[runs.configuration[run]];
  inside(".run-configuration").textContent = [configuration?.name, `seed ${runs.seed[run]}`].filter(Boolean).join(", ");
  inside(".run-status").textContent = runs.status[run];
  inside(".run-status").className = `run-status status ${runs.status[run]}`;
  inside(".run-reason").textContent = details.reason[run];
  inside(".run-reason").className = `run-reason ${runs.status[run]}`;
  report.run.fill(inside(".run-results"), report.run.results(group, run));
  inside(".run-command").textContent = details.command[run];
  inside(".run-folder").textContent = details.folder[run];
  report.run.fill(inside(".run-settings"), report.run.settings(group, run));
  report.run.fill(inside(".run-common"), Object.entries(details.common));
  const history = inside(".run-history");
  history.replaceChildren();
  if (report.curve(group, run, "val_accuracy").x.length) report.charts.overlay(history, group, [run]);
  else history.textContent = "No epoch is recorded.";
};

// The order of the table of runs, which previous and next follow.
report.run.order = (group) => group.grids?.runs?.order ?? [...group.runs.id.keys()];

report.run.start = () => {
  const dialog = document.querySelector("#run");
  let state = null; // of the group whose run is shown
  const inside = (name) => dialog.querySelector(name);
  const step = (by) => {
    const order = report.run.order(state.group);
    const next = order[order.indexOf(state.open) + by];
    if (next !== undefined) state.set("open", "open", next);
  };
  const update = (changed) => {
    if (changed.open === null) {
      if (changed === state && dialog.open) dialog.close();
      return;
    }
    state = changed;
    const order = report.run.order(state.group);
    const place = order.indexOf(state.open);
    inside(".previous").disabled = place <= 0;
    inside(".next").disabled = place < 0 || place === order.length - 1;
    if (!dialog.open) dialog.showModal();
    report.run.show(dialog, state.group, state.open);
    dialog.scrollTop = 0;
  };
  for (const own of report.states.values())
    own.subscribe((what) => (what === "open" || what === "restored") && update(own));
  dialog.addEventListener("close", () => state.open !== null && state.set("open", "open", null));
  document.addEventListener("keydown", (event) => {
    if (!dialog.open || event.target.closest("input, select, [data-chart]")) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  inside(".previous").addEventListener("click", () => step(-1));
  inside(".next").addEventListener("click", () => step(1));
  inside(".copy-command").addEventListener("click", (event) => report.copy.text(inside(".run-command").textContent, event.target));
  inside(".copy-link").addEventListener("click", (event) => report.copy.text(location.href, event.target));
};

// A click beside a dialog closes it.
report.closeOutside = (dialog) =>
  dialog.addEventListener("click", (event) => {
    const box = dialog.getBoundingClientRect();
    const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (event.target === dialog && !isInside) dialog.close();
  });
