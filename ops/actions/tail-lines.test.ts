import { expect, test } from "bun:test";
import type { DeliveryStatus } from "../../database/ledger/status.ts";
import type { TimelineStep } from "../../database/ledger/timeline.ts";
import type { Entry } from "../../stream/entries.ts";
import { PAYMENTS, WELCOME_EMAIL } from "../../stream/groups.ts";
import { lineText } from "../commands/tail.ts";
import { createShown, eventLine, inOrder, type TailLine } from "./tail-lines.ts";

const EVENT = "0190c3a1-6f0e-7000-8000-000000000001";
const START = new Date("2026-11-25T08:00:00.000Z");
const plain = (_: string, text: string) => text;

const at = (seconds: number) => new Date(START.getTime() + seconds * 1_000).toISOString();

const aDelivery = (timeline: readonly TimelineStep[], parts: Partial<DeliveryStatus> = {}): DeliveryStatus => ({
  eventId: EVENT,
  group: WELCOME_EMAIL.name,
  state: timeline.at(-1)?.state ?? "queued",
  attempts: 1,
  uncertain: 0,
  nextTryAt: null,
  reason: null,
  bouncedAt: null,
  bounce: null,
  createdAt: START,
  updatedAt: START,
  timeline,
  ...parts,
});

const anEntry = (fields: readonly string[]): Entry => ({
  stream: "events",
  id: "1795593600500-0",
  raw: fields,
  deliveries: 1,
  isTakenOver: false,
  deathsAlone: 0,
});

const statesOf = (lines: readonly TailLine[]) => lines.map((line) => (line.kind === "state" ? line.state : line.type));

test("each step is shown once, in the words of its group", () => {
  const shown = createShown([WELCOME_EMAIL], START);
  const steps: TimelineStep[] = [
    { at: at(1), state: "queued" },
    { at: at(2), state: "active", attempt: 1, by: "consumer-1" },
  ];
  expect(statesOf(shown.changes([aDelivery(steps)]))).toEqual(["queued", "sending"]);
  expect(shown.changes([aDelivery(steps)])).toEqual([]);
  const later: TimelineStep[] = [...steps, { at: at(3), state: "done", attempt: 1 }];
  expect(statesOf(shown.changes([aDelivery(later)]))).toEqual(["sent"]);
  // The ledger keeps the last 50 steps: that which was shown last may be gone.
  expect(statesOf(shown.changes([aDelivery([{ at: at(9), state: "queued", reason: "replayed" }])]))).toEqual([
    "queued",
  ]);
});

test("of an old delivery that changes, only what is new is shown", () => {
  const shown = createShown([WELCOME_EMAIL], START);
  const steps: TimelineStep[] = [
    { at: at(-900), state: "queued" },
    { at: at(-800), state: "dead", reason: "mailbox_unavailable" },
    { at: at(-1), state: "queued", reason: "redriven" },
  ];
  expect(statesOf(shown.changes([aDelivery(steps)]))).toEqual(["queued"]);
});

test("what belongs to a group that is not followed is left out", () => {
  const shown = createShown([PAYMENTS], START);
  expect(shown.changes([aDelivery([{ at: at(1), state: "queued" }])])).toEqual([]);
  const signedUp = anEntry(["id", EVENT.toUpperCase(), "type", "user.signed_up.v1", "subject", "somebody"]);
  expect(eventLine(signedUp, [PAYMENTS])).toBeUndefined();
  expect(eventLine(signedUp, [WELCOME_EMAIL])).toEqual({
    kind: "event",
    at: new Date(1_795_593_600_500),
    eventId: EVENT,
    type: "user.signed_up.v1",
  });
  expect(eventLine(anEntry(["id", "rubbish", "type", "user.signed_up.v1"]), [WELCOME_EMAIL])).toBeUndefined();
});

test("lines are in the order in which it happened, an event before what became of it", () => {
  const event: TailLine = { kind: "event", at: START, eventId: EVENT, type: "user.signed_up.v1" };
  const [queued, sent] = createShown([WELCOME_EMAIL], START).changes([
    aDelivery([
      { at: at(0), state: "queued" },
      { at: at(1), state: "done" },
    ]),
  ]);
  if (queued === undefined || sent === undefined) throw new Error("two steps are two lines");
  expect(inOrder([sent, queued, event])).toEqual([event, queued, sent]);
});

test.each([
  [
    { state: "retrying", attempt: 2, reason: "connection_refused", by: "consumer-1" } as const,
    { nextTryAt: new Date(START.getTime() + 31_000) },
    "retrying    attempt 2, connection_refused, next in 30 s, by consumer-1",
  ],
  [{ state: "done", attempt: 1 } as const, {}, "sent        attempt 1"],
  [{ state: "queued" } as const, {}, "queued"],
  [{ state: "dead", reason: "\u001b[2Jgone" } as const, {}, "dead        \\u001b[2Jgone"],
])("a step %j is a line for people", (step, parts, words) => {
  const [line] = createShown([WELCOME_EMAIL], START).changes([aDelivery([{ at: at(1), ...step }], parts)]);
  if (line === undefined) throw new Error("a step is a line");
  expect(lineText(plain, line, 15, new Date(START.getTime() + 1_000))).toBe(
    `2026-11-25T08:00:01.000Z  ${EVENT}  welcome-email    ${words}`,
  );
});
