import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Database, openDatabase, statement } from "../database/connection.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { startPostgres } from "../local/postgres.ts";
import { count, duration } from "../runtime/quantity.ts";
import { ownPort } from "../tests/own-port.ts";
import { type SizeCase, sizeCases } from "./size-cases.ts";
import { measureCheckpoints } from "./size-checkpoint.ts";
import { processorClock } from "./size-cpu.ts";
import { warmUp } from "./size-memory.ts";
import { COUNTS_PAGES, countPages } from "./size-pages.ts";
import { type Measured, reportText } from "./size-report.ts";
import { measureRetention } from "./size-retention.ts";
import { addHistory, fillLedger, samplePast } from "./size-rows.ts";
import { median, quantile } from "./statistics.ts";

/**
 * `bun bench/size.ts [options]`: what the ledger costs when a year of signups is in it. Makes N of them in a Postgres of its own, and asks
 * what the service asks, in turns with a ledger that has 30,000, and how many pages Postgres touches for it. Then it accepts right after a
 * checkpoint, and long after one, and deletes what retention deletes. Options:
 *
 *   --rows N                  (1,000,000)
 *   --rounds N                (40)
 *   --shared-buffers SIZE     (256MB: a small server, so that a large ledger does not fit in the memory)
 *   --max-wal-size SIZE       (4GB)
 *   --warm                    reads what signups read pages of into the memory first, as days of signups do
 *   --set NAME=VALUE          any other setting, more than once
 *   --directory DIR [--keep]  it stays, and is measured as it is the next time: twenty million signups take half an hour and 30 GB
 *   --json
 */
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "40" },
    "shared-buffers": { type: "string", default: "256MB" },
    "max-wal-size": { type: "string", default: "4GB" },
    warm: { type: "boolean", default: false },
    directory: { type: "string" },
    keep: { type: "boolean", default: false },
    set: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(values.rounds);
if (values.keep && values.directory === undefined)
  throw new Error("--keep needs --directory, in which the next run finds what is kept");
const directory = values.directory ?? join(import.meta.dir, "..", ".local", `size-${process.pid}`);
const dataDirectory = join(directory, "postgres");
/** Written once both ledgers are filled. */
const FILLED = join(directory, "filled.json");
const ROWS = existsSync(FILLED) ? Number(JSON.parse(readFileSync(FILLED, "utf8"))) : Number(values.rows);
/** Enough for a page of dead letters. */
const FEW = 30_000;
const UNFINISHED = 4_000;
const WARM_UP = 10;
const SAMPLES = 500;
const WAL_ROUNDS = 100;
/** So many signups change a page of every index nearly everywhere: there are a hundred on a page. */
const AN_HOUR = 1 / 50;
const POSTGRES = [
  ...[`shared_buffers=${values["shared-buffers"]}`, `max_wal_size=${values["max-wal-size"]}`, "checkpoint_timeout=1h"],
  ...["jit=off", COUNTS_PAGES, ...values.set],
];
/** While it is filled nothing has to survive a crash. */
const FILLING = [
  ...["shared_buffers=1GB", "maintenance_work_mem=1GB", "max_wal_size=16GB", "jit=off", "autovacuum=off"],
  ...["wal_level=minimal", "max_wal_senders=0", "full_page_writes=off", "synchronous_commit=off"],
];

const createDatabase = async (url: string, name: string): Promise<void> => {
  const admin = openDatabase({ url, poolSize: 1, applicationName: "bench" });
  await statement<never, []>(`create database ${name}`)(admin);
  await admin.destroy();
};

const checkpoint = statement<never, []>("checkpoint");

const fill = async (url: string, history: number): Promise<void> => {
  const db = openDatabase({ url, poolSize: 1, applicationName: "bench", deadlineMs: Number.POSITIVE_INFINITY });
  await migrateToLatest(db);
  const startedAt = performance.now();
  const onProgress = (made: number) => {
    const leftMs = ((performance.now() - startedAt) / made) * (history - made);
    console.error(`${count(made)} of ${count(history)} signups, about ${duration(leftMs)} left`);
  };
  await fillLedger(db, { history, unfinished: UNFINISHED, onProgress });
  await checkpoint(db);
  await db.destroy();
};

const sizes = statement<{ relation: string; bytes: string }, []>(`
  select relname as relation, pg_relation_size(oid)::text as bytes from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') and pg_relation_size(oid) > 1048576
  order by pg_relation_size(oid) desc`);

/** A call, by the clock and by Postgres' processors, in ms. */
interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

const took = async (run: () => Promise<unknown>, processor: () => number): Promise<Took> => {
  const [startedAt, cpuBefore] = [performance.now(), processor()];
  await run();
  return { ms: performance.now() - startedAt, cpuMs: processor() - cpuBefore };
};

