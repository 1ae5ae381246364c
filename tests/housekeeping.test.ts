import { describe, expect, test } from "bun:test";
import pino from "pino";
import { startJanitor } from "../api/background/janitor.ts";
import { startLagRepairer } from "../api/background/lag-repairer.ts";
import { startReconciler } from "../api/background/reconciler.ts";
import { startReaper } from "../consumers/engine/reaper.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { ensureGroup } from "../stream/ensure-group.ts";
import { readNew } from "../stream/entries.ts";
import { readConsumers, readGroupStatus } from "../stream/group-status.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { keysOf } from "../stream/keys.ts";
import { IDLE_REPORT } from "../stream/report-for-tests.ts";
import { beat } from "../stream/scripts/beat.ts";
import { eventually } from "./eventually.ts";
import { anOwnRedis } from "./own-redis.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline, silentLog } from "./pipeline.ts";

const group = WELCOME_EMAIL.name;
const isSent = (pipeline: Pipeline, eventId: string) => async () => (await pipeline.status(eventId))?.state === "done";
const janitorOf = ({ redis, keys }: Pipeline, retentionMs = 0) =>
  startJanitor({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { retentionMs, everyMs: 50 });

describe.concurrent("the janitor", () => {
  test("trims what every group has finished, and keeps lag exact", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    const eventIds = await pipeline.signUp(...Array.from({ length: 20 }, () => aSignup()));
    for (const eventId of eventIds) await eventually(isSent(pipeline, eventId));
    await using _janitor = janitorOf(pipeline);
    await eventually(async () => (await pipeline.redis.xlen(pipeline.keys.events)) === 0);
    const [after = ""] = await pipeline.signUp(aSignup());
    await eventually(isSent(pipeline, after));
    expect((await readGroupStatus(pipeline.redis, pipeline.keys, group)).lag).toBe(0);
  });

  test("never trims an entry that a slow group has not read, or that is in flight", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    await redis.xgroup("CREATE", keys.events, "slow", "0");
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    const eventIds = await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    for (const eventId of eventIds) await eventually(isSent(pipeline, eventId));
    const janitor = janitorOf(pipeline);
    // It reads two and finishes one: from the second on, everything must stay.
    const [first, second] = await readNew(redis, { group: "slow", consumer: "s", stream: keys.events, count: 2 });
    await redis.xack(keys.events, "slow", first?.id ?? "");
    await eventually(async () => (await redis.xlen(keys.events)) === 4);
    await janitor.stop();
    expect((await redis.xrange(keys.events, "-", "+", "COUNT", 1))[0]?.[0]).toBe(second?.id ?? "");
  });

  test("names a group for an operator to drop only as long as no consumer reads it, whoever declares it", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const warnings: unknown[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line)) });
    for (const name of ["of-another-version", "left"]) await redis.xgroup("CREATE", keys.events, name, "0", "MKSTREAM");
    await beat(redis, { keys, group: "of-another-version", consumer: "consumer-1" }, IDLE_REPORT);
    await using _janitor = startJanitor({ redis, keys, groups: [WELCOME_EMAIL], log }, { retentionMs: 0, everyMs: 50 });
    await eventually(() => warnings.length > 0);
    expect(warnings).toEqual([expect.objectContaining({ groups: ["left"] })]);
  });

  test("keeps what is younger than the retention", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await pipeline.consumer(outbox.work);
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await eventually(isSent(pipeline, eventId));
    const janitor = janitorOf(pipeline, 60_000);
    await Bun.sleep(200);
    await janitor.stop();
    expect(await pipeline.redis.xlen(pipeline.keys.events)).toBe(1);
  });

  test("keeps the retries stream from growing", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    let attempts = 0;
    await pipeline.consumer(
      async (...args) => {
        attempts += 1;
        return attempts <= 20 ? { kind: "transient", reason: "try_later" } : outbox.work(...args);
      },
      { retryMax: 50, retryDelayMs: 1 },
    );
    const eventIds = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    for (const eventId of eventIds) await eventually(isSent(pipeline, eventId));
    await using _janitor = janitorOf(pipeline);
    await eventually(async () => (await pipeline.redis.xlen(pipeline.keys.retriesStream(group))) === 0);
  });

  test("keeps streams from growing after an entry whose id lies in the future", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const streams = [keys.events, keys.retriesStream(group)];
    for (const stream of streams) await redis.xadd(stream, "99999999999999-0", "id", "1");
    const outbox = anOutbox();
    let attempts = 0;
    await pipeline.consumer(async (...args) => {
      attempts += 1;
      return attempts <= 5 ? { kind: "transient", reason: "try_later" } : outbox.work(...args);
    });
    await using _janitor = janitorOf(pipeline);
    const eventIds = await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    for (const eventId of eventIds) await eventually(isSent(pipeline, eventId));
    // The last one stays: of what is ahead of the clock it is only known that what follows is newer.
    for (const stream of streams) await eventually(async () => (await redis.xlen(stream)) === 1);
  });
});

