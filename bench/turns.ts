import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import postgres from "postgres";
import { startTestServers } from "../tests/servers.ts";
import { checkout } from "./contenders.ts";
import { measureCosts } from "./costs.ts";
import { signUpMany, times } from "./load.ts";
import type { Programs } from "./programs.ts";
import { meanRatio, median, quantile } from "./statistics.ts";
import { wholeNumber } from "./whole-number.ts";

const HELP = `bun bench/turns.ts --trees DIR,DIR [options]: what a signup costs two checkouts or more, told apart by a few per cent

  --trees DIR,DIR   checkouts, each with its dependencies installed; the first is what the others are compared with
  --connections N   each with one request in flight (default: 128)
  --signups N       of a turn (default: 4000)
  --rounds N        of each checkout; they take turns (default: 12)
  --warm-up N       signups of each before the first round (default: 20000)

The APIs run side by side all the time, each on a database of its own, and take turns of under a second: so each is warm, whatever else the
machine does falls on all alike, and the ratios are of CPU time within a round. Its time in all, and p99, count where nothing else runs.`;

const PARTS = ["time", "p99 ms", "API", "Postgres", "Redis", "all three", "WAL bytes"] as const;
type Part = (typeof PARTS)[number];

interface Measured {
  readonly tree: string;
  readonly programs: Programs;
  readonly pid: number;
  readonly port: number;
  /** Of each round, for a signup: µs, bytes of the write-ahead log, and ms from request to answer. */
  readonly rounds: Readonly<Record<Part, number>>[];
}

const options = () => {
  const { values } = parseArgs({
    options: {
      trees: { type: "string", default: resolve(import.meta.dir, "..") },
      connections: { type: "string", default: "128" },
      signups: { type: "string", default: "4000" },
      rounds: { type: "string", default: "12" },
      "warm-up": { type: "string", default: "20000" },
      help: { type: "boolean", default: false },
    },
  });
  return {
    trees: values.trees.split(",").map((tree) => resolve(tree)),
    connections: wholeNumber("connections", values.connections),
    signups: wholeNumber("signups", values.signups),
    rounds: wholeNumber("rounds", values.rounds),
    warmUp: wholeNumber("warm-up", values["warm-up"]),
    help: values.help,
  };
};

const print = (all: readonly Measured[]): void => {
  const [first] = all;
  for (const { tree, rounds } of all) {
    const parts = PARTS.map((part) => {
      const ratio = meanRatio(rounds.map((round, index) => round[part] / (first?.rounds[index]?.[part] ?? Number.NaN)));
      const figure = median(rounds.map((round) => round[part])).toFixed(1);
      return `${part} ${figure} (${ratio.mean.toFixed(3)} ± ${ratio.error.toFixed(3)})`;
    });
    console.log(`${tree}: ${parts.join(", ")}`);
  }
};

const run = async ({ trees, connections, signups, rounds, warmUp }: ReturnType<typeof options>): Promise<void> => {
  const contenders = trees.map(checkout);
  await using servers = await startTestServers(["autovacuum=off"], { durable: true });
  Object.assign(process.env, servers.environment);
  const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = servers.environment;
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const redis = new Redis(redisUrl);
  const all: Measured[] = [];
  try {
    for (const contender of contenders) {
      const programs = await contender.open({ concurrency: 1, redisUrl });
      all.push({ tree: contender.name, programs, ...(await programs.api()), rounds: [] });
    }
    for (const { port } of all) await signUpMany({ port, connections, more: times(warmUp) });
    for (let round = 0; round < rounds; round += 1) {
      // Each is first as often as last: what one leaves behind falls on each alike.
      for (const { pid, port, rounds: own } of round % 2 === 0 ? all : all.toReversed()) {
        const used = await measureCosts({ servers, sql, redis }, [pid]);
        const { seconds, latencies } = await signUpMany({ port, connections, more: times(signups) });
        const { own: [api = Number.NaN] = [], postgres: ofPostgres, redis: ofRedis, wal } = await used(signups);
        const total = api + ofPostgres + ofRedis;
        const time = (seconds / signups) * 1e6;
        const p99 = quantile(latencies, 0.99);
        own.push({
          time,
          "p99 ms": p99,
          API: api,
          Postgres: ofPostgres,
          Redis: ofRedis,
          "all three": total,
          "WAL bytes": wal,
        });
      }
    }
    print(all);
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
    for (const { programs } of all) await programs[Symbol.asyncDispose]();
  }
};

const asked = options();
if (asked.help) console.log(HELP);
else await run(asked);
