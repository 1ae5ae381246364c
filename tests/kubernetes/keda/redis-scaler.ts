import type { Redis } from "ioredis";
import { failed, type Measurement, numberOf } from "./measurement.ts";

/** Counts the elements of a key, by its type, in one step; a missing key counts as an empty list. */
const COUNT = `
local kind = redis.call('type', KEYS[1]).ok
local command = { zset = 'zcard', set = 'scard', list = 'llen', hash = 'hlen', none = 'llen' }
return redis.call(command[kind], KEYS[1])`;

/** `type: redis`, as KEDA's redis_scaler.go counts: by a script, so a sorted set has its size. */
export const measureRedis = async (redis: Redis, metadata: Readonly<Record<string, string>>): Promise<Measurement> => {
  try {
    const value = Number(await redis.eval(COUNT, 1, metadata["listName"] ?? ""));
    const target = numberOf(metadata, "listLength", 5);
    return { kind: "value", value, target, isActive: value > numberOf(metadata, "activationListLength", 0) };
  } catch (error) {
    return failed(error);
  }
};
