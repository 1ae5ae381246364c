import { expect, test } from "bun:test";
import { BadOption, parseOptions, telemetryVariables } from "./options.ts";

test("--otel names a collector and sets OpenTelemetry's own variables", () => {
  const { otel } = parseOptions(["--otel", "http://127.0.0.1:4318"]);
  expect(telemetryVariables(otel)).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" });
  expect(telemetryVariables(parseOptions([]).otel)).toEqual({});
});

test.each([[["--otel", "4318"]], [["--otel", "localhost:4318"]], [["--otel", ""]], [["--otel"]]])(
  "%j is refused",
  (args) => {
    expect(() => parseOptions(args)).toThrow(BadOption);
  },
);
