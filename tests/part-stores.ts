import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Database, openDatabase } from "../database/connection.ts";
import { DEADLINE_MS } from "../database/limits.ts";
import { asDatabaseRole } from "../local/postgres.ts";
import { asRedisUser } from "../local/redis.ts";
import { openCommandConnection, untilReady } from "../stream/connection.ts";

/** Both stores for a kind of process, with its rights and no others. */
export interface PartStores {
  readonly db: Database;
  readonly redis: Redis;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  close(): Promise<void>;
}

/** What a test asks of a store is not refused because the machine is busy: as long as `eventually` waits for a condition. */
export const TEST_DEADLINE_MS = 60_000;

export interface PartStoresOptions {
  /** The administrators'. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Of the connections to Redis. */
  readonly name: string;
  readonly poolSize: number;
  /** Longest time of a statement; as in production if not given. */
  readonly deadlineMs?: number | undefined;
  readonly commandTimeoutMs: number;
  readonly log: Logger;
}

export const openStoresFor = async (
  part: "api" | "consumer" | "ops",
  { databaseUrl, redisUrl, name, poolSize, deadlineMs = DEADLINE_MS, commandTimeoutMs, log }: PartStoresOptions,
): Promise<PartStores> => {
  const urls = { databaseUrl: asDatabaseRole(databaseUrl, `signup_${part}`), redisUrl: asRedisUser(redisUrl, part) };
  const db = openDatabase({ url: urls.databaseUrl, poolSize, deadlineMs, applicationName: `test ${part}` });
  const redis = openCommandConnection({ url: urls.redisUrl, name, log, commandTimeoutMs });
  await untilReady(redis, TEST_DEADLINE_MS);
  return {
    ...urls,
    db,
    redis,
    async close() {
      redis.disconnect();
      await db.destroy();
    },
  };
};
