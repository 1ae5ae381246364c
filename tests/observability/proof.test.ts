import { expect, test } from "bun:test";
import { ALERT_GROUPS, AUTOSCALER_METRICS } from "../../observability/alerts/rules.ts";
import { FOREIGN_METRICS } from "../../observability/dashboards/consumer-groups.ts";
import {
  LABEL,
  type MetricName,
  prometheusName,
  prometheusNames,
} from "../../observability/dashboards/prometheus-names.ts";
import { MADE_BY_TEMPO } from "../../observability/dashboards/traces.ts";
import * as names from "../../observability/metric-names.ts";
import { eventually } from "../eventually.ts";
import { attributesOf, promQlOfDashboards, selectorsOf, traceQlOfDashboards } from "./queries.ts";
import { startRealRun } from "./real-run.ts";

const ofOthers: ReadonlySet<string> = new Set([
  ...FOREIGN_METRICS,
  ...Object.values(AUTOSCALER_METRICS),
  MADE_BY_TEMPO,
]);
/** What alerts and panels ask of every group. */
const GROUP_METRICS: readonly MetricName[] = [
  names.SIGNUP_PAUSED,
  names.SIGNUP_STREAM_LAG,
  names.SIGNUP_STREAM_PENDING,
  names.SIGNUP_STREAM_OLDEST_UNFINISHED_AGE,
  names.SIGNUP_RETRYING,
  names.SIGNUP_DEAD,
  names.SIGNUP_IN_FLIGHT_LIMIT,
  names.SIGNUP_BREAKER_STATE,
];
const metricOf = (selector: string): string => /^\w+/.exec(selector)?.[0] ?? "";

const rules = ALERT_GROUPS.flatMap((group) => group.rules.map(({ expr }) => expr));
const selectors = new Set(
  [...promQlOfDashboards(), ...rules].flatMap(selectorsOf).filter((selector) => !ofOthers.has(metricOf(selector))),
);

test("every metric in a query is one that the code exports", () => {
  const known = prometheusNames();
  expect([...selectors].map(metricOf).filter((name) => !known.has(name))).toEqual([]);
  expect(selectors.size).toBeGreaterThan(30);
});

test("no query names a group: those of receivers of webhooks come from the settings", () => {
  const named = [...selectors].filter((selector) =>
    /messaging_consumer_group_name=~?"(?!\.\*|\(\.\*\))/.test(selector),
  );
  expect(named).toEqual([]);
});

test("a real Prometheus finds series for every selector, and a span has every attribute in a query", async () => {
  await using run = await startRealRun();
  /** Those that have no series yet; what was found is not asked for again. */
  const missingOf = (all: Iterable<string>) => {
    const left = new Set(all);
    return async (): Promise<readonly string[]> => {
      const found = await Promise.all(
        [...left].map(async (each) => ((await run.prometheus.query(each)) > 0 ? [each] : [])),
      );
      for (const each of found.flat()) left.delete(each);
      return [...left];
    };
  };
  const missing = missingOf(selectors);
  await eventually(async () => (await missing()).length === 0).catch(() => {});
  expect(await missing()).toEqual([]);

  // Comparisons may be empty, but every expression has to be valid.
  for (const expr of [...promQlOfDashboards(), ...rules]) await run.prometheus.query(expr);

  // Whoever is named in the settings is covered by what is generated.
  const ofReceiver = GROUP_METRICS.map((name) => `${prometheusName(name)}{${LABEL.group}="webhook-crm"}`);
  const uncovered = missingOf(ofReceiver);
  await eventually(async () => (await uncovered()).length === 0).catch(() => {});
  expect(await uncovered()).toEqual([]);

  const asked = new Set(traceQlOfDashboards().flatMap(attributesOf));
  expect(asked.size).toBeGreaterThan(8);
  const carried = () =>
    new Set(run.receiver.spans.flatMap(({ attributes }) => Object.keys(attributes).map((name) => `span.${name}`)));
  const unknown = () => [...asked].filter((name) => !carried().has(name));
  await eventually(() => unknown().length === 0).catch(() => {});
  expect(unknown()).toEqual([]);

  const spanNames = new Set(run.receiver.spans.map(({ name }) => name));
  const askedNames = traceQlOfDashboards().flatMap((query) => [...query.matchAll(/(?<![.\w])name = "([^"]+)"/g)]);
  for (const [, name = ""] of askedNames) expect(spanNames).toContain(name);
});
