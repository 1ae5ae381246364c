import { describe, expect, test } from "bun:test";
import { randomHex, randomTraceContext } from "../../observability/trace-context.ts";
import { encodeEvent, loggedEvent } from "../../stream/events/envelope.ts";
import { EVENT_TYPES } from "../../stream/events/types.ts";
import { userSignedUp, userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { sortEntry, toDoAbout } from "./sort-entry.ts";

const trace = randomTraceContext(randomHex);
const signedUp = userSignedUp({ userId: Bun.randomUUIDv7(), locale: "vi" });
const event = loggedEvent({
  event_id: Bun.randomUUIDv7(),
  ...signedUp,
  created_at: new Date(0),
  tracestate: null,
  ...trace,
});
const group = { patterns: ["user.signed_up.v1"], knownTypes: EVENT_TYPES, data: userSignedUpSchema };
const raw = encodeEvent(event);
const ofType = (type: string) => raw.map((value) => (value === event.type ? type : value));
const sort = (fields: readonly string[] | undefined) =>
  sortEntry(group, { stream: "s", id: "1-0", raw: fields, deliveries: 1, isTakenOver: false, deathsAlone: 0 }, trace);

describe("what a group makes of an entry", () => {
  test("its own event", () => expect(sort(raw)).toEqual({ kind: "event", event, data: signedUp.data }));
  test("a payload that is gone", () => expect(sort(undefined)).toEqual({ kind: "gone" }));
  test("another's event", () => {
    expect(sort(ofType("order.placed.v1"))).toEqual({ kind: "foreign", type: "order.placed.v1" });
  });
  test("a version that nobody here reads", () => {
    const type = "user.signed_up.v9";
    expect(sort(ofType(type))).toMatchObject({ kind: "unreadable", reason: "unknown_version", detail: type });
  });
  test.each([
    ["no type at all", ["hello", "world"]],
    ["data of another shape", raw.map((value) => (value.startsWith("{") ? '{"user_id":"7"}' : value))],
    ["a locale that nobody speaks here", raw.map((value) => value.replace('"vi"', '"xx"'))],
    ["data that is no JSON", raw.map((value) => (value.startsWith("{") ? "{" : value))],
    ["thousands of fields", [...raw, ...Array.from({ length: 2_000 }, String)]],
  ])("%s is malformed, and the detail names the problem", (_, fields) => {
    const sorted = sort(fields);
    expect(sorted).toMatchObject({ kind: "unreadable", reason: "malformed" });
    expect(sorted.kind === "unreadable" && sorted.detail.length).toBeGreaterThan(5);
  });
});

test.each([
  ["its own event", raw, undefined, "read"],
  ["its own event, after a delay", raw, 1_000, "delay"],
  ["its own event, after a delay of 0", raw, 0, "read"],
  ["another's event", ofType("order.placed.v1"), 1_000, "nothing"],
  ["a version that nobody here reads", ofType("user.signed_up.v9"), 1_000, "read"],
  ["no type at all", ["hello", "world"], 1_000, "read"],
  ["data that is no JSON", raw.map((value) => (value.startsWith("{") ? "{" : value)), 1_000, "read"],
  ["thousands of fields", [...ofType("order.placed.v1"), ...Array.from({ length: 2_000 }, String)], 1_000, "read"],
] as const)("what is to be done about %s", (_, fields, delayMs, what) => {
  expect(toDoAbout(group, delayMs)(fields)).toBe(what);
});
