import { expect, test } from "bun:test";
import { isUsualTracing, samplerOf } from "./tracer-provider.ts";

test.each([
  [{}, "ParentBased{root=AlwaysOnSampler"],
  [{ OTEL_TRACES_SAMPLER: "always_on" }, "AlwaysOnSampler"],
  [{ OTEL_TRACES_SAMPLER: "always_off" }, "AlwaysOffSampler"],
  [{ OTEL_TRACES_SAMPLER: "parentbased_always_off" }, "ParentBased{root=AlwaysOffSampler"],
  [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" }, "TraceIdRatioBased{0.1}"],
  [
    { OTEL_TRACES_SAMPLER: " parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" },
    "ParentBased{root=TraceIdRatioBased{0.25}",
  ],
  [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }, "TraceIdRatioBased{1}"],
  [{ OTEL_TRACES_SAMPLER: "traceidratio" }, "TraceIdRatioBased{1}"],
  [{ OTEL_TRACES_SAMPLER: "jaeger_remote" }, "ParentBased{root=AlwaysOnSampler"],
])("%p samples as OpenTelemetry says", (environment: Record<string, string>, sampler) => {
  expect(samplerOf(environment).toString()).toStartWith(sampler);
});

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

test.each([
  [ENDPOINT, true],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: " otlp", OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_SERVICE_NAME: "x" }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, false],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc" }, false],
  [{ OTEL_TRACES_EXPORTER: "console" }, false],
  [{ ...ENDPOINT, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "10" }, false],
  [{ ...ENDPOINT, OTEL_NODE_EXPERIMENTAL_SDK_METRICS: "true" }, false],
  [{ ...ENDPOINT, OTEL_LOG_LEVEL: "" }, true],
])("%p needs no more than providers and an exporter: %p", (environment: Record<string, string>, isUsual) => {
  expect(isUsualTracing(environment)).toBe(isUsual);
});
