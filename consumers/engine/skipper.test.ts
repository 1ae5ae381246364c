import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { readNew } from "../../stream/entries.ts";
import { groupOn, groupsReader } from "../../stream/read-groups.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { createSkipper } from "./skipper.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "skipper", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

const GROUP = "rare";
const DELAY_MS = 3_600_000;
const toDo = (raw: readonly string[]) => (raw[1] === "often" ? "nothing" : raw[1] === "later" ? "delay" : "read");

/** A log of these types, of which the group has read so many entries, and a skipper that has seen them. */
const aLog = async (types: readonly string[], read = 10) => {
  const stream = `{test-${randomHex(6)}}:events`;
  const retrySet = `${stream}:retry`;
  const add = async (more: readonly string[]) => {
    const pipeline = redis.pipeline();
    for (const type of more) pipeline.xadd(stream, "*", "type", type);
    await pipeline.exec();
  };
  await redis.xgroup("CREATE", stream, GROUP, "0", "MKSTREAM");
  await add(types);
  const take = (count: number, consumer = "one") => readNew(redis, { stream, group: GROUP, consumer, count });
  const group = async () => (await groupOn(groupsReader(redis), stream, GROUP)) ?? new Map<string, unknown>();
  let atMs = 0;
  const deps = { redis, stream, group: GROUP, retrySet, toDo, delayMs: DELAY_MS, random: () => 0.5, log: silentLog };
  const skipper = createSkipper({ ...deps, now: () => atMs });
  skipper.saw(await take(read));
  return {
    stream,
    retrySet,
    deps,
    add,
    take,
    skipper,
    pass: (ms: number) => {
      atMs += ms;
    },
    group: async () => {
      const record = await group();
      return { lag: record.get("lag"), read: record.get("entries-read"), pending: record.get("pending") };
    },
    idAt: async (index: number) => (await redis.xrange(stream, "-", "+"))[index]?.[0] ?? "",
  };
};

const often = (count: number): string[] => Array.from({ length: count }, () => "often");

