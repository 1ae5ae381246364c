import { describe, expect, test } from "bun:test";
import type { Loop } from "../../runtime/loop.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { eventually } from "../../tests/eventually.ts";
import { EXAMPLE_GROUP } from "../../tests/example-group.ts";
import { loseEntries } from "../../tests/lost-entries.ts";
import { aPipeline, aSignup, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { startGroupRepairer } from "./group-repairer.ts";
import { startLagRepairer } from "./lag-repairer.ts";
import { startReconciler } from "./reconciler.ts";

/** The first one's retries stream is no stream; the second one comes after it. */
const BROKEN = WELCOME_EMAIL;
const HEALTHY = EXAMPLE_GROUP;
const groups = [BROKEN, HEALTHY];

const aBrokenGroup = async (pipeline: Pipeline) => {
  const key = pipeline.keys.retriesStream(BROKEN.name);
  await pipeline.redis.del(key);
  await pipeline.redis.set(key, "in the way");
};

/** The error is not swallowed: it is the loop's fault, and names the group. */
const faultNamesTheBrokenGroup = (loop: Loop) => eventually(() => loop.fault()?.includes(BROKEN.name) === true);

describe("a group whose key has the wrong type", () => {
  test("does not keep the group after it from being made again", async () => {
    await using pipeline = await aPipeline(groups);
    const { redis, keys } = pipeline;
    await aBrokenGroup(pipeline);
    await redis.del(keys.retriesStream(HEALTHY.name));
    await using repairer = startGroupRepairer({ redis, keys, groups, log: silentLog });
    await eventually(async () => (await redis.exists(keys.retriesStream(HEALTHY.name))) === 1);
    await faultNamesTheBrokenGroup(repairer);
  });

  test("does not keep the group after it from being reconciled", async () => {
    await using pipeline = await aPipeline(groups);
    const { db, redis, keys } = pipeline;
    const eventId = await pipeline.writeOnly(aSignup());
    await loseEntries(pipeline);
    await aBrokenGroup(pipeline);
    await using reconciler = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 1_000 });
    await eventually(async () => (await redis.xlen(keys.retriesStream(HEALTHY.name))) === 1);
    expect((await redis.xrange(keys.retriesStream(HEALTHY.name), "-", "+"))[0]?.[1]).toContain(eventId);
    await faultNamesTheBrokenGroup(reconciler);
  });

  test("does not keep the lag of the group after it from being restored", async () => {
    await using pipeline = await aPipeline(groups);
    const { redis, keys } = pipeline;
    const stream = keys.retriesStream(HEALTHY.name);
    await aBrokenGroup(pipeline);
    await redis.xadd(stream, "1-1", "id", "a");
    await redis.xadd(stream, "1-2", "id", "b");
    await redis.xadd(stream, "1-3", "id", "c");
    // Somewhere in the middle, and not told how many entries it has read, Redis no longer knows the lag.
    await redis.xgroup("SETID", stream, HEALTHY.name, "1-2");
    const lag = async () => JSON.stringify(await redis.xinfo("GROUPS", stream));
    expect(await lag()).toContain('"lag",null');
    await using repairer = startLagRepairer({ redis, keys, groups, log: silentLog });
    await eventually(async () => (await lag()).includes('"lag",1'));
    await faultNamesTheBrokenGroup(repairer);
  });
});
