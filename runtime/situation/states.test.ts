import { expect, test } from "bun:test";
import { describe as describeFacts } from "./describe.ts";
import type { Facts } from "./facts.ts";
import { aConsumer, facts, NOW, open, waits } from "./facts-for-tests.ts";

const retries = (count: number, reason = "connection_refused") => ({
  reason,
  count,
  isBound: false,
  firstAt: new Date(NOW.getTime() + 11_400),
});
const flowing = { total: 1_204, medianMs: 394 };
const MB = 1_048_576;

test.each<[string, Facts, string]>([
  [
    "a few retries beside many that flow",
    facts({
      lastHour: flowing,
      unfinished: waits(14),
      retrying: [retries(3)],
      consumers: [aConsumer({ inFlight: 11 })],
    }),
    "well: All is well: 1,204 mails in the last hour, half of them within 394 ms; 11 deliveries are in work, 3 wait for their next attempt",
  ],
  [
    "only retries wait, because the other system is down",
    facts({ group: "webhook-crm", unfinished: waits(2), retrying: [retries(2)] }),
    "notice: 2 webhooks of webhook-crm wait for their next attempt (connection_refused), the first in 12 s",
  ],
  [
    "many retries beside some that flow, for several reasons, and one is due",
    facts({
      lastHour: { total: 20, medianMs: 100 },
      retrying: [retries(1, "mailbox_full"), { ...retries(1_000), isBound: true, firstAt: NOW }],
    }),
    "notice: 1,001 or more mails of welcome-email wait for their next attempt (connection_refused, and 1 other reason), the first is due",
  ],
  [
    "Redis was emptied",
    facts({ lastHour: flowing, unfinished: waits(24), notInRedis: 24 }),
    "notice: Redis no longer has 24 mails of welcome-email: an api queues each again from the ledger, by default within 1 min 30 s after it is due; none is lost",
  ],
  [
    "a receiver answers 500",
    facts({
      group: "webhook-crm",
      unfinished: waits(2),
      consumers: [aConsumer({ system: "receiver crm", breaker: open({ reason: "status_500", words: undefined }) })],
    }),
    "trouble: Receiver crm answers 500 since 06:05 UTC; 2 webhooks wait, none is lost; next probe in 2 s",
  ],
  [
    "the mail server refuses every mail by its policy",
    facts({ unfinished: waits(2), consumers: [aConsumer({ breaker: open({ reason: "policy", words: "554 no" }) })] }),
    "trouble: Mail server smtp.example:587 refuses everything that we send (“554 no”) since 06:05 UTC; 2 mails wait, none is lost; next probe in 2 s",
  ],
  [
    "retries wait behind an open breaker: it says why",
    facts({ unfinished: waits(2), retrying: [retries(2)], consumers: [aConsumer({ breaker: open() })] }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 2 mails wait, none is lost; next probe in 12 s",
  ],
  [
    "reminders wait for tomorrow",
    facts({ delayed: { count: 10_000, isBound: true } }),
    "well: All is well: 10,000 or more wait until their delay is over",
  ],
  [
    "a consumer died with an entry, which nobody has claimed yet",
    facts({
      unfinished: waits(1),
      consumers: [aConsumer({ name: "consumer-1", silentMs: 8_000, pending: 1 }), aConsumer({ name: "consumer-2" })],
    }),
    "notice: 1 mail of welcome-email is with consumer-1, which fell silent 8 s ago; another consumer takes it over",
  ],
  [
    "two did, one of them long ago, and the group is paused",
    facts({
      pausedBy: "anh",
      unfinished: waits(3),
      strayEntries: 2,
      consumers: [aConsumer({ silentMs: 40_000, pending: 1 }), aConsumer({ name: "consumer-2" })],
    }),
    "notice: 3 mails of welcome-email are with consumers that are gone; another consumer takes them over once the group is resumed",
  ],
  [
    "a consumer died with nothing in flight",
    facts({ consumers: [aConsumer({ silentMs: 8_000 }), aConsumer({ name: "consumer-2" })] }),
    "well: All is well: nothing waits",
  ],
  [
    "all consumers have just fallen silent: frozen, or cut off from Redis",
    facts({ unfinished: waits(3), consumers: [aConsumer({ silentMs: 8_000, pending: 2 })] }),
    "notice: No consumer of welcome-email has given a sign of life for 8 s; 3 mails wait, none is lost",
  ],
  [
    "consumers of other groups only",
    facts({ unfinished: waits(3), consumers: [] }),
    "trouble: No consumer of welcome-email runs; 3 mails wait, none is lost",
  ],
  [
    "Redis was emptied seconds ago, and those that run give their next sign soon",
    facts({ consumers: [], unfinished: waits(3), oldestMs: 1_200 }),
    "notice: No consumer of welcome-email has given a sign of life yet, and nothing of it in Redis is older than 1.2 s; 3 mails wait, none is lost",
  ],
  [
    "no trace of a consumer, and the work is older than a sign of life",
    facts({ consumers: [], unfinished: waits(3), oldestMs: 6_000 }),
    "trouble: No consumer of welcome-email runs; 3 mails wait, none is lost",
  ],
  [
    "Redis was emptied, and its groups are not made yet",
    facts({ exists: false, consumers: [], unfinished: waits(3) }),
    "trouble: The group welcome-email is missing in Redis; 3 mails wait, none is lost",
  ],
  [
    "the mail server works again",
    facts({ unfinished: waits(40), consumers: [aConsumer({ breaker: open({ state: "recovering" }) })] }),
    "notice: Mail server smtp.example:587 works again since 06:05 UTC, and more is tried bit by bit; 40 mails wait, none is lost",
  ],
  [
    "the mail server works again, and all that waited is sent",
    facts({ lastHour: flowing, consumers: [aConsumer({ breaker: open({ state: "recovering" }) })] }),
    "well: All is well: 1,204 mails in the last hour, half of them within 394 ms",
  ],
  [
    "the account is refused",
    facts({
      unfinished: waits(40),
      consumers: [aConsumer({ breaker: open({ reason: "account_refused", words: "550 no" }) })],
    }),
    "trouble: Mail server smtp.example:587 refuses everything that we send (“550 no”) since 06:05 UTC; 40 mails wait, none is lost; next probe in 2 s",
  ],
  [
    "paused since yesterday, and forgotten",
    facts({ pausedBy: "anh", pausedAt: new Date("2026-11-27T05:00:00Z"), unfinished: waits(200) }),
    "notice: welcome-email is paused by anh since 2026-11-27 05:00 UTC; 200 mails wait, none is lost",
  ],
  [
    "paused, and what it has to do is not due",
    facts({ group: "reminder-email", pausedBy: "anh", delayed: waits(26) }),
    "notice: reminder-email is paused by anh; nothing is due, 26 mails wait until their delay is over",
  ],
  [
    "the mail server says nothing, and no attempt has timed out yet",
    facts({ lastHour: flowing, unfinished: waits(8), oldestMs: 10_800 }),
    "notice: 8 mails wait, the oldest for 10.8 s; 1 consumer works on it",
  ],
  [
    "a rate was ordered, and forgotten",
    facts({
      ordered: { by: "anh", at: new Date("2026-11-28T05:00:00Z") },
      unfinished: waits(30),
      oldestMs: 300_000,
      consumers: [aConsumer({ ratePerSecond: 0.02 })],
    }),
    "notice: 30 mails wait, the oldest for 5 min; the rate that anh ordered, since 05:00 UTC, allows 0.02 a second: at least 25 min more",
  ],
  [
    "a rate that is no reason to wait",
    facts({ unfinished: waits(30), oldestMs: 300_000, consumers: [aConsumer({ ratePerSecond: 1_000 })] }),
    "notice: 30 mails wait, the oldest for 5 min; 1 consumer works on it",
  ],
  [
    "held by the policy",
    facts({ held: [{ reason: "uncertain", count: 2, firstUntil: null }] }),
    "notice: 2 mails of welcome-email are held (uncertain) until somebody decides",
  ],
  [
    "fresh dead letters",
    facts({ dead: 2_500, latestDead: { at: "2026-11-28T06:09:59.000Z", reason: "no_such_address" } }),
    "notice: 2,500 dead letters of welcome-email, the latest of 06:09 UTC (no_such_address)",
  ],
  [
    "Redis is full",
    facts({}, { redis: "is full (256.0 MiB of 256.0 MiB)", outbox: { rows: 12, oldestMs: 60_000 } }),
    "trouble: Redis is full (256.0 MiB of 256.0 MiB): signups succeed, and their events wait in the outbox (12, the oldest for 1 min); none is lost",
  ],
  [
    "Redis is nearly full",
    facts({}, { redisMemory: { used: 250 * MB, most: 256 * MB } }),
    "notice: Redis has used 250.0 MiB of 256.0 MiB: once it is full, signups succeed and their events wait in the outbox",
  ],
  ["Redis has no limit", facts({}, { redisMemory: { used: 250 * MB, most: 0 } }), "well: All is well: nothing waits"],
  [
    "Postgres is read-only",
    facts({}, { postgres: "is read-only" }),
    "trouble: PostgreSQL is read-only: signups are refused, and what was accepted waits; none of it is lost",
  ],
  [
    "nobody deletes old events",
    facts({}, { pruning: { lookedAt: new Date("2026-11-28T05:00:00Z"), retentionMs: 86_400_000 } }),
    "notice: No api has looked for old events since 05:00 UTC: the ledger grows beyond the 1 d that it is kept for",
  ],
  [
    "a job runs",
    facts(
      {},
      {
        jobs: [
          {
            action: "retry",
            by: "anh",
            state: "running",
            done: 1_200,
            total: 2_500,
            at: new Date("2026-11-28T06:09:00Z"),
          },
        ],
      },
    ),
    "notice: The job retry, begun by anh at 06:09 UTC, is at 1,200 of 2,500",
  ],
  [
    "a job was stopped",
    facts(
      {},
      {
        jobs: [
          {
            action: "retry",
            by: "anh",
            state: "stopped",
            done: 1_200,
            total: 2_500,
            at: new Date("2026-11-28T06:09:00Z"),
          },
        ],
      },
    ),
    "notice: The job retry, begun by anh at 06:09 UTC, ended at 1,200 of 2,500 (stopped)",
  ],
])("%s", (_, known, expected) => {
  const [first] = describeFacts(known);
  expect(`${first.level}: ${first.sentence}`).toBe(expected);
});

test("a full Redis hides no other trouble", () => {
  const known = facts(
    { unfinished: waits(2), consumers: [aConsumer({ breaker: open() })] },
    { redis: "is full (1.0 MB of 1.0 MB)" },
  );
  expect(describeFacts(known).map(({ level }) => level)).toEqual(["trouble", "trouble", "notice"]);
});
