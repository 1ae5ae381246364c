import type { Redis } from "ioredis";

/** The numbers that a section of INFO gives, by name. */
const infoOf = async (redis: Redis, section: string): Promise<ReadonlyMap<string, number>> =>
  new Map(
    [...(await redis.info(section)).matchAll(/^(\w+):([\d.]+)/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );

/** What the data takes, in bytes. */
export const usedMemoryOf = async (redis: Redis): Promise<number> =>
  (await infoOf(redis, "memory")).get("used_memory") ?? Number.NaN;

/** How many keys there are, and how many of them do not expire. */
export const keysIn = async (redis: Redis): Promise<{ readonly redisKeys: number; readonly lastingKeys: number }> => {
  const [, keys, expiring] = /keys=(\d+),expires=(\d+)/.exec(await redis.info("keyspace")) ?? [];
  return { redisKeys: Number(keys ?? 0), lastingKeys: Number(keys ?? 0) - Number(expiring ?? 0) };
};

/** CPU time of Redis so far, all threads, user and system, in µs. */
const cpuOf = async (redis: Redis): Promise<number> => {
  const cpu = await infoOf(redis, "cpu");
  return ((cpu.get("used_cpu_sys") ?? 0) + (cpu.get("used_cpu_user") ?? 0)) * 1_000_000;
};

/** Redis' CPU time while `work` runs, without what it uses in that time anyway, in µs. */
export const costOf = async (redis: Redis, idlePerMs: number, work: () => Promise<unknown>): Promise<number> => {
  await redis.config("RESETSTAT");
  const [before, startedAt] = [await cpuOf(redis), performance.now()];
  await work();
  return (await cpuOf(redis)) - before - idlePerMs * (performance.now() - startedAt);
};

/** Writes an AOF from now on, as in production. */
export const writeAof = async (redis: Redis): Promise<void> => {
  await redis.config("SET", "appendfsync", "everysec");
  await redis.config("SET", "appendonly", "yes");
};

/**
 * Prints which commands have run since `costOf` began, and how long each took, for each of `units`. What a script calls counts in the
 * script, and for itself. The times are the clock's, not the CPU's.
 */
export const printCommands = async (redis: Redis, units: number, most: number): Promise<void> => {
  const stats = await infoOf(redis, "stats");
  const each = (field: string, digits: number) => ((stats.get(field) ?? 0) / units).toFixed(digits);
  console.log(
    `  sockets: ${each("total_reads_processed", 2)} reads, ${each("total_writes_processed", 2)} writes, ` +
      `${each("total_net_input_bytes", 0)} bytes in, ${each("total_net_output_bytes", 0)} out`,
  );
  const commands = [...(await redis.info("commandstats")).matchAll(/cmdstat_(\S+):calls=(\d+),usec=(\d+)/g)]
    .map(([, name = "", calls, us]) => ({ name, calls: Number(calls), us: Number(us) }))
    .sort((one, other) => other.us - one.us);
  for (const { name, calls, us } of commands.slice(0, most)) {
    const [times, took] = [(calls / units).toFixed(3).padStart(8), (us / units).toFixed(2).padStart(7)];
    console.log(`  ${name.padEnd(18)} ${times} calls ${took} µs, ${(us / calls).toFixed(1)} µs a call`);
  }
};
