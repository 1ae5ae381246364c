import { describe, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { keysOf } from "../../stream/keys.ts";
import { promoteDue } from "../../stream/scripts/promote.ts";
import { eventually } from "../../tests/eventually.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { promoterWaitMs, startPromoter } from "./promoter.ts";

const GROUP = "a-group";
const HOUR_MS = 3_600_000;

const aRetrySet = async () => {
  const redis = openCommandConnection({ url: redisUrl(), name: "promoter", log: silentLog, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  const keys = keysOf(`test-${randomHex(6)}`);
  const [retrySet, retriesStream] = [keys.retrySet(GROUP), keys.retriesStream(GROUP)];
  const nowMs = async () => Number((await redis.time())[0]) * 1_000;
  return {
    redis,
    keys,
    retriesStream,
    delay: async (id: string, ms: number) => redis.zadd(retrySet, (await nowMs()) + ms, JSON.stringify(["id", id])),
    promote: (limit = 10) => promoteDue(redis, { retrySet, retriesStream }, limit),
    [Symbol.dispose]: () => redis.disconnect(),
  };
};

test.each([
  [10, 250],
  [400, 400],
  [HOUR_MS, 1_000],
  [undefined, 1_000],
])("a promoter whose next retry is due in %p ms waits %p ms", (nextInMs, waitMs) => {
  expect(promoterWaitMs(nextInMs, 1_000)).toBe(waitMs);
});

describe("promoting", () => {
  test("says when the next retry is due", async () => {
    using set = await aRetrySet();
    expect(await set.promote()).toEqual({ moved: 0, nextInMs: undefined });
    await set.delay("later", HOUR_MS);
    const { moved, nextInMs = 0 } = await set.promote();
    expect(moved).toBe(0);
    expect(nextInMs).toBeGreaterThan(HOUR_MS - 60_000);
    expect(nextInMs).toBeLessThanOrEqual(HOUR_MS);
    await set.delay("due", -2_000);
    await set.delay("due, too", -1_000);
    expect(await set.promote(1)).toEqual({ moved: 1, nextInMs: 0 });
    expect(await set.promote(1)).toMatchObject({ moved: 1 });
    expect((await set.redis.xrange(set.retriesStream, "-", "+")).map(([, fields]) => fields)).toEqual([
      ["id", "due"],
      ["id", "due, too"],
    ]);
  });

  test("happens when what the consumer has delayed is due, although it would not look for an hour", async () => {
    using set = await aRetrySet();
    const { redis, keys } = set;
    const now = () => performance.now();
    const deps = { redis, keys, group: GROUP, log: silentLog, now };
    await using promoter = startPromoter(deps, { mostWaitMs: HOUR_MS });
    await set.delay("found", -1_000);
    promoter.expect(0);
    await eventually(async () => (await redis.xlen(set.retriesStream)) === 1);
    await set.delay("expected", -1_000);
    promoter.expect(HOUR_MS);
    promoter.expect(300);
    await eventually(async () => (await redis.xlen(set.retriesStream)) === 2);
  });

  test("happens without that, too: a peer may have delayed it and died", async () => {
    using set = await aRetrySet();
    const { redis, keys } = set;
    const now = () => performance.now();
    await using _ = startPromoter({ redis, keys, group: GROUP, log: silentLog, now }, { mostWaitMs: 300 });
    await set.promote();
    await set.delay("of a peer", -1_000);
    await eventually(async () => (await redis.xlen(set.retriesStream)) === 1);
  });
});
