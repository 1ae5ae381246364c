import type { Redis } from "ioredis";

/** What decides whether a Redis keeps this service's entries (INFO). */
export interface RedisFacts {
  readonly version: string;
  readonly isReplica: boolean;
  /** `min-replicas-to-write` is set, and it has none that keeps up: it refuses writes (NOREPLICAS). INFO does not tell how many of more it needs. */
  readonly lacksReplicas: boolean;
  readonly usedMemory: number;
  /** Bytes; 0: no limit. */
  readonly maxMemory: number;
  /** Must be `noeviction`: any other policy evicts entries when memory is full. */
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
  readonly lastAppendOk: boolean;
  readonly lastSnapshotOk: boolean;
  /** Seconds since 1970; the start of the server if there was none. */
  readonly lastSnapshotAt: number;
  readonly uptimeSeconds: number;
}

/** Reads INFO (server, memory, persistence, replication). */
export const readRedisFacts = async (redis: Redis): Promise<RedisFacts> => {
  const values = new Map<string, string>();
  for (const line of (await redis.info()).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const number = (name: string) => Number(values.get(name) ?? 0);
  return {
    version: values.get("redis_version") ?? "unknown",
    isReplica: values.get("role") === "slave",
    lacksReplicas: values.get("min_slaves_good_slaves") === "0",
    usedMemory: number("used_memory"),
    maxMemory: number("maxmemory"),
    evictionPolicy: values.get("maxmemory_policy") ?? "unknown",
    appendOnly: values.get("aof_enabled") === "1",
    lastAppendOk: (values.get("aof_last_write_status") ?? "ok") === "ok",
    lastSnapshotOk: (values.get("rdb_last_bgsave_status") ?? "ok") === "ok",
    lastSnapshotAt: number("rdb_last_save_time"),
    uptimeSeconds: number("uptime_in_seconds"),
  };
};
