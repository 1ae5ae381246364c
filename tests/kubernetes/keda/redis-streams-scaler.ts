import type { Redis } from "ioredis";
import { failed, type Measurement, numberOf } from "./measurement.ts";

/** XINFO GROUPS as go-redis reads it: a lag of nil becomes -1. */
const groupsOf = (reply: unknown): readonly { readonly name: string; readonly lag: number }[] => {
  if (!Array.isArray(reply)) return [];
  return reply.map((item: unknown) => {
    const flat: readonly unknown[] = Array.isArray(item) ? item : [];
    const fieldOf = (key: string) => flat[flat.indexOf(key) + 1];
    const lag = fieldOf("lag");
    return { name: String(fieldOf("name")), lag: lag === null ? -1 : Number(lag) };
  });
};

const lagOf = async (redis: Redis, stream: string, group: string): Promise<number> => {
  const version = /redis_version:(\d+)/.exec(await redis.info())?.[1];
  if (version === undefined) throw new Error("could not find Redis version number");
  if (Number(version) < 7) throw new Error("redis version 7+ required for lag");
  let groups: ReturnType<typeof groupsOf> = [];
  try {
    groups = groupsOf(await redis.xinfo("GROUPS", stream));
  } catch (error) {
    // Any other error is swallowed, as if there were no group.
    if (error instanceof Error && error.message === "ERR no such key") return 0;
  }
  return groups.find(({ name }) => name === group)?.lag ?? (await redis.xlen(stream));
};

const pendingOf = async (redis: Redis, stream: string, group: string): Promise<number> => {
  const summary: unknown = await redis.xpending(stream, group);
  return Array.isArray(summary) ? Number(summary[0]) : 0;
};

/**
 * `type: redis-streams`, as KEDA's redis_streams_scaler.go counts: without a group XLEN; with `lagCount` the lag (a missing
 * stream: 0; a missing group: XLEN; nil: -1); else what is pending (no group, no stream: an error).
 */
export const measureRedisStreams = async (
  redis: Redis,
  metadata: Readonly<Record<string, string>>,
): Promise<Measurement> => {
  const stream = metadata["stream"] ?? "";
  const group = metadata["consumerGroup"] ?? "";
  const activation = numberOf(metadata, "activationLagCount", 0);
  const lagTarget = numberOf(metadata, "lagCount", 0);
  const answer = (value: number, target: number): Measurement => ({
    kind: "value",
    value,
    target,
    isActive: value > activation,
  });
  try {
    if (group === "") return answer(await redis.xlen(stream), numberOf(metadata, "streamLength", 5));
    if (lagTarget !== 0) return answer(await lagOf(redis, stream, group), lagTarget);
    return answer(await pendingOf(redis, stream, group), numberOf(metadata, "pendingEntriesCount", 5));
  } catch (error) {
    return failed(error);
  }
};
