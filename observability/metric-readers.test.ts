import { expect, spyOn, test } from "bun:test";
import { diag } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { ownPort } from "../tests/own-port.ts";
import { createLogger } from "./logger.ts";
import { metricReaders } from "./metric-readers.ts";

test("a scrape before the resource is complete waits for it and logs no error", async () => {
  const port = await ownPort();
  const readers = await metricReaders(
    ["prometheus"],
    { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) },
    createLogger({ level: "silent", service: "test" }),
  );
  const hostId = Promise.withResolvers<string>();
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ "host.id": hostId.promise }),
    readers: [...readers],
  });
  const errors = spyOn(diag, "error");
  try {
    const collected = Promise.withResolvers<void>();
    provider
      .getMeter("test")
      .createObservableGauge("example")
      .addCallback((result) => {
        result.observe(1);
        collected.resolve();
      });
    const page = fetch(`http://localhost:${port}/metrics`).then((response) => response.text());
    await collected.promise;
    hostId.resolve("a-host");
    expect(await page).toContain('host_id="a-host"');
    expect(errors).not.toHaveBeenCalled();
  } finally {
    errors.mockRestore();
    await provider.shutdown();
  }
});
