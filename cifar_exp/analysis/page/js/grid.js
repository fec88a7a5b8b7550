// A table that is sorted and filtered as data: of many rows, only those in view are elements.
// It is one tab stop; arrows, Home, End and Page keys move in it, Enter opens a row or sorts by a
// column, the space bar ticks. A column: {name, text(row), key(row), isNumber, first: 1 or -1 (the order
// of the first click, ascending or descending), kind(row): CSS classes}. The first one names the row; its
// full(row) is a longer name.
class Grid {
  constructor(place, { label, columns, size, limit, isVisible, sort, onSort, onOpen, ticks }) {
    const rows = [...Array(size).keys()];
    this.columns = columns.filter((column, i) => i === 0 || Grid.isWorthShowing(column, rows));
    Object.assign(this, { label, size, limit, isVisible, sort, onSort, onOpen, ticks });
    this.isWhole = size <= limit;
    this.at = [-1, 0]; // the cell that the tab key reaches: row (-1 is the heading) and column
    this.table = report.element("table", { role: "grid", "aria-label": label });
    this.head = report.element("thead");
    this.body = report.element("tbody");
    this.table.append(this.head, this.body);
    this.scroll = report.element("div", { class: "scroll", scroll: () => this.isVirtual() && this.draw() }, this.table);
    this.foot = report.element("div", { class: "table-foot", role: "toolbar", "aria-label": `Actions for ${label}` });
    this.makeFoot();
    this.drawHead();
    this.table.addEventListener("keydown", (event) => this.key(event));
    this.table.addEventListener("click", (event) => this.click(event));
    this.table.addEventListener("focusin", (event) => this.focused(event));
    place.replaceChildren(this.scroll, this.foot);
    this.refresh();
  }

  // Not if it is empty everywhere, nor, where it says so, if it is the same everywhere.
  static isWorthShowing(column, rows) {
    const texts = new Set(rows.map(column.text));
    texts.delete("");
    return texts.size > (column.isDroppedIfEqual && rows.length > 1 ? 1 : 0);
  }

  makeFoot() {
    this.more = report.element("button", { type: "button", class: "more", hidden: this.isWhole, click: () => this.expand() });
    this.foot.append(this.more, report.element("span", { class: "quiet" }, "Copy as"));
    for (const format of Object.keys(report.copy.formats))
      this.foot.append(report.element("button", { type: "button", click: (event) => report.copy.table(this, format, event.target) }, format));
    report.roving(this.foot);
  }

  expand() {
    this.isWhole = !this.isWhole;
    this.scroll.scrollTop = 0;
    this.refresh();
  }

  drawHead() {
    const cells = this.columns.map((column, i) =>
      report.element("th", {
        scope: "col", class: column.isNumber ? "number" : null, "data-column": i, tabindex: "-1",
        title: column.title ?? null,
      }, report.element("span", { class: "sorter" }, column.name)));
    this.head.replaceChildren(report.element("tr", { "aria-rowindex": 1 }, ...cells));
  }

