import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as nodegraph from "@grafana/grafana-foundation-sdk/nodegraph";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as tempo from "@grafana/grafana-foundation-sdk/tempo";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import { TEMPO } from "./panels.ts";

/** A TraceQL query, and the panel around it. */
export interface TracePanelOptions {
  readonly title: string;
  readonly description: string;
  readonly query: string;
  readonly width: number;
  readonly height?: number;
}

const traceQl = (query: string): tempo.DataqueryBuilder =>
  new tempo.DataqueryBuilder().datasource(TEMPO).queryType("traceql").query(query).refId("A").filters([]);

/** Percentiles of spans, with dots for single ones: exemplars, which open the trace. */
export const durations = ({
  title,
  description,
  query,
  width,
  height = 8,
}: TracePanelOptions): timeseries.PanelBuilder =>
  new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(TEMPO)
    .unit("s")
    .min(0)
    .span(width)
    .height(height)
    .lineWidth(2)
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi))
    .targets([traceQl(query).exemplars(100).metricsQueryType(tempo.MetricsQueryType.Range)]);

/** Opens a trace in Explore, whatever the data source is called. */
const traceUrl = (field: string): string => {
  const pane = {
    trace: {
      datasource: "TEMPO",
      queries: [{ refId: "A", datasource: { type: "tempo", uid: "TEMPO" }, queryType: "traceql", query: "TRACE" }],
      range: { from: "now-24h", to: "now" },
    },
  };
  const panes = encodeURIComponent(JSON.stringify(pane))
    .replaceAll("TEMPO", `\${tempo}`)
    .replace("TRACE", `\${__data.fields["${field}"]}`);
  return `/explore?schemaVersion=1&panes=${panes}`;
};

/** Traces or single spans, a row each; each row opens its trace. */
export const traceTable = (
  { title, description, query, width, height = 9 }: TracePanelOptions,
  rows: "traces" | "spans",
): table.PanelBuilder =>
  new table.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(TEMPO)
    .span(width)
    .height(height)
    .noValue("none in this time range")
    .sortBy([new common.TableSortByFieldStateBuilder().displayName("Duration").desc(true)])
    .dataLinks([
      new dashboard.DashboardLinkBuilder("Open the trace")
        .url(traceUrl(rows === "traces" ? "traceID" : "traceIdHidden"))
        .targetBlank(true),
    ])
    .targets([
      traceQl(query)
        .limit(50)
        .spss(10)
        .tableType(rows === "traces" ? tempo.SearchTableType.Traces : tempo.SearchTableType.Spans),
    ]);

/** Who calls whom, as Tempo derives it from the spans. */
export const serviceMap = (options: Omit<TracePanelOptions, "query">): nodegraph.PanelBuilder =>
  new nodegraph.PanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(TEMPO)
    .span(options.width)
    .height(options.height ?? 9)
    .targets([new tempo.DataqueryBuilder().datasource(TEMPO).queryType("serviceMap").refId("A").filters([])]);
