// The one picture for the first screen. Of two factors it shows how they act together; otherwise the
// differences from the best configuration or the baseline, or the most important factor alone.

report.plot.mostLines = 8; // that a reader can distinguish
const MAIN_CAPTIONS = {
  interaction: () =>
    "A point is a run; the lines join the means, with their 95 % intervals where there are any.",
  forest: (group) => "The bars are differences of means with simultaneous 95 % intervals; a dashed one is not "
    + `significant. A point is a run minus the mean of the reference.${worthText(group)}${moreText(group.comparisons.length)}`,
  firstFactor: (group) => "A point is a run; all other factors vary among the points."
    + (report.plot.trendText(group, [0]) || " The line joins means.") + report.plot.crossText(group) + report.plot.pausedText(group),
};

report.charts.register({
  name: "main",
  title: "The result at a glance",
  caption: (group, options) => MAIN_CAPTIONS[mainView(group, options)](group),
  hasColors: (group, options) => mainView(group, options) === "forest",
  heading: "h3",
  isFor: (group) => mainViews(group).length > 0,
  controls(group) {
    const views = mainViews(group);
    return views.length > 1 ? [{ key: "view", label: "Show", choices: views, value: views[0][0] }] : [];
  },
  draw: (container, group, state, options) => report.plot[mainView(group, options)](container, group, state),
});

function worthText(group) {
  if (group.worth === null) return "";
  const { scale, digits, differenceUnit } = group.metric;
  const size = `${(group.worth * scale).toFixed(digits)} ${differenceUnit}`;
  return ` Differences within the band, up to ${size}, are too small to matter.`;
}

function moreText(comparisons) {
  const most = report.plot.rowsAtFirst;
  if (comparisons <= most) return "";
  return ` The closest ${most} of ${comparisons} are shown; the table of comparisons lists all.`;
}

function mainView(group, options) {
  return options.view ?? mainViews(group)[0][0];
}

// The views that the data gives, the best suited first.
function mainViews(group) {
  const views = [];
  const few = group.factors.filter(
    (_, factor) => report.plot.levelsOf(group, factor).length <= report.plot.mostLines,
  );
  const canInteract = few.length > 1 && report.plot.cells(group).size > few.length;
  const [interaction, differences] = [
    ["interaction", "factors together"],
    ["forest", "differences"],
  ];
  if (canInteract && group.factors.length === 2) views.push(interaction);
  if (group.comparisons.some(({ low }) => low !== null)) views.push(differences);
  if (group.factors.length && group.configurations.length > 1)
    views.push(["firstFactor", `${group.metric.label} by ${group.factors[0].name}`]);
  if (canInteract && group.factors.length > 2) views.push(interaction);
  return views;
}
