import { afterAll, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { redisTimeMs } from "../../stream/watermark.ts";
import { redisUrl } from "../../tests/pipeline.ts";
import { withDecline } from "./failure-fields.ts";
import { aHastener, BOOT_MS, failure, MINUTE_MS, many } from "./hastener-for-tests.ts";

const redis = new Redis(redisUrl());
afterAll(() => redis.quit());

test("what is declined while all was well for a minute is asked for one by one, however many were accepted before", async () => {
  const { hastener, breaker, wait, due, pass } = aHastener(redis, false);
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
  const { hastener, wait, due, work, pass } = aHastener(redis, false);
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
  const { hastener, breaker, wait, due, work, pass } = aHastener(redis, true);
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
  const { hastener, breaker, wait, retrySet, pass } = aHastener(redis, false);
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
  const { hastener, breaker, wait, retrySet, pass } = aHastener(redis, false);
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

test("of what was hastened in vain not always the same one asks: one that is declined for its own sake hides no other", async () => {
  let turn = 0;
  const { hastener, wait, retrySet, work, pass } = aHastener(redis, false, false, () => (turn++ % 10) / 10);
  const ids = ["bad", ...many(9)];
  for (const [place, id] of ids.entries()) await wait([id], 5 * MINUTE_MS + place * 1_000, { wasHastened: true });
  for (let second = 0; second < 120; second += 1) {
    pass(1_000);
    hastener.accepted();
    await work();
    const due = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    for (const member of due) {
      await redis.zrem(retrySet, member);
      if (member.includes("bad")) await wait(["bad"], 5 * MINUTE_MS, { wasHastened: true });
      else hastener.accepted({ wasHastened: true });
    }
  }
  expect(await redis.zcard(retrySet)).toBe(1);
});

/** A system that takes two a second, and declines the rest in the same words as everything before; 300 wait, and 0.7 new ones come each second. */
test("nearly all of a rate is used that is left after everything was declined, though most of what is asked is declined", async () => {
  const { hastener, breaker, wait, retrySet, pass } = aHastener(redis, false);
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
