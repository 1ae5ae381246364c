import { diag } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { numberFrom } from "./metric-readers.ts";
import type { Environment } from "./requested-signals.ts";

/** Variables that are set up by the whole SDK alone, which takes 10 MiB more: few set one. */
const RARE = /^OTEL_(?:SPAN|ATTRIBUTE|EVENT|LINK|NODE|LOG_LEVEL|CONFIG|EXPERIMENTAL)/;
/** By protocol, loaded when it is asked for. */
const EXPORTERS: Readonly<Record<string, () => Promise<SpanExporter>>> = {
  "http/protobuf": async () => (await import("./span-exporter.ts")).openSpanExporter(),
  "http/json": async () => new (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter(),
};

const protocolOf = (environment: Environment): string =>
  (
    environment["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ||
    environment["OTEL_EXPORTER_OTLP_PROTOCOL"] ||
    "http/protobuf"
  ).trim();

/** Whether traces are exported as nearly everybody does, so that no more of the SDK is needed than `openTracerProvider` loads. */
export const isUsualTracing = (environment: Environment): boolean =>
  (environment["OTEL_TRACES_EXPORTER"]?.trim() || "otlp") === "otlp" &&
  protocolOf(environment) in EXPORTERS &&
  !Object.entries(environment).some(([name, value]) => RARE.test(name) && value !== "");

/** OTEL_TRACES_SAMPLER_ARG: 0 to 1. */
const ratioOf = (environment: Environment): number => {
  const given = environment["OTEL_TRACES_SAMPLER_ARG"]?.trim() || undefined;
  const ratio = Number(given);
  if (given !== undefined && ratio >= 0 && ratio <= 1) return ratio;
  diag.error(`OTEL_TRACES_SAMPLER_ARG=${given ?? ""} is not a number from 0 to 1: everything is sampled`);
  return 1;
};

const DEFAULT_SAMPLER = "parentbased_always_on";

/** OTEL_TRACES_SAMPLER: by a parent's decision, by OpenTelemetry's default. */
export const samplerOf = (environment: Environment): Sampler => {
  const name = environment["OTEL_TRACES_SAMPLER"]?.trim() || DEFAULT_SAMPLER;
  switch (name.replace(/^parentbased_/, "")) {
    case "always_on":
      return byParent(name, new AlwaysOnSampler());
    case "always_off":
      return byParent(name, new AlwaysOffSampler());
    case "traceidratio":
      return byParent(name, new TraceIdRatioBasedSampler(ratioOf(environment)));
    default:
      diag.error(`OTEL_TRACES_SAMPLER=${name} is unknown: ${DEFAULT_SAMPLER} is used`);
      return byParent(DEFAULT_SAMPLER, new AlwaysOnSampler());
  }
};

const byParent = (name: string, root: Sampler): Sampler =>
  name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;

/** Spans to a collector, in batches; by OTEL_TRACES_SAMPLER, OTEL_BSP_* and the exporter's own variables. */
export const openTracerProvider = async (environment: Environment, resource: Resource): Promise<TracerProvider> => {
  const exporter = await (EXPORTERS[protocolOf(environment)] ?? EXPORTERS["http/protobuf"])?.();
  const number = (name: string, otherwise: number) => numberFrom(environment[name], otherwise);
  const batches = exporter && [
    new BatchSpanProcessor({
      exporter,
      maxQueueSize: number("OTEL_BSP_MAX_QUEUE_SIZE", 16_384),
      scheduledDelayMillis: number("OTEL_BSP_SCHEDULE_DELAY", 1_000),
      exportTimeoutMillis: number("OTEL_BSP_EXPORT_TIMEOUT", 30_000),
      maxExportBatchSize: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
    }),
  ];
  return new TracerProvider({ resource, sampler: samplerOf(environment), spanProcessors: batches ?? [] });
};
