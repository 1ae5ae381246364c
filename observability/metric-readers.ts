import type { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import {
  type IMetricReader,
  type MetricData,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
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

/** A number above 0 as a variable gives it. */
export const numberFrom = (text: string | undefined, otherwise: number): number => {
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
  const { PrometheusExporter } = await import("@opentelemetry/exporter-prometheus");
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

/** By protocol, loaded when it is asked for. */
const OTLP_EXPORTERS: Readonly<Record<string, () => Promise<PushMetricExporter>>> = {
  "http/protobuf": async () => new (await import("@opentelemetry/exporter-metrics-otlp-proto")).OTLPMetricExporter(),
  "http/json": async () => new (await import("@opentelemetry/exporter-metrics-otlp-http")).OTLPMetricExporter(),
};

const otlpProtocolOf = (environment: Environment): string =>
  (
    environment["OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"] ||
    environment["OTEL_EXPORTER_OTLP_PROTOCOL"] ||
    "http/protobuf"
  ).trim();

const otlpReader = async (environment: Environment): Promise<IMetricReader | undefined> => {
  const exporter = await (OTLP_EXPORTERS[otlpProtocolOf(environment)] ?? OTLP_EXPORTERS["http/protobuf"])?.();
  if (exporter === undefined) return undefined;
  const exportIntervalMillis = metricExportIntervalMs(environment);
  const timeoutMs = numberFrom(environment["OTEL_METRIC_EXPORT_TIMEOUT"], EXPORT_TIMEOUT_MS);
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(timeoutMs, exportIntervalMillis),
  });
};

/** Whether `metricReaders` can make the readers for these exporters; else the whole SDK has to. */
export const areUsualMetrics = (exporters: readonly string[], environment: Environment): boolean =>
  exporters.every(
    (name) => name === "prometheus" || (name === "otlp" && otlpProtocolOf(environment) in OTLP_EXPORTERS),
  );

/**
 * The readers for the named exporters. For Prometheus not the SDK's own, which gives up when the port is taken; what is neither
 * that nor OTLP is left out.
 */
export const metricReaders = async (
  exporters: readonly string[],
  environment: Environment,
  log: Logger,
): Promise<readonly IMetricReader[]> => {
  const readers = [
    exporters.includes("prometheus") ? await prometheusReader(environment, log) : undefined,
    exporters.includes("otlp") ? await otlpReader(environment) : undefined,
  ];
  return readers.filter((reader) => reader !== undefined);
};
