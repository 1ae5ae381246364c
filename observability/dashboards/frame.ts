import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { SIGNUP_PAUSED } from "../metric-names.ts";
import { PROMETHEUS, row, WIDTH } from "./panels.ts";
import { LABEL, prometheusName } from "./prometheus-names.ts";

/** Uid and title of each dashboard; links are made from them. */
export const DASHBOARDS = {
  overview: { uid: "signup-overview", title: "Signups" },
  groups: { uid: "signup-consumer-groups", title: "Consumer groups" },
  traces: { uid: "signup-traces", title: "Traces across the hop" },
} as const;

/** The rows of a dashboard: a heading, and panels whose widths fill lines of 24 columns. */
export type Rows = readonly { readonly title: string; readonly panels: readonly Builder<dashboard.Panel>[] }[];

const TAG = "signup-stream";

const groupVariable = (): dashboard.QueryVariableBuilder =>
  new dashboard.QueryVariableBuilder("group")
    .label("Consumer group")
    .description("The groups that read the stream.")
    .datasource(PROMETHEUS)
    .query(`label_values(${prometheusName(SIGNUP_PAUSED)}, ${LABEL.group})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*")
    .current({ selected: true, text: "All", value: "$__all" });

/** Narrows the groups of a query to those that were chosen. */
export const OF_GROUP = `${LABEL.group}=~"$group"`;

const linksTo = (own: string): dashboard.DashboardLinkBuilder[] =>
  Object.values(DASHBOARDS)
    .filter(({ uid }) => uid !== own)
    .map(({ uid, title }) =>
      new dashboard.DashboardLinkBuilder(title)
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${uid}`)
        .icon("dashboard")
        .tooltip(`To ${title}, at the same time range`)
        .keepTime(true)
        .includeVars(true),
    );

/** A dashboard with what all of ours share: data sources to choose, links to the others, panels laid out line by line. */
export const frame = (
  { uid, title }: (typeof DASHBOARDS)[keyof typeof DASHBOARDS],
  description: string,
  rows: Rows,
  variables: readonly Builder<dashboard.VariableModel>[] = [],
): dashboard.Dashboard => {
  const builder = new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone("browser")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .time({ from: "now-1h", to: "now" })
    .refresh("30s")
    .links(linksTo(uid))
    .withVariable(new dashboard.DatasourceVariableBuilder("prometheus").label("Metrics").type("prometheus"))
    .withVariable(new dashboard.DatasourceVariableBuilder("tempo").label("Traces").type("tempo"))
    .withVariable(groupVariable())
    .withVariable(
      new dashboard.AdHocVariableBuilder("filters")
        .label("Filters")
        .description("Narrows every metric: namespace, cluster, instance, ...")
        .datasource(PROMETHEUS),
    );
  for (const variable of variables) builder.withVariable(variable);
  let id = 1;
  let y = 0;
  for (const { title: heading, panels } of rows) {
    builder.withRow(row(heading).id(id++).gridPos({ h: 1, w: WIDTH, x: 0, y }));
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      const built = panel.build();
      const { w, h } = built.gridPos ?? dashboard.defaultGridPos();
      if (x + w > WIDTH) {
        y += height;
        x = 0;
        height = 0;
      }
      const placed = { ...built, id: id++, gridPos: { h, w, x, y } };
      builder.withPanel({ build: () => placed });
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return builder.build();
};