test.concurrent("entries trimmed while a consumer works on them crash nothing, and their mails are sent", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const eventIds = await pipeline.signUp(...Array.from({ length: 3 }, () => aSignup()));
  await readNew(redis, { group, consumer: "dead", stream: keys.events, count: 3 });
  await redis.xtrim(keys.events, "MAXLEN", 0);
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  await eventually(async () => (await redis.xpending(keys.events, group))[0] === 0);
  expect(consumer.isLive()).toBe(true);
  const deps = { db: pipeline.db, redis, keys, groups: [WELCOME_EMAIL], log: silentLog };
  await using _reconciler = startReconciler(deps, { reconcileAfterMs: 1_000 });
  for (const eventId of eventIds) await eventually(isSent(pipeline, eventId));
  expect(outbox.sent).toHaveLength(3);
});

test.concurrent("the reaper removes a dead consumer without pending entries, never one with pending entries", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  await pipeline.signUp(aSignup(), aSignup());
  for (const consumer of ["holding", "empty"]) await readNew(redis, { group, consumer, stream: keys.events, count: 1 });
  const [, second] = await redis.xrange(keys.events, "-", "+");
  await redis.xack(keys.events, group, second?.[0] ?? "");
  await using _reaper = startReaper(
    { redis, keys, group, consumer: "ourselves", log: silentLog },
    { everyMs: 20, idleMs: 50 },
  );
  await eventually(async () => {
    const names = (await readConsumers(redis, keys, group)).map(({ name }) => name);
    return names.length === 1 && names[0] === "holding";
  });
});

/** Entries that one command counts at most. */
const SLICE = 500;

/** The commands that Redis noted in its SLOWLOG, each as its words. */
const commandsOf = (slowlog: unknown): string[][] =>
  (Array.isArray(slowlog) ? slowlog : []).map((each: unknown) => {
    const words: unknown = Array.isArray(each) ? each[3] : undefined;
    return Array.isArray(words) ? words.map(String) : [];
  });

test.concurrent("lag that Redis lost at a restart is restored in slices, at 50,000 entries, while the group continues to read", async () => {
  await using own = await anOwnRedis({ keepsAll: true });
  const keys = keysOf("lag");
  const connection = { url: own.url, name: "lag", log: silentLog, commandTimeoutMs: 10_000 };
  const redis = openCommandConnection(connection);
  await untilReady(redis, 5_000);
  // A rewritten file holds the group's counters, and Redis would lose nothing.
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  await ensureGroup(redis, keys, WELCOME_EMAIL);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 10_000 }, () => redis.xadd(keys.events, "*", "id", "x")));
  }
  const read = (count: number) => readNew(redis, { group, consumer: "c", stream: keys.events, count });
  await read(500);
  await own.kill();
  await own.start();
  await untilReady(redis, 10_000);
  const lag = async () => (await readGroupStatus(redis, keys, group)).lag;
  // Newer servers keep the group's counters in their file, and lose nothing.
  if ((await lag()) === 49_500) return redis.disconnect();
  expect(await lag()).toBeNull();
  await redis.config("SET", "slowlog-log-slower-than", 0, "slowlog-max-len", 100_000);

  await using _repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 50 });
  let taken = 500;
  while ((await lag()) === null) taken += (await read(100)).length;
  expect(await lag()).toBe(50_000 - taken);
  taken += (await read(100)).length;
  expect(await lag()).toBe(50_000 - taken);
  // Redis never stands still for long: whoever counts asks for no more than a slice, and counts in no script.
  const ranges = commandsOf(await redis.slowlog("GET", -1)).filter(([name]) => name === "xrange");
  const counts = ranges.map((words) => (words.at(-2) === "COUNT" ? Number(words.at(-1)) : Number.POSITIVE_INFINITY));
  expect(Math.max(...counts)).toBe(SLICE);
  expect(counts.filter((count) => count === SLICE).length).toBeGreaterThanOrEqual((50_000 - taken) / SLICE);

  // Redis 7.0 has noted the restored lag in its file, but none of the entries that were read since.
  taken += (await read(500)).length;
  await own.kill();
  await own.start();
  await untilReady(redis, 10_000);
  await eventually(async () => (await lag()) === 50_000 - taken);
  redis.disconnect();
});

