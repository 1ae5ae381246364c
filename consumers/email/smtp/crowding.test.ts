import { describe, expect, test } from "bun:test";
import {
  acceptedIn,
  bestPerSecond,
  type CrowdedScenario,
  simulateCrowd,
  type TimeOf,
} from "./crowded-server-for-tests.ts";

/** Mails take the same time, however many there are. */
const constant: TimeOf = () => 200;
const toThePower =
  (power: number, firstMs: number): TimeOf =>
  (count) =>
    firstMs * count ** power;
const cliff =
  (at: number, times: number): TimeOf =>
  (count) =>
    count <= at ? 60 : 60 * times;

const MINUTE_MS = 60_000;

/** What share of the best possible is sent from one moment to another, in ms. */
const shareOf = async (scenario: Omit<CrowdedScenario, "runMs">, fromMs: number, toMs: number): Promise<number> => {
  const { timeOf, startsMs, size } = scenario;
  const best = bestPerSecond(timeOf, startsMs.length, startsMs.length * size);
  const outcome = await simulateCrowd({ ...scenario, runMs: toMs });
  return acceptedIn(outcome, fromMs, toMs) / ((best * (toMs - fromMs)) / 1_000);
};

type Row = readonly [name: string, least: number, scenario: Omit<CrowdedScenario, "runMs">];

const one = { startsMs: [0], size: 20 };
const four = { startsMs: [0, 137, 274, 411], size: 20 };

describe("of what a server can do at its best, that gets slower with each connection, pools send in their first minute", () => {
  test.each<Row>([
    ["t = c", 0.97, { timeOf: constant, ...one }],
    ["t = c, four consumers", 0.96, { timeOf: constant, ...four }],
    ["t = c, of different sizes", 0.97, { timeOf: constant, isNoisy: true, ...one }],
    ["t = c n^0.5", 0.96, { timeOf: toThePower(0.5, 60), ...one }],
    ["t = c n", 0.97, { timeOf: toThePower(1, 10), ...one }],
    ["t = c n^1.5", 0.85, { timeOf: toThePower(1.5, 10), ...one }],
    ["t = c n^1.5, as a whole", 0.85, { timeOf: toThePower(1.5, 10), decides: "always", ...one }],
    ["t = c n^1.5, of different sizes", 0.7, { timeOf: toThePower(1.5, 10), decides: "always", isNoisy: true, ...one }],
    ["t = c n^1.5 of those that are open", 0.85, { timeOf: toThePower(1.5, 10), counts: "open", ...one }],
    ["t = c n^1.5, four consumers", 0.45, { timeOf: toThePower(1.5, 1.5), ...four }],
    ["t = c n^2", 0.6, { timeOf: toThePower(2, 5), decides: "always", ...one }],
    ["ten times slower beyond eight", 0.65, { timeOf: cliff(8, 10), ...one }],
    ["twice as slow beyond eight", 0.97, { timeOf: cliff(8, 2), ...one }],
  ])("%s: %d", async (_, least, scenario) => {
    expect(await shareOf(scenario, 0, MINUTE_MS)).toBeGreaterThan(least);
  });
});

test("all connections are used again within a minute after the server has recovered", async () => {
  const meanwhile = { fromMs: 10_000, toMs: 70_000, timeOf: toThePower(1.5, 10) };
  const { granted } = await simulateCrowd({ timeOf: constant, ...one, meanwhile, runMs: 130_000 });
  const [seen = []] = granted;
  expect(Math.min(...seen.slice(10, 70))).toBeLessThan(5);
  expect(seen.at(-1)).toBe(20);
});

test("recipients that are slow, whatever the server does, do not make it look crowded", async () => {
  const { granted } = await simulateCrowd({ timeOf: constant, ...one, slow: { each: 20, ms: 5_000 }, runMs: 40_000 });
  const [seen = []] = granted;
  expect(seen.slice(5).filter((count) => count < 20).length).toBeLessThan(4);
});

test("a consumer that comes later does not keep all its connections at a server that serves few best", async () => {
  const timeOf = toThePower(1.5, 5);
  const scenario = { timeOf, startsMs: [0, 30_000], size: 20, decides: "always" } as const;
  expect(await shareOf(scenario, 60_000, 90_000)).toBeGreaterThan(0.5);
});
