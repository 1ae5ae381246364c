import { describe, expect, test } from "bun:test";
import { startPauseKeeper } from "../api/background/pause-keeper.ts";
import { openDatabase } from "../database/connection.ts";
import { pausesOf } from "../database/groups/pauses.ts";
import { openCommandConnection } from "../stream/connection.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { createPauseKeeper, pauseGroup, resumeGroup } from "../stream/pauses.ts";
import { eventually } from "./eventually.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline, silentLog } from "./pipeline.ts";

const group = WELCOME_EMAIL.name;
const PAUSE = { group, reason: null, by: "test" };
const storesOf = ({ db, redis, keys }: Pipeline) => ({ pauses: pausesOf(db), redis, keys });
const keeperOf = (pipeline: Pipeline) => createPauseKeeper(storesOf(pipeline));
/** As FLUSHALL does, to this pipeline alone. */
const flush = async ({ redis, streamName }: Pipeline) => redis.del(...(await redis.keys(`{${streamName}}*`)));
const savedBy = async ({ db }: Pipeline) => (await pausesOf(db).list()).map(({ by }) => by);
const isInRedis = async ({ redis, keys }: Pipeline) => (await redis.sismember(keys.paused, group)) === 1;

describe("a pause", () => {
  test("survives a flush: the group sends nothing, and goes on when it is resumed", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await using _keeper = startPauseKeeper({ ...storesOf(pipeline), log: silentLog }, { everyMs: 50 });
    await pauseGroup(storesOf(pipeline), PAUSE);
    const consumer = await pipeline.consumer(outbox.work);
    await eventually(() => consumer.state() === "paused");
    const eventIds = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    await flush(pipeline);
    await eventually(() => isInRedis(pipeline));
    const more = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    // A consumer that has never seen the pause.
    const second = await pipeline.consumer(outbox.work);
    await eventually(() => second.state() === "paused");
    expect(outbox.sent).toEqual([]);
    expect(await resumeGroup(storesOf(pipeline), group)).toBe(true);
    for (const eventId of more) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
    expect(outbox.sent.filter((eventId) => eventIds.includes(eventId))).toEqual([]);
  });

  test("holds while no api restores the copy: consumers ask Postgres", async () => {
    await using pipeline = await aPipeline();
    const outbox = anOutbox();
    await pauseGroup(storesOf(pipeline), PAUSE);
    const consumer = await pipeline.consumer(outbox.work);
    await eventually(() => consumer.state() === "paused");
    await flush(pipeline);
    await pipeline.signUp(aSignup());
    const second = await pipeline.consumer(outbox.work);
    await eventually(() => second.state() === "paused");
    expect(consumer.state()).toBe("paused");
    expect(outbox.sent).toEqual([]);
  });

  test("keeps the reason for which it began", async () => {
    await using pipeline = await aPipeline();
    const because = { ...PAUSE, reason: "receiver_gone", by: "consumer" };
    expect(await pauseGroup(storesOf(pipeline), because)).toEqual({ changed: true, missing: [] });
    expect(await pauseGroup(storesOf(pipeline), PAUSE)).toEqual({ changed: false, missing: [] });
    await flush(pipeline);
    expect(await keeperOf(pipeline)()).toEqual({ restored: [group], saved: [], ended: [] });
    expect(await pipeline.redis.hget(pipeline.keys.pausedFor, group)).toBe("receiver_gone");
    expect(await pausesOf(pipeline.db).list()).toMatchObject([{ group, reason: "receiver_gone", by: "consumer" }]);
  });

  test("made by hand in Redis is saved, and ends by hand; one of Postgres is restored", async () => {
    await using pipeline = await aPipeline();
    const { redis, keys } = pipeline;
    const keep = keeperOf(pipeline);
    await redis.sadd(keys.paused, group);
    expect((await keep()).saved).toEqual([]);
    expect((await keep()).saved).toEqual([group]);
    expect(await savedBy(pipeline)).toEqual(["redis"]);
    await flush(pipeline);
    expect((await keep()).restored).toEqual([group]);
    await redis.srem(keys.paused, group);
    expect((await keep()).ended).toEqual([group]);
    expect(await savedBy(pipeline)).toEqual([]);

    await pauseGroup(storesOf(pipeline), PAUSE);
    await redis.srem(keys.paused, group);
    expect((await keep()).restored).toEqual([group]);
    expect(await isInRedis(pipeline)).toBe(true);
  });

  test("made while Postgres is away is in Redis, and saved later", async () => {
    await using pipeline = await aPipeline();
    const away = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", poolSize: 1, applicationName: "test" });
    const keep = keeperOf(pipeline);
    expect(await pauseGroup({ ...storesOf(pipeline), pauses: pausesOf(away) }, PAUSE)).toEqual({
      changed: true,
      missing: ["postgres"],
    });
    await keep();
    await keep();
    expect(await savedBy(pipeline)).toEqual(["redis"]);
  });

  test("made while Redis is away is in Postgres, and copied later", async () => {
    await using pipeline = await aPipeline();
    const away = openCommandConnection({
      url: "redis://127.0.0.1:1",
      name: "away",
      log: silentLog,
      commandTimeoutMs: 1_000,
    });
    const stores = { ...storesOf(pipeline), redis: away };
    expect(await pauseGroup(stores, PAUSE)).toEqual({ changed: true, missing: ["redis"] });
    away.disconnect();
    expect((await keeperOf(pipeline)()).restored).toEqual([group]);
    expect(await isInRedis(pipeline)).toBe(true);
  });
});
