import { expect, test } from "bun:test";
import { bucket } from "../consumers/email/smtp/rated-server-for-tests.ts";
import { measure } from "./refused-recipients/measure.ts";
import { MIXED_SHAPES } from "./refused-recipients/mixed-shapes.ts";
import { SHAPES, type Shape } from "./refused-recipients/shapes.ts";

/*
 * Whatever recipients a mail server refuses, however it does so: the first good mail is taken within five seconds, four fifths of the good
 * ones' rate is left, and none of them uses up an attempt more. In simulated time: what is lost here is lost by what the consumer chooses.
 */

const nameOf = ({ name, bad, good, isMixed = false }: Shape) =>
  `${name}, ${bad} ${isMixed ? "among" : "before"} ${good}`;

/** Without any that is refused, by what is left of the shape then: several have it in common, and it is the same each time. */
const rates = new Map<string, Promise<number>>();

const rateWithout = (shape: Shape): Promise<number> => {
  const { good, goodDomains, goodPerSecond, mailMs, greetingMs, consumers, settings } = shape;
  const left = JSON.stringify([good, goodDomains, goodPerSecond, mailMs, greetingMs, consumers, settings]);
  const known = rates.get(left);
  if (known !== undefined) return known;
  const rate = measure(shape, { withBad: false }).then(({ perSecond }) => perSecond);
  rates.set(left, rate);
  return rate;
};

test.each(
  [...SHAPES, ...MIXED_SHAPES].filter(({ isLong = false }) => !isLong).map((shape) => [nameOf(shape), shape] as const),
)("%s", async (_, shape) => {
  const { share = 0.8 } = shape;
  const without = await rateWithout(shape);
  const { firstMs, perSecond, retried } = await measure(shape, { withBad: true });
  expect(firstMs).toBeLessThanOrEqual(5_000);
  expect(retried).toBe(0);
  expect(perSecond).toBeGreaterThanOrEqual(share * without);
});

test("silence to the bodies of a consumer's first mails holds up others until those are given up, after 30 s", async () => {
  const shape = MIXED_SHAPES.find(({ name }) => name === "silence to the body, in front");
  if (shape === undefined) throw new Error("it is a shape");
  const { firstMs, retried } = await measure(shape, { withBad: true });
  expect(firstMs).toBeLessThanOrEqual(31_000);
  expect(retried).toBe(0);
});

test.each([
  [20, 70, 2_000],
  [6, 21, 5_000],
])(
  "a domain with 30 %% of the mails that falls silent after the body leaves others a part of %d connections from its first mails on: half of %d a second wait %d ms at most",
  async (connections, goodPerSecond, mostMs) => {
    const { tookMs, retried } = await measure(
      {
        ...{ name: "a domain falls silent after the body", isMixed: true, at: "whole", goodPerSecond },
        answer: (sinceMs) => (sinceMs < 10_000 ? undefined : {}),
        ...{ bad: (goodPerSecond * 3 * 60) / 7, good: goodPerSecond * 60, badDomains: 1, goodDomains: 40 },
        settings: { MAIL_POOL_SIZE: String(connections) },
      },
      { withBad: true, longestMs: 100_000 },
    );
    expect(tookMs).toHaveLength(goodPerSecond * 60);
    expect(retried).toBe(0);
    expect(tookMs.toSorted((one, other) => one - other)[goodPerSecond * 30]).toBeLessThanOrEqual(mostMs);
  },
);

test("over three connections, new domains that answer late and refuse do not make others wait in the look-ahead", async () => {
  const { tookMs } = await measure(
    {
      ...{ name: "450 after 5 s, all domains new, arriving", bad: 40, good: 640, isMixed: true, goodPerSecond: 8 },
      answer: { afterMs: 5_000, reply: "450 4.2.0 try again later" },
      settings: { MAIL_POOL_SIZE: "3" },
    },
    { withBad: true, longestMs: 100_000 },
  );
  expect(tookMs.length).toBeGreaterThan(630);
  expect(tookMs.toSorted((one, other) => one - other)[320]).toBeLessThanOrEqual(2_000);
});

test.each([
  [100, 20, 2_000],
  [500, 20, 400],
  [2_000, 100, 1_000],
])(
  "as long as all answers are good, nobody waits for being unknown: %d ms a mail, %d connections, %d mails of as many domains",
  async (mailMs, connections, good) => {
    const settings = { MAIL_POOL_SIZE: String(connections) };
    const shape = { name: "all good", bad: 0, good, answer: {}, mailMs, settings };
    const { tookMs, order, passed } = await measure(shape, { withBad: false });
    const roundMs = mailMs + 12;
    // The connections are asked for in the first second.
    expect(tookMs.at(-1)).toBeLessThanOrEqual((good / connections) * roundMs + 1_000);
    expect(passed).toBe(0);
    // In turn: taken no later than a round and a half after the round in which its turn was.
    const late = order.map((number, place) => place - number);
    expect(Math.max(...late)).toBeLessThanOrEqual(1.5 * connections);
  },
);

test.each([
  ["rcpt", "451 4.7.1 try again later", 50],
  ["rcpt", "450 4.7.1 try again later", 1],
  ["rcpt", "421 4.7.0 try again later", undefined],
  ["whole", "452 4.3.1 not now", 50],
  ["whole", "451 4.3.2 not now", undefined],
  ["rcpt", "550 5.7.1 rate limit exceeded", undefined],
  ["whole", "554 5.7.0 too many messages", undefined],
] as const)(
  "a rate of 11 a second that is kept once the recipient is known is followed, and no attempt is used up for it: %s, %s, %p domains",
  async (at, reply, goodDomains) => {
    const [perSecond, seconds] = [11, 40];
    const limit = () => {
      const isGranted = bucket(perSecond, perSecond);
      return (ms: number) => (isGranted(ms) ? undefined : { reply });
    };
    const of = goodDomains === undefined ? {} : { goodDomains };
    const mails = Math.ceil(1.3 * perSecond * seconds);
    const { taken, limited, retried } = await measure(
      { name: "a rate", bad: 0, good: mails, ...of, answer: {}, at, limit },
      { withBad: false, longestMs: 1_000 * seconds },
    );
    expect(taken).toBeGreaterThan(0.9 * perSecond * (seconds + 1));
    expect(limited).toBeLessThan(1.5 * mails);
    expect(retried).toBe(0);
  },
);

test.each([
  ["for each mail's own sake", 99],
  ["at its first look alone", 1],
] as const)(
  "strangers with two thirds of the mails, who are refused %s, are no rate: others wait a second at most",
  async (_, times) => {
    const [goodPerSecond, seconds] = [2, 40];
    const asked = new Map<number, number>();
    const answer = (_ms: number, number: number) => {
      const count = (asked.get(number) ?? 0) + 1;
      asked.set(number, count);
      return count > times ? undefined : { reply: "451 4.7.1 try again later" };
    };
    const good = goodPerSecond * seconds;
    const { tookMs } = await measure(
      { name: "strangers", isMixed: true, answer, bad: 2 * good, good, goodPerSecond, goodDomains: 50 },
      { withBad: true, longestMs: 1_000 * seconds + 2_000 },
    );
    expect(tookMs).toHaveLength(good);
    expect(Math.max(...tookMs)).toBeLessThanOrEqual(1_000);
  },
);
