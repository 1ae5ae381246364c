import { cpus } from "node:os";
import { Redis } from "ioredis";
import postgres from "postgres";
import { CAPACITY_CONSTANTS } from "../runtime/capacity/constants.ts";
import { startTestServers } from "../tests/servers.ts";
import { REAL_HASH } from "./cases.ts";
import { checkout } from "./contenders.ts";
import { measureCosts } from "./costs.ts";
import { forSeconds, signUpMany } from "./load.ts";
import { startSink } from "./sink.ts";

/**
 * `bun bench/capacity-point.ts [signups a second] [seconds] [mail latency in ms]`: what a steady load takes of each part, beside what the
 * capacity model says of it; what they take while there is nothing to do, which the model does not count, is taken off, and shown. One API and
 * one consumer of welcome mails and reminders, hashes at their real cost; a minute and a half.
 */
const [perSecond = 25, seconds = 60, mailLatencyMs = 500] = process.argv.slice(2).map(Number);
const CONNECTIONS = 8;
const WARM_UP_S = 10;
const IDLE_S = 10;
const DRAIN_TIMEOUT_MS = 60_000;

const main = async (): Promise<void> => {
  await using servers = await startTestServers();
  Object.assign(process.env, servers.environment);
  const sql = postgres(servers.environment.TEST_DATABASE_URL, { max: 1, onnotice: () => {} });
  const redis = new Redis(servers.environment.TEST_REDIS_URL);
  const stores = { servers, sql, redis };
  const { value: concurrency } = CAPACITY_CONSTANTS.connectionsPerConsumer;
  await using sink = await startSink(mailLatencyMs, [], DRAIN_TIMEOUT_MS);
  const groups = ["welcome-email", "reminder-email"];
  await using programs = await checkout(process.cwd()).open({
    concurrency,
    redisUrl: servers.environment.TEST_REDIS_URL,
    groups,
  });
  const api = await programs.api(REAL_HASH);
  const consumer = await programs.consumer(sink.port);
  const signUp = (forS: number) =>
    signUpMany({
      port: api.port,
      connections: CONNECTIONS,
      mayBeRefusedBy: ["503"],
      everyMs: (CONNECTIONS * 1_000) / perSecond,
      more: forSeconds(forS),
    });
  await signUp(WARM_UP_S);
  const pids = [api.pid, consumer.pid];
  const takenBy = async <Result>(work: () => Promise<Result>) => {
    const used = await measureCosts(stores, pids);
    const result = await work();
    const { own, postgres: ofPostgres, redis: ofRedis } = await used(1);
    return { result, taken: [...own, ofPostgres, ofRedis] };
  };
  await Bun.sleep(2 * mailLatencyMs);
  const { taken: idle } = await takenBy(() => Bun.sleep(IDLE_S * 1_000));
  const { result, taken } = await takenBy(() => signUp(seconds));
  const { accepted, seconds: took } = result;
  const c = CAPACITY_CONSTANTS;
  const modelled = [
    ["api", c.hashMs.value * 1_000 + c.apiUs.value],
    // The reminders wait for a day.
    ["consumer", c.consumerUs.value],
    ["Postgres", c.postgresSignupUs.value + c.postgresDeliveryUs.value],
    ["Redis", c.redisSignupUs.value + c.deliveriesPerSignup.value * c.redisDeliveryUs.value],
  ] as const;
  console.log(`${cpus().length} x ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`);
  console.log(
    `${(accepted / took).toFixed(1)} signups a second for ${took.toFixed(0)} s, ${mailLatencyMs} ms for a mail`,
  );
  for (const [at, [part, us]] of modelled.entries()) {
    const idleUsPerSecond = (idle[at] ?? 0) / IDLE_S;
    const measured = ((taken[at] ?? 0) - idleUsPerSecond * took) / accepted;
    const [each, ratio, share] = [
      measured.toFixed(0),
      (measured / us).toFixed(2),
      (idleUsPerSecond / 10_000).toFixed(2),
    ];
    console.log(`${part}: ${each} µs of CPU for each signup, ${us} by the model: ${ratio}; idle ${share} % of a core`);
  }
  redis.disconnect();
  await sql.end({ timeout: 1 });
};

await main();
