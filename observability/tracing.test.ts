import { describe, expect, test } from "bun:test";
import { SpanKind } from "@opentelemetry/api";
import { startSend } from "./messaging.ts";
import { createRandomHex, isTraceparent, traceContextFromHeaders } from "./trace-context.ts";
import {
  activeTraceContext,
  contextOf,
  errorType,
  spanContextOf,
  traceContextOf,
  withEntrance,
  withSpan,
} from "./tracing.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";
const PARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

/** Cases of the W3C's own test suite (https://github.com/w3c/trace-context/tree/main/test), and of hostile size. */
describe("a caller's traceparent", () => {
  test.each([
    ["well-formed", PARENT, PARENT],
    ["not sampled", `00-${TRACE_ID}-${SPAN_ID}-00`, `00-${TRACE_ID}-${SPAN_ID}-00`],
    ["of a later version, with more at its end", `cc-${TRACE_ID}-${SPAN_ID}-01-what`, PARENT],
    ["with flags that nobody knows", `00-${TRACE_ID}-${SPAN_ID}-ff`, PARENT],
    ["of the forbidden version", `ff-${TRACE_ID}-${SPAN_ID}-01`, undefined],
    ["of version 00 with more at its end", `${PARENT}-what`, undefined],
    ["with a trace id of zeros", `00-${"0".repeat(32)}-${SPAN_ID}-01`, undefined],
    ["with a parent id of zeros", `00-${TRACE_ID}-${"0".repeat(16)}-01`, undefined],
    ["in upper case", PARENT.toUpperCase(), undefined],
    ["too short", PARENT.slice(1), undefined],
    ["empty", "", undefined],
    ["of hostile size", `cc-${TRACE_ID}-${SPAN_ID}-01-${"x".repeat(100_000)}`, undefined],
  ])("%s", (_, header, honoured) => {
    expect(traceContextFromHeaders(header, undefined)?.traceparent).toBe(honoured as string);
  });

  const A_LONG_KEY = "k".repeat(256);
  const THIRTY_TWO = Array.from({ length: 32 }, (_, index) => `bar${index}=${index}`);

  /** As without telemetry, and through the SDK's own list of members, which is more lenient. */
  const bothWays = (state: string) => {
    const carried = traceContextFromHeaders(PARENT, state);
    return carried === undefined ? [] : [carried.tracestate, traceContextOf(spanContextOf(carried)).tracestate];
  };

  test.each([
    ["foo=1,bar=2", "foo=1,bar=2"],
    ["foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"],
    ["\t foo=1 \t", "foo=1"],
    ["foo=1,", "foo=1"],
    [",foo=1,,bar=2", "foo=1,bar=2"],
    ["t3n@nt=x", "t3n@nt=x"],
    ["0foo@bar=1", "0foo@bar=1"],
    [`${A_LONG_KEY}=1`, `${A_LONG_KEY}=1`],
    [`foo=1,${"t".repeat(241)}@${"v".repeat(14)}=1`, `foo=1,${"t".repeat(241)}@${"v".repeat(14)}=1`],
    [THIRTY_TWO.join(","), THIRTY_TWO.join(",")],
    ["foo=1,foo=1", "foo=1"],
    ["foo=1,bar=3,foo=2", "foo=1,bar=3"],
  ])("the tracestate %p is passed on as %p", (state, passedOn) => {
    expect(bothWays(state)).toEqual([passedOn, passedOn]);
  });

  test.each([
    `a=${"x".repeat(600)}`,
    "FOO=1",
    "foo =1",
    "foo.bar=1",
    "foo",
    "foo=bar=baz",
    "foo=,bar=3",
    "",
    ",",
    "foo@=1,bar=2",
    "@foo=1,bar=2",
    "foo@@bar=1,bar=2",
    "foo@bar@baz=1,bar=2",
    "foo=é",
    "foo=1\n,bar=2",
    `foo=1,${"z".repeat(257)}=1`,
    `foo=1,${"t".repeat(242)}@v=1`,
    `foo=1,t@${"v".repeat(15)}=1`,
    [...THIRTY_TWO, "bar32=32"].join(","),
  ])("the tracestate %p is dropped, and the traceparent kept", (state) => {
    expect(traceContextFromHeaders(PARENT, state)).toEqual({ traceparent: PARENT });
  });
});

describe("a trace context", () => {
  test("a context survives the round trip unchanged", () => {
    for (const carried of [{ traceparent: PARENT }, { traceparent: PARENT, tracestate: "a=1,b=2" }]) {
      expect(traceContextOf(spanContextOf(carried))).toEqual(carried);
    }
  });

  test("without telemetry nothing is begun, so the context goes into the entry unchanged, even a later version's", () => {
    for (const trace of [{ traceparent: PARENT, tracestate: "a=1 , b=2" }, { traceparent: `cc-${PARENT.slice(3)}` }]) {
      const message = { destination: "signup", stream: "{signup}:events", eventId: "e", eventType: "t", trace };
      expect(startSend(message)).toBeUndefined();
    }
    expect(activeTraceContext()).toBeUndefined();
  });
});

test("a span passes on results and errors", async () => {
  expect(
    await withEntrance(
      "work",
      () => ({ kind: SpanKind.CONSUMER, within: contextOf({ traceparent: PARENT }) }),
      () => ({}),
      async () => 7,
    ),
  ).toBe(7);
  const failing = withSpan(
    "work",
    () => ({}),
    () => Promise.reject(new RangeError("no")),
  );
  expect(await failing.catch((error: unknown) => error)).toBeInstanceOf(RangeError);
});

test("an error's type is its code or its class, never its text", () => {
  expect(errorType(Object.assign(new Error("Key (email)=(x)"), { code: "23505" }))).toBe("23505");
  expect(errorType(new TypeError("x"))).toBe("TypeError");
  expect(errorType("text")).toBe("_OTHER");
});

test("whatever is honoured is a traceparent", () => {
  expect(isTraceparent(PARENT)).toBe(true);
  expect(isTraceparent(undefined)).toBe(false);
});

test("random digits are never used twice, also where one pool of them ends", () => {
  const hex = createRandomHex();
  const drawn = Array.from({ length: 1_000 }, () => hex(24));
  expect(drawn.every((digits) => /^[0-9a-f]{48}$/.test(digits))).toBe(true);
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(hex(5_000)).toHaveLength(10_000);
});
