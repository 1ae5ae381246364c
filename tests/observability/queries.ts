import { parser as traceQl } from "@grafana/lezer-traceql";
import { parser as promQl } from "@prometheus-io/lezer-promql";
import { z } from "zod";
import { dashboardTexts } from "../../observability/dashboards/generate.ts";

const target = z.looseObject({
  datasource: z.object({ type: z.string() }).optional(),
  expr: z.string().optional(),
  query: z.string().optional(),
});
const panel = z.looseObject({
  id: z.number(),
  type: z.string(),
  title: z.string(),
  description: z.string().optional(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  datasource: z.object({ type: z.string(), uid: z.string() }).optional(),
  fieldConfig: z
    .looseObject({
      defaults: z.looseObject({
        unit: z.string().optional(),
        links: z.array(z.looseObject({ title: z.string(), url: z.string() })).optional(),
      }),
    })
    .optional(),
  targets: z.array(target).default([]),
});
const dashboard = z.looseObject({
  uid: z.string(),
  title: z.string(),
  description: z.string(),
  panels: z.array(panel),
  links: z.array(z.looseObject({ url: z.string() })),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string(), type: z.string() })) }),
});

/** A panel, as its JSON has it. */
export type Panel = z.infer<typeof panel>;
/** A dashboard, as its JSON has it. */
type DashboardJson = z.infer<typeof dashboard>;

/** The generated dashboards, parsed. */
export const dashboards = (): readonly DashboardJson[] =>
  [...dashboardTexts().values()].map((text) => dashboard.parse(JSON.parse(text)));

/** A query with values for Grafana's variables. */
const filledIn = (query: string): string =>
  query
    .replaceAll("$__rate_interval", "5m")
    .replaceAll("$__range", "1h")
    .replaceAll("($group)", "(.*)")
    .replaceAll("$group", ".*")
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own spelling
    .replaceAll("${event}", "0190c3a1-6f0e-7000-8000-000000000001")
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own spelling
    .replaceAll("${slower}", "5s")
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own spelling
    .replaceAll("${reason}", ".*");

const nodesOf = (parser: typeof promQl, query: string, names: readonly string[]): readonly string[] => {
  const found: string[] = [];
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`cannot be parsed at ${node.from}: ${query}`);
      if (names.includes(node.name)) found.push(query.slice(node.from, node.to));
    },
  });
  return found;
};

/** `sum(rate(a{b="c"}[5m]))` -> `a{b="c"}`. Throws if it cannot be parsed. */
export const selectorsOf = (expr: string): readonly string[] => nodesOf(promQl, expr, ["VectorSelector"]);

/** `{ span.a.b = 1 && name = "x" }` -> `span.a.b`. Throws if it cannot be parsed. */
export const attributesOf = (query: string): readonly string[] => nodesOf(traceQl, query, ["AttributeField"]);

/** Every PromQL expression of the dashboards. */
export const promQlOfDashboards = (): readonly string[] =>
  dashboards().flatMap(({ panels }) =>
    panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => (expr === undefined ? [] : [filledIn(expr)]))),
  );

/** Every TraceQL query of the dashboards. */
export const traceQlOfDashboards = (): readonly string[] =>
  dashboards().flatMap(({ panels }) =>
    panels.flatMap(({ targets }) => targets.flatMap(({ query }) => (query === undefined ? [] : [filledIn(query)]))),
  );
