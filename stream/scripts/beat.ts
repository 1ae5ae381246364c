import type { Redis } from "ioredis";
import { type ConsumerReport, parseReport } from "../consumer-report.ts";
import type { Keys } from "../keys.ts";
import { redisTimeMs } from "../watermark.ts";
import source from "./beat.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** When a consumer of a group was last heard of. One that left in order is not among them, nor one that died an hour ago. */
export interface SignOfLife {
  readonly consumer: string;
  readonly silentMs: number;
}

/** A consumer of a group. */
export interface GroupMember {
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
}

/**
 * Writes the sign of life of a consumer, its report, and what it finished since the last one: buckets of `history.ts`. Resolves to whether a sign of life lies
 * in the future: Redis' clock was set back, and what it left there is to be set right (`resetIdleTimes`).
 */
export const beat = async (
  redis: Redis,
  { keys, group, consumer }: GroupMember,
  report: ConsumerReport,
  finished: ReadonlyMap<number, number> = new Map(),
): Promise<boolean> => {
  const names = [keys.signsOfLife(group), keys.reports(group), keys.history(group)];
  const args = [consumer, JSON.stringify(report), ...[...finished].flat()];
  return (await runScript(redis, script, names, args)) === 1;
};

/** Removes a consumer that leaves in order (ZREM, HDEL). */
export const endBeat = async (redis: Redis, { keys, group, consumer }: GroupMember): Promise<void> => {
  await Promise.all([redis.zrem(keys.signsOfLife(group), consumer), redis.hdel(keys.reports(group), consumer)]);
};

/** The signs of life of a group's consumers (ZRANGE, TIME). One in the future is from before the clock was set back: who lives gives a new one within seconds. */
export const readSignsOfLife = async (redis: Redis, key: string): Promise<readonly SignOfLife[]> => {
  const members = await redis.zrange(key, "0", "-1", "WITHSCORES");
  const nowMs = await redisTimeMs(redis);
  const signs: SignOfLife[] = [];
  for (let at = 0; at + 1 < members.length; at += 2) {
    signs.push({ consumer: members[at] ?? "", silentMs: Math.abs(nowMs - Number(members[at + 1])) });
  }
  return signs;
};

/** A consumer that gave a sign of life within the last hour and did not leave in order. */
export interface ReportedConsumer {
  readonly name: string;
  readonly silentMs: number;
  /** undefined: it is of another version. */
  readonly report: ConsumerReport | undefined;
}

/** What the consumers of a group say of themselves, by name (ZRANGE, HGETALL). */
export const readReports = async (redis: Redis, keys: Keys, group: string): Promise<readonly ReportedConsumer[]> => {
  const [signs, reports] = await Promise.all([
    readSignsOfLife(redis, keys.signsOfLife(group)),
    redis.hgetall(keys.reports(group)),
  ]);
  return signs
    .map(({ consumer, silentMs }) => ({ name: consumer, silentMs, report: parseReport(reports[consumer]) }))
    .sort((left, right) => left.name.localeCompare(right.name));
};