test.concurrent("a lag that is reported while nothing is unread goes away, however often Redis restarts", async () => {
  await using own = await anOwnRedis({ keepsAll: true });
  const keys = keysOf("phantom");
  const redis = openCommandConnection({ url: own.url, name: "lag", log: silentLog, commandTimeoutMs: 10_000 });
  await untilReady(redis, 5_000);
  await redis.config("SET", "auto-aof-rewrite-percentage", "0");
  await ensureGroup(redis, keys, WELCOME_EMAIL);
  await Promise.all(Array.from({ length: 400 }, () => redis.xadd(keys.events, "*", "id", "x")));
  const read = (count: number) => readNew(redis, { group, consumer: "c", stream: keys.events, count });
  const lag = async () => (await readGroupStatus(redis, keys, group)).lag;
  const restart = async () => {
    await own.kill();
    await own.start();
    await untilReady(redis, 10_000);
  };
  await read(10);
  await using _repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 50 });
  for (const left of [380, 0, 0]) {
    await restart();
    await read(left === 380 ? 10 : 380);
    await eventually(async () => (await lag()) === left);
  }
  redis.disconnect();
});

test.concurrent("a wrong lag is set right without a new connection, as behind a proxy, whether little or nothing is unread", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
  await using _repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 10 });
  const lag = async () => (await readGroupStatus(redis, keys, group)).lag;
  await readNew(redis, { group, consumer: "c", stream: keys.events, count: 7 });
  for (const left of [3, 0]) {
    const delivered = (await redis.xrange(keys.events, "-", "+")).at(-1 - left)?.[0] ?? "";
    for (const read of [2, 9]) {
      await redis.call("XGROUP", "SETID", keys.events, group, delivered, "ENTRIESREAD", read);
      await eventually(async () => (await lag()) === left);
    }
    await readNew(redis, { group, consumer: "c", stream: keys.events, count: 10 });
  }
});

test.concurrent("a group whose position was set beyond the end of its streams goes on by itself, and sends nothing twice", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  const [before = ""] = await pipeline.signUp(aSignup());
  await eventually(isSent(pipeline, before));
  const streams = [keys.events, keys.retriesStream(group)];
  for (const stream of streams) await redis.xgroup("SETID", stream, group, "99999999999999-0");
  await using _repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log: silentLog }, { everyMs: 10 });
  const [after = ""] = await pipeline.signUp(aSignup());
  await eventually(isSent(pipeline, after));
  expect(outbox.sent.length).toBe(2);
  await eventually(async () => (await readGroupStatus(redis, keys, group)).lag === 0);
  // That of a stranger is a stranger's, and the highest id of all is one that Redis refuses to be asked about.
  await redis.xgroup("CREATE", keys.events, "stranger", "99999999999999-0");
  await redis.xgroup("SETID", keys.events, group, "18446744073709551615-18446744073709551615");
  const positions = async () => {
    const groups: unknown = await redis.xinfo("GROUPS", keys.events);
    return JSON.stringify(groups);
  };
  await readGroupStatus(redis, keys, group);
  await eventually(async () => !(await positions()).includes("18446744073709551615"));
  expect(await positions()).toContain("99999999999999-0");
});

test.concurrent("a lag that Redis cannot know, because an entry was deleted by hand, is said once, and counted instead", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
  const [, , third] = await redis.xrange(keys.events, "-", "+");
  await readNew(redis, { group, consumer: "c", stream: keys.events, count: 1 });
  await redis.xdel(keys.events, third?.[0] ?? "");
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  await using repairer = startLagRepairer({ redis, keys, groups: [WELCOME_EMAIL], log }, { everyMs: 10 });
  const status = () => readGroupStatus(redis, keys, group);
  await eventually(() => lines.length > 0);
  expect(await status()).toMatchObject({ lag: null, counted: { lag: 3, retriesLag: null } });
  await readNew(redis, { group, consumer: "c", stream: keys.events, count: 10 });
  await eventually(async () => (await status()).lag === 0);
  await repairer.stop();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("deleted by hand");
});
