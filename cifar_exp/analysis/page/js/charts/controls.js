// The options of a chart, as the browser's own controls: labeled, and reached by keyboard. A control is
//   {key, label, choices: [[value, text]], value}, of which one is chosen, or
//   {key, label, value: false}, on or off, or
//   {key, label, value, min, max, step}, a number.
// `value` stands until the reader chooses; what is chosen is kept in the state of the group's view.

// The value of a control: a text, a boolean or a number.
report.plot.chosen = (state, chart, { key, value, choices }) => {
  const text = state.option(chart, key, null);
  if (text === null) return value;
  if (choices) return choices.some(([each]) => each === text) ? text : value;
  return typeof value === "boolean" ? text === "true" : Number(text);
};

report.plot.controls = (container, controls, state, chart) => {
  for (const control of controls) {
    const input = control.choices ? report.plot.select(control.choices) : report.element("input");
    input.dataset.option = control.key;
    if (typeof control.value === "boolean") input.type = "checkbox";
    else if (!control.choices)
      Object.assign(input, { type: "range", min: control.min, max: control.max, step: control.step });
    input.addEventListener("input", () => {
      const value = input.type === "checkbox" ? input.checked : input.value;
      state.setOption(chart, control.key, String(value) === String(control.value) ? "" : value);
    });
    const label = report.element("label");
    if (input.type === "checkbox") label.append(input, ` ${control.label}`);
    else label.append(`${control.label} `, input);
    container.append(label);
  }
  report.plot.showChosen(container, controls, state, chart);
};

report.plot.showChosen = (container, controls, state, chart) => {
  for (const control of controls) {
    const input = container.querySelector(`[data-option="${control.key}"]`);
    const value = report.plot.chosen(state, chart, control);
    if (input.type === "checkbox") input.checked = value;
    else input.value = value;
  }
};

report.plot.select = (choices) =>
  report.element("select", {}, ...choices.map(([value, text]) => report.element("option", { value }, text)));
