import postgres, { type Sql } from "postgres";
import type { BenchOptions, Case } from "./case.ts";
import { signUpMany, times } from "./load.ts";
import { memoryOf } from "./memory.ts";
import { keysIn, usedMemoryOf } from "./redis-figures.ts";
import { startSink } from "./sink.ts";

/** An hour of 50 signups a second. */
const SIGNUPS = 180_000;
/** The next wave begins when all mails of the last one are out. */
const WAVE = 1_000;
const QUARTERS = 4;
const CONNECTIONS = 32;
const TIMEOUT_MS = 3_600_000;

interface Kept {
  readonly api: number;
  readonly consumer: number;
  /** Of the tables with their indexes, in bytes. */
  readonly tables: number;
  readonly redisKeys: number;
  /** Keys that no time ends. */
  readonly lastingKeys: number;
  readonly redisBytes: number;
}

const tablesOf = async (sql: Sql): Promise<number> => {
  const [row] = await sql<{ bytes: string }[]>`
    select sum(pg_total_relation_size(relid)) as bytes from pg_stat_user_tables`;
  return Number(row?.bytes);
};

/**
 * An hour's signups and their mails as fast as they go, in waves, with autovacuum: what is kept of them after each quarter. Memory of
 * a process and of Redis at the end, as multiples of those after the first quarter; the tables' growth in the last quarter, for each
 * signup and as a multiple of that in the second.
 */
export const steady: Case = {
  of: ["ours"],
  vacuums: true,
  async measure({ stores, contender, concurrency }: BenchOptions) {
    const waves = SIGNUPS / WAVE;
    const marks = Array.from({ length: waves }, (_, index) => (index + 1) * WAVE);
    await using sink = await startSink(0, marks, TIMEOUT_MS);
    await using programs = await contender.open({
      concurrency,
      redisUrl: stores.servers.environment.TEST_REDIS_URL,
    });
    const [api, consumer] = [await programs.api(), await programs.consumer(sink.port)];
    const sql = postgres(programs.databaseUrl, { max: 1, onnotice: () => {} });
    try {
      const look = async (): Promise<Kept> => ({
        api: memoryOf(api.pid),
        consumer: memoryOf(consumer.pid),
        tables: await tablesOf(sql),
        ...(await keysIn(stores.redis)),
        redisBytes: await usedMemoryOf(stores.redis),
      });
      const quarters: Kept[] = [await look()];
      const startedAt = performance.now();
      for (const [done, mark] of marks.entries()) {
        await signUpMany({ port: api.port, connections: CONNECTIONS, more: times(WAVE) });
        await sink.reached(mark);
        if ((done + 1) % (waves / QUARTERS) === 0) quarters.push(await look());
      }
      const seconds = (performance.now() - startedAt) / 1_000;
      const at = (quarter: number, what: keyof Kept): number => quarters[quarter]?.[what] ?? Number.NaN;
      const grownTo = (what: keyof Kept): number => at(QUARTERS, what) / at(1, what);
      const tablesIn = (quarter: number): number => at(quarter, "tables") - at(quarter - 1, "tables");
      return {
        "signups and mails/s": SIGNUPS / seconds,
        "api MiB": at(QUARTERS, "api"),
        "api grown to": grownTo("api"),
        "in the last quarter": at(QUARTERS, "api") / at(QUARTERS - 1, "api"),
        "consumer MiB": at(QUARTERS, "consumer"),
        "consumer grown to": grownTo("consumer"),
        "Redis keys": at(QUARTERS, "redisKeys"),
        "of them without an end": at(QUARTERS, "lastingKeys"),
        "Redis MiB": at(QUARTERS, "redisBytes") / 2 ** 20,
        "Redis grown to": grownTo("redisBytes"),
        "table bytes": tablesIn(QUARTERS) / (SIGNUPS / QUARTERS),
        "tables' growth": tablesIn(QUARTERS) / tablesIn(2),
      };
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};
