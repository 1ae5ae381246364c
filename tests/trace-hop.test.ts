import { describe, expect, test } from "bun:test";
import { eventually } from "./eventually.ts";
import { startOtlpReceiver } from "./otlp-receiver.ts";
import { aSystem, signUpAt } from "./processes.ts";
import {
  aTrace,
  CALLER,
  exportingTo,
  isSent,
  KIND,
  MAIL_GROUP,
  only,
  openRedis,
  signUpWith,
  TRACEPARENT,
} from "./received-traces.ts";

describe.concurrent("a trace across the hop", () => {
  test("TRACE_HOP=link: a trace of its own for each attempt, linked to the sender", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const api = await system.api(exportingTo(receiver));
    await system.consumer(exportingTo(receiver, { TRACE_HOP: "link" }), MAIL_GROUP);
    const { traceId, traceparent } = aTrace();
    await signUpWith(api, traceparent);
    const process = await eventually(() => receiver.spans.find(({ name }) => name.startsWith("process ")));
    const send = only(receiver.spans.filter(({ kind }) => kind === KIND.producer));
    expect(process.traceId).not.toBe(traceId);
    expect([process.parentSpanId, process.links.map(({ spanId }) => spanId)]).toEqual(["", [send.spanId]]);
  });

  test("a caller's decision not to sample is kept; without a caller the sampler decides", async () => {
    await using receiver = startOtlpReceiver();
    await using system = await aSystem();
    const api = await system.api(exportingTo(receiver));
    await system.consumer(exportingTo(receiver), MAIL_GROUP);
    const { traceId } = aTrace();
    await signUpWith(api, `00-${traceId}-${CALLER.spanId}-00`);
    await signUpAt(api);
    await eventually(() => system.mailServer.taken.length === 2);
    using opened = await openRedis();
    const { redis } = opened;
    const entries = await redis.xrange(system.keys.events, "-", "+");
    const parents = entries.map(([, fields]) => fields[fields.indexOf("traceparent") + 1] ?? "");
    expect(parents[0]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
    expect(entries[0]?.[1]).toContain("vendor=1");
    expect(parents[1]).toEndWith("-01");
    await eventually(() => isSent(receiver.spans));
    expect(receiver.spans.some((span) => span.traceId === traceId)).toBe(false);
    const sent = receiver.spans.find(({ kind }) => kind === KIND.producer);
    expect(parents[1]).toBe(`00-${sent?.traceId}-${sent?.spanId}-01`);
  });

  test("without telemetry the entry carries the caller's context, byte for byte, or one of our own, not sampled", async () => {
    await using system = await aSystem();
    const api = await system.api();
    await signUpWith(api, TRACEPARENT);
    await signUpAt(api);
    using opened = await openRedis();
    const { redis } = opened;
    const entries = await eventually(async () => {
      const all = await redis.xrange(system.keys.events, "-", "+");
      return all.length === 2 && all;
    });
    const parents = entries.map(([, fields]) => fields[fields.indexOf("traceparent") + 1]);
    expect(parents[0]).toBe(TRACEPARENT);
    expect(parents[1]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});
