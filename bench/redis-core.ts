import { Redis } from "ioredis";
import { REMINDER_EMAIL, WELCOME_EMAIL } from "../stream/groups.ts";
import { eventually } from "../tests/eventually.ts";
import { aSystem, type System } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { portOf, signUpMany, times } from "./load.ts";
import { costOf, printCommands, usedMemoryOf, writeAof } from "./redis-figures.ts";

/**
 * `bun bench/redis-core.ts [signups]`: how far one Redis goes, with an AOF as in production. It prints Redis' CPU time for each signup:
 * until it waits in the stream, and from there until all of its groups are done with it; what each command takes of it; how many a second
 * fill a core; and the memory of one that waits. CPU for each depends less on how busy the machine is otherwise than a rate does. What an
 * idle system asks of Redis is taken off.
 */
const [signups = 5_000] = process.argv.slice(2).map(Number);
const CONNECTIONS = 64;
const IDLE_MS = 10_000;
const MOST_COMMANDS = 14;
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

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  await using system = await aSystem({ settings: SETTINGS });
  const redis = new Redis(servers.environment.TEST_REDIS_URL);
  await writeAof(redis);

  const api = await system.api();
  const idleOfApi = (await costOf(redis, 0, () => Bun.sleep(IDLE_MS))) / IDLE_MS;
  await system.consumer();
  const idleOfBoth = (await costOf(redis, 0, () => Bun.sleep(IDLE_MS))) / IDLE_MS;
  await system.endConsumers();
  console.log(`${(await redis.info("server")).match(/(redis|valkey)_version:\S+/g)?.join(" ")}, ${signups} signups`);
  console.log(`idle: with an API ${idleOfApi.toFixed(2)} µs a ms, with a consumer beside it ${idleOfBoth.toFixed(2)}`);

  const empty = await usedMemoryOf(redis);
  const load = { port: portOf(api.url), connections: CONNECTIONS, more: times(signups) };
  const publishing = (await costOf(redis, idleOfApi, () => signUpMany(load))) / signups;
  console.log(`CPU of Redis for each signup, until it waits: ${publishing.toFixed(1)} µs`);
  await printCommands(redis, signups, MOST_COMMANDS);
  const memory = ((await usedMemoryOf(redis)) - empty) / signups;
  const bytesOf = async (key: string) => Number(await redis.memory("USAGE", key, "SAMPLES", 0)) / signups;
  const entry = await bytesOf(system.keys.events);

  const working = await costOf(redis, idleOfBoth, async () => {
    await system.consumer();
    await eventually(async () => (await sentOf(system)) >= signups, DONE_WITHIN_MS);
  });
  const delivering = working / signups;
  console.log(`CPU of Redis for each signup, from there until it is done: ${delivering.toFixed(1)} µs`);
  await printCommands(redis, signups, MOST_COMMANDS);
  console.log(`a core: ${Math.round(1_000_000 / (publishing + delivering))} signups a second`);
  console.log(`memory of one that waits: ${memory.toFixed(0)} bytes, of which ${entry.toFixed(0)} in the log`);
  const reminder = await bytesOf(system.keys.retrySet(REMINDER_EMAIL.name));
  console.log(`memory of a reminder that waits: ${reminder.toFixed(0)} bytes`);
  redis.disconnect();
};

await main();
