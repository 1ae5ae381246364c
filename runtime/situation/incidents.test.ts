import { expect, test } from "bun:test";
import { describe as describeFacts } from "./describe.ts";
import type { Facts } from "./facts.ts";
import { aConsumer, aGroup, facts, NOW, open, waits } from "./facts-for-tests.ts";
import { endsNoCommit } from "./words.ts";

const MB = 1_048_576;
const stuck = (group: string) =>
  aGroup({
    group,
    consumers: [
      aConsumer({ faults: { [`reader of ${group}`]: "Redis does not answer; since 2026-11-28T06:09:50.000Z" } }),
    ],
  });
const poisoned = (group: string) =>
  aGroup({ group, dead: 1, latestDead: { at: "2026-11-28T06:09:00.000Z", reason: "malformed" } });

test.each<[string, Facts, string]>([
  [
    "a consumer died while a system recovered",
    facts({
      unfinished: waits(6),
      consumers: [
        aConsumer({ name: "consumer-1", silentMs: 7_000, pending: 3 }),
        aConsumer({ name: "consumer-2", breaker: open({ state: "recovering" }), inFlight: 3 }),
      ],
    }),
    "notice: 3 mails of welcome-email are with consumer-1, which fell silent 7 s ago; another consumer takes them over",
  ],
  [
    "the mail server is down, and too little was sent yet for a breaker to open",
    facts({
      unfinished: waits(12),
      retrying: [{ reason: "connection_refused", ...waits(12), firstAt: new Date(NOW.getTime() + 8_400) }],
      lastHour: { total: 30, medianMs: 38 },
      consumers: [
        aConsumer({ breaker: { state: "closed", since: "x", reason: "connection_refused", words: "ECONNREFUSED" } }),
      ],
    }),
    "trouble: Mail server smtp.example:587 refuses connections (“ECONNREFUSED”); 12 mails of welcome-email wait for their next attempt, the first in 9 s; none is lost",
  ],
  [
    "it is down for one consumer of two",
    facts({
      unfinished: waits(1),
      retrying: [{ reason: "auth", ...waits(1), firstAt: NOW }],
      consumers: [aConsumer(), aConsumer({ breaker: { state: "closed", since: "x", reason: "auth" } })],
    }),
    "notice: Mail server smtp.example:587 refuses the login for 1 of 2 consumers; 1 mail of welcome-email waits for its next attempt, the first is due; none is lost",
  ],
  [
    "a consumer has tried nothing since it lost a connection, and something else waits now",
    facts({
      unfinished: waits(1),
      retrying: [{ reason: "connection_lost", ...waits(1), firstAt: NOW }],
      consumers: [
        aConsumer({ breaker: { state: "closed", since: "x", reason: "connection_lost", reasonAgeMs: 3_600_000 } }),
      ],
    }),
    "notice: 1 mail of welcome-email waits for its next attempt (connection_lost), the first is due",
  ],
  [
    "it is down for one, and another lost a connection an hour ago",
    facts({
      unfinished: waits(12),
      consumers: [
        aConsumer({ breaker: open() }),
        aConsumer({ breaker: { state: "closed", since: "x", reason: "connection_lost", reasonAgeMs: 3_600_000 } }),
      ],
    }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC for 1 of 2 consumers; 12 mails wait, none is lost; next probe in 2 s",
  ],
  [
    "it is down for all, though one breaker is not open yet",
    facts({
      unfinished: waits(12),
      consumers: [
        aConsumer({ breaker: open() }),
        aConsumer({ breaker: { state: "closed", since: "x", reason: "connection_refused" } }),
      ],
    }),
    "trouble: Mail server smtp.example:587 refuses connections since 06:05 UTC; 12 mails wait, none is lost; next probe in 2 s",
  ],
  [
    "it works again, and what failed waits",
    facts({
      unfinished: waits(12),
      retrying: [{ reason: "connection_refused", ...waits(12), firstAt: NOW }],
      consumers: [aConsumer()],
    }),
    "notice: 12 mails of welcome-email wait for their next attempt (connection_refused), the first is due",
  ],
  [
    "a provider refuses all mail for its domain, in its words",
    facts({
      unfinished: waits(5),
      retrying: [{ reason: "party_waits", ...waits(5), firstAt: NOW }],
      held: [{ reason: "party_refuses", count: 8, firstUntil: new Date(NOW.getTime() + 1_800_000) }],
      consumers: [
        aConsumer({
          waitingParties: 1,
          partyWords: "550 5.7.1 no",
          breaker: { state: "closed", since: "x", reason: "mailbox_full", words: "552 5.2.2 over quota" },
        }),
      ],
    }),
    "notice: 1 domain refuses or defers every mail of welcome-email; what is for others flows; 5 mails wait until one is accepted, none is lost; it says “550 5.7.1 no”",
  ],
  [
    "two domains do, of which one's words are known",
    facts({ consumers: [aConsumer({ waitingParties: 2, partyWords: "550 5.7.1 no" })] }),
    "notice: 2 domains refuse or defer every mail of welcome-email; what is for others flows; one of them says “550 5.7.1 no”",
  ],
  [
    "one does, and only another domain's words are known",
    facts({
      consumers: [
        aConsumer({
          waitingParties: 1,
          breaker: { state: "closed", since: "x", reason: "mailbox_full", words: "552 5.2.2 over quota" },
        }),
      ],
    }),
    "notice: 1 domain refuses or defers every mail of welcome-email; what is for others flows",
  ],
  [
    "Redis lost what waited for a mail server that is down",
    facts({
      unfinished: waits(20),
      notInRedis: 20,
      retrying: [{ reason: "connection_refused", ...waits(20), firstAt: NOW }],
    }),
    "notice: Redis no longer has 20 mails of welcome-email: an api queues each again from the ledger, by default within 1 min 30 s after it is due; none is lost",
  ],
  [
    "the mail server has not answered, and more consumers would not help",
    facts({ unfinished: waits(3), oldestMs: 28_000, consumers: [aConsumer({ inFlight: 3 }), aConsumer()] }),
    "notice: 3 mails wait, the oldest for 28 s; all are in work with mail server smtp.example:587",
  ],
  [
    "it has not greeted anybody for a while, and more consumers would not help",
    facts({
      unfinished: waits(9),
      oldestMs: 18_000,
      retrying: [{ reason: "greeting_timeout", ...waits(2), firstAt: NOW }],
      lastHour: { total: 97, medianMs: 181 },
      consumers: [
        aConsumer({
          inFlight: 4,
          breaker: { state: "closed", since: "x", reason: "greeting_timeout", reasonAgeMs: 3_100 },
        }),
      ],
    }),
    "trouble: Mail server smtp.example:587 accepts connections and says nothing, the last time 4 s ago; 9 mails wait, the oldest for 18 s; none is lost",
  ],
  [
    "the same, as the consumer says it that nobody has told how much waits",
    facts(
      {
        unfinished: undefined,
        consumers: [
          aConsumer({
            silentMs: 0,
            breaker: { state: "closed", since: "x", reason: "greeting_timeout", reasonAgeMs: 4_000 },
          }),
        ],
      },
      { asker: "this consumer" },
    ),
    "trouble: Mail server smtp.example:587 accepts connections and says nothing, the last time 4 s ago",
  ],
  [
    "a consumer that fell silent works on nothing",
    facts({
      unfinished: waits(9),
      oldestMs: 28_000,
      consumers: [aConsumer({ silentMs: 8_000 }), aConsumer({ name: "consumer-2", inFlight: 2 })],
    }),
    "notice: 9 mails wait, the oldest for 28 s; 1 consumer works on it",
  ],
  [
    "a receiver answered 410, and its group paused itself",
    facts({
      group: "webhook-crm",
      pausedBy: "consumer-1 (receiver_gone)",
      pausedFor: "receiver_gone",
      pausedAt: new Date("2026-11-28T06:05:00Z"),
      unfinished: waits(16),
      consumers: [aConsumer({ breaker: open({ reason: "receiver_gone" }) }), aConsumer()],
    }),
    "trouble: webhook-crm is paused since 06:05 UTC: its receiver answered that it is gone (410); 16 webhooks wait, none is lost",
  ],
  [
    "a poison entry, of which each group has made a dead letter",
    facts({}, { groups: ["welcome-email", "reminder-email", "notice-email", "payments", "webhook-crm"].map(poisoned) }),
    "notice: 1 dead letter of welcome-email, of 06:09 UTC (malformed); likewise 4 other groups (reminder-email, notice-email, payments and 1 more)",
  ],
  [
    "Redis was away, and the consumers of all groups say so",
    facts({}, { groups: ["welcome-email", "reminder-email", "payments"].map(stuck) }),
    "notice: Redis answers, and consumer-1 of welcome-email did not know it 900 ms ago; nothing waits; likewise 2 other groups (reminder-email, payments)",
  ],
  [
    "Redis was away, and loops of this process have not found out that it answers",
    facts(
      {},
      {
        loops: {
          relay: "Redis does not answer; since 2026-11-28T06:09:55.000Z",
          janitor: "Redis does not answer; since 2026-11-28T06:09:45.000Z",
        },
      },
    ),
    "notice: Redis answers, and the loop relay, and 1 other loop of this process have yet to try again",
  ],
  [
    "Redis answers, and a loop with a connection of its own has not reached it for an hour",
    facts({}, { loops: { subscriber: "Redis does not answer; since 2026-11-28T05:10:00.000Z" } }),
    "trouble: The loop subscriber of this process cannot do its work (Redis does not answer; since 2026-11-28T05:10:00.000Z)",
  ],
  [
    "Redis does not answer a consumer, which says what it knows by itself",
    facts({}, { asker: "this consumer", redis: "has not answered since 06:05 UTC" }),
    "trouble: Redis has not answered since 06:05 UTC: this consumer waits for it, and goes on by itself; none of its work is lost",
  ],
  [
    "Redis answers a consumer again, and a loop of it has not found out",
    facts(
      {
        consumers: [
          aConsumer({
            name: "this consumer",
            silentMs: 0,
            faults: { reaper: "Redis does not answer; since 2026-11-28T06:09:55.000Z" },
          }),
        ],
      },
      { asker: "this consumer" },
    ),
    "notice: Redis answers, and this consumer of welcome-email has yet to try again; nothing waits",
  ],
  [
    "Postgres refuses the signups of this process, its disk being full",
    facts(
      { lastHour: { total: 40, medianMs: 100 } },
      { refusal: { fault: "the disk of PostgreSQL is full (53100)", since: NOW, at: NOW } },
    ),
    "trouble: The disk of PostgreSQL is full: signups are refused, and what was accepted waits; none of it is lost",
  ],
  [
    "Postgres refuses the signups of this process for another reason",
    facts(
      {},
      {
        refusal: {
          fault: "PostgreSQL refuses a statement (25006)",
          since: new Date("2026-11-28T06:05:00Z"),
          at: new Date(NOW.getTime() - 4_000),
        },
      },
    ),
    "trouble: Signups are refused, because PostgreSQL refuses a statement (25006), since 06:05 UTC, the last time 4 s ago; what was accepted is not lost",
  ],
  [
    "somebody has locked a table",
    facts({}, { tableLock: { table: "users", heldMs: 14_000, pid: 4711, holder: "psql" } }),
    "trouble: psql has locked the table users of PostgreSQL for 14 s: what needs it waits, or is refused; nothing that was accepted is lost",
  ],
  [
    "the disk of Postgres is full, which answers all the same",
    facts({
      consumers: [
        aConsumer({ faults: { "settling in the ledger": "the disk of PostgreSQL is full (53100); since x" } }),
      ],
    }),
    "trouble: The disk of PostgreSQL is full: signups are refused, and what was accepted waits; none of it is lost",
  ],
  [
    "Redis was emptied, and the group that a consumer missed is there again",
    facts({ consumers: [aConsumer({ faults: { heartbeat: "Redis refuses a command (NOGROUP); since x" } })] }),
    "well: All is well: nothing waits",
  ],
  [
    "the disk of Redis is full",
    facts({}, { redisSaves: false }),
    "notice: Redis could not save its last snapshot: its disk may be full, and then it refuses writes",
  ],
  [
    "Redis is away, and since when events wait",
    facts({}, { redis: "does not answer", outbox: { rows: 12, oldestMs: 90_000 } }),
    "trouble: Redis does not answer: signups succeed, and their events wait in the outbox (12, the oldest for 1 min 30 s); none is lost",
  ],
])("%s", (_, known, expected) => {
  const [first] = describeFacts(known);
  expect(`${first.level}: ${first.sentence}`).toBe(expected);
});

test.each([
  ["connection_refused", "welcome-email", /start it, or correct MAIL_SERVER/],
  ["account_refused", "welcome-email", /ask its operator about these words/],
  ["timeout", "payments", /^ops doctor$/],
  ["status_503", "webhook-crm", /ops webhook test crm$/],
])("what to do about %s of %s", (reason, group, remedy) => {
  const [{ remedy: said }] = describeFacts(facts({ group, consumers: [aConsumer({ breaker: open({ reason }) })] }));
  expect(said).toMatch(remedy);
});

test("while everything is refused, nobody says that what is for other domains flows", () => {
  const consumers = [aConsumer({ waitingParties: 1, breaker: open({ reason: "policy" }) })];
  const said = describeFacts(facts({ unfinished: waits(3), consumers })).map(({ sentence }) => sentence);
  expect(said.join()).not.toContain("flows");
});

test("what a domain refused is released at once when it accepts again", () => {
  const held = [{ reason: "party_refuses", count: 8, firstUntil: NOW }];
  expect(describeFacts(facts({ held }))[0].remedy).toContain(
    "ops held release --group welcome-email --reason party_refuses",
  );
});

test("of several groups the remedy is for all of them", () => {
  const groups = ["welcome-email", "reminder-email", "payments"].map(poisoned);
  expect(describeFacts(facts({}, { groups }))[0].remedy).toBe("ops dead list");
});

test("two groups with the same trouble have a sentence each, and other causes stay apart", () => {
  const groups = [poisoned("welcome-email"), poisoned("payments"), aGroup({ group: "webhook-crm", dead: 3 })];
  expect(describeFacts(facts({}, { groups }))).toHaveLength(3);
});

test("of commits that wait for a standby the remedy is the standby", () => {
  const postgres = endsNoCommit(new Date("2026-11-28T06:05:00Z"), NOW);
  expect(describeFacts(facts({}, { postgres }))[0]).toEqual({
    level: "trouble",
    sentence:
      "PostgreSQL has ended no commit since about 06:05 UTC, because its synchronous standby does not answer: signups are refused, and what was accepted waits; none of it is lost",
    remedy: "bring the standby back, or take it out of synchronous_standby_names",
  });
});

test("of a disk of Redis that is full the remedy is room on it", () => {
  const [first] = describeFacts(
    facts({}, { redis: "cannot write to its disk, and refuses writes", redisAppends: false }),
  );
  expect(first.remedy).toBe("make room on the disk of Redis");
});

test("of a full Redis the remedy is more memory", () => {
  const full = { used: 256 * MB, most: 256 * MB };
  const [first] = describeFacts(facts({}, { redis: "is full", redisMemory: full }));
  expect(first.remedy).toBe("raise maxmemory, or shorten STREAM_RETENTION_MS");
});

test.each(["is full (256 MB of 256 MB)", "has no replica that keeps up, and refuses writes (NOREPLICAS)"])(
  "of a Redis that %s the silence of consumers, whose reports are writes, says nothing",
  (redis) => {
    for (const silentMs of [4_500, 8_000, 27_200]) {
      const consumers = [aConsumer({ silentMs }), aConsumer({ silentMs: silentMs + 300, pending: 3 })];
      const all = describeFacts(facts({ unfinished: waits(170), oldestMs: silentMs, consumers }, { redis }));
      expect(all.map(({ sentence }) => sentence)).toEqual([
        `Redis ${redis}: signups succeed, and their events wait in the outbox; none is lost`,
        "Which consumers run cannot be told meanwhile: their signs of life are kept in Redis",
      ]);
    }
  },
);

test("of a Redis without its replicas the remedy is to bring one back", () => {
  const [first] = describeFacts(facts({}, { redis: "has no replica that keeps up", redisLacksReplicas: true }));
  expect(first.remedy).toContain("min-replicas-to-write");
});

test("a consumer whose login Redis refuses does not say that it goes on by itself", () => {
  const redis = "refuses the login (WRONGPASS) since 06:05 UTC";
  const [{ sentence, remedy }] = describeFacts(facts({}, { asker: "this consumer", redis }));
  expect(sentence).toBe(
    `Redis ${redis}: this consumer waits for it, and goes on once REDIS_URL has the login that Redis accepts; none of its work is lost`,
  );
  expect(remedy).toContain("password in REDIS_URL");
});
