import { expect, test } from "bun:test";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { doingOf } from "./doing.ts";

const NOW = new Date("2026-11-25T08:00:00.000Z");
const STARTED = "2026-11-25T07:00:00.000Z";
const LATER = "2026-11-25T07:30:00.000Z";

const aReport = (parts: Partial<ConsumerReport> = {}): ConsumerReport => ({
  startedAt: STARTED,
  state: "reading",
  inFlight: 0,
  kept: 0,
  concurrency: 50,
  breaker: { state: "closed", since: STARTED },
  waitingParties: 0,
  faults: {},
  ...parts,
});

const open = { state: "open", since: LATER, reason: "connection_refused" } as const;

test.each([
  ["works", aReport(), 100, { kind: "working", words: "reading", since: new Date(STARTED) }],
  [
    "keeps what is in doubt",
    aReport({ inFlight: 3, kept: 1_381 }),
    100,
    {
      kind: "working",
      words: "reading, 1,381 kept behind others: much like them failed lately",
      since: new Date(STARTED),
    },
  ],
  [
    "reads on after a failure of the other system",
    aReport({ breaker: { state: "closed", since: STARTED, reason: "connection_refused" } }),
    100,
    { kind: "waiting", words: "reading; the last attempt failed: connection_refused", since: null },
  ],
  [
    "had a failure of the other system a while ago, whose work a peer may have done since",
    aReport({ breaker: { state: "closed", since: STARTED, reason: "connection_lost", reasonAgeMs: 59_950 } }),
    100,
    { kind: "working", words: "reading", since: new Date(STARTED) },
  ],
  [
    "had a mail declined for its own sake",
    aReport({ breaker: { state: "closed", since: STARTED, reason: "policy" } }),
    100,
    { kind: "working", words: "reading", since: new Date(STARTED) },
  ],
  ["is paused", aReport({ state: "paused" }), 100, { kind: "waiting", words: "paused", since: null }],
  [
    "waits for the other system",
    aReport({ breaker: open }),
    100,
    { kind: "failing", words: "breaker open: connection_refused", since: new Date(LATER) },
  ],
  [
    "works again, on less than it could",
    aReport({ breaker: { ...open, state: "recovering" } }),
    100,
    { kind: "waiting", words: "breaker recovering: connection_refused", since: new Date(LATER) },
  ],
  [
    "is kept from its work, for the longest time by the first of its faults",
    aReport({ breaker: open, faults: { claimer: LATER, reader: STARTED } }),
    100,
    { kind: "failing", words: "stuck: reader", since: new Date(STARTED) },
  ],
  [
    "gave no sign of life for long",
    aReport(),
    60_000,
    { kind: "failing", words: "silent since 07:59:00 UTC", since: new Date("2026-11-25T07:59:00.000Z") },
  ],
  [
    "missed two signs of life, and may have died",
    aReport(),
    6_500,
    { kind: "unknown", words: "silent since 07:59:53 UTC", since: new Date("2026-11-25T07:59:53.500Z") },
  ],
  [
    "is late with its sign of life, and may have died",
    aReport(),
    4_700,
    { kind: "unknown", words: "reading, not seen for 4.7 s", since: new Date(STARTED) },
  ],
  ["is of another version", null, 100, { kind: "unknown", words: "says nothing", since: null }],
] as const)("a consumer that %s", (_, report, silentMs, expected) => {
  expect(doingOf({ name: "c", pending: 0, idleMs: null, silentMs, report }, NOW)).toEqual(expected);
});
