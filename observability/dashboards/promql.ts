import { type MetricName, prometheusName } from "./prometheus-names.ts";

/** The window of `rate`, which Grafana chooses by scrape interval and zoom. */
export const WINDOW = "$__rate_interval";

const selector = (name: string, labels: string): string => (labels === "" ? name : `${name}{${labels}}`);

/** The series of a gauge, or of a counter without a rate. */
export const gauge = (name: MetricName, labels = ""): string => selector(prometheusName(name), labels);

/** Per second, summed by labels; of a histogram the rate of its recordings. */
export const rateOf = (name: MetricName, labels = "", by: readonly string[] = [], part: "" | "_count" = ""): string => {
  const grouping = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  return `sum${grouping} (rate(${selector(prometheusName(name) + part, labels)}[${WINDOW}]))`;
};

/** A percentile of a histogram. */
export const quantile = (share: number, name: MetricName, labels = "", by: readonly string[] = []): string =>
  `histogram_quantile(${share}, sum by (${["le", ...by].join(", ")}) (rate(${selector(`${prometheusName(name)}_bucket`, labels)}[${WINDOW}])))`;

/** For state that all processes share, `max` is right however many report it. */
export const shared = (name: MetricName, labels = "", by: readonly string[] = []): string =>
  `max${by.length === 0 ? "" : ` by (${by.join(", ")})`} (${gauge(name, labels)})`;

/** Median and the slow end. */
export const percentiles = (
  name: MetricName,
  labels = "",
): readonly { readonly expr: string; readonly legend: string }[] =>
  [0.5, 0.95, 0.99].map((share) => ({ expr: quantile(share, name, labels), legend: `${share * 100} %` }));