describe("a group that finds nothing for itself", () => {
  test("passes thousands of entries without taking one, with an exact lag, and stops before its own", async () => {
    const log = await aLog([...often(2_310), "rare", ...often(5)]);
    expect(await log.skipper.skip()).toBe(false);
    expect(await log.group()).toEqual({ lag: 6, read: 2_310, pending: 10 });
    const [own, ...rest] = await log.take(100);
    expect([own?.raw, rest.length]).toEqual([["type", "rare"], 5]);
    expect(await log.group()).toEqual({ lag: 0, read: 2_316, pending: 16 });
  });

  test("says when the log is read to its end, and goes on where it was", async () => {
    const log = await aLog(often(700));
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toMatchObject({ lag: 0, read: 700 });
    await log.add(often(30));
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toEqual({ lag: 0, read: 730, pending: 10 });
    // A few are cheaper to read.
    await log.add(often(3));
    expect(await log.skipper.skip()).toBe(false);
    expect(await log.group()).toMatchObject({ lag: 3, read: 730 });
  });

  test("takes what comes alone, or beside something of its own", async () => {
    const few = await aLog(often(20), 7);
    expect(await few.skipper.skip()).toBe(false);
    const mixed = await aLog(["rare", ...often(20)], 12);
    expect(await mixed.skipper.skip()).toBe(false);
    expect([(await few.group()).lag, (await mixed.group()).lag]).toEqual([13, 9]);
  });

  test("never passes an entry of its own that a peer has not taken, wherever peers are", async () => {
    const log = await aLog([...often(40), "rare", ...often(50)]);
    await log.take(12, "two");
    await log.skipper.skip();
    expect(await log.group()).toMatchObject({ lag: 51, read: 40 });
    // A peer goes on beyond what this consumer has seen: the group stays where the peer is.
    await log.take(15, "two");
    log.skipper.saw(await log.take(10));
    await log.take(1, "two");
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toMatchObject({ lag: 0, read: 91 });
  });

  test("leaves it to a peer that skips the same, for a while", async () => {
    const log = await aLog(often(40));
    const peer = createSkipper({ ...log.deps, now: () => 0 });
    await log.skipper.skip();
    await log.add(often(40));
    peer.saw(await log.take(10, "two"));
    await peer.skip();
    // It looks where it was itself, and finds that all is passed.
    expect(await log.skipper.skip()).toBe(false);
    await log.add(often(40));
    expect(await log.skipper.skip()).toBe(false);
    expect((await log.group()).lag).toBe(40);
    log.pass(1_000);
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toMatchObject({ lag: 0, read: 120 });
  });

  test("delays its own without taking them, from when each was added, and each once, whatever peers take", async () => {
    const log = await aLog([...often(10), ...Array.from({ length: 450 }, () => "later"), "rare", "later"]);
    await log.take(10, "two");
    expect(await log.skipper.skip()).toBe(false);
    expect(await log.group()).toEqual({ lag: 2, read: 460, pending: 20 });
    const ids = (await redis.xrange(log.stream, "-", "+")).map(([id]) => id);
    const dues = ids.slice(20, 460).map((id) => Number(id.split("-")[0]) + DELAY_MS);
    // They are alike here: one member, as one entry is, however often it is delayed.
    expect(await redis.zrange(log.retrySet, "0", "-1", "WITHSCORES")).toEqual([
      '["type","later"]',
      String(dues.at(-1)),
    ]);
    expect((await log.take(5)).map(({ raw }) => raw?.[1])).toEqual(["rare", "later"]);
  });

  test("delays from now what has an id in the future: Redis' clock was set back", async () => {
    const log = await aLog(often(20));
    const ahead = Date.now() + 5 * DELAY_MS;
    await redis.xadd(log.stream, `${ahead}-0`, "type", "later");
    const before = Date.now();
    await log.skipper.skip();
    const due = Number(await redis.zscore(log.retrySet, '["type","later"]'));
    expect(due).toBeGreaterThanOrEqual(before + DELAY_MS - 5);
    expect(due).toBeLessThan(ahead);
  });

  test("delays nothing that it cannot: a key of another type is in the way", async () => {
    const log = await aLog([...often(10), "later"]);
    await redis.set(log.retrySet, "in the way");
    expect(await log.skipper.skip()).toBe(false);
    expect((await log.take(5)).map(({ raw }) => raw?.[1])).toEqual(["later"]);
  });

  test("reads again after it was set back", async () => {
    const log = await aLog([...often(10), "rare", ...often(20)]);
    await log.take(1);
    log.skipper.saw(await log.take(10));
    await log.skipper.skip();
    await redis.xgroup("SETID", log.stream, GROUP, "0");
    await log.add(often(10));
    await log.skipper.skip();
    expect(await log.take(100)).toHaveLength(41);
  });

  test("does not invent what Redis does not know of its lag", async () => {
    const log = await aLog([...often(30), "rare"]);
    await redis.xgroup("SETID", log.stream, GROUP, await log.idAt(9));
    await log.skipper.skip();
    expect(await log.group()).toMatchObject({ read: null });
    expect(await log.take(100)).toHaveLength(1);
  });

  test("counts from what Redis says, whatever was set right since it looked, and whatever peers took", async () => {
    const log = await aLog(often(30));
    // As after a restart of Redis 7.0.
    await redis.xgroup("SETID", log.stream, GROUP, await log.idAt(9), "ENTRIESREAD", "3");
    await log.skipper.skip();
    expect(await log.group()).toMatchObject({ read: 23 });
    await redis.xgroup("SETID", log.stream, GROUP, await log.idAt(29), "ENTRIESREAD", "30");
    await log.add(often(30));
    await log.take(5, "two");
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toMatchObject({ lag: 0, read: 60 });
  });

  test("begins anew with a group that was made anew", async () => {
    const log = await aLog(often(30));
    await log.skipper.skip();
    await redis.del(log.stream);
    await redis.xgroup("CREATE", log.stream, GROUP, "0", "MKSTREAM");
    await log.add(often(30));
    log.skipper.saw(await log.take(10));
    expect(await log.skipper.skip()).toBe(true);
    expect(await log.group()).toMatchObject({ lag: 0, read: 30 });
  });

  test("leaves a missing group to whoever reads", async () => {
    const log = await aLog(often(30));
    await redis.del(log.stream);
    expect(await log.skipper.skip()).toBe(false);
    await expect(log.take(1)).rejects.toThrow(/^NOGROUP/);
  });

  test("reads as before where it lacks the right to move", async () => {
    const log = await aLog(often(30));
    const user = `user-${randomHex(6)}`;
    await redis.acl("SETUSER", user, "on", ">secret", "~*", "+@all", "-xgroup|setid");
    const url = redisUrl().replace("redis://", `redis://${user}:secret@`);
    const limited = openCommandConnection({ url, name: "limited", log: silentLog, commandTimeoutMs: 5_000 });
    await untilReady(limited, 5_000);
    const skipper = createSkipper({ ...log.deps, redis: limited, now: () => 0 });
    skipper.saw(await log.take(10));
    expect(await skipper.skip()).toBe(false);
    expect(await log.group()).toMatchObject({ lag: 10, read: 20 });
    limited.disconnect();
    await redis.acl("DELUSER", user);
  });
});
