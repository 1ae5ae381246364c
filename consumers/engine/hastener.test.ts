import { afterAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { redisTimeMs } from "../../stream/watermark.ts";
import { redisUrl } from "../../tests/pipeline.ts";
import { declinedAtOf, dueOf } from "./failure-fields.ts";
import { quietMs } from "./hastener.ts";
import { aHastener, MINUTE_MS, many } from "./hastener-for-tests.ts";

const redis = new Redis(redisUrl());
afterAll(() => redis.quit());

test("where nothing is asked, one asks after four seconds, later after a tenth of the time, a minute at most", () => {
  expect([0, 10_000, 45_000, 3_600_000].map(quietMs)).toEqual([4_000, 4_000, 4_500, 60_000]);
});

describe("while everything is declined", () => {
  test("one piece asks every four seconds, each of them once: then it waits for its own time", async () => {
    const { wait, due, work, pass } = aHastener(redis, true);
    await wait(["a"], 5 * MINUTE_MS);
    await wait(["b"], 6 * MINUTE_MS);
    await wait(["c"], 7 * MINUTE_MS, { wasHastened: true });
    const seen: string[][] = [];
    for (const ms of [0, 4_000, 0, 3_000, 1_000, 4_000, 60_000]) {
      pass(ms);
      await work();
      seen.push(await due());
    }
    expect(seen).toEqual([[], ["a"], ["a"], ["a"], ["a", "b"], ["a", "b"], ["a", "b"]]);
  });

  test("what waits behind more than a page of others is found", async () => {
    const { wait, due, work, pass } = aHastener(redis, true);
    await wait(many(1_200), 4 * MINUTE_MS, { isOfThen: false });
    await wait(["a"], 5 * MINUTE_MS);
    pass(4_000);
    expect(await work()).toBeLessThan(6);
    expect(await due()).toEqual(["a"]);
  });

  test("after a look in vain the next one is as late as if one had asked", async () => {
    const { wait, due, work, pass } = aHastener(redis, true);
    await wait(many(600), 4 * MINUTE_MS, { isOfThen: false });
    pass(4_000);
    await work();
    await wait(["a"], 5 * MINUTE_MS);
    const seen: string[][] = [];
    for (const ms of [0, 3_000, 1_000]) {
      pass(ms);
      await work();
      seen.push(await due());
    }
    expect(seen).toEqual([[], [], ["a"]]);
  });
});

describe("when pieces are accepted again", () => {
  test("each hastens two, those too that were hastened before; they keep when they were due, and when they were asked for", async () => {
    const { hastener, wait, due, work, retrySet } = aHastener(redis, false);
    await wait(["a", "b"], 5 * MINUTE_MS, { wasHastened: true });
    await wait(["c"], 6 * MINUTE_MS);
    hastener.accepted({ wasHastened: true });
    await work();
    expect(await due()).toEqual(["a", "b"]);
    hastener.accepted({ wasHastened: true });
    await work();
    expect(await due()).toEqual(["a", "b", "c"]);
    for (const member of await redis.zrange(retrySet, "0", "-1")) {
      const fields = (JSON.parse(member) as unknown[]).map(String);
      expect(dueOf(fields)).toBeGreaterThan((await redisTimeMs(redis)) + 4 * MINUTE_MS);
      expect(declinedAtOf(fields)).toBeGreaterThan(0);
    }
  });

  test("what was declined at other times keeps its delay", async () => {
    const { hastener, wait, due, work, pass } = aHastener(redis, false);
    await wait(many(10), 5 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    for (const ms of [0, 4_000]) {
      pass(ms);
      await work();
    }
    expect(await due()).toEqual([]);
  });

  test("what came to the front while the hastener looked further back is found before it rests", async () => {
    const { hastener, wait, due, work } = aHastener(redis, false);
    await wait(["b"], 6 * MINUTE_MS);
    hastener.accepted();
    hastener.accepted();
    await work();
    await wait(["a"], 5 * MINUTE_MS);
    for (let turn = 0; turn < 3; turn += 1) await work();
    expect(await due()).toEqual(["a", "b"]);
  });

  test("what was told to come back later than usual is found as well", async () => {
    const { hastener, wait, due, work } = aHastener(redis, false);
    hastener.told(15 * MINUTE_MS);
    await wait(["a"], 15 * MINUTE_MS - 1_000);
    hastener.accepted();
    await work();
    expect(await due()).toEqual(["a"]);
  });
});

describe("a consumer that was started after others were declined everything", () => {
  test("hastens theirs as pieces are accepted, also those that were declined before this was known; no others", async () => {
    const { hastener, wait, due, work } = aHastener(redis, false, true);
    await wait(["first"], 4 * MINUTE_MS);
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    await wait(["other"], 3 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    await work();
    expect(await due()).toEqual(["first", "later"]);
  });

  test("asks with one of them where nothing is asked", async () => {
    const { wait, due, work, pass } = aHastener(redis, false, true);
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    await work();
    expect(await due()).toEqual([]);
    pass(4_000);
    await work();
    expect(await due()).toEqual(["later"]);
  });

  test("looks once, and rests where there are none", async () => {
    const { hastener, wait, due, work } = aHastener(redis, false, true);
    await wait(many(600, "other"), 4 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    await work();
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    hastener.accepted();
    await work();
    expect(await due()).toEqual([]);
  });
});
