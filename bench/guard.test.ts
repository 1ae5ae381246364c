import { expect, test } from "bun:test";
import { type Baseline, baselineOf, judge } from "./guard.ts";
import type { Measurement } from "./summary.ts";

const BASELINE: Baseline = {
  "accept-128: api CPU": 2,
  "accept-128: Postgres CPU": 1,
  "drain-0ms: consumer CPU": 4,
  "drain-0ms: Postgres CPU": 3,
};

/** Rounds in which ours has these CPU times for a signup, and the limit 100 of each. */
const rounds = (apiCpu: readonly number[]): readonly Measurement[] =>
  apiCpu.flatMap((api, round) => [
    { case: "accept-128", place: 0, round, figures: { "api CPU": api, "Postgres CPU": 100 } },
    { case: "accept-128", place: 1, round, figures: { "api CPU": 100, "Postgres CPU": 100 } },
    { case: "drain-0ms", place: 0, round, figures: { "consumer CPU": 400, "Postgres CPU": 300 } },
    { case: "drain-0ms", place: 1, round, figures: { "consumer CPU": 100, "Postgres CPU": 0 } },
  ]);

const verdicts = (apiCpu: readonly number[]) => judge(rounds(apiCpu), BASELINE).map(({ is }) => is);

test("a ratio has fallen only when every round says so", () => {
  expect(verdicts([200, 190, 210])).toEqual(["steady", "steady", "steady", "steady"]);
  expect(verdicts([400, 260, 400])).toEqual(["steady", "steady", "steady", "steady"]);
  expect(verdicts([290, 300, 400])).toEqual(["fallen", "steady", "steady", "steady"]);
  expect(verdicts([90, 100, 110])).toEqual(["risen", "steady", "steady", "steady"]);
});

test("what was measured is the next baseline", () => {
  expect(baselineOf(judge(rounds([90, 100, 110]), BASELINE))).toEqual({ ...BASELINE, "accept-128: api CPU": 1 });
});
