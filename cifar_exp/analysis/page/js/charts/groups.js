// What charts ask of a group, worked out once.

// The levels of a factor that configurations have, in order.
report.plot.levelsOf = (group, factor) => {
  group.levelsOf ??= new Map();
  if (!group.levelsOf.has(factor))
    group.levelsOf.set(
      factor,
      [...new Set(group.configurations.map((each) => each.levels[factor]))].sort((a, b) => a - b),
    );
  return group.levelsOf.get(factor);
};

// The runs of each configuration that count, by the configuration's index.
report.plot.runsOf = (group) => {
  group.runsOf ??= d3.group(
    d3.range(report.runCount(group)).filter((run) => group.runs.value[run] !== null),
    (run) => group.runs.configuration[run],
  );
  return group.runsOf;
};

report.plot.countedRuns = (group) => [...report.plot.runsOf(group).values()].flat();

// Which configurations have a visible run, the best first.
report.plot.visibleConfigurations = (group, state) =>
  d3
    .range(group.configurations.length)
    .filter((configuration) =>
      (report.plot.runsOf(group).get(configuration) ?? []).some((run) => state.isVisible(run)),
    );

// The numbers that the configurations have for a factor.
report.plot.numbers = (group, factor) =>
  group.configurations.map((each) => Number(group.factors[factor].levels[each.levels[factor]]));

// The runs that failed or diverged, of configurations that are known.
report.plot.incompleteRuns = (group) => {
  const { status, configuration } = group.runs;
  const isKnown = (run) => ["failed", "diverged"].includes(status[run]) && configuration[run] >= 0;
  return d3.range(report.runCount(group)).filter(isKnown);
};

report.plot.crossText = (group) =>
  report.plot.incompleteRuns(group).length ? " A cross at the bottom is a run that failed or diverged." : "";
