import type { Redis } from "ioredis";
import { openCommandConnection, untilReady } from "../stream/connection.ts";
import { silentLog } from "../tests/pipeline.ts";
import type { System } from "../tests/processes.ts";

/** A connection to the Redis of a measured system, ready for commands. */
export const openStream = async ({ environment }: Pick<System, "environment">): Promise<Redis> => {
  const redis = openCommandConnection({
    url: environment["REDIS_URL"] ?? "",
    name: "bench",
    log: silentLog,
    commandTimeoutMs: 10_000,
  });
  await untilReady(redis, 5_000);
  return redis;
};
