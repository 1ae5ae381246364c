import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { randomHex } from "../observability/trace-context.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";
import { readNew } from "./entries.ts";
import { createEntryMoves } from "./entry-moves.ts";
import { keysOf } from "./keys.ts";
import { delayEntries } from "./scripts/delay.ts";
import { renewEntries } from "./scripts/renew.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "moves", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

const HOUR_MS = 3_600_000;
const GROUP = "a-group";

/** A stream of its own, of which one consumer has read so many entries. */
const read = async (count: number) => {
  const keys = keysOf(`test-${randomHex(6)}`);
  const { events: stream } = keys;
  const retrySet = keys.retrySet(GROUP);
  const held = { stream, group: GROUP, consumer: "one" };
  await redis.xgroup("CREATE", stream, GROUP, "0", "MKSTREAM");
  for (let number = 0; number < count; number += 1) await redis.xadd(stream, "*", "number", String(number));
  const entries = await readNew(redis, { ...held, count });
  return {
    keys,
    retrySet,
    held,
    ids: entries.map(({ id }) => id),
    moves: createEntryMoves(redis, { group: GROUP, consumer: "one", retrySet }),
    peerClaims: (id: string) => redis.xclaim(stream, GROUP, "two", 0, id, "JUSTID"),
    pendingOf: async (consumer: string): Promise<readonly string[]> => {
      const rows: readonly unknown[] = await redis.xpending(stream, GROUP, "-", "+", 1_000, consumer);
      return rows.map((row) => String(Array.isArray(row) ? row[0] : row));
    },
    waiting: () => redis.zrange(retrySet, "0", "-1"),
  };
};

const delayed = (id: string, delayMs = HOUR_MS) => ({ id, delayMs, fields: ["id", id] });
const memberOf = (id: string) => JSON.stringify(["id", id]);

describe("entries that are moved together", () => {
  test("share a command, in whatever order they come", async () => {
    const { moves, held, ids, pendingOf, waiting } = await read(20);
    const acks = spyOn(redis, "xack");
    const scripts = spyOn(redis, "evalsha");
    const [acked, others] = [ids.slice(0, 10), ids.slice(10)];
    await Promise.all([
      ...acked.map((id) => moves.acknowledge({ stream: held.stream, id })),
      ...others.toReversed().map((id) => moves.delay({ stream: held.stream, id }, HOUR_MS, ["id", id])),
    ]);
    expect([acks.mock.calls.length, scripts.mock.calls.length]).toEqual([1, 1]);
    expect(await pendingOf("one")).toEqual([]);
    expect((await waiting()).toSorted()).toEqual(others.map(memberOf).toSorted());
  });

  test("each have their own due time, by Redis' clock", async () => {
    const { retrySet, held, ids } = await read(2);
    const [seconds] = await redis.time();
    await delayEntries(redis, held, retrySet, [delayed(ids[0] ?? "", 1_000), delayed(ids[1] ?? "", 60_000)]);
    const [first, second] = await Promise.all(ids.map((id) => redis.zscore(retrySet, memberOf(id))));
    expect(Number(second) - Number(first)).toBe(59_000);
    expect(Number(first)).toBeGreaterThanOrEqual(Number(seconds) * 1_000 + 1_000);
  });

  test("are delayed unless a peer has claimed them meanwhile", async () => {
    const { retrySet, held, ids, peerClaims, pendingOf, waiting } = await read(5);
    const [first = "", second = "", ...others] = ids;
    await peerClaims(second);
    expect(
      await delayEntries(
        redis,
        held,
        retrySet,
        ids.map((id) => delayed(id)),
      ),
    ).toEqual(new Set([first, ...others]));
    expect(await pendingOf("two")).toEqual([second]);
    expect(await waiting()).not.toContain(memberOf(second));
  });

  test("lie far from each other: what lies between is left alone", async () => {
    const { retrySet, held, ids, peerClaims, pendingOf, waiting } = await read(40);
    const [first = "", last = "", gone = ""] = [ids[0], ids[39], ids[30]];
    await peerClaims(gone);
    await delayEntries(redis, held, retrySet, [delayed(last), delayed(gone), delayed(first)]);
    expect((await waiting()).toSorted()).toEqual([first, last].map(memberOf).toSorted());
    expect(await pendingOf("one")).toEqual(ids.filter((id) => ![first, last, gone].includes(id)));
  });

  test("are moved once, although the answer was lost and the command is repeated", async () => {
    const { retrySet, held, ids, waiting } = await read(3);
    const entries = [...ids, ...ids].map((id) => delayed(id));
    expect((await delayEntries(redis, held, retrySet, entries)).size).toBe(3);
    expect((await delayEntries(redis, held, retrySet, entries)).size).toBe(0);
    expect(await waiting()).toHaveLength(3);
  });

  test("stay pending, all of them, if one cannot be put into the retry set", async () => {
    const { retrySet, held, ids, moves, pendingOf, waiting } = await read(3);
    const [first = "", second = "", third = ""] = ids;
    const entries = [delayed(first), delayed(second, Number.NaN), delayed(third)];
    await expect(delayEntries(redis, held, retrySet, entries)).rejects.toThrow("delay is not a number");
    expect([await pendingOf("one"), await waiting()]).toEqual([ids, []]);
    await redis.set(retrySet, "of another type");
    const moving = ids.map((id) => moves.delay({ stream: held.stream, id }, HOUR_MS, []));
    for (const { status } of await Promise.allSettled(moving)) expect(status).toBe("rejected");
    expect(await pendingOf("one")).toEqual(ids);
  });
});

test("renewals reset the idle time of a consumer's own entries, and no others", async () => {
  const { held, ids, peerClaims, pendingOf } = await read(40);
  const claimed = ids[20] ?? "";
  await peerClaims(claimed);
  await redis.xclaim(held.stream, GROUP, "one", 0, ids[0] ?? "", ids[39] ?? "", "IDLE", HOUR_MS, "JUSTID");
  const asked = [ids[39] ?? "", claimed, ids[0] ?? ""];
  expect(await renewEntries(redis, held, asked)).toEqual(new Set([asked[0] ?? "", asked[2] ?? ""]));
  expect(await pendingOf("two")).toEqual([claimed]);
  expect(await redis.xpending(held.stream, GROUP, "IDLE", HOUR_MS / 2, "-", "+", 10)).toEqual([]);
});