/** In turns, call by call: what else the machine does meets both alike. */
const measure = async (few: Database, many: Database): Promise<readonly Measured[]> => {
  const [ofFew, ofMany] = [
    sizeCases(few, await samplePast(few, FEW, SAMPLES)),
    sizeCases(many, await samplePast(many, ROWS, SAMPLES)),
  ];
  for (let round = 0; round < WARM_UP; round += 1) {
    for (const { run } of [...ofFew, ...ofMany]) await run();
  }
  const [processorOfFew, processorOfMany] = [await processorClock(few), await processorClock(many)];
  const calls = new Map<string, { readonly few: Took[]; readonly many: Took[] }>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, { name, run }] of ofFew.entries()) {
      const all = calls.get(name) ?? { few: [], many: [] };
      calls.set(name, all);
      all.few.push(await took(run, processorOfFew));
      all.many.push(await took(ofMany[index]?.run ?? run, processorOfMany));
    }
  }
  const [pagesOfFew, pagesOfMany] = [await countPages(few, ofFew), await countPages(many, ofMany)];
  return ofFew.map(({ name, upTo }) => {
    const { few: small = [], many: large = [] } = calls.get(name) ?? {};
    const msOf = (all: readonly Took[]) => all.map(({ ms }) => ms);
    const cpuOf = (all: readonly Took[]) => median(all.map(({ cpuMs }) => cpuMs));
    const [fewMs, manyMs] = [median(msOf(small)), median(msOf(large))];
    return {
      name,
      upTo,
      fewMs,
      manyMs,
      ratio: manyMs / fewMs,
      p95Ratio: quantile(msOf(large), 0.95) / quantile(msOf(small), 0.95),
      fewCpuMs: cpuOf(small),
      manyCpuMs: cpuOf(large),
      fewPages: pagesOfFew.get(name),
      manyPages: pagesOfMany.get(name),
    };
  });
};

const walPosition = statement<{ bytes: string }, []>("select (pg_current_wal_lsn() - '0/0')::text as bytes");

/** Bytes of WAL for each signup: accepted with both mail groups' deliveries, of which one is claimed and settled. */
const measureWal = async (db: Database): Promise<number> => {
  const written = async (): Promise<number> => Number((await walPosition(db))[0]?.bytes);
  const parts = sizeCases(db, await samplePast(db, ROWS, 1)).filter(({ batch }) => batch !== undefined);
  const before = await written();
  let signups = 0;
  for (let round = 0; round < WAL_ROUNDS; round += 1) {
    for (const { run } of parts) await run();
    signups += parts[0]?.batch ?? 0;
  }
  return ((await written()) - before) / signups;
};

const caseNamed = (prefix: string, cases: readonly SizeCase[]): SizeCase => {
  const found = cases.find(({ name }) => name.startsWith(prefix));
  if (found === undefined) throw new Error(`there is no case ${prefix}`);
  return found;
};

const databaseUrl = (url: string, name: string): string => {
  const own = new URL(url);
  own.pathname = name;
  return own.href;
};

/** Makes both ledgers. */
const fillBoth = async (): Promise<void> => {
  const postgres = await startPostgres({ dataDirectory, port: await ownPort(), settings: FILLING, durable: false });
  try {
    for (const [name, history] of [
      ["few", FEW],
      ["many", ROWS],
    ] as const) {
      await createDatabase(postgres.url, name);
      await fill(databaseUrl(postgres.url, name), history);
    }
  } finally {
    await postgres.stop();
  }
  // What was written without being flushed is on its way to the disk: it would be measured, too.
  Bun.spawnSync(["sync"]);
  writeFileSync(FILLED, JSON.stringify(ROWS));
};

try {
  if (!existsSync(FILLED)) await fillBoth();
  const postgres = await startPostgres({
    dataDirectory,
    port: await ownPort(),
    settings: POSTGRES,
  });
  try {
    const open = (name: string, applicationName = "bench") =>
      openDatabase({ url: databaseUrl(postgres.url, name), poolSize: 3, applicationName });
    const [few, many, accepting] = [open("few"), open("many"), open("many", "accepting")];
    for (const db of [few, many]) await migrateToLatest(db);
    const relations = await sizes(many);
    const warmBytes = values.warm ? await warmUp(many) : 0;
    const measured = await measure(few, many);
    const walBytes = await measureWal(many);
    const past = await samplePast(many, ROWS, SAMPLES);
    const acceptOn = (db: Database) => ({ db, accept: caseNamed("accept", sizeCases(db, past)) });
    const checkpoints = await measureCheckpoints({
      ...{ few: acceptOn(few), many: acceptOn(many), rounds: ROUNDS },
      anHour: async () => {
        const more = Math.ceil(ROWS * AN_HOUR);
        // First: whatever becomes of this run, the next one adds others.
        writeFileSync(FILLED, JSON.stringify(ROWS + more));
        await addHistory(many, ROWS, more);
      },
    });
    const userIds = past.map(({ user_id }) => user_id);
    const retention = await measureRetention(many, acceptOn(accepting), userIds);
    const sizesOfRun = { few: FEW, many: ROWS, settings: POSTGRES, warmBytes };
    const all = { ...sizesOfRun, measured, walBytes, checkpoints, retention, relations };
    console.log(values.json ? JSON.stringify(all) : reportText(all));
    await Promise.all([few.destroy(), many.destroy(), accepting.destroy()]);
  } finally {
    await postgres.stop();
  }
} finally {
  if (!values.keep) rmSync(directory, { recursive: true, force: true });
}
