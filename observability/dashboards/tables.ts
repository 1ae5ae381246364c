import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as table from "@grafana/grafana-foundation-sdk/table";
import { MESSAGING_PROCESS_DURATION } from "../metric-names.ts";
import { DASHBOARDS, OF_GROUP } from "./frame.ts";
import { PROMETHEUS } from "./panels.ts";
import { LABEL, prometheusName } from "./prometheus-names.ts";

/** How many attempts failed in which way and why, in the time range; each row leads to the traces of those attempts. */
export const outcomesTable = (width: number): table.PanelBuilder =>
  new table.PanelBuilder()
    .title("Failed attempts by reason")
    .description("In the whole time range. A row leads to the traces of these attempts.")
    .datasource(PROMETHEUS)
    .span(width)
    .height(8)
    .unit("short")
    .decimals(0)
    .targets([
      new prometheus.DataqueryBuilder()
        .datasource(PROMETHEUS)
        .expr(
          `sort_desc(sum by (${LABEL.group}, ${LABEL.outcome}, ${LABEL.errorType}) (increase(${prometheusName(MESSAGING_PROCESS_DURATION)}_count{${OF_GROUP}, ${LABEL.errorType}!=""}[$__range])))`,
        )
        .format(prometheus.PromQueryFormat.Table)
        .instant()
        .refId("A"),
    ])
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true },
        indexByName: { [LABEL.group]: 0, [LABEL.outcome]: 1, [LABEL.errorType]: 2, Value: 3 },
        renameByName: {
          [LABEL.group]: "Group",
          [LABEL.outcome]: "Outcome",
          [LABEL.errorType]: "Reason",
          Value: "Attempts",
        },
      },
    })
    .dataLinks([
      new dashboard.DashboardLinkBuilder("Traces of these attempts").url(
        `/d/${DASHBOARDS.traces.uid}?var-reason=\${__data.fields.Reason}&\${__url_time_range}`,
      ),
    ]);
