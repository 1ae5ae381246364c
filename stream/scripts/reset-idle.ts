import type { Redis } from "ioredis";
import type { Keys } from "../keys.ts";
import { redisTimeMs } from "../watermark.ts";
import source from "./reset-idle.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(source);

/**
 * Sets right what a group has in the future, after Redis' clock was set back: the idle times of its pending entries, and its signs of life, so that consumers that
 * died before are missed, and their entries claimed, after as long as at any other time. The signs last: while they lie in the future, somebody does it (`beat`).
 */
export const resetIdleTimes = async (redis: Redis, keys: Keys, group: string): Promise<void> => {
  for (const stream of [keys.retriesStream(group), keys.events]) {
    let from = "-";
    while (from !== "") from = String(await runScript(redis, script, [stream], [group, from]));
  }
  const signs = keys.signsOfLife(group);
  const nowMs = await redisTimeMs(redis);
  for (const consumer of await redis.zrangebyscore(signs, nowMs + 1, "+inf"))
    await redis.zadd(signs, "XX", nowMs, consumer);
};
