import { expect, test } from "bun:test";
import { requestedSignals } from "./requested-signals.ts";

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test.each([
  ["nothing set", {}, false, []],
  ["a name alone", { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on" }, false, []],
  ["an endpoint", ENDPOINT, true, ["otlp"]],
  ["an endpoint of traces", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c" }, true, []],
  ["an endpoint of metrics", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://c" }, false, ["otlp"]],
  ["exporters without an endpoint", { OTEL_TRACES_EXPORTER: "otlp", OTEL_METRICS_EXPORTER: "otlp" }, true, ["otlp"]],
  ["none", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" }, false, []],
  ["prometheus alone", { OTEL_METRICS_EXPORTER: "prometheus" }, false, ["prometheus"]],
  ["two of them", { ...ENDPOINT, OTEL_METRICS_EXPORTER: "prometheus, otlp" }, true, ["prometheus", "otlp"]],
  ["empty values", { OTEL_EXPORTER_OTLP_ENDPOINT: "", OTEL_TRACES_EXPORTER: " " }, false, []],
  ["disabled", { ...ENDPOINT, OTEL_SDK_DISABLED: "TRUE" }, false, []],
] as const)("%s", (_, environment, traces, metrics) => {
  expect(requestedSignals(environment)).toEqual({ traces, metrics: [...metrics] });
});
