import { describe, expect, test } from "bun:test";
import { freePort } from "../local/ports.ts";
import { eventually } from "./eventually.ts";
import { startOtlpReceiver } from "./otlp-receiver.ts";
import { ownPort } from "./own-port.ts";
import { aSystem, type RunningProcess, signUpAt } from "./processes.ts";
import { exportingTo } from "./received-traces.ts";

const stopped = async (process: RunningProcess): Promise<void> => {
  process.kill("SIGTERM");
  expect(await process.exited).toBe("exit code 0");
};

const fieldOf = (process: RunningProcess, field: string): number | undefined => {
  const line = process.lines.find((text) => text.includes(`"${field}":`));
  return line === undefined ? undefined : Number(JSON.parse(line)[field]);
};

const metricsAt = async (port: number | undefined): Promise<string> =>
  (await fetch(`http://localhost:${port}/metrics`)).text();

describe.concurrent("a collector", () => {
  test("is sent what is left at SIGTERM, as protobuf by default", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const api = await system.api({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_BSP_SCHEDULE_DELAY: "60000",
      OTEL_METRIC_EXPORT_INTERVAL: "60000",
    });
    await signUpAt(api);
    await stopped(api);
    const types = (path: string) => receiver.contentTypes.flatMap((each) => (each.path === path ? [each.type] : []));
    expect(types("/v1/traces")).toEqual(["application/x-protobuf"]);
    expect(types("/v1/metrics")).toEqual(["application/x-protobuf"]);
    expect(receiver.bodies.join("")).toContain("POST /api/v1/user/");
  });

  test("is called only when a variable asks for it", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const off = await system.api(exportingTo(receiver, { OTEL_SDK_DISABLED: "true" }));
    await signUpAt(off);
    await stopped(off);
    expect(receiver.contentTypes).toEqual([]);
    const tracesOnly = await system.api(exportingTo(receiver, { OTEL_METRICS_EXPORTER: "none" }));
    await signUpAt(tracesOnly);
    const headers = { "Content-Type": "application/json" };
    await fetch(`${tracesOnly.url}/api/v1/user/`, { method: "POST", headers, body: "{}" });
    await stopped(tracesOnly);
    expect(new Set(receiver.contentTypes.map(({ path }) => path))).toEqual(new Set(["/v1/traces"]));
    // One span for each request, whichever of the two ways to a signup answers it.
    const served = receiver.spans.filter(({ name }) => name === "POST /api/v1/user/");
    const statuses = served.map(({ attributes }) => Number(attributes["http.response.status_code"]));
    expect(statuses.toSorted()).toEqual([201, 422]);
  });

  test("receives a tenth of the traces when a tenth is sampled, each complete", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const sampling = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.1" };
    const api = await system.api(exportingTo(receiver, sampling));
    const consumer = await system.consumer(exportingTo(receiver));
    const signups = await Promise.all(Array.from({ length: 150 }, () => signUpAt(api)));
    await eventually(() => signups.every(({ eventId }) => system.mailServer.copiesOf(eventId) === 1));
    await Promise.all([stopped(api), stopped(consumer)]);
    const servers = receiver.spans.filter(({ name }) => name === "POST /api/v1/user/");
    const sent = receiver.spans.filter(({ name }) => name === "send email");
    expect(servers.length).toBeGreaterThan(3);
    expect(servers.length).toBeLessThan(80);
    expect(new Set(sent.map(({ traceId }) => traceId))).toEqual(new Set(servers.map(({ traceId }) => traceId)));
  });
});

describe.concurrent("metrics for Prometheus", () => {
  test("can be scraped from the first moment on without an error in the log", async () => {
    await using system = await aSystem();
    const port = await ownPort();
    const starting = system.consumer({
      OTEL_METRICS_EXPORTER: "prometheus",
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    });
    await eventually(() => metricsAt(port).catch(() => undefined));
    const consumer = await starting;
    expect(await metricsAt(port)).toContain("signup_breaker_state");
    expect(consumer.lines.filter((line) => /"level":"error"|OpenTelemetry SDK/.test(line))).toEqual([]);
  });

  test("have a port for each process of a host, and say which", async () => {
    await using system = await aSystem();
    // Each process takes the next one that is free: far from those that the test's servers are given.
    const wanted = await freePort();
    const settings = { OTEL_METRICS_EXPORTER: "prometheus", OTEL_EXPORTER_PROMETHEUS_PORT: String(wanted) };
    const [api, one, two] = await Promise.all([
      system.api(settings),
      system.consumer(settings),
      system.consumer(settings),
    ]);
    // What a process says comes by another way than its health.
    const ports = await eventually(() => {
      const said = [api, one, two].flatMap((process) => fieldOf(process, "metrics_port") ?? []);
      return said.length === 3 && said;
    });
    expect(new Set(ports).size).toBe(3);
    expect(ports).toContain(wanted);
    await signUpAt(api);
    await eventually(() => system.mailServer.taken.length === 1);
    const page = await eventually(async () => {
      const pages = (await Promise.all(ports.map(metricsAt))).join("\n");
      return pages.includes("signup_time_to_inbox_seconds_bucket") && pages;
    });
    expect(page).toContain("http_server_request_duration_seconds_bucket");
    expect(page).toContain("signup_stream_oldest_unfinished_age_seconds");
    expect(page).toContain('le="60"');
    expect(page).not.toContain("@inbox");
  });

  test("of shared state do not multiply with the api's replicas, and pass on when one ends", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const first = await system.api(exportingTo(receiver));
    const second = await system.api(exportingTo(receiver));
    await signUpAt(first);
    const reporters = () =>
      new Set(receiver.points.filter(({ metric }) => metric === "signup.stream.lag").map(({ instance }) => instance));
    await eventually(() => receiver.points.some(({ metric, value }) => metric === "signup.stream.lag" && value === 1));
    expect(reporters().size).toBe(1);
    await stopped(first);
    receiver.points.length = 0;
    await eventually(() => receiver.points.some(({ metric, value }) => metric === "signup.stream.lag" && value === 1));
    expect(reporters().size).toBe(1);
    await stopped(second);
  });
});
