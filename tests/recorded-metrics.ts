import { type Attributes, metrics } from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";

/** A value of a metric, and of what; of a histogram the number of its values. */
export interface RecordedValue {
  readonly attributes: Attributes;
  readonly value: number;
}

/** What this process measures until it is disposed. */
export interface RecordedMetrics extends AsyncDisposable {
  valuesOf(name: string): Promise<readonly RecordedValue[]>;
}

/** Records the metrics of this process, in the place of the SDK: one at a time. */
export const recordMetrics = (): RecordedMetrics => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return {
    valuesOf: async (name) => {
      const { resourceMetrics } = await reader.collect();
      return resourceMetrics.scopeMetrics
        .flatMap((scope) => scope.metrics)
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }) =>
          dataPoints.map(({ attributes, value }) => ({
            attributes,
            value: typeof value === "number" ? value : value.count,
          })),
        );
    },
    async [Symbol.asyncDispose]() {
      metrics.disable();
      await provider.shutdown();
    },
  };
};
