// Everything is loaded: draw, listen, and go where the address says.
report.print = (isPrinting) => {
  document.documentElement.classList.toggle("printing", isPrinting);
  for (const box of document.querySelectorAll("details")) {
    if (isPrinting) box.dataset.wasOpen = box.open;
    box.open = isPrinting || box.dataset.wasOpen === "true";
  }
  for (const group of report.groups) for (const grid of Object.values(group.grids)) grid.print(isPrinting);
};

report.run.start();
for (const section of document.querySelectorAll("[data-group]")) {
  const group = report.groups[Number(section.dataset.group)];
  report.tables.start(section, group);
  report.filter.start(section, group);
  report.compare.start(section, group);
}
for (const dialog of document.querySelectorAll("dialog")) report.closeOutside(dialog);
for (const button of document.querySelectorAll("[data-copies]"))
  button.addEventListener("click", () => report.copy.text(document.getElementById(button.dataset.copies).textContent, button));
window.addEventListener("beforeprint", () => report.print(true)); // before the charts draw for paper
window.addEventListener("afterprint", () => report.print(false));
report.charts.start();
report.permalink.start();
