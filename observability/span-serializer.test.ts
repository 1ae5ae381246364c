import { afterAll, expect, test } from "bun:test";
import { type Attributes, createTraceState, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import fc from "fast-check";
import { createSpanSerializer } from "./span-serializer.ts";

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": "thư", "process.pid": 7, "host.ok": true }),
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
});
afterAll(() => provider.shutdown());
const tracer = provider.getTracer("test");
const serializer = createSpanSerializer();

/** Spans that are made of what is given, ended. */
const spansOf = (made: readonly ASpan[]): readonly ReadableSpan[] => {
  exporter.reset();
  for (const { name, kind, attributes, parent, isRemote, links, fails, startMs, tookMs } of made) {
    const own = { traceId: parent.slice(0, 32), spanId: parent.slice(32), traceFlags: 1, isRemote };
    const traceState = links > 2 ? createTraceState("vendor=1,b=2") : undefined;
    const within = trace.setSpanContext(ROOT_CONTEXT, { ...own, ...(traceState === undefined ? {} : { traceState }) });
    const options = { kind, attributes, startTime: startMs, root: links === 0 };
    const span = tracer.startSpan(name, options, within);
    for (let link = 0; link < links; link += 1) span.addLink({ context: own });
    if (fails) span.setStatus({ code: SpanStatusCode.ERROR, message: name });
    span.end(startMs + tookMs);
  }
  return exporter.getFinishedSpans();
};

interface ASpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly parent: string;
  readonly isRemote: boolean;
  readonly links: number;
  readonly fails: boolean;
  readonly startMs: number;
  readonly tookMs: number;
}

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: digits, maxLength: digits })
    .map((all) => `1${all.slice(1).join("")}`);
const text = fc.oneof(
  fc.constantFrom("redis", "signup", "", "ngày 29 tháng 11", "x".repeat(127), "x".repeat(128), "é".repeat(9_000)),
  fc.string({ unit: "binary" }),
);
const value = fc.oneof(
  { weight: 9, arbitrary: text },
  { weight: 3, arbitrary: fc.nat() },
  { weight: 3, arbitrary: fc.boolean() },
  fc.double(),
  fc.integer(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const aSpan: fc.Arbitrary<ASpan> = fc.record({
  name: text,
  kind: fc.constantFrom(SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER),
  attributes: fc.dictionary(fc.constantFrom("a", "signup.outcome", "messaging.system", "k".repeat(200)), value),
  parent: hex(48),
  isRemote: fc.boolean(),
  links: fc.nat({ max: 3 }),
  fails: fc.boolean(),
  startMs: fc.nat({ max: 4_000_000_000_000 }).map((ms) => ms + 0.125),
  tookMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
});

test("spans are written byte for byte as OpenTelemetry writes them, also those that are left to it", () => {
  fc.assert(
    fc.property(fc.array(aSpan, { minLength: 1, maxLength: 40 }), (made) => {
      const spans = spansOf(made);
      const theirs = Buffer.from(ProtobufTraceSerializer.serializeRequest([...spans]) ?? []);
      expect(Buffer.from(serializer.serializeRequest([...spans]) ?? []).equals(theirs)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("a batch that outgrows the first buffer is written whole, and the next does not write over it", () => {
  const [one] = fc.sample(aSpan, { numRuns: 1, seed: 1 });
  if (one === undefined) throw new Error("no span was made");
  const spans = spansOf(Array.from({ length: 600 }, () => ({ ...one, attributes: { "a.b": "x".repeat(900) } })));
  const theirs = Buffer.from(ProtobufTraceSerializer.serializeRequest([...spans]) ?? []);
  const ours = Buffer.from(serializer.serializeRequest([...spans]) ?? []);
  serializer.serializeRequest(spans.slice(0, 300));
  expect(ours.equals(theirs)).toBe(true);
});
