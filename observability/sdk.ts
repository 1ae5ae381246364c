import { context, DiagLogLevel, diag, metrics, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  type Resource,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import description from "../package.json" with { type: "json" };
import type { Logger } from "./logger.ts";
import { areUsualMetrics, METRIC_EXPORT_INTERVAL_MS, metricReaders } from "./metric-readers.ts";
import type { Environment, RequestedSignals } from "./requested-signals.ts";
import { isUsualTracing, openTracerProvider } from "./tracer-provider.ts";
import { VERSION } from "./version.ts";

/** Traces and metrics of this process. */
export interface Telemetry {
  /** Whether metrics are exported: only then gauges that query a store are worth their cost. */
  readonly isMetering: boolean;
  /** Sends what is left. Never rejects, and ends within 2 s whatever the collector does. */
  shutdown(): Promise<void>;
}

export interface TelemetryOptions {
  /** `api` or `consumer`: `service.name` is made of it unless OTEL_SERVICE_NAME says otherwise. */
  readonly part: string;
  readonly log: Logger;
}

const NAMESPACE = description.name;
const SHUTDOWN_MS = 1_800;
/** The same error is logged at most once in this time, in ms: while a collector is down, every batch fails. */
const REPEAT_AFTER_MS = 300_000;

/**
 * Our defaults for the SDK, which reads nothing but the environment. A process that is killed loses the spans of one
 * second rather than five; a burst of signups overflows no queue; a rate has enough samples in Grafana's window.
 */
const DEFAULTS = {
  OTEL_BSP_SCHEDULE_DELAY: "1000",
  OTEL_BSP_MAX_QUEUE_SIZE: "16384",
  OTEL_METRIC_EXPORT_INTERVAL: String(METRIC_EXPORT_INTERVAL_MS),
};

const setDefaults = (environment: Environment): void => {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if ((environment[name] ?? "") === "") process.env[name] = value;
  }
};

/** The resource of this process. The SDK's own detector takes Bun for Node.js; variables come last and win. */
const resourceOf = (part: string): Resource =>
  defaultResource().merge(
    resourceFromAttributes({
      "service.name": `${NAMESPACE}-${part}`,
      "service.namespace": NAMESPACE,
      "service.version": VERSION,
      "process.pid": process.pid,
      "process.runtime.name": "bun",
      "process.runtime.version": Bun.version,
      "process.runtime.description": `Bun ${Bun.version} (${Bun.revision.slice(0, 9)})`,
    }),
  );

/** The SDK's errors and warnings go to the log, each at most once per `REPEAT_AFTER_MS`. */
const logSdkErrors = (log: Logger): void => {
  const loggedAt = new Map<string, number>();
  const write = (level: "error" | "warn") => (message: string) => {
    const problem = message.slice(0, 500);
    const kind = problem.slice(0, 80);
    if (performance.now() - (loggedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < REPEAT_AFTER_MS) return;
    if (loggedAt.size > 100) loggedAt.clear();
    loggedAt.set(kind, performance.now());
    log[level]({ problem }, level === "error" ? "OpenTelemetry SDK error" : "OpenTelemetry SDK warning");
  };
  const silent = () => {};
  diag.setLogger(
    { error: write("error"), warn: write("warn"), info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
};

/** What is shut down when the process ends. */
interface Provider {
  shutdown(): Promise<void>;
}

const DETECTORS = [serviceInstanceIdDetector, hostDetector, osDetector, envDetector];

/** The providers that nearly everybody needs, without the exporters, propagators and logs that the whole SDK loads. */
const startProviders = async (
  requested: RequestedSignals,
  environment: Environment,
  { part, log }: TelemetryOptions,
): Promise<readonly Provider[]> => {
  const resource = resourceOf(part).merge(detectResources({ detectors: DETECTORS }));
  const providers: Provider[] = [];
  const readers = await metricReaders(requested.metrics, environment, log);
  if (readers.length > 0) {
    const provider = new MeterProvider({ resource, readers: [...readers] });
    metrics.setGlobalMeterProvider(provider);
    providers.push(provider);
  }
  if (requested.traces) {
    const provider = await openTracerProvider(environment, resource);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(provider);
    providers.push(provider);
  }
  return providers;
};

/** All of the SDK, set up by whatever variable it knows. */
const startWholeSdk = async (
  requested: RequestedSignals,
  environment: Environment,
  { part, log }: TelemetryOptions,
): Promise<readonly Provider[]> => {
  const { NodeSDK } = await import("@opentelemetry/sdk-node");
  const isOurs = requested.metrics.length === 0 || requested.metrics.includes("prometheus");
  const sdk = new NodeSDK({
    resource: resourceOf(part),
    resourceDetectors: DETECTORS,
    logRecordProcessors: [],
    ...(requested.traces ? {} : { spanProcessors: [] }),
    // Left out, the SDK makes them by OTEL_METRICS_EXPORTER.
    ...(isOurs ? { metricReaders: [...(await metricReaders(requested.metrics, environment, log))] } : {}),
  });
  sdk.start();
  return [sdk];
};

/** Starts what the requested signals need. Loaded only then. */
export const startSdk = async (
  requested: RequestedSignals,
  environment: Environment,
  options: TelemetryOptions,
): Promise<Telemetry> => {
  const { log } = options;
  setDefaults(environment);
  logSdkErrors(log);
  const isUsual = areUsualMetrics(requested.metrics, environment) && (!requested.traces || isUsualTracing(environment));
  const providers = await (isUsual ? startProviders : startWholeSdk)(requested, environment, options);
  return {
    isMetering: requested.metrics.length > 0,
    shutdown: async () => {
      // The exporters retry for up to 10 s; a process that is stopping does not wait for them.
      const flushed = Promise.all(providers.map((provider) => provider.shutdown())).catch((error: unknown) => {
        log.warn({ error }, "the last telemetry was not sent");
      });
      await Promise.race([flushed, Bun.sleep(SHUTDOWN_MS)]);
    },
  };
};
