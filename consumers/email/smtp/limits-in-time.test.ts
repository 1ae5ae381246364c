import { expect, test } from "bun:test";
import {
  bucket,
  fixedWindow,
  type RatedScenario,
  randomly,
  simulateRate,
  slidingWindow,
} from "./rated-server-for-tests.ts";

/** Pools against a mail server that grants so many mails in a time, in virtual time, after a minute in which they learn it. */
type Scenario = Omit<RatedScenario, "grants" | "runMs"> & { readonly perSecond: number };

const simulate = ({ perSecond, ...scenario }: Scenario) =>
  simulateRate({
    ...scenario,
    grants: (from, to) => (perSecond * (to - from)) / 1_000,
    warmUpMs: 60_000,
    runMs: perSecond > 10 ? 60_000 : 240_000,
  });

/** On a machine that is busy. */
const LONG_MS = 60_000;

test.each<[string, Scenario]>([
  ["5 a second, 50 at once", { rate: () => bucket(5, 50), perSecond: 5, consumers: 1 }],
  ["50 a second, 50 at once", { rate: () => bucket(50, 50), perSecond: 50, consumers: 1 }],
  ["50 a second, 50 at once, two consumers", { rate: () => bucket(50, 50), perSecond: 50 }],
  ["50 a second, at RCPT", { rate: () => bucket(50, 10), perSecond: 50, phase: "RCPT TO", consumers: 1 }],
  ["50 a second, after the body", { rate: () => bucket(50, 10), perSecond: 50, phase: "DATA", consumers: 1 }],
  ["300 in each minute", { rate: () => fixedWindow(300, 60_000), perSecond: 5 }],
  ["300 in any minute", { rate: () => slidingWindow(300, 60_000), perSecond: 5, consumers: 1 }],
])(
  "of %s, nine tenths are sent, and few are refused",
  async (_, scenario) => {
    const { share, refused } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.88);
    expect(refused).toBeLessThan(0.1);
  },
  LONG_MS,
);

test.each([
  [0.65, 7, 1, 1],
  [0.65, 30, 1, 1],
  [0.8, 50, 5, 1],
  [0.8, 50, 5, 2],
  [0.9, 20, 20, 4],
])(
  "%d of a rate is sent in the first half minute: %i a second, %i at once, %i consumers",
  async (least, perSecond, burst, consumers) => {
    const { share } = await simulateRate({
      ...{ rate: () => bucket(perSecond, burst), consumers, runMs: 30_000 },
      grants: (from, to) => (perSecond * (to - from)) / 1_000,
    });
    expect(share).toBeGreaterThan(least);
  },
  LONG_MS,
);

test.each<[string, Scenario]>([
  ["450 4.7.1 at MAIL FROM", { rate: () => bucket(50, 50), perSecond: 50, reply: "450 4.7.1 not now" }],
  ["452 at MAIL FROM", { rate: () => bucket(50, 10), perSecond: 50, reply: "452 4.3.1 not now", consumers: 1 }],
])(
  "a rate is found also where its server names none: %s",
  async (_, scenario) => {
    const { share, refused } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.88);
    expect(refused).toBeLessThan(0.15);
  },
  LONG_MS,
);

test.each([
  [1, "421 4.7.0 closing"],
  [5, "421 4.4.2 bye"],
  [1, "450 4.7.0 not now"],
  [5, "452 4.3.1 not now"],
])(
  "a connection that takes %i mails, and refuses the next one in words that name no limit, has no pace: another one takes it: %s",
  async (mailsPerConnection, spentReply) => {
    const [consumers, size, mailMs, openingMs] = [2, 3, 200, 24];
    const perSecond = (consumers * size * 1_000) / (mailMs + 4 + openingMs / mailsPerConnection);
    const { share } = await simulate({
      ...{ rate: () => () => true, perSecond, consumers, size, mailMs, mailsPerConnection, spentReply },
    });
    expect(share).toBeGreaterThan(0.9);
  },
  LONG_MS,
);

test(
  "an outage of the sender alone, of which nobody says that it is a rate, leaves no pace",
  async () => {
    const rate = () => (ms: number) => ms < 20_000 || ms >= 110_000;
    const perSecond = (20 * 1_000) / 102;
    const reply = "451 4.7.1 not now";
    const { share } = await simulateRate({
      ...{ rate, reply, consumers: 1, size: 20, mailMs: 100, warmUpMs: 112_000, runMs: 20_000 },
      grants: (from, to) => (perSecond * (to - from)) / 1_000,
    });
    expect(share).toBeGreaterThan(0.9);
  },
  LONG_MS,
);

test(
  "what the server refuses for its recipient counts as granted: three of four mails do not slow down the fourth",
  async () => {
    const { share } = await simulate({ rate: () => bucket(10, 10), perSecond: 2.5, welcomeEach: 4 });
    expect(share).toBeGreaterThan(0.85);
  },
  LONG_MS,
);

test.each<[string, Scenario]>([
  ["300", { rate: () => slidingWindow(300, 60_000, true), perSecond: 5 }],
  ["60", { rate: () => slidingWindow(60, 60_000, true), perSecond: 1 }],
])(
  "of %s in any minute, where those that are refused count, three quarters are sent",
  async (_, scenario) => {
    const { share, refused } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.75);
    expect(refused).toBeLessThan(0.15);
  },
  LONG_MS,
);

test.each([
  [0.02, undefined],
  [0.1, undefined],
  [0.3, undefined],
  [0.1, "450 4.7.1 not now"],
  [0.2, "450 4.7.1 not now"],
  [0.33, "451 4.3.0 not now"],
  [0.5, "450 4.7.1 not now"],
])(
  "where %d of all are refused at any pace, nothing is slower for it: %s",
  async (each, reply) => {
    const [consumers, size, mailMs] = [1, 20, 100];
    const perSecond = ((1 - each) * consumers * size * 1_000) / (mailMs + 2);
    const { share } = await simulate({
      ...{ rate: () => randomly(each), perSecond, consumers, size, mailMs },
      ...(reply === undefined ? {} : { reply }),
    });
    expect(share).toBeGreaterThan(0.9);
  },
  LONG_MS,
);
