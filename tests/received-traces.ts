import { expect } from "bun:test";
import type { Redis } from "ioredis";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import type { OtlpReceiver, ReceivedSpan } from "./otlp-receiver.ts";
import { redisUrl, silentLog } from "./pipeline.ts";
import type { RunningProcess } from "./processes.ts";

/** Kinds of spans, by their number on the wire. */
export const KIND = { server: 2, client: 3, producer: 4, consumer: 5 } as const;
/** A caller that has a trace already; its spans are received by somebody else. */
export const CALLER = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };
export const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`;

/** What an operator would set, with the times shortened. */
export const exportingTo = (receiver: OtlpReceiver, more: Readonly<Record<string, string>> = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
  OTEL_BSP_SCHEDULE_DELAY: "50",
  OTEL_METRIC_EXPORT_INTERVAL: "300",
  ...more,
});

/** The spans of a trace, once `isComplete` is true and each parent is there: two processes export them. */
export const spansOf = (
  receiver: OtlpReceiver,
  traceId: string,
  isComplete: (spans: readonly ReceivedSpan[]) => boolean,
): Promise<readonly ReceivedSpan[]> =>
  eventually(() => {
    const spans = receiver.spans.filter((span) => span.traceId === traceId);
    const known = new Set([CALLER.spanId, ...spans.map(({ spanId }) => spanId)]);
    return isComplete(spans) && spans.every(({ parentSpanId }) => known.has(parentSpanId)) && spans;
  }, 20_000);

export const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
export const startingWith = (spans: readonly ReceivedSpan[], verb: string) =>
  spans.filter(({ name }) => name.startsWith(`${verb} `));
/** Reason, attempt and outcome of each attempt, in the order of their ends. */
export const outcomes = (spans: readonly ReceivedSpan[]) =>
  startingWith(spans, "process").map(({ attributes }) => [
    attributes["signup.delivery.reason"],
    Number(attributes["signup.delivery.attempt"]),
    attributes["signup.outcome"],
  ]);
/** Arguments of a consumer of the welcome mail alone: a further group would add spans of its own to each trace. */
export const MAIL_GROUP = WELCOME_EMAIL.name;

export const isSent = (spans: readonly ReceivedSpan[]) =>
  spans.some(({ attributes }) => attributes["signup.outcome"] === "done");
export const only = (spans: readonly ReceivedSpan[]): ReceivedSpan => {
  const [span] = spans;
  if (span === undefined || spans.length !== 1) throw new Error(`expected one span, got ${spans.length}`);
  return span;
};

/** Each signup of a test has a trace of its own, begun by its caller. */
export const aTrace = () => {
  const traceId = crypto.randomUUID().replaceAll("-", "");
  return { traceId, traceparent: `00-${traceId}-${CALLER.spanId}-01` };
};

/** Signs somebody up inside a caller's trace, with a baggage of hostile size. */
export const signUpWith = async (
  api: RunningProcess,
  traceparent: string,
  parts: Readonly<Record<string, string>> = {},
) => {
  const name = `name-${crypto.randomUUID()}`;
  const response = await fetch(`${api.url}/api/v1/user/`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      traceparent,
      tracestate: "vendor=1",
      baggage: "x=".padEnd(9_000, "y"),
    },
    body: JSON.stringify({
      user_name: name,
      email: `${name}@inbox.example`,
      password: "correct horse battery staple",
      ...parts,
    }),
  });
  expect(response.status).toBe(201);
};

export const openRedis = async (): Promise<Disposable & { readonly redis: Redis }> => {
  const redis = openCommandConnection({ url: redisUrl(), name: "test", log: silentLog, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
};
