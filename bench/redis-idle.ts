import { Redis } from "ioredis";
import { GROUPS } from "../stream/groups.ts";
import { aSystem } from "../tests/processes.ts";
import { startTestServers } from "../tests/servers.ts";
import { receiversAt } from "./receivers.ts";
import { costOf, printCommands, writeAof } from "./redis-figures.ts";

/**
 * `bun bench/redis-idle.ts [groups:consumers ...]`: what a system with nothing to do costs Redis: with so many groups, most of them of
 * receivers of webhooks, and so many consumer processes of all of them. It prints the share of a core, the API's alone and then all, and
 * what each group of a consumer takes of it.
 */
const asked = process.argv.slice(2);
const CASES = (asked.length > 0 ? asked : ["4:1", "20:1", "20:10", "200:1"]).map((text) => text.split(":").map(Number));
const SETTLE_MS = 5_000;
const MEASURE_MS = 15_000;
const MOST_COMMANDS = 8;
/** Nothing is sent to them. */
const receivers = (count: number) =>
  receiversAt(
    "http://127.0.0.1:9/",
    Array.from({ length: count }, (_, index) => `r${index}`),
  );

const percent = (us: number): string => `${((us / MEASURE_MS / 1_000) * 100).toFixed(2)} %`;

const measure = async (redis: Redis, groups: number, consumers: number): Promise<void> => {
  const settings = { CLAIM_MIN_IDLE_MS: "10000", RECONCILE_AFTER_MS: "60000", ...receivers(groups - GROUPS.length) };
  await using system = await aSystem({ settings });
  const idle = async () => {
    await Bun.sleep(SETTLE_MS);
    return costOf(redis, 0, () => Bun.sleep(MEASURE_MS));
  };
  await system.api();
  const ofApi = await idle();
  for (let index = 0; index < consumers; index += 1) await system.consumer();
  const all = await idle();
  const each = (all - ofApi) / groups / consumers / (MEASURE_MS / 1_000);
  console.log(
    `${groups} groups, ${consumers} consumers: ${percent(ofApi)} of a core with an API alone, ${percent(all)} with all; ` +
      `${each.toFixed(0)} µs a second for a group of a consumer`,
  );
  await printCommands(redis, MEASURE_MS / 1_000, MOST_COMMANDS);
};

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  const redis = new Redis(servers.environment.TEST_REDIS_URL);
  await writeAof(redis);
  for (const [groups = GROUPS.length, consumers = 1] of CASES) await measure(redis, groups, consumers);
  redis.disconnect();
};

await main();
