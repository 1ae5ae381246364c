import { OTLPMetricExporter as OtlpJsonExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as OtlpProtobufExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { type IMetricReader, type MetricData, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Logger } from "./logger.ts";
import type { Environment } from "./requested-signals.ts";

const DEFAULT_HOST = "localhost";
const DEFAULT_PORT = 9_464;
const DEFAULT_INTERVAL_MS = 60_000;
const HIGHEST_PORT = 65_535;
/** Processes of one host sit close together, so that a scraper can list them. */
const MAX_PORTS = 100;

const isTaken = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EADDRINUSE";

const numberFrom = (text: string | undefined, otherwise: number): number => {
  const value = Number(text);
  return text !== undefined && text !== "" && Number.isInteger(value) && value > 0 ? value : otherwise;
};

const suffixed = (metric: MetricData): MetricData => {
  const { descriptor } = metric;
  return descriptor.unit === "s"
    ? { ...metric, descriptor: { ...descriptor, name: `${descriptor.name}_seconds` } }
    : metric;
};

/**
 * Names as Prometheus itself makes them of OTLP, with the unit at the end: so that a dashboard does not depend on the way
 * that a metric took. The exporter knows the rule for `_total` alone.
 */
const suffixUnits = (exporter: PrometheusExporter): void => {
  const collect = exporter.collect.bind(exporter);
  exporter.collect = async (options) => {
    const { resourceMetrics, errors } = await collect(options);
    const scopeMetrics = resourceMetrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map(suffixed),
    }));
    return { resourceMetrics: { ...resourceMetrics, scopeMetrics }, errors };
  };
};

/**
 * A page for Prometheus at OTEL_EXPORTER_PROMETHEUS_HOST:PORT. If another process of this host has the port, the next free
 * one above it is taken, and the log says which. Bound before it is believed: two that start together cannot both have it.
 */
const prometheusReader = async (environment: Environment, log: Logger): Promise<IMetricReader> => {
  const host = environment["OTEL_EXPORTER_PROMETHEUS_HOST"] || DEFAULT_HOST;
  const wanted = numberFrom(environment["OTEL_EXPORTER_PROMETHEUS_PORT"], DEFAULT_PORT);
  for (let port = wanted; ; port += 1) {
    const exporter = new PrometheusExporter({ host, port, preventServerStart: true });
    try {
      suffixUnits(exporter);
      await exporter.startServer();
      log.info({ host, metrics_port: port, wanted_port: wanted }, "metrics are at /metrics");
      return exporter;
    } catch (error) {
      if (!isTaken(error) || port === HIGHEST_PORT || port - wanted >= MAX_PORTS) throw error;
    }
  }
};

const otlpReader = (environment: Environment): IMetricReader => {
  const protocol =
    environment["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] ?? environment["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/protobuf";
  const exportIntervalMillis = numberFrom(environment["OTEL_METRIC_EXPORT_INTERVAL"], DEFAULT_INTERVAL_MS);
  const timeoutMs = numberFrom(environment["OTEL_METRIC_EXPORT_TIMEOUT"], DEFAULT_INTERVAL_MS / 2);
  return new PeriodicExportingMetricReader({
    exporter: protocol === "http/json" ? new OtlpJsonExporter() : new OtlpProtobufExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(timeoutMs, exportIntervalMillis),
  });
};

/**
 * The readers for the exporters that were named. Undefined: the SDK makes them itself by the environment, which it does
 * well but for Prometheus, whose port it gives up when it is taken.
 */
export const metricReaders = async (
  exporters: readonly string[],
  environment: Environment,
  log: Logger,
): Promise<IMetricReader[] | undefined> => {
  if (exporters.length === 0) return [];
  if (!exporters.includes("prometheus")) return undefined;
  const readers: IMetricReader[] = [await prometheusReader(environment, log)];
  if (exporters.includes("otlp")) readers.push(otlpReader(environment));
  return readers;
};
