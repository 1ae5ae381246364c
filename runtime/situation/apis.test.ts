import { expect, test } from "bun:test";
import { describe } from "./describe.ts";
import type { ApiFacts, Facts } from "./facts.ts";
import { facts, NOW } from "./facts-for-tests.ts";

const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000);
const anApi = (parts: Partial<ApiFacts> = {}): ApiFacts => ({
  name: "api-1 on web-1",
  postgres: undefined,
  refusal: undefined,
  loops: {},
  ...parts,
});
const refusal = (fault: string, since = 290, at = 2) => ({ fault, since: before(since), at: before(at) });
const NO_RIGHT = "PostgreSQL refuses a statement (42501)";
const SILENT = { postgres: "does not answer", isOnlooker: true };
const sentencesOf = (parts: Partial<Facts>) =>
  describe(facts({}, parts)).map(({ level, sentence }) => `${level}: ${sentence}`);

test.each<[string, Partial<Facts>, readonly string[]]>([
  [
    "one api refuses signups",
    { apis: [anApi({ refusal: refusal(NO_RIGHT) })] },
    [
      "trouble: api-1 on web-1 refuses signups, because PostgreSQL refuses a statement (42501), since 06:05 UTC, the last time 2 s ago; what was accepted is not lost",
    ],
  ],
  [
    "three refuse them for one reason: said once, since the first, the last time of the last",
    {
      apis: [
        anApi({ refusal: refusal(NO_RIGHT, 100, 1) }),
        anApi({ name: "api-2 on web-2", refusal: refusal(NO_RIGHT) }),
        anApi({ name: "api-3 on web-3", refusal: refusal(NO_RIGHT) }),
      ],
    },
    [
      "trouble: api-1 on web-1, api-2 on web-2 and 1 more refuse signups, because PostgreSQL refuses a statement (42501), since 06:05 UTC, the last time 1 s ago; what was accepted is not lost",
    ],
  ],
  [
    "an api that asks knows the same of itself",
    { apis: [anApi({ refusal: refusal(NO_RIGHT) })], refusal: refusal(NO_RIGHT) },
    [expect.stringContaining("api-1 on web-1 refuses signups")],
  ],
  [
    "Postgres answers who asks, and not the api",
    { apis: [anApi({ postgres: { since: before(290), refusal: "28000" } })] },
    [
      "trouble: api-1 on web-1 refuses signups, because PostgreSQL refuses its connections (28000), since 06:05 UTC; what was accepted is not lost",
    ],
  ],
  [
    "Postgres answers nobody: that says enough",
    { apis: [anApi({ postgres: { since: before(290) } })], postgres: "does not answer" },
    [expect.stringContaining("PostgreSQL does not answer: signups are refused")],
  ],
  [
    "Postgres does not answer who asks, and two apis report that all is well",
    { ...SILENT, apis: [anApi(), anApi({ name: "api-2 on web-2" })] },
    [
      "notice: PostgreSQL does not answer (asked from here): nobody could look, and api-1 on web-1 and api-2 on web-2 report no trouble with it",
    ],
  ],
  [
    "it answers one of two apis",
    { ...SILENT, apis: [anApi(), anApi({ name: "api-2 on web-2", postgres: { since: before(290) } })] },
    [
      "trouble: api-2 on web-2 refuses signups, because PostgreSQL does not answer it, since 06:05 UTC; what was accepted is not lost",
      "notice: PostgreSQL does not answer (asked from here): nobody could look, and api-1 on web-1 reports no trouble with it",
    ],
  ],
  [
    "it answers no api either",
    { ...SILENT, apis: [anApi({ postgres: { since: before(290) } })] },
    [
      "trouble: PostgreSQL does not answer, nor does it serve api-1 on web-1: signups are refused, and what was accepted waits; none of it is lost",
    ],
  ],
  [
    "no api reports",
    { ...SILENT, apis: [] },
    [
      "trouble: PostgreSQL does not answer (asked from here), and no api says what it answers them: if nothing, signups are refused, and what was accepted waits; none of it is lost",
    ],
  ],
  [
    "Redis does not answer who asks, and nothing waits for it",
    { redis: "does not answer", isOnlooker: true },
    [
      "trouble: Redis does not answer (asked from here): signups succeed, and if it does not answer the apis either, their events wait in the outbox; none is lost",
      "notice: Which consumers run cannot be told meanwhile: their signs of life are kept in Redis",
    ],
  ],
  [
    "Redis does not answer who asks, and events wait for it",
    { redis: "does not answer", isOnlooker: true, outbox: { rows: 12, oldestMs: 60_000 } },
    [
      "trouble: Redis does not answer (asked from here): signups succeed, and their events wait in the outbox (12, the oldest for 1 min); none is lost",
      "notice: Which consumers run cannot be told meanwhile: their signs of life are kept in Redis",
    ],
  ],
  [
    "neither store answers who asks",
    { ...SILENT, redis: "does not answer" },
    [
      "trouble: PostgreSQL does not answer (asked from here), and no api says what it answers them: if nothing, signups are refused, and what was accepted waits; none of it is lost",
      "trouble: Redis does not answer (asked from here): if it does not answer the apis either, events of signups wait in the outbox; none is lost",
      "notice: Which consumers run cannot be told meanwhile: their signs of life are kept in Redis",
    ],
  ],
  [
    "the disk of Postgres is full",
    { apis: [anApi({ refusal: refusal("the disk of PostgreSQL is full (53100)") })] },
    ["trouble: The disk of PostgreSQL is full: signups are refused, and what was accepted waits; none of it is lost"],
  ],
  [
    "loops cannot do their work",
    {
      apis: [
        anApi({
          loops: {
            relay: "Redis refuses a command (NOPERM); since 2026-11-28T06:05:10.000Z",
            janitor: "Redis refuses a command (NOPERM); since 2026-11-28T06:05:12.000Z",
          },
        }),
      ],
    },
    [
      "trouble: The loop relay, and 1 other loop of api-1 on web-1 cannot do their work (Redis refuses a command (NOPERM); since 2026-11-28T06:05:10.000Z)",
    ],
  ],
  [
    "loops have different faults: each is said",
    {
      apis: [
        anApi({
          loops: {
            relay: "Redis refuses a command (NOPERM); since 2026-11-28T06:05:10.000Z",
            janitor: "Redis refuses a command (WRONGTYPE); since 2026-11-28T06:05:12.000Z",
          },
        }),
      ],
    },
    [
      "trouble: The loop relay of api-1 on web-1 cannot do its work (Redis refuses a command (NOPERM); since 2026-11-28T06:05:10.000Z)",
      "trouble: The loop janitor of api-1 on web-1 cannot do its work (Redis refuses a command (WRONGTYPE); since 2026-11-28T06:05:12.000Z)",
    ],
  ],
  [
    "a loop had not reached Redis, which it has by now, for else it could not say so",
    { apis: [anApi({ loops: { relay: "Redis does not answer; since 2026-11-28T06:05:10.000Z" } })] },
    ["well: All is well: nothing waits"],
  ],
])("%s", (_, parts, sentences) => {
  expect(sentencesOf(parts)).toEqual([...sentences]);
});
