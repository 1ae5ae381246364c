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

test.each([0.02, 0.1])(
  "where %d of all are refused at any pace, nothing is slower for it",
  async (each) => {
    const [consumers, size, mailMs] = [1, 20, 100];
    const perSecond = ((1 - each) * consumers * size * 1_000) / (mailMs + 2);
    const { share } = await simulate({ rate: () => randomly(each), perSecond, consumers, size, mailMs });
    expect(share).toBeGreaterThan(0.9);
  },
  LONG_MS,
);
