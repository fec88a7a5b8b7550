// The trend of a factor of which many values were drawn: the mean of a Gaussian process over all other
// settings with its band, and the values that may be the best. Where the best value depends on another
// factor, there is a trend for each of that factor's levels.

report.plot.trendsOf = (group, factor) => group.trends.filter((trend) => trend.factor === factor);

// Draws the trends, and says whether there are any.
report.plot.drawTrends = ({ g, height }, group, factor, x, axis) => {
  const trends = report.plot.trendsOf(group, factor);
  const colors = report.plot.colors(group);
  const names = [];
  for (const trend of trends) {
    const isColored = trend.other >= 0 && trend.other === colors.factor;
    const color = isColored ? colors.ofLevel(group.factors[trend.other].levels.indexOf(trend.level)) : "var(--ink)";
    drawGood(g, trend, x, height, color);
    const places = (values) => values.map((value, i) => [x.scale(trend.x[i]), axis.of(value)]);
    const band = [...places(trend.high), ...places(trend.low).reverse()];
    g.append("path").attr("class", "band").attr("d", `${report.plot.path(band)}Z`).style("fill", color);
    g.append("path").attr("class", "trend").attr("d", report.plot.path(places(trend.mean))).style("stroke", color);
    const [x1, y] = places(trend.mean).at(-1);
    if (trend.other >= 0 && !isColored)
      names.push({ x: x1, y: y - 6, text: `${group.factors[trend.other].name} ${trend.level}` });
  }
  nameTrends(g, names);
  return trends.length > 0;
};

function drawGood(g, { good }, x, height, color) {
  for (const [low, high] of good)
    g.append("rect").attr("class", "band").style("fill", color)
      .attr("x", x.scale(low) - 1).attr("width", x.scale(high) - x.scale(low) + 2).attr("height", height);
}

function nameTrends(g, names) {
  for (const { x, y, text } of report.plot.moveApart(names))
    g.append("text").attr("class", "row-name").attr("x", x).attr("y", y).attr("text-anchor", "end").text(text);
}

report.plot.trendText = (group, factors) =>
  factors.some((factor) => report.plot.trendsOf(group, factor).length)
    ? " A line with a band is a Gaussian process, averaged over all other settings, with its 95 % band; "
      + "values in the shaded range may be the best."
    : "";
