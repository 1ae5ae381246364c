import { expect, test } from "bun:test";
import { BadOption, parseOptions, reachableAt, telemetryVariables } from "./options.ts";

test("--otel names a collector and sets OpenTelemetry's own variables", () => {
  const { otel } = parseOptions(["--otel", "http://127.0.0.1:4318"]);
  expect(telemetryVariables(otel)).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" });
  expect(telemetryVariables(parseOptions([]).otel)).toEqual({});
});

test.each([
  [["--otel", "4318"]],
  [["--otel", "localhost:4318"]],
  [["--otel", ""]],
  [["--otel"]],
  [["--host", "evil.example"]],
  [["--inbox", "outlook"]],
])("%j is refused", (args) => {
  expect(() => parseOptions(args)).toThrow(BadOption);
});

test.each([
  [[], "127.0.0.1", "127.0.0.1"],
  [["--host", "0.0.0.0"], "0.0.0.0", "127.0.0.1"],
  [["--host", "::1"], "::1", "[::1]"],
])("%j listens at %s, and is reached at %s", (args, host, reachable) => {
  const options = parseOptions(args);
  expect(options.host).toBe(host);
  expect(reachableAt(options.host)).toBe(reachable);
});
