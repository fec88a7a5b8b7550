// Numbers as texts, and elements.
report.formatters = new Map();
report.number = (value, digits, scale = 1) => {
  if (value === null || value === undefined) return "";
  if (!report.formatters.has(digits)) {
    const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    report.formatters.set(digits, new Intl.NumberFormat("en-US", exact));
  }
  return report.formatters.get(digits).format(value * scale).replace("-", "−");
};

report.threeDigits = (value) => (value === null ? "" : String(Number(value.toPrecision(3))));

// How many decimal places give the smallest of these values three digits; no more than six.
report.decimals = (values) => {
  const least = Math.min(...values.filter((value) => value > 0));
  return Number.isFinite(least) ? Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(least)))) : 0;
};

report.value = ({ metric }, value) => report.number(value, metric.digits, metric.scale);

report.difference = ({ metric }, value) => {
  const text = report.number(value, metric.digits, metric.scale);
  return value > 0 ? `+${text}` : text;
};

report.interval = (group, low, high) =>
  low === null || high === null ? "" : `[${report.value(group, low)}, ${report.value(group, high)}]`;

report.VERDICTS = {
  better: "better",
  worse: "worse",
  equivalent: "no relevant difference",
  undecided: "not significant",
};

// Of an interaction: it says how much one effect changes another, which is neither better nor worse.
report.INTERACTIONS = { ...report.VERDICTS, better: "significant", worse: "significant" };

report.count = (n, what) => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`;

// An element with attributes (a function is a listener) and children, which may be texts.
report.element = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key, value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== false));
  return node;
};
