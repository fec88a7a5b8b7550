// What changes the parallel axes: their names, which are dragged or moved by arrow keys, and fields
// that do the same, brushing included, without a pointer.

report.plot.axisNames = (inner, group, state, { order, place, sheet, axes }) => {
  for (const key of order) {
    const button = report.element("button", { type: "button", class: "axis-name" }, axes.get(key).name);
    button.dataset.focus = `name ${key}`;
    button.title = "drag, or press the left or right arrow key, to move this axis";
    button.style.left = `${(100 * (sheet.left + place(key))) / inner.clientWidth}%`; // paper is narrower
    button.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      report.plot.moveAxis(group, state, key, order.indexOf(key) + step);
    });
    button.addEventListener("pointerdown", (event) => {
      const start = event.clientX;
      button.setPointerCapture(event.pointerId);
      button.onpointermove = ({ clientX }) => (button.style.translate = `calc(-50% + ${clientX - start}px)`);
      button.onpointerup = ({ clientX }) => {
        button.onpointermove = button.onpointerup = null;
        button.style.translate = "";
        const target = place(key) + clientX - start;
        const next = order.filter((each) => each !== key && place(each) < target).length;
        if (next !== order.indexOf(key)) report.plot.moveAxis(group, state, key, next);
      };
    });
    inner.append(button);
  }
};

// The fields above the axes: they act on one axis at a time.
report.plot.parallelTools = (group, state, container) => {
  const axes = report.plot.parallelAxes(group);
  const order = report.plot.axisOrder(group, state);
  const tools = report.element("div", { class: "options", role: "group", "aria-label": "One axis" });
  if (!axes.has(container.chosenAxis)) container.chosenAxis = order.at(-1);
  const axis = report.plot.select(order.map((key) => [key, axes.get(key).name]));
  axis.value = container.chosenAxis;
  const own = report.element("span", { class: "options" });
  const showOwn = () => own.replaceChildren(...axisFields(group, state, axes.get(container.chosenAxis)));
  axis.addEventListener("input", () => {
    container.chosenAxis = axis.value;
    showOwn();
  });
  showOwn();
  tools.append(labeled("Axis", axis, "axis"), own);
  container.showBrushFields = showOwn;
  return tools;
};

function labeled(text, input, focus) {
  input.dataset.focus = focus;
  return report.element("label", {}, `${text} `, input);
}

function axisFields(group, state, axis) {
  const { key } = axis;
  const move = (step, text) => {
    const button = report.element("button", { type: "button" }, text);
    button.dataset.focus = text;
    button.addEventListener("click", () =>
      report.plot.moveAxis(group, state, key, report.plot.axisOrder(group, state).indexOf(key) + step),
    );
    return button;
  };
  return [
    ...scaleField(state, axis),
    move(-1, "move left"),
    move(1, "move right"),
    ...rangeFields(group, state, axis),
  ];
}

function scaleField(state, { key, texts }) {
  if (texts) return []; // levels that are no numbers have no scale
  const scale = report.plot.select(report.plot.scaleKinds);
  scale.value = state.option("parallel", `scale ${key}`, "auto");
  scale.addEventListener("input", () =>
    state.setOption("parallel", `scale ${key}`, scale.value === "auto" ? "" : scale.value),
  );
  return [labeled("Scale", scale, "scale")];
}

function rangeFields(group, state, { key, texts, values, format }) {
  const known = values.filter((value) => !Number.isNaN(value));
  const range = report.plot.brushes(group, state).get(key);
  const [low, high] = d3.extent(known);
  const fields = ["from", "to"].map((name, end) => {
    const field = texts
      ? report.plot.select([["", "any"], ...d3.sort(new Set(known)).map((level) => [level, texts[level]])])
      : report.element("input", { type: "number", step: "any", placeholder: format(end ? high : low) });
    field.classList.add("range");
    if (range)
      field.value = texts ? Math.round(range[end] + (end ? -0.01 : 0.01)) : +range[end].toPrecision(4);
    return [name, field];
  });
  const apply = () => {
    const texts = fields.map(([, field]) => field.value);
    const ends = texts.map((text, end) => (text === "" ? [low, high][end] : Number(text)));
    report.plot.brushAxis(group, state, key, texts.every((text) => text === "") ? null : d3.sort(ends));
  };
  for (const [, field] of fields) field.addEventListener("change", apply);
  const clear = report.element("button", { type: "button" }, "clear brushes");
  clear.addEventListener("click", () => {
    state.brush("parallel", null);
    for (const [, field] of fields) field.value = "";
  });
  return [...fields.map(([name, field]) => labeled(name, field, name)), clear];
}