  // After a change of what is visible or of the order.
  refresh() {
    const rows = [...Array(this.size).keys()].filter(this.isVisible);
    this.order = this.sorted(rows);
    this.rows = this.isWhole ? this.order : this.order.slice(0, this.limit);
    this.table.setAttribute("aria-rowcount", this.order.length + 1);
    const hidden = this.order.length - this.limit;
    this.more.hidden = hidden <= 0;
    this.more.textContent = this.isWhole ? `Show ${this.limit} only` : `Show all ${this.order.length.toLocaleString("en-US")}`;
    this.scroll.classList.toggle("tall", this.isVirtual());
    [...this.head.rows[0].cells].forEach((cell, i) => {
      const isSorted = this.sort && this.columns[i].name === this.sort[0];
      if (isSorted) cell.setAttribute("aria-sort", this.sort[1] > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
    this.drawn = null;
    this.draw();
  }

  // Numbers as numbers and texts as texts; empty cells come last in either direction.
  sorted(rows) {
    const column = this.sort && this.columns.find(({ name }) => name === this.sort[0]);
    if (!column) return rows;
    const sign = this.sort[1];
    const isEmpty = (key) => key === null || key === "" || Number.isNaN(key);
    const pairs = rows.map((row) => [column.key(row), row]);
    pairs.sort(([a], [b]) => {
      if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b);
      if (typeof a !== typeof b) return sign * (typeof a === "number" ? -1 : 1);
      return sign * (a < b ? -1 : a > b ? 1 : 0);
    });
    return pairs.map(([, row]) => row);
  }

  sortBy(i) {
    const { name, first = 1 } = this.columns[i];
    this.sort = this.sort?.[0] === name ? [name, -this.sort[1]] : [name, first];
    this.refresh();
    this.onSort?.(this.sort);
  }

  isVirtual() {
    return this.rows.length > Grid.MOST_DRAWN;
  }

  // The rows in view and some around them, or all if there are few; spacers stand for the others.
  draw(around = null) {
    let [from, to] = [0, this.rows.length];
    if (this.isVirtual() && !this.isPrinting) {
      this.height ??= this.body.rows[0]?.offsetHeight || 28;
      const top = around ?? Math.floor(this.scroll.scrollTop / this.height);
      from = Math.max(0, Math.min(top, this.rows.length - 20) - 20);
      to = Math.min(this.rows.length, from + 60);
    }
    if (this.drawn && this.drawn[0] === from && this.drawn[1] === to) return;
    const hadFocus = this.table.contains(document.activeElement);
    this.drawn = [from, to];
    const rows = this.rows.slice(from, to).map((row, i) => this.makeRow(row, from + i));
    const spacer = (n) => report.element("tr", { "aria-hidden": "true", class: "spacer", style: `height:${n * (this.height ?? 0)}px` });
    if (from > 0) rows.unshift(spacer(from));
    if (to < this.rows.length) rows.push(spacer(this.rows.length - to));
    this.fixWidths();
    this.body.replaceChildren(...rows);
    if (this.at[0] >= this.rows.length) this.at = [-1, 0];
    this.markStop(hadFocus);
  }

  // Columns as wide as their longest text, so that they stay so while rows come and go.
  fixWidths() {
    if (!this.isVirtual() || this.hasWidths) return;
    this.hasWidths = true;
    this.columns.forEach((column, i) => {
      const longest = this.order.reduce((most, row) => Math.max(most, column.text(row).length), 0);
      this.head.rows[0].cells[i].style.minWidth = i ? `calc(${longest}ch + 1.2rem)` : null;
    });
  }

  makeRow(row, position) {
    const line = report.element("tr", { "aria-rowindex": position + 2, "data-position": position, class: this.onOpen ? "opens" : null });
    if (this.ticks) line.setAttribute("aria-selected", this.ticks.has(row));
    this.columns.forEach((column, i) => {
      const cell = document.createElement(i ? "td" : "th");
      cell.tabIndex = -1;
      cell.dataset.column = i;
      if (i === 0) this.fillFirst(cell, column, row);
      else cell.textContent = column.text(row);
      const kind = column.kind?.(row);
      if (column.isNumber) cell.classList.add("number");
      if (kind) cell.classList.add(...kind.split(" "));
      line.append(cell);
    });
    return line;
  }

  fillFirst(cell, column, row) {
    cell.scope = "row";
    const text = column.text(row);
    const full = column.full?.(row) ?? text;
    cell.classList.toggle("has-words", text.includes(" "));
    if (this.ticks) {
      const box = report.element("input", { type: "checkbox", tabindex: "-1", "aria-label": `Compare ${full}` });
      box.checked = this.ticks.has(row);
      cell.append(box);
    }
    cell.append(report.element("span", { class: this.onOpen ? "open" : "name", title: full }, text));
  }

  // Which cell the tab key reaches; and the focus moves there if it was in the table.
  markStop(isFocused) {
    for (const cell of this.table.querySelectorAll('[tabindex="0"]')) cell.tabIndex = -1;
    const stop = this.cellAt(...this.at) ?? this.head.rows[0].cells[0];
    stop.tabIndex = 0;
    if (isFocused) stop.focus({ preventScroll: true });
  }

  cellAt(position, column) {
    const row = position < 0 ? this.head.rows[0] : this.body.querySelector(`tr[data-position="${position}"]`);
    return row?.cells[column];
  }

  // Moves the focus to a cell, drawing and scrolling as needed.
  moveTo(position, column) {
    this.at = [Math.max(-1, Math.min(position, this.rows.length - 1)), Math.max(0, Math.min(column, this.columns.length - 1))];
    if (!this.cellAt(...this.at)) this.draw(this.at[0]);
    this.markStop(true);
    this.cellAt(...this.at).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  focused(event) {
    const cell = event.target.closest("[data-column]");
    const position = cell?.closest("tr").dataset.position;
    if (!cell || cell.tabIndex === 0) return;
    this.at = [position === undefined ? -1 : Number(position), Number(cell.dataset.column)];
    this.markStop(false);
  }

  key(event) {
    const [position, column] = this.at;
    const moves = {
      ArrowUp: [position - 1, column], ArrowDown: [position + 1, column],
      ArrowLeft: [position, column - 1], ArrowRight: [position, column + 1],
      PageUp: [Math.max(0, position - 20), column], PageDown: [position + 20, column],
      Home: event.ctrlKey ? [0, 0] : [position, 0],
      End: event.ctrlKey ? [this.rows.length - 1, column] : [position, this.columns.length - 1],
    };
    if (event.altKey || event.metaKey) return;
    if (moves[event.key]) this.moveTo(...moves[event.key]);
    else if (event.key === "Enter" && position < 0) this.sortBy(column);
    else if (event.key === "Enter") this.onOpen?.(this.rows[position]);
    else if (event.key === " " && position >= 0 && this.ticks) this.tick(this.rows[position]);
    else return;
    event.preventDefault();
  }

  click(event) {
    const cell = event.target.closest("[data-column]");
    if (!cell) return;
    const position = cell.closest("tr").dataset.position;
    if (position === undefined) return this.sortBy(Number(cell.dataset.column));
    if (event.target.matches("input")) this.tick(this.rows[position]);
    else if (getSelection().isCollapsed) this.onOpen?.(this.rows[position]);
  }

  tick(row) {
    this.ticks.set(row, !this.ticks.has(row));
  }

  // After a change of what is ticked.
  showTicks() {
    for (const line of this.body.querySelectorAll("[data-position]")) {
      const isTicked = this.ticks.has(this.rows[line.dataset.position]);
      line.setAttribute("aria-selected", isTicked);
      line.querySelector("input").checked = isTicked;
    }
  }

  // On paper, nothing scrolls: all rows there is room for.
  print(isPrinting) {
    this.isPrinting = isPrinting;
    this.drawn = null;
    const rows = this.rows;
    if (isPrinting) this.rows = this.order.slice(0, Grid.MOST_PRINTED);
    this.draw();
    if (isPrinting) this.unprinted = rows;
    else this.refresh();
  }
}
Grid.MOST_DRAWN = 100;
Grid.MOST_PRINTED = 300;
report.Grid = Grid;

// One tab stop for the buttons of a toolbar; the arrows move between them.
report.roving = (toolbar) => {
  const buttons = () => [...toolbar.querySelectorAll("button:not([hidden])")];
  const stop = (button) => {
    for (const other of toolbar.querySelectorAll("button")) other.tabIndex = other === button ? 0 : -1;
  };
  stop(buttons()[0]);
  toolbar.addEventListener("focusin", (event) => stop(event.target));
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = buttons();
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    if (!step || !next) return;
    next.focus();
    event.preventDefault();
  });
};
