import { describe, expect, test } from "bun:test";
import { type Hours, type Provider, runHours } from "../mail-hours.ts";

const MINUTE_MS = 60_000;

const oneDomain = (n: number) => `person-${n}@inbox.example`;
/** Most at one domain, others at a hundred. */
const mostAtOne = (n: number) => `person-${n}@${n % 10 < 6 ? "inbox" : `domain-${n % 97}`}.example`;
const manyDomains = (n: number) => `person-${n}@domain-${n % 200}.example`;

/** Takes so many a minute; the others get the answer. */
const takes = (most: number, answer: string) => (): Provider => {
  let minute = -1;
  let count = 0;
  return {
    atRecipient: (_address, now) => {
      const current = Math.floor(now / MINUTE_MS);
      count = current === minute ? count + 1 : 1;
      minute = current;
      return count > most ? answer : undefined;
    },
  };
};

const greylists = (forMs: number) => (): Provider => {
  const since = new Map<string, number>();
  return {
    atRecipient: (address, now) => {
      const askedAt = since.get(address) ?? now;
      since.set(address, askedAt);
      return now - askedAt < forMs ? "451 4.7.1 greylisted, come back later" : undefined;
    },
  };
};

/** From the 20th minute on, for so long. */
const isAway = (minutes: number, now: number): boolean => now >= 20 * MINUTE_MS && now < (20 + minutes) * MINUTE_MS;
const defers = (minutes: number, answer: string) => (): Provider => ({
  atRecipient: (_address, now) => (isAway(minutes, now) ? answer : undefined),
});
const closes = (minutes: number, answer: string) => (): Provider => ({
  atGreeting: (now) => (isAway(minutes, now) ? answer : undefined),
  atRecipient: () => undefined,
});

/** Away, and then it greylists. */
const returnsGreylisting = (minutes: number) => (): Provider => ({
  ...closes(minutes, "421 4.3.2 busy")(),
  ...greylists(5 * MINUTE_MS)(),
});

type Weather = readonly [what: string, provider: () => Provider, latestMinutes: number];

const inAll = { hours: 2, perMinute: 10 };
/** 600 mails in five minutes, where 20 a minute are taken: half an hour of work. */
const inABurst = { hours: 1 / 12, perMinute: 120 };

const RATES: readonly Weather[] = [
  ["20 a minute, 450 4.7.1", takes(20, "450 4.7.1 try again later"), 40],
  ["20 a minute, 421 4.7.0", takes(20, "421 4.7.0 try again later"), 40],
  ["20 a minute, 452 4.2.1", takes(20, "452 4.2.1 try again later"), 40],
  ["20 a minute, in words", takes(20, "450 4.7.1 too many messages"), 40],
];
const OTHERS: readonly Weather[] = [
  ["greylisting for 5 minutes", greylists(5 * MINUTE_MS), 6],
  ["greylisting for 20 minutes", greylists(20 * MINUTE_MS), 26],
  ["451 4.3.0 for 20 minutes", defers(20, "451 4.3.0 not accepting mail"), 30],
  ["451 4.7.1 for 20 minutes", defers(20, "451 4.7.1 try again later"), 30],
  ["450 for an hour", defers(60, "450 try again later"), 70],
  ["421 for 20 minutes, to each connection", closes(20, "421 4.3.2 busy"), 30],
];

describe.each([
  ["one domain", oneDomain],
  ["mostly one domain", mostAtOne],
  ["many domains", manyDomains],
] as const)("hours of weather, mail for %s", (_whose, addressOf) => {
  const cases = [
    ...RATES.map((weather) => [...weather, inABurst] as const),
    ...OTHERS.map((weather) => [...weather, inAll] as const),
  ];
  test.each(cases)(
    "%s: all are sent in time, and no more than a few attempts are used up",
    (_what, provider, latest, how) => {
      const hours: Hours = { ...how, addressOf, provider };
      const { mails, sent, dead, atFirst, lateMs } = runHours(hours);
      expect({ sent, dead }).toEqual({ sent: mails, dead: 0 });
      // The first of each domain, before it is known to be the domain's.
      expect(mails - atFirst).toBeLessThan(10);
      expect(lateMs[2]).toBeLessThan(latest * MINUTE_MS);
    },
  );
});

test.each([5, 20, 60])(
  "away for %d minutes, then greylisting: of a few mails, each asked for often, none uses up an attempt",
  (minutes) => {
    const hours: Hours = { hours: 3, perMinute: 0.1, addressOf: manyDomains, provider: returnsGreylisting(minutes) };
    const { mails, sent, atFirst } = runHours(hours);
    expect({ sent, atFirst }).toEqual({ sent: mails, atFirst: mails });
  },
);

test("one recipient in ten is refused by nodes whose replies differ: each mail is dead after a few looks", () => {
  const nodes = ["550 5.7.1 refused by policy", "554 refused"];
  const provider = (): Provider => {
    const looks = new Map<string, number>();
    return {
      atRecipient: (address) => {
        if (!address.includes("0@")) return undefined;
        const look = looks.get(address) ?? 0;
        looks.set(address, look + 1);
        return nodes[look % nodes.length];
      },
    };
  };
  const { mails, sent, dead, asked } = runHours({ ...inAll, addressOf: mostAtOne, provider });
  expect({ sent, dead }).toEqual({ sent: 0.9 * mails, dead: 0.1 * mails });
  expect(asked).toBeLessThan(1.5 * mails);
});
