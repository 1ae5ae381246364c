import { expect, test } from "bun:test";
import type { DeliveryDetails } from "../../../ops/actions/find.ts";
import { journeysOf } from "./journey.ts";
import { traceHref } from "./trace-link.ts";

const AT = Date.parse("2026-11-28T10:00:00.000Z");
const NOW = new Date(AT + 60_000);

const step = (afterMs: number, state: DeliveryDetails["state"], shown: string = state) => ({
  at: new Date(AT + afterMs).toISOString(),
  state,
  shown,
});

const aDelivery = (parts: Partial<DeliveryDetails> = {}): DeliveryDetails => ({
  group: "welcome-email",
  eventId: "01a22447-0000-7000-8000-000000000001",
  type: "user.signed_up.v1",
  state: "done",
  shown: "sent",
  attempts: 1,
  uncertain: 0,
  systemFailures: 0,
  nextTryAt: null,
  leaseUntil: null,
  reason: null,
  reply: "250 OK",
  receipt: null,
  bouncedAt: null,
  bounce: null,
  bounceReply: null,
  traceparent: "00-bbf33d489014a9841fbced9a9454d45a-0000000000000001-01",
  inOutbox: false,
  createdAt: new Date(AT),
  updatedAt: new Date(AT),
  deadLetter: null,
  timeline: [step(0, "queued"), step(80, "active", "sending"), step(200, "done", "sent")],
  ...parts,
});

test("one timeline of all groups, in the order of time, ends with the other side's words", () => {
  const reminder = aDelivery({
    group: "reminder-email",
    state: "cancelled",
    shown: "cancelled",
    reply: null,
    timeline: [step(0, "queued"), step(100, "cancelled")],
  });
  const [journey] = journeysOf({ deliveries: [aDelivery(), reminder] }, NOW);
  expect(journey).toMatchObject({ isOver: true, lengthMs: 200, traceId: "bbf33d489014a9841fbced9a9454d45a" });
  expect(journey?.steps.map(({ afterMs, groups, shown }) => `${afterMs} ${groups.join()} ${shown}`)).toEqual([
    "0 welcome-email queued",
    "0 reminder-email queued",
    "80 welcome-email sending",
    "100 reminder-email cancelled",
    "200 welcome-email sent",
  ]);
  expect(journey?.steps.at(-1)?.words).toBe("250 OK");
});

test("waits and work have the lengths that they had; what is not over lasts until now", () => {
  const open = aDelivery({
    state: "retrying",
    shown: "retrying",
    timeline: [step(0, "queued"), step(80, "active"), step(200, "retrying")],
  });
  const [journey] = journeysOf({ deliveries: [open] }, NOW);
  expect(journey?.isOver).toBe(false);
  expect(journey?.lanes[0]?.segments.map(({ fromMs, toMs, mood }) => [fromMs, toMs, mood])).toEqual([
    [0, 80, "waits"],
    [80, 200, "works"],
    [200, 60_000, "waits"],
  ]);
});

test("what waits for its group's delay does not stretch the drawing of the others", () => {
  const nextTryAt = new Date(AT + 86_400_000);
  const reminder = aDelivery({
    group: "reminder-email",
    state: "queued",
    attempts: 0,
    nextTryAt,
    timeline: [step(0, "queued")],
  });
  const [journey] = journeysOf({ deliveries: [aDelivery(), reminder] }, NOW);
  expect([journey?.isOver, journey?.lengthMs, journey?.lanes[1]?.segments[0]?.toMs]).toEqual([false, 200, 200]);
});

test("groups to which the very same has happened are one line, and one step", () => {
  const waiting = ["report-1", "report-2", "report-3"].map((group) =>
    aDelivery({ group, state: "queued", shown: "queued", attempts: 0, reply: null, timeline: [step(0, "queued")] }),
  );
  const [journey] = journeysOf({ deliveries: [aDelivery(), ...waiting] }, NOW);
  const [, ...others] = journey?.lanes ?? [];
  expect(others).toMatchObject([{ groups: ["report-1", "report-2", "report-3"], shown: "queued" }]);
  expect(journey?.steps.map(({ groups, shown }) => `${groups.join()} ${shown}`)).toEqual([
    "welcome-email queued",
    "report-1,report-2,report-3 queued",
    "welcome-email sending",
    "welcome-email sent",
  ]);
});

test("a bounce that came later is the last step, and in the drawing's length", () => {
  const bouncedAt = new Date(AT + 5_000);
  const [journey] = journeysOf(
    { deliveries: [aDelivery({ bouncedAt, bounce: "bounced 5.1.1", bounceReply: "no such user" })] },
    NOW,
  );
  expect(journey?.lengthMs).toBe(5_000);
  expect(journey?.steps.at(-1)).toMatchObject({ shown: "bounced", reason: "bounced 5.1.1", words: "no such user" });
});

test("events apart are journeys apart, and nothing is none", () => {
  const other = aDelivery({ eventId: "01a22447-0000-7000-8000-000000000002" });
  expect(journeysOf({ deliveries: [other, aDelivery()] }, NOW).map(({ eventId }) => eventId.at(-1))).toEqual([
    "2",
    "1",
  ]);
  expect(journeysOf({ deliveries: [] }, NOW)).toEqual([]);
});

test("a trace is a link to Explore, wherever Grafana is", () => {
  const href = new URL(traceHref("https://ops.example/grafana/", "abc"));
  expect(href.origin + href.pathname).toBe("https://ops.example/grafana/explore");
  expect(JSON.parse(href.searchParams.get("panes") ?? "").trace.queries[0].query).toBe("abc");
});
