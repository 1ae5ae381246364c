import { afterAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { keysOf } from "../../stream/keys.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { declinedAtOf, dueOf, withDecline, withDue } from "./failure-fields.ts";
import { createHastening, quietMs } from "./hastener.ts";

const redis = new Redis(redisUrl());
afterAll(() => redis.quit());

const BOOT_MS = Date.now() - 3_600_000;
const MINUTE_MS = 60_000;
const failure = { attempts: 0, at: "t", reason: "greylisted" };

/** A hastener at the end of ten seconds in which everything was declined, and a retry set of its own; a new one was started since. */
const aHastener = (isDeclining: boolean, isNew = false) => {
  const keys = keysOf(`hastener-${Bun.randomUUIDv7()}`);
  const retrySet = keys.retrySet("group");
  let nowMs = 3_600_000;
  const allDeclined = { since: nowMs - 10_000, until: nowMs };
  const breaker: { isDeclining: boolean; hasDeclinedLately: boolean; allDeclined: typeof allDeclined | undefined } = {
    isDeclining,
    hasDeclinedLately: true,
    allDeclined: isNew ? undefined : allDeclined,
  };
  const hastener = createHastening({
    ...{ redis, keys, breaker, log: silentLog, group: "group" },
    ledger: { hasten: async () => {} },
    onHastened: () => {},
    now: () => nowMs,
    wallClock: () => new Date(BOOT_MS + nowMs),
    random: () => 0,
  });
  /** Adds entries that are due after a time from now: declined as everything was, or before that. */
  const wait = async (
    ids: readonly string[],
    dueInMs: number,
    { isOfThen = true, wasHastened = false, tellsSince = false } = {},
  ) => {
    const dueMs = (await redisTimeMs(redis)) + dueInMs;
    const askedAtMs = BOOT_MS + (isOfThen ? allDeclined.since : allDeclined.since - MINUTE_MS);
    const members = ids.map((id) => {
      const since = tellsSince ? BOOT_MS + allDeclined.since : 0;
      const declined = withDecline(["id", id], failure, { askedAtMs: askedAtMs + (tellsSince ? 5_000 : 0), since });
      return JSON.stringify(wasHastened ? withDue(declined, dueMs) : declined);
    });
    await redis.zadd(retrySet, ...members.flatMap((member) => [dueMs, member]));
  };
  /** The ids of those that are due now. */
  const due = async () => {
    const members = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    return members.map((member) => String((JSON.parse(member) as unknown[])[1])).sort();
  };
  /** Takes turns until there is nothing more to do at once; returns how many. */
  const work = async () => {
    for (let turns = 1; turns <= 50; turns += 1) if ((await hastener.turn()) === "idle") return turns;
    throw new Error("50 turns without a pause");
  };
  /** `askedAt`: now, if not given. */
  const accepted = ({ askedAt = nowMs, wasHastened = false } = {}) => hastener.accepted({ askedAt, wasHastened });
  return {
    hastener: { ...hastener, accepted },
    breaker,
    retrySet,
    wait,
    due,
    work,
    pass: (ms: number) => (nowMs += ms),
  };
};

const many = (count: number, name = "old") => Array.from({ length: count }, (_, n) => `${name}-${n}`);

test("where nothing is asked, one asks after four seconds, later after a tenth of the time, a minute at most", () => {
  expect([0, 10_000, 45_000, 3_600_000].map(quietMs)).toEqual([4_000, 4_000, 4_500, 60_000]);
});

describe("while everything is declined", () => {
  test("one piece asks every four seconds, each of them once: then it waits for its own time", async () => {
    const { wait, due, work, pass } = aHastener(true);
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
    const { wait, due, work, pass } = aHastener(true);
    await wait(many(1_200), 4 * MINUTE_MS, { isOfThen: false });
    await wait(["a"], 5 * MINUTE_MS);
    pass(4_000);
    expect(await work()).toBeLessThan(6);
    expect(await due()).toEqual(["a"]);
  });

  test("after a look in vain the next one is as late as if one had asked", async () => {
    const { wait, due, work, pass } = aHastener(true);
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
    const { hastener, wait, due, work, retrySet } = aHastener(false);
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
    const { hastener, wait, due, work, pass } = aHastener(false);
    await wait(many(10), 5 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    for (const ms of [0, 4_000]) {
      pass(ms);
      await work();
    }
    expect(await due()).toEqual([]);
  });

  test("what came to the front while the hastener looked further back is found before it rests", async () => {
    const { hastener, wait, due, work } = aHastener(false);
    await wait(["b"], 6 * MINUTE_MS);
    hastener.accepted();
    hastener.accepted();
    await work();
    await wait(["a"], 5 * MINUTE_MS);
    for (let turn = 0; turn < 3; turn += 1) await work();
    expect(await due()).toEqual(["a", "b"]);
  });

  test("what was told to come back later than usual is found as well", async () => {
    const { hastener, wait, due, work } = aHastener(false);
    hastener.told(15 * MINUTE_MS);
    await wait(["a"], 15 * MINUTE_MS - 1_000);
    hastener.accepted();
    await work();
    expect(await due()).toEqual(["a"]);
  });
});

describe("a consumer that was started after others were declined everything", () => {
  test("hastens theirs as pieces are accepted, also those that were declined before this was known; no others", async () => {
    const { hastener, wait, due, work } = aHastener(false, true);
    await wait(["first"], 4 * MINUTE_MS);
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    await wait(["other"], 3 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    await work();
    expect(await due()).toEqual(["first", "later"]);
  });

  test("asks with one of them where nothing is asked", async () => {
    const { wait, due, work, pass } = aHastener(false, true);
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    await work();
    expect(await due()).toEqual([]);
    pass(4_000);
    await work();
    expect(await due()).toEqual(["later"]);
  });

  test("looks once, and rests where there are none", async () => {
    const { hastener, wait, due, work } = aHastener(false, true);
    await wait(many(600, "other"), 4 * MINUTE_MS, { isOfThen: false });
    hastener.accepted();
    await work();
    await wait(["later"], 5 * MINUTE_MS, { tellsSince: true });
    hastener.accepted();
    await work();
    expect(await due()).toEqual([]);
  });
});

test("what is declined while all was well for a minute is asked for one by one, however many were accepted before", async () => {
  const { hastener, breaker, wait, due, pass } = aHastener(false);
  for (let second = 0; second < 60; second += 1) {
    pass(1_000);
    for (let count = 0; count < 50; count += 1) hastener.accepted();
  }
  breaker.isDeclining = true;
  breaker.allDeclined = { since: 3_655_000, until: 3_660_000 };
  await wait(many(300), 5 * MINUTE_MS, { wasHastened: true });
  for (let second = 0; second < 5; second += 1) {
    pass(1_000);
    await hastener.turn();
  }
  expect((await due()).length).toBeLessThanOrEqual(1);
});

test("what is recorded late, after nothing else of that time was left, is hastened as well", async () => {
  const { hastener, wait, due, work, pass } = aHastener(false);
  await wait(["a"], 5 * MINUTE_MS);
  for (let second = 0; second < 5; second += 1) {
    hastener.accepted();
    await work();
    pass(1_000);
  }
  await wait(["late"], 5 * MINUTE_MS);
  hastener.accepted();
  await work();
  expect(await due()).toEqual(["a", "late"]);
});

test("where a rate is granted, those are asked for again that were hastened in vain", async () => {
  const { hastener, breaker, wait, due, work, pass } = aHastener(true);
  await work();
  breaker.isDeclining = false;
  for (let count = 0; count < 10; count += 1) hastener.accepted({ wasHastened: true });
  breaker.isDeclining = true;
  await work();
  breaker.isDeclining = false;
  await wait(["a", "b"], 5 * MINUTE_MS, { wasHastened: true });
  pass(1_000);
  await work();
  expect(await due()).toEqual(["a", "b"]);
});

/** 300 wait, and each that is asked for is accepted half a second later. */
test("what was asked for before everything was declined, and is accepted after that, is taken for no rate", async () => {
  const { hastener, breaker, wait, retrySet, pass } = aHastener(false);
  const [beganAt, lastsMs, takesMs] = [3_600_000, 10_000, 500];
  await wait(many(300), 5 * MINUTE_MS);
  // Bodies that were under way: each ends a row of refusals, and the next row begins.
  for (const lateMs of [100, 200, 300]) {
    breaker.allDeclined = { since: beganAt - 10_000, until: beganAt };
    breaker.isDeclining = true;
    await hastener.turn();
    pass(100);
    breaker.isDeclining = false;
    hastener.accepted({ askedAt: beganAt - lateMs });
  }
  breaker.isDeclining = true;
  for (let ms = 300; ms < lastsMs; ms += 250) {
    pass(250);
    breaker.allDeclined = { since: beganAt - 10_000, until: beganAt + ms };
    await hastener.turn();
  }
  breaker.isDeclining = false;
  let left = 300;
  const asked: { readonly at: number; readonly count: number }[] = [{ at: beganAt + lastsMs, count: 1 }];
  for (let ms = 0; ms < 8_000; ms += 250) {
    const now = pass(250);
    while (asked[0] !== undefined && now - asked[0].at >= takesMs) {
      const { at, count } = asked.shift() ?? { at: 0, count: 0 };
      for (let n = 0; n < count; n += 1) hastener.accepted({ askedAt: at });
    }
    while ((await hastener.turn()) === "again");
    const due = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    if (due.length === 0) continue;
    await redis.zrem(retrySet, ...due);
    left -= due.length;
    asked.push({ at: now, count: due.length });
  }
  expect(left).toBe(0);
});

test("what is declined for its own sake is asked for once, and then rarely, however many others are accepted", async () => {
  const { hastener, breaker, wait, retrySet, pass } = aHastener(false);
  await wait(many(90), 5 * MINUTE_MS);
  const seconds = 60;
  let asked = 0;
  for (let second = 0; second < seconds; second += 1) {
    pass(1_000);
    for (let mail = 0; mail < 10; mail += 1) hastener.accepted();
    while ((await hastener.turn()) === "again");
    const hastened = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    if (hastened.length === 0) continue;
    asked += hastened.length;
    // They are of many domains, so they look like everything, until the next good mail.
    breaker.allDeclined = { since: 3_590_000, until: 3_600_000 + second * 1_000 };
    breaker.isDeclining = true;
    await hastener.turn();
    breaker.isDeclining = false;
    await redis.zrem(retrySet, ...hastened);
    const askedAtMs = BOOT_MS + 3_600_000 + second * 1_000;
    const dueMs = (await redisTimeMs(redis)) + 5 * MINUTE_MS;
    const declined = hastened.map((member) => {
      const fields = (JSON.parse(member) as unknown[]).map(String);
      return JSON.stringify(withDecline(fields, failure, { askedAtMs, since: BOOT_MS + 3_590_000 }));
    });
    await redis.zadd(retrySet, ...declined.flatMap((member) => [dueMs, member]));
  }
  expect(asked).toBeGreaterThanOrEqual(90);
  expect(asked).toBeLessThan(90 + seconds / 3);
});

/** A system that takes two a second, and declines the rest in the same words as everything before; 300 wait, and 0.7 new ones come each second. */
test("nearly all of a rate is used that is left after everything was declined, though most of what is asked is declined", async () => {
  const { hastener, breaker, wait, retrySet, pass } = aHastener(false);
  await wait(many(300), 5 * MINUTE_MS, { tellsSince: true });
  const [forMs, everyMs] = [90_000, 250];
  const [startedAt, parties] = [3_600_000, 5];
  let [tokens, created, inARow, accepted] = [3, 0, 0, 0];
  for (let ms = 0; ms < forMs; ms += everyMs) {
    pass(everyMs);
    while ((await hastener.turn()) === "again");
    tokens = Math.min(3, tokens + (2 * everyMs) / 1_000);
    const asked = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    if (asked.length > 0) await redis.zrem(retrySet, ...asked);
    created += (0.7 * everyMs) / 1_000;
    if (created >= 1) {
      created -= 1;
      asked.unshift(JSON.stringify(["id", `new-${ms}`]));
    }
    for (const member of asked) {
      if (tokens >= 1) {
        tokens -= 1;
        [accepted, inARow] = [accepted + 1, 0];
        breaker.isDeclining = false;
        hastener.accepted({ wasHastened: !member.includes("new-") });
        continue;
      }
      inARow += 1;
      breaker.isDeclining = inARow >= parties;
      if (breaker.isDeclining) breaker.allDeclined = { since: startedAt + ms - 1_000, until: startedAt + ms + everyMs };
      const fields = (JSON.parse(member) as unknown[]).map(String);
      const askedAtMs = BOOT_MS + startedAt + ms + everyMs;
      const since = breaker.isDeclining ? askedAtMs - 1_000 : 0;
      const declined = withDecline(fields, failure, { askedAtMs, since });
      await redis.zadd(retrySet, (await redisTimeMs(redis)) + 5 * MINUTE_MS, JSON.stringify(declined));
    }
  }
  expect(accepted).toBeGreaterThan(0.95 * ((2 * forMs) / 1_000));
}, 60_000);
