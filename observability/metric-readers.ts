import { OTLPMetricExporter as OtlpJsonExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as OtlpProtobufExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { type IMetricReader, type MetricData, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Logger } from "./logger.ts";
import type { Environment } from "./requested-signals.ts";

const DEFAULT_HOST = "localhost";
const DEFAULT_PORT = 9_464;
/**
 * Our own default of OTEL_METRIC_EXPORT_INTERVAL, in ms. OpenTelemetry's is 60 s, as long as the window over which Grafana
 * shows a rate at its default range: one sample, and so no rate. Four samples are in it at 15 s.
 */
export const METRIC_EXPORT_INTERVAL_MS = 15_000;
/** OpenTelemetry's default of OTEL_METRIC_EXPORT_TIMEOUT, in ms. */
const EXPORT_TIMEOUT_MS = 30_000;
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
 * Two things that the exporter leaves out of what it collects:
 * - The unit at the end of a name, as Prometheus itself puts it there for OTLP, so that a dashboard does not depend on the way
 *   that a metric took. The exporter knows the rule for `_total` alone.
 * - Waiting for the resource: `host.id` is read from a file. An exporter of OTLP waits for it, this one would show the page
 *   without it and log an error.
 */
const completeCollect = (exporter: PrometheusExporter): void => {
  const collect = exporter.collect.bind(exporter);
  exporter.collect = async (options) => {
    const { resourceMetrics, errors } = await collect(options);
    await resourceMetrics.resource.waitForAsyncAttributes?.();
    const scopeMetrics = resourceMetrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map(suffixed),
    }));
    return { resourceMetrics: { ...resourceMetrics, scopeMetrics }, errors };
  };
};

/**
 * A page for Prometheus at OTEL_EXPORTER_PROMETHEUS_HOST:PORT. If another process of this host has the port, the next free
 * one above it is used, and the log says which. Only binding it decides: two that start together cannot both have it.
 */
const prometheusReader = async (environment: Environment, log: Logger): Promise<IMetricReader> => {
  const host = environment["OTEL_EXPORTER_PROMETHEUS_HOST"] || DEFAULT_HOST;
  const wanted = numberFrom(environment["OTEL_EXPORTER_PROMETHEUS_PORT"], DEFAULT_PORT);
  for (let port = wanted; ; port += 1) {
    const exporter = new PrometheusExporter({ host, port, preventServerStart: true });
    try {
      completeCollect(exporter);
      await exporter.startServer();
      log.info({ host, metrics_port: port, wanted_port: wanted }, "metrics are at /metrics");
      return exporter;
    } catch (error) {
      if (!isTaken(error) || port === HIGHEST_PORT || port - wanted >= MAX_PORTS) throw error;
    }
  }
};

/** How often metrics are sent, in ms. */
export const metricExportIntervalMs = (environment: Environment): number =>
  numberFrom(environment["OTEL_METRIC_EXPORT_INTERVAL"], METRIC_EXPORT_INTERVAL_MS);

const otlpReader = (environment: Environment): IMetricReader => {
  const protocol =
    environment["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] ?? environment["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/protobuf";
  const exportIntervalMillis = metricExportIntervalMs(environment);
  const timeoutMs = numberFrom(environment["OTEL_METRIC_EXPORT_TIMEOUT"], EXPORT_TIMEOUT_MS);
  return new PeriodicExportingMetricReader({
    exporter: protocol === "http/json" ? new OtlpJsonExporter() : new OtlpProtobufExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(timeoutMs, exportIntervalMillis),
  });
};

/**
 * The readers for the named exporters. Undefined: the SDK makes them itself from the environment, which it does well except
 * for Prometheus: it gives up when the port is taken.
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
