import { type Environment, requestedSignals } from "./requested-signals.ts";
import type { Telemetry, TelemetryOptions } from "./sdk.ts";

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
