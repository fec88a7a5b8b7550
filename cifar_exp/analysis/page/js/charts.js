// The register of charts. Each draws itself into its containers, <div data-chart="NAME">, or below
// the heading "Charts" if the page has none of its own.
report.charts = { all: [] };
report.charts.register = (chart) => report.charts.all.push(chart);
// Learning curves of several runs above each other; js/charts/ replaces it.
report.charts.overlay = () => {};
report.charts.start = () => {};
