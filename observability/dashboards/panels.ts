import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  BigValueColorMode,
  BigValueGraphMode,
  type DataSourceRef,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
} from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";

/** Data sources are chosen on the dashboard, never fixed. */
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: `\${prometheus}` };
export const TEMPO: DataSourceRef = { type: "tempo", uid: `\${tempo}` };

/** Columns of a dashboard. */
export const WIDTH = 24;

/** A PromQL expression, and the legend of its lines. */
export interface Line {
  readonly expr: string;
  readonly legend: string;
}

/** Green below the first limit, then orange, then red. */
export interface Limits {
  readonly warn?: number;
  readonly bad: number;
}

/** What every panel needs. */
export interface PanelOptions {
  readonly title: string;
  /** Which question of an operator it answers. */
  readonly description: string;
  readonly unit: string;
  readonly width: number;
  readonly height?: number;
  readonly limits?: Limits;
  readonly lines: readonly Line[];
}

const targets = (lines: readonly Line[], isInstant: boolean): Builder<Dataquery>[] =>
  lines.map(({ expr, legend }, index) => {
    const query = new prometheus.DataqueryBuilder()
      .datasource(PROMETHEUS)
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + index));
    return isInstant ? query.instant() : query.range();
  });

const thresholds = (limits: Limits | undefined): dashboard.ThresholdsConfigBuilder =>
  new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps([
      { value: null, color: "green" },
      ...(limits?.warn === undefined ? [] : [{ value: limits.warn, color: "orange" }]),
      ...(limits === undefined ? [] : [{ value: limits.bad, color: "red" }]),
    ]);

/** Lines over time. Limits are drawn as dashed lines. */
export const graph = (options: PanelOptions): timeseries.PanelBuilder => {
  const panel = new timeseries.PanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(PROMETHEUS)
    .unit(options.unit)
    .min(0)
    .span(options.width)
    .height(options.height ?? 8)
    .lineWidth(2)
    .fillOpacity(8)
    .thresholds(thresholds(options.limits))
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .targets(targets(options.lines, false));
  return options.limits === undefined
    ? panel
    : panel.thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
};

/** One number, the latest, coloured by its limits. */
export const number = (
  options: PanelOptions & { readonly decimals?: number; readonly words?: Readonly<Record<number, string>> },
): stat.PanelBuilder => {
  const panel = new stat.PanelBuilder()
    .title(options.title)
    .description(options.description)
    .datasource(PROMETHEUS)
    .unit(options.unit)
    .span(options.width)
    .height(options.height ?? 4)
    .noValue("–")
    .graphMode(BigValueGraphMode.Area)
    .colorMode(BigValueColorMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(thresholds(options.limits))
    .targets(targets(options.lines, false));
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.words !== undefined) {
    panel.mappings([
      {
        type: dashboard.MappingType.ValueToText,
        options: Object.fromEntries(Object.entries(options.words).map(([value, text]) => [value, { text }])),
      },
    ]);
  }
  return panel;
};

/** A heading; panels that follow belong to it. */
export const row = (title: string): dashboard.RowBuilder => new dashboard.RowBuilder(title);
