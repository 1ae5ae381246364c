import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fieldsOf } from "../entries.ts";
import { decodeEvent, encodeEvent, loggedEvent } from "./envelope.ts";
import { userSignedUp } from "./user-signed-up.ts";

const trace = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
const fallback = { traceparent: `00-${"1".repeat(32)}-${"2".repeat(16)}-00` };
const event = loggedEvent({
  event_id: Bun.randomUUIDv7(),
  ...userSignedUp({ userId: Bun.randomUUIDv7(), locale: "en" }),
  ...trace,
  tracestate: "vendor=1",
  created_at: new Date(0),
});

const changed = (parts: Record<string, string | undefined>) => {
  const fields: Record<string, string> = { ...fieldsOf(encodeEvent(event)) };
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined) delete fields[name];
    else fields[name] = value;
  }
  return decodeEvent(fields, fallback);
};

describe("an event in the stream", () => {
  test("is decoded as it was encoded, trace context included", () => {
    expect(decodeEvent(fieldsOf(encodeEvent(event)), fallback)).toEqual({ kind: "event", event });
  });

  test("holds ids only: no name, no address", () => {
    const names = encodeEvent(event).filter((_, index) => index % 2 === 0);
    const attributes = ["specversion", "id", "source", "type", "subject", "time", "data"];
    expect(names).toEqual([...attributes, "traceparent", "tracestate"]);
    expect(Object.keys(event.data ?? {})).toEqual(["user_id", "locale"]);
  });

  test.each([
    ["no id", { id: undefined }],
    ["an id that is no UUID", { id: "42" }],
    ["another version of the envelope", { specversion: "2.0" }],
  ])("is malformed with %s, and the reason names it", (_, parts) => {
    const decoded = changed(parts);
    expect(decoded.kind).toBe("malformed");
    expect(decoded.kind === "malformed" && decoded.reason.length).toBeGreaterThan(5);
  });

  test("has no data if it is not JSON, which no schema accepts", () => {
    const decoded = changed({ data: "{" });
    expect(decoded.kind === "event" && decoded.event.data).toBeUndefined();
  });

  test("without a valid traceparent gets the reader's own", () => {
    const decoded = changed({ traceparent: "nonsense" });
    expect(decoded.kind === "event" && decoded.event.traceparent).toBe(fallback.traceparent);
  });

  test("drops a tracestate that Postgres cannot store", () => {
    const decoded = changed({ tracestate: "vendor=\u0000" });
    expect(decoded.kind === "event" && decoded.event.tracestate).toBeUndefined();
  });

  test("never makes the reader throw, whatever the entry contains", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (fields) => {
        expect(["event", "malformed"]).toContain(decodeEvent(fields, fallback).kind);
      }),
    );
  });
});
