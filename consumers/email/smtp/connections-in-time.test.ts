import { expect, test } from "bun:test";
import { fixedWindow, type RatedScenario, simulateRate, slidingWindow } from "./rated-server-for-tests.ts";

/** Pools against a mail server that grants so many new connections a minute, in virtual time. */
interface Scenario extends Pick<RatedScenario, "rate" | "isSilent" | "mailsPerConnection" | "consumers"> {
  /** Connections that it grants a minute. */
  readonly perMinute: number;
  readonly runMs: number;
}

const SIZE = 20;
const MAIL_MS = 500;
const MINUTE_MS = 60_000;
/** On a machine that is busy. */
const LONG_MS = 60_000;

/** Mails of connections that are all kept, once they are granted at the beginning of each minute. */
const ofKept = ({ perMinute, consumers = 1 }: Scenario, untilMs: number): number => {
  let sum = 0;
  for (let ms = 0; ms < untilMs; ms += 1_000) {
    sum += Math.min(consumers * SIZE, perMinute * (1 + Math.floor(ms / MINUTE_MS))) * (1_000 / (MAIL_MS + 2));
  }
  return sum;
};

const simulate = ({ perMinute, ...scenario }: Scenario) =>
  simulateRate({
    ...{ phase: "CONN", reply: "421 4.7.0 mx.example Error: too many connections from 192.0.2.1" },
    ...{ size: SIZE, mailMs: MAIL_MS, ...scenario },
    grants: () => ofKept({ perMinute, ...scenario }, scenario.runMs),
  });

test.each<[string, Scenario]>([
  ["5 in each minute", { rate: () => fixedWindow(5, MINUTE_MS), perMinute: 5, consumers: 1, runMs: 360_000 }],
  ["5 in any minute", { rate: () => slidingWindow(5, MINUTE_MS), perMinute: 5, consumers: 1, runMs: 360_000 }],
  [
    "5 in any minute, others are not answered",
    { rate: () => slidingWindow(5, MINUTE_MS), perMinute: 5, consumers: 1, isSilent: true, runMs: 360_000 },
  ],
  ["30 in any minute, two consumers", { rate: () => slidingWindow(30, MINUTE_MS), perMinute: 30, runMs: 240_000 }],
])(
  "new connections are granted rarely, so those that are open are kept: %s",
  async (_, scenario) => {
    const { share } = await simulate({ consumers: 2, ...scenario });
    expect(share).toBeGreaterThan(0.9);
  },
  LONG_MS,
);
