import type { Redis } from "ioredis";
import { redisTimeMs } from "../watermark.ts";
import source from "./beat.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/** When a consumer of a group was last heard of. One that left in order is not among them, nor one that died an hour ago. */
export interface SignOfLife {
  readonly consumer: string;
  readonly silentMs: number;
}

/** Writes the sign of life of a consumer. */
export const beat = async (redis: Redis, key: string, consumer: string): Promise<void> => {
  await runScript(redis, script, [key], [consumer]);
};

/** Removes a consumer that leaves in order (ZREM). */
export const endBeat = async (redis: Redis, key: string, consumer: string): Promise<void> => {
  await redis.zrem(key, consumer);
};

/** The signs of life of a group's consumers (ZRANGE, TIME). */
export const readSignsOfLife = async (redis: Redis, key: string): Promise<readonly SignOfLife[]> => {
  const members = await redis.zrange(key, "0", "-1", "WITHSCORES");
  const nowMs = await redisTimeMs(redis);
  const signs: SignOfLife[] = [];
  for (let at = 0; at + 1 < members.length; at += 2) {
    signs.push({ consumer: members[at] ?? "", silentMs: nowMs - Number(members[at + 1]) });
  }
  return signs;
};
