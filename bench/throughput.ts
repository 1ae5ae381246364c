import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startTestServers } from "../tests/servers.ts";
import { CASES } from "./cases.ts";
import { type Measurement, summary } from "./summary.ts";

const HELP = `bun run bench [options]: what a signup and a mail cost, on processes as an operator runs them

  --trees DIR,DIR   checkouts to compare, each with its dependencies installed (default: this one)
  --rounds N        measurements of each tree and case; the trees take turns (default: 5)
  --cases A,B       of ${Object.keys(CASES).join(", ")} (default: all)
  --seconds N       how long accept measures (default: 5)
  --mails N         how many mails drain sends (default: 10000)
  --concurrency N   mails in flight in a consumer, and its SMTP connections (default: 50)
  --json            a line for each measurement on standard output, the table on standard error

CPU is in µs for each signup or mail: figures of a busy machine that can be trusted more than those of time. Stores, API,
consumer and SMTP server share the machine; compare ratios of one run, not figures of two. After ± stands what chance
alone makes of a ratio in 95 of 100 runs: measure more rounds, four times as many to halve it, until it is less than the
difference that is looked for.`;

const wholeNumber = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name}: expected a whole number from 1`);
  return value;
};

const options = () => {
  const { values } = parseArgs({
    options: {
      trees: { type: "string", default: resolve(import.meta.dir, "..") },
      rounds: { type: "string", default: "5" },
      cases: { type: "string", default: Object.keys(CASES).join(",") },
      seconds: { type: "string", default: "5" },
      mails: { type: "string", default: "10000" },
      concurrency: { type: "string", default: "50" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    trees: values.trees.split(",").map((tree) => resolve(tree)),
    cases: values.cases.split(","),
    rounds: wholeNumber("rounds", values.rounds),
    seconds: wholeNumber("seconds", values.seconds),
    mails: wholeNumber("mails", values.mails),
    concurrency: wholeNumber("concurrency", values.concurrency),
    json: values.json,
    help: values.help,
  };
};

/** Every other round begins with the last tree: what a tree leaves behind falls on each alike. */
const inTurns = <T>(trees: readonly T[], round: number): readonly T[] => (round % 2 === 1 ? trees : trees.toReversed());

const run = async (): Promise<void> => {
  const { trees, cases, rounds, json, help, ...sizes } = options();
  if (help) return console.log(HELP);
  // Whether autovacuum falls into a measurement is chance.
  await using servers = await startTestServers(["autovacuum=off"]);
  Object.assign(process.env, servers.environment);
  const measurements: Measurement[] = [];
  const measureAll = async (): Promise<void> => {
    for (let round = 1; round <= rounds; round += 1) {
      for (const name of cases) {
        const measure = CASES[name];
        if (measure === undefined) throw new Error(`--cases: ${name} is none of ${Object.keys(CASES).join(", ")}`);
        for (const [index, tree] of inTurns([...trees.entries()], round)) {
          console.error(`round ${round} of ${rounds}: ${name} of ${tree}`);
          const figures = await measure({ servers, tree, ...sizes });
          measurements.push({ case: name, tree: index, round, figures });
          if (json) console.log(JSON.stringify({ case: name, tree, place: index + 1, round, ...figures }));
        }
      }
    }
  };
  // Disposing ends the stores; what else was started dies with this process.
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => interrupted.reject(new Error(`interrupted by ${signal}`)));
  }
  await Promise.race([measureAll(), interrupted.promise]);
  (json ? console.error : console.log)(`\n${summary(measurements, trees)}`);
};

process.exit(
  await run().then(
    () => 0,
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      return 1;
    },
  ),
);
