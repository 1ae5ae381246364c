import { Redis } from "ioredis";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";

/**
 * `bun bench/redis-core.ts [signups]`: how far one Redis goes, with an AOF as in production. It prints Redis' CPU time for each signup:
 * until it waits in the stream, and from there until all of its groups are done with it; how many a second fill a core; what each command
 * takes of it; and the memory of one that waits. CPU for each does not depend on how busy the machine is otherwise, as a rate does. What
 * an idle system asks of Redis is taken off.
 */
const [signups = 5_000] = process.argv.slice(2).map(Number);
const CONNECTIONS = 64;
const IDLE_MS = 10_000;
const DONE_WITHIN_MS = 600_000;
/** So that each is measured on full batches, as on a busy system. */
const SETTINGS = { CONSUMER_CONCURRENCY: "100", CLAIM_MIN_IDLE_MS: "10000", RECONCILE_AFTER_MS: "60000" };

const sentOf = async ({ database }: System): Promise<number> => {
  const [row] = await database.db
    .selectFrom("deliveries")
    .select(({ fn }) => fn.countAll<string>().as("count"))
    .where("group_name", "=", WELCOME_EMAIL.name)
    .where("state", "=", "done")
    .execute();
  return Number(row?.count);
};

/** The numbers that a section of INFO gives, by name. */
const infoOf = async (redis: Redis, section: string): Promise<ReadonlyMap<string, number>> =>
  new Map(
    [...(await redis.info(section)).matchAll(/^(\w+):([\d.]+)/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );

/** CPU time of Redis so far, all threads, user and system, in µs. */
const cpuOf = async (redis: Redis): Promise<number> => {
  const cpu = await infoOf(redis, "cpu");
  return ((cpu.get("used_cpu_sys") ?? 0) + (cpu.get("used_cpu_user") ?? 0)) * 1_000_000;
};

/** What is called by a script counts there, and for itself. */
const printCommands = async (redis: Redis, name: string, usPerSignup: number): Promise<void> => {
  const commands = [...(await redis.info("commandstats")).matchAll(/cmdstat_(\S+):calls=(\d+),usec=(\d+)/g)]
    .map(([, command = "", calls, usec]) => ({ command, calls: Number(calls), us: Number(usec) }))
    .sort((one, other) => other.us - one.us);
  const stats = await infoOf(redis, "stats");
  const perSignup = (field: string) => ((stats.get(field) ?? 0) / signups).toFixed(2);
  console.log(`${name}: ${usPerSignup.toFixed(1)} µs of CPU for each signup`);
  console.log(
    `  reads of sockets ${perSignup("total_reads_processed")}, writes ${perSignup("total_writes_processed")}, bytes in ${perSignup("total_net_input_bytes")}, out ${perSignup("total_net_output_bytes")}`,
  );
  for (const { command, calls, us } of commands.filter(({ us }) => us / signups >= 0.02)) {
    console.log(
      `  ${command.padEnd(20)} ${(calls / signups).toFixed(3).padStart(8)} calls ${(us / signups).toFixed(2).padStart(7)} µs ${(us / calls).toFixed(2).padStart(7)} µs a call`,
    );
  }
};

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem({ settings: SETTINGS });
  const redis = new Redis(servers.environment.TEST_REDIS_URL);
  await redis.config("SET", "appendfsync", "everysec");
  await redis.config("SET", "appendonly", "yes");
  /** Redis' CPU time while `work` runs, without what it uses in that time anyway, in µs. */
  const costOf = async (idlePerMs: number, work: () => Promise<unknown>): Promise<number> => {
    await redis.config("RESETSTAT");
    const [before, startedAt] = [await cpuOf(redis), performance.now()];
    await work();
    return (await cpuOf(redis)) - before - idlePerMs * (performance.now() - startedAt);
  };

  const api = await system.api();
  const idleOfApi = (await costOf(0, () => Bun.sleep(IDLE_MS))) / IDLE_MS;
  await system.consumer();
  const idleOfBoth = (await costOf(0, () => Bun.sleep(IDLE_MS))) / IDLE_MS;
  await system.endConsumers();
  const memoryUsed = async () => (await infoOf(redis, "memory")).get("used_memory") ?? 0;
  const empty = await memoryUsed();
  console.log(`${(await redis.info("server")).match(/(redis|valkey)_version:\S+/g)?.join(" ")}, ${signups} signups`);
  console.log(`idle: with an API ${idleOfApi.toFixed(2)} µs a ms, with a consumer beside it ${idleOfBoth.toFixed(2)}`);
  const load = { port: portOf(api.url), connections: CONNECTIONS, more: times(signups) };
  const publishing = (await costOf(idleOfApi, () => signUpMany(load))) / signups;
  await printCommands(redis, "until it waits", publishing);
  const memory = ((await memoryUsed()) - empty) / signups;
  const entry = Number(await redis.memory("USAGE", system.keys.events, "SAMPLES", 0)) / signups;

  const working = await costOf(idleOfBoth, async () => {
    await system.consumer();
    await eventually(async () => (await sentOf(system)) >= signups, DONE_WITHIN_MS);
  });
  const delivering = working / signups;
  await printCommands(redis, "until it is done", delivering);
  console.log(`a core: ${Math.round(1_000_000 / (publishing + delivering))} signups a second`);
  console.log(`memory of one that waits: ${memory.toFixed(0)} bytes, of which ${entry.toFixed(0)} in the log`);
  redis.disconnect();
};

await main();
