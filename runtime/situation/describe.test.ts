import { expect, test } from "bun:test";
import { describe as describeFacts } from "./describe.ts";
import type { Facts } from "./facts.ts";
import { aConsumer, aGroup, facts, NOW, open, waits } from "./facts-for-tests.ts";

test.each<[string, Facts, string, ...string[]]>([
  ["nothing happens", facts(), "well: All is well: nothing waits"],
  [
    "some are in work",
    facts({ unfinished: waits(13), consumers: [aConsumer({ inFlight: 9 }), aConsumer({ inFlight: 4 })] }),
    "well: All is well: 13 deliveries are in work",
  ],
  [
    "one is in work, and others only wait in the queue",
    facts({ unfinished: waits(13), consumers: [aConsumer({ inFlight: 1 })] }),
    "well: All is well: 1 delivery is in work, 12 wait in the queue",
  ],
  ["none is in work yet", facts({ unfinished: waits(1) }), "well: All is well: 1 delivery waits in the queue"],
  [
    "more wait in the queue than are counted",
    facts({ unfinished: { count: 10_000, isBound: true }, consumers: [aConsumer({ inFlight: 10 })] }),
    "well: All is well: 10 deliveries are in work, 9,990 or more wait in the queue",
  ],
  [
    "none is in work, since all wait in the outbox, and not yet for long",
    facts({ unfinished: waits(96) }, { outbox: { rows: 96, oldestMs: 15_900 } }),
    "well: All is well: 96 events wait to be published",
  ],
  [
    "some are in work, and one waits in the outbox",
    facts({ unfinished: waits(4), consumers: [aConsumer({ inFlight: 3 })] }, { outbox: { rows: 1, oldestMs: 40 } }),
    "well: All is well: 3 deliveries are in work, 1 event waits to be published",
  ],
  [
    "a probe is due",
    facts({ unfinished: waits(12), consumers: [aConsumer({ breaker: { ...open(), probeInMs: 0 } })] }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 12 mails wait, none is lost; the next probe is due",
  ],
  [
    "a probe could be made, and all that could be one waits for its next attempt",
    facts({
      unfinished: waits(12),
      retrying: [{ reason: "connection_refused", ...waits(12), firstAt: new Date(NOW.getTime() + 11_400) }],
      consumers: [aConsumer({ breaker: { ...open(), probeInMs: 0 } })],
    }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 12 mails wait, none is lost; next probe in 12 s",
  ],
  [
    "a probe could be made, and some of what waits is due",
    facts({
      unfinished: waits(12),
      retrying: [{ reason: "connection_refused", ...waits(11), firstAt: new Date(NOW.getTime() + 11_400) }],
      consumers: [aConsumer({ breaker: { ...open(), probeInMs: 0 } })],
    }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 12 mails wait, none is lost; the next probe is due",
  ],
  [
    "mails flow",
    facts({ lastHour: { total: 1_204, medianMs: 394 } }),
    "well: All is well: 1,204 mails in the last hour, half of them within 394 ms",
  ],
  [
    "the mail server is down",
    facts({ unfinished: waits(12), consumers: [aConsumer({ breaker: open() })] }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 12 mails wait, none is lost; next probe in 2 s",
  ],
  [
    "it refuses the login, for one consumer of two, since yesterday, and nothing waits",
    facts({
      consumers: [
        aConsumer({
          breaker: open({ reason: "auth", words: "535 5.7.8 no", since: "2026-11-27T22:00:00Z" }),
        }),
        aConsumer({ name: "consumer-2" }),
      ],
    }),
    "trouble: Mail server smtp.example:587 refuses the login (“535 5.7.8 no”) since 2026-11-27 22:00 UTC for 1 of 2 consumers; nothing waits; next probe in 2 s",
  ],
  [
    "no consumer",
    facts({ consumers: [], unfinished: waits(1) }),
    "trouble: No consumer of welcome-email runs; 1 mail waits, it is not lost",
  ],
  [
    "the only consumer died",
    facts({ consumers: [aConsumer({ silentMs: 40_000 })], unfinished: waits(3) }),
    "trouble: No consumer of welcome-email runs (the last one fell silent 40 s ago); 3 mails wait, none is lost",
  ],
  [
    "a consumer is stuck",
    facts({
      consumers: [aConsumer({ faults: { "claiming in the ledger": "waits; since 06:07" } })],
      unfinished: { count: 10_000, isBound: true },
    }),
    "trouble: consumer-1 of welcome-email cannot do its work (claiming in the ledger: waits; since 06:07); 10,000 or more mails wait, none is lost",
  ],
  [
    "paused",
    facts({ pausedBy: "an operator", unfinished: waits(2) }),
    "notice: welcome-email is paused by an operator; 2 mails wait, none is lost",
  ],
  [
    "the rate is the limit",
    facts({ unfinished: waits(1_200), oldestMs: 60_000, consumers: [aConsumer({ ratePerSecond: 5 })] }),
    "notice: 1,200 mails wait, the oldest for 1 min; the rate allows 5 a second: at least 4 min more",
  ],
  [
    "the mail server grants few connections",
    facts({
      unfinished: waits(90),
      oldestMs: 90_000,
      consumers: [aConsumer({ granted: { allowed: 3, words: "421 too many connections" } })],
    }),
    "notice: 90 mails wait, the oldest for 1 min 30 s; by what mail server smtp.example:587 grants, each consumer takes 3 at a time (“421 too many connections”)",
  ],
  [
    "others have all connections of the mail server",
    facts({
      unfinished: waits(90),
      // What is given back comes back as a new entry after a second.
      oldestMs: 900,
      consumers: [
        aConsumer({ granted: { allowed: 0, nothingForMs: 600_000, words: "421 too many connections" } }),
        aConsumer({ granted: { allowed: 0, nothingForMs: 300_000, words: "421 too many connections" } }),
      ],
    }),
    "trouble: Mail server smtp.example:587 has had no connection for any consumer of welcome-email since 06:05 UTC (“421 too many connections”); 90 mails wait, none is lost",
  ],
  [
    "others have all connections, as a consumer by itself knows",
    facts({
      unfinished: undefined,
      consumers: [aConsumer({ granted: { allowed: 0, nothingForMs: 300_000, words: "421 too many connections" } })],
    }),
    "trouble: Mail server smtp.example:587 has had no connection for consumer-1 of welcome-email since 06:05 UTC (“421 too many connections”)",
  ],
  [
    "others had all connections just now",
    facts({
      unfinished: waits(90),
      oldestMs: 900,
      consumers: [aConsumer({ granted: { allowed: 0, nothingForMs: 9_000 } })],
    }),
    "well: All is well: 90 deliveries wait in the queue",
  ],
  [
    "one consumer of two is refused each connection, and nothing is said",
    facts({
      consumers: [
        aConsumer({ inFlight: 3 }),
        aConsumer({ name: "consumer-2", granted: { allowed: 0, nothingForMs: 300_000 } }),
      ],
    }),
    "notice: Mail server smtp.example:587 has refused all connections of consumer-2 of welcome-email without a word of a limit since 06:05 UTC; others send",
  ],
  [
    "one consumer of two is refused each connection by words of no limit, and the other one has asked for none yet",
    facts({
      consumers: [
        aConsumer(),
        aConsumer({
          ...{ name: "consumer-2" },
          granted: { allowed: 0, nothingForMs: 300_000, refusal: "421 4.7.0 Messages temporarily deferred" },
        }),
      ],
    }),
    "notice: Mail server smtp.example:587 has refused all connections of consumer-2 of welcome-email without a word of a limit since 06:05 UTC (“421 4.7.0 Messages temporarily deferred”)",
  ],
  [
    "all are, one for less than a minute",
    facts({
      unfinished: waits(90),
      oldestMs: 900,
      consumers: [40_000, 300_000].map((nothingForMs) => aConsumer({ granted: { allowed: 0, nothingForMs } })),
    }),
    "trouble: Mail server smtp.example:587 has had no connection for any consumer of welcome-email since 06:09 UTC; 90 mails wait, none is lost",
  ],
  [
    "others have all connections of the mail server but those of one consumer",
    facts({
      unfinished: waits(90),
      oldestMs: 90_000,
      consumers: [
        aConsumer({ granted: { allowed: 0, words: "421 too many connections" } }),
        aConsumer({ granted: { allowed: 2, words: "421 too many connections" } }),
      ],
    }),
    "notice: 90 mails wait, the oldest for 1 min 30 s; by what mail server smtp.example:587 grants, each consumer takes 2 at a time (“421 too many connections”)",
  ],
  [
    "more comes than is done",
    facts({ unfinished: waits(90), oldestMs: 90_000 }),
    "notice: 90 mails wait, the oldest for 1 min 30 s; 1 consumer works on it",
  ],
  [
    "held for an operator",
    facts({ held: [{ reason: "party_refuses", count: 3, firstUntil: null }] }),
    "notice: 3 mails of welcome-email are held (party_refuses) until somebody decides",
  ],
  [
    "held for a while",
    facts({ held: [{ reason: "recipient_cap", count: 1, firstUntil: new Date("2026-11-28T07:00:00Z") }] }),
    "notice: 1 mail of welcome-email is held (recipient_cap) for a while, the first for 50 min",
  ],
  ["dead letters", facts({ dead: 1, group: "payments" }), "notice: 1 dead letter of payments"],
  [
    "one domain refuses everything",
    facts({ consumers: [aConsumer({ waitingParties: 1 })] }),
    "notice: 1 domain refuses or defers every mail of welcome-email; what is for others flows",
  ],
  [
    "the group is missing",
    facts({ exists: false }),
    "trouble: The group welcome-email is missing in Redis; nothing waits",
  ],
  [
    "Redis is away",
    facts({}, { redis: "does not answer", outbox: { rows: 12, oldestMs: 60_000 } }),
    "trouble: Redis does not answer: signups succeed, and their events wait in the outbox (12, the oldest for 1 min); none is lost",
  ],
  [
    "Postgres is away",
    facts({}, { postgres: "does not answer" }),
    "trouble: PostgreSQL does not answer: signups are refused, and what was accepted waits; none of it is lost",
  ],
  [
    "Redis is away, and so is Postgres, which makes signups",
    facts({}, { redis: "does not answer", postgres: "does not answer" }),
    "trouble: PostgreSQL does not answer: signups are refused, and what was accepted waits; none of it is lost",
    "trouble: Redis does not answer: events of signups wait in the outbox; none is lost",
  ],
  [
    "no api publishes",
    facts({}, { outbox: { rows: 2, oldestMs: 120_000 } }),
    "trouble: 2 events have waited in the outbox since 06:08 UTC: nobody publishes them, or more come than are published",
  ],
  [
    "a loop of this process is kept from its work, and another one",
    facts({}, { loops: { relay: "ECONNRESET; since 2026-11-28T06:07:00.000Z", janitor: "x" } }),
    "trouble: The loop relay, and 1 other loop of this process cannot do their work (ECONNRESET; since 2026-11-28T06:07:00.000Z)",
  ],
  [
    "a loop waits for a store that is away",
    facts({}, { redis: "does not answer", loops: { relay: "waits" } }),
    "trouble: Redis does not answer: signups succeed, and their events wait in the outbox; none is lost",
  ],
  [
    "the clocks differ",
    facts({}, { clockDifferenceMs: -5_000 }),
    "notice: The clocks of Redis and PostgreSQL differ by 5 s",
  ],
])("%s", (_, known, ...expected) => {
  const found = describeFacts(known).slice(0, expected.length);
  expect(found.map(({ level, sentence }) => `${level}: ${sentence}`)).toEqual(expected);
});

test("what is worst comes first, and nothing is left out", () => {
  const findings = describeFacts(
    facts(
      {
        dead: 2,
        held: [{ reason: "x", count: 1, firstUntil: null }],
        unfinished: waits(4),
        consumers: [aConsumer({ breaker: open() })],
      },
      { clockDifferenceMs: 9_000 },
    ),
  );
  expect(findings.map(({ level }) => level)).toEqual(["trouble", "notice", "notice", "notice"]);
  expect(findings[0].sentence).toContain("refuses connections");
});

test("a system that fails several groups is said once, with what waits in all of them", () => {
  const consumers = [aConsumer({ breaker: open() })];
  const groups = [
    aGroup({ unfinished: waits(12), consumers }),
    aGroup({ group: "reminder-email", unfinished: waits(3), consumers: [...consumers, aConsumer()] }),
    aGroup({ group: "webhook-crm", unfinished: waits(1), consumers: [aConsumer({ breaker: open(), system: "crm" })] }),
  ];
  const findings = describeFacts(facts({}, { groups }));
  expect(findings.map(({ group, alsoOf }) => [group, alsoOf])).toEqual([
    ["welcome-email", ["reminder-email"]],
    ["webhook-crm", undefined],
  ]);
  expect(findings[0].sentence).toBe(
    "Mail server smtp.example:587 refuses connections since 06:05 UTC for 2 of 3 consumers; 15 mails wait, none is lost; next probe in 2 s",
  );
});
