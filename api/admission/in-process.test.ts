import { describe, expect, test } from "bun:test";
import type { Limit } from "../../stream/scripts/take-limits.ts";
import { createInProcessLimits } from "./in-process.ts";
import { BOX, builder, KEEP_MS, MINUTE_MS, PERSON, refusal, START, taking, times } from "./limits-for-tests.ts";

describe("limits in a process, beside what those in Redis do", () => {
  test("forgets what is over, and never keeps more than it may", () => {
    let now = 0;
    const take = taking(createInProcessLimits({ now: () => now, keepMs: KEEP_MS, maxKeys: 100 }));
    const request = builder();
    const boxed = (member: string, box: string) =>
      request(member, [
        [PERSON, box],
        [BOX, box],
      ]);
    expect(times(3, (index) => take(boxed(`s${index}`, "first")).kind)).toEqual(["admitted", "admitted", "refused"]);
    for (let index = 0; index < 200; index += 1) take(boxed(`t${index}`, `box ${index}`));
    expect(take(boxed("s4", "first"))).toMatchObject({ left: { count: 4 } });
    now += 2 * KEEP_MS;
    expect(take(boxed("s4", "first"))).toMatchObject({ left: { count: 4 } });
  });

  test("is far from a limit until an eighth is used, and with the first of it", () => {
    const limits = createInProcessLimits({ now: () => START, keepMs: KEEP_MS });
    const request = builder();
    const far = (limit: Limit, count: number) =>
      times(count, (index) => {
        const decision = limits.decide(request(`s${index}`, [[limit, `of ${limit.quota}`]]));
        decision.commit();
        return decision.isFarFromLimits;
      });
    expect(far({ ...PERSON, quota: 24 }, 5)).toEqual([true, true, true, false, false]);
    expect(far(PERSON, 2)).toEqual([true, false]);
  });

  test("refuses what it has learned to be refused, for as long", () => {
    let now = START;
    const limits = createInProcessLimits({ now: () => now, keepMs: KEEP_MS });
    const request = builder();
    for (const [limit, waitMs] of [
      [PERSON, 7_000],
      [BOX, 20 * MINUTE_MS],
    ] as const) {
      const asked = (member: string) => request(member, [[limit, "a"]]);
      limits.learn(asked("s1"), { kind: "refused", by: 0, waitMs });
      expect(limits.decide(asked("s2")).answer).toEqual(refusal(0, waitMs));
      now += waitMs;
      expect(limits.decide(asked("s3")).answer).toMatchObject({ kind: "admitted" });
    }
  });
});
