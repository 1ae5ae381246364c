/** The environment, as the SDK reads it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What an operator wants exported, by OpenTelemetry's own variables. */
export interface RequestedSignals {
  readonly traces: boolean;
  /** Names of `OTEL_METRICS_EXPORTER`; empty: no metrics. */
  readonly metrics: readonly string[];
}

const given = (environment: Environment, name: string): string | undefined => environment[name]?.trim() || undefined;

const exportersOf = (environment: Environment, signal: "TRACES" | "METRICS"): readonly string[] => {
  const named = given(environment, `OTEL_${signal}_EXPORTER`)
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (named !== undefined) return named.includes("none") ? [] : named;
  const endpoint =
    given(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) ?? given(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
  return endpoint === undefined ? [] : ["otlp"];
};

/**
 * A signal is on when its exporter is named or an OTLP endpoint is given, and off when its exporter is `none` or
 * `OTEL_SDK_DISABLED` is true. The specification's default, an OTLP exporter to localhost, would make every process
 * without telemetry settings call a collector that does not exist.
 */
export const requestedSignals = (environment: Environment): RequestedSignals => {
  if (given(environment, "OTEL_SDK_DISABLED")?.toLowerCase() === "true") return { traces: false, metrics: [] };
  return {
    traces: exportersOf(environment, "TRACES").length > 0,
    metrics: exportersOf(environment, "METRICS"),
  };
};
