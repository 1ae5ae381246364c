import type { Logger } from "./logger.ts";
import { type Environment, requestedSignals } from "./requested-signals.ts";

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

const OFF: Telemetry = { isMetering: false, shutdown: async () => {} };

/**
 * Sets up OpenTelemetry from its standard variables alone (`OTEL_*`). To be called before gauges are registered. If none of
 * them names an exporter, the SDK is not even loaded; entries carry trace contexts all the same.
 */
export const startTelemetry = async (environment: Environment, options: TelemetryOptions): Promise<Telemetry> => {
  const requested = requestedSignals(environment);
  if (!requested.traces && requested.metrics.length === 0) return OFF;
  const { startSdk } = await import("./sdk.ts");
  return startSdk(requested, environment, options);
};
