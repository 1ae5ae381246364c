import { expect, test } from "bun:test";
import type { Redis } from "ioredis";
import { readNew } from "../../stream/entries.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { IDLE_REPORT } from "../../stream/report-for-tests.ts";
import { beat, readSignsOfLife } from "../../stream/scripts/beat.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup } from "../../tests/pipeline.ts";

const HOUR_MS = 3_600_000;
const MASK = 0xffff_ffff_ffff_ffffn;

/** The checksum at the end of what DUMP gives (Jones' CRC-64, reflected). */
const crc64 = (bytes: Uint8Array): bigint => {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0x95ac_9329_ac4b_c9b5n : crc >> 1n;
  }
  return crc & MASK;
};

/** As if the last deliveries of a stream were an hour ahead: XCLAIM takes no such time, and Redis' own clock is that of all tests. */
const deliveredAheadOfTime = async (redis: Redis, stream: string): Promise<number> => {
  const dump = await redis.dumpBuffer(stream);
  if (dump === null) throw new Error(`there is no ${stream}`);
  const bytes = Buffer.from(dump);
  const now = Date.now();
  let changed = 0;
  for (let at = 0; at + 8 <= bytes.length - 8; at += 1) {
    const ms = Number(bytes.readBigUInt64LE(at));
    if (ms <= now - 60_000 || ms > now + 60_000) continue;
    bytes.writeBigUInt64LE(BigInt(ms + HOUR_MS), at);
    changed += 1;
  }
  bytes.writeBigUInt64LE(crc64(bytes.subarray(0, -8)), bytes.length - 8);
  await redis.restore(stream, 0, bytes, "REPLACE");
  return changed;
};

test("entries of a consumer that died before Redis' clock was set back are taken over, and it is missed", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const group = WELCOME_EMAIL.name;
  const outbox = anOutbox();
  const eventIds = await pipeline.signUp(aSignup(), aSignup());
  await readNew(redis, { group, consumer: "dead", stream: keys.events, count: 2 });
  await beat(redis, { keys, group, consumer: "dead" }, IDLE_REPORT);
  expect(await deliveredAheadOfTime(redis, keys.events)).toBeGreaterThanOrEqual(2);
  await redis.zincrby(keys.signsOfLife(group), HOUR_MS, "dead");
  await pipeline.consumer(outbox.work);
  await eventually(() => outbox.sent.length === eventIds.length);
  expect(outbox.sent.toSorted()).toEqual(eventIds.toSorted());
  const dead = (await readSignsOfLife(redis, keys.signsOfLife(group))).find(({ consumer }) => consumer === "dead");
  expect(dead?.silentMs).toBeLessThan(HOUR_MS / 2);
});
