import { Redis } from "ioredis";
import postgres from "postgres";
import { startTestServers } from "../tests/servers.ts";
import { CASES } from "./cases.ts";
import { type Contender, labelsOf } from "./contenders.ts";
import type { Stores } from "./costs.ts";
import { showProgress } from "./progress.ts";
import type { Measurement } from "./summary.ts";

export interface MeasureOptions {
  readonly contenders: readonly Contender[];
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly mails: number;
  readonly concurrency: number;
  /** Called with each measurement as it comes. */
  readonly onMeasured: (measurement: Measurement) => void;
}

/** Every other round begins with the last contender: what one leaves behind falls on each alike. */
const inTurns = <T>(contenders: readonly T[], round: number): readonly T[] =>
  round % 2 === 1 ? contenders : contenders.toReversed();

const measureAll = async (stores: Stores, options: MeasureOptions): Promise<void> => {
  const { contenders, rounds } = options;
  const labels = labelsOf(contenders);
  const steps = Array.from({ length: rounds }, (_, index) => index + 1).flatMap((round) =>
    options.cases.flatMap((name) => {
      const one = CASES[name];
      if (one === undefined) throw new Error(`--cases: ${name} is none of ${Object.keys(CASES).join(", ")}`);
      const asked = [...contenders.entries()].filter(([, { kind }]) => one.of.includes(kind));
      return inTurns(asked, round).map(([place, contender]) => ({ round, name, one, place, contender }));
    }),
  );
  for (const [done, { round, name, one, place, contender }] of steps.entries()) {
    showProgress(done, steps.length, `round ${round}: ${name} of ${labels[place]}`);
    const figures = await one.measure({ ...options, stores, contender });
    options.onMeasured({ case: name, place, round, figures });
  }
  showProgress(steps.length, steps.length, "done");
};

/**
 * Measures every case of every contender that it can be asked of, in rounds, on a Postgres and a Redis of its own that write to
 * disk as an operator's do.
 */
export const measure = async (options: MeasureOptions): Promise<void> => {
  const vacuums = options.cases.filter((name) => CASES[name]?.vacuums === true);
  if (vacuums.length > 0 && vacuums.length < options.cases.length) {
    throw new Error(`--cases: ${vacuums.join(", ")} needs autovacuum, the others must not have it: measure it alone`);
  }
  // Whether autovacuum falls into a measurement is chance.
  const postgresSettings = vacuums.length > 0 ? [] : ["autovacuum=off"];
  await using servers = await startTestServers(postgresSettings, { durable: true });
  Object.assign(process.env, servers.environment);
  const sql = postgres(servers.environment.TEST_DATABASE_URL, { max: 1, onnotice: () => {} });
  const redis = new Redis(servers.environment.TEST_REDIS_URL);
  // Disposing ends the stores; what else was started dies with this process.
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => interrupted.reject(new Error(`interrupted by ${signal}`)));
  }
  try {
    await Promise.race([measureAll({ servers, sql, redis }, options), interrupted.promise]);
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
};
