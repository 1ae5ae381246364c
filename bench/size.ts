import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Database, openDatabase, statement } from "../database/connection.ts";
import { positionAt } from "../database/ledger/replay.ts";
import { deleteOldEvents } from "../database/ledger/retention.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { startPostgres } from "../local/postgres.ts";
import { count, duration } from "../runtime/quantity.ts";
import { ownPort } from "../tests/own-port.ts";
import { sizeCases } from "./size-cases.ts";
import { processorClock } from "./size-cpu.ts";
import { COUNTS_PAGES, countPages, type Pages } from "./size-pages.ts";
import { fillLedger, samplePast } from "./size-rows.ts";
import { median, quantile } from "./statistics.ts";

/**
 * `bun bench/size.ts [--rows N] [--rounds N] [--directory DIR [--keep]] [--set NAME=VALUE]... [--json]`: what the ledger costs when a year of
 * signups is in it. Makes N of them in a Postgres of its own, with these settings beside the usual ones, and asks what the service asks, in
 * turns with a ledger that has 30,000, and how many pages Postgres touches for it. Then deletes by retention. With --keep the directory stays, and is measured as it is the next time:
 * twenty million signups take half an hour and 30 GB.
 */
const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "40" },
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
const DAY_MS = 24 * 3_600_000;
const WAL_ROUNDS = 100;
const NAME_WIDTH = 34;
const CELL_WIDTH = 16;
const RETENTION_BATCH = 500;
const RETENTION_BATCHES = 40;
/** Of a small server, so that a large ledger does not fit in the memory. */
const POSTGRES = ["shared_buffers=256MB", "max_wal_size=4GB", "jit=off", COUNTS_PAGES];
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

interface Measured {
  readonly name: string;
  readonly upTo: number | undefined;
  readonly fewMs: number;
  readonly manyMs: number;
  readonly ratio: number;
  readonly p95Ratio: number;
  readonly fewCpuMs: number;
  readonly manyCpuMs: number;
  readonly fewPages: Pages | undefined;
  readonly manyPages: Pages | undefined;
}

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

/** Events that retention deletes in a second, in batches without a pause. */
const measureRetention = async (db: Database): Promise<{ readonly events: number; readonly perSecond: number }> => {
  let after = positionAt(new Date(0));
  let events = 0;
  const startedAt = performance.now();
  for (let batch = 0; batch < RETENTION_BATCHES; batch += 1) {
    const deleted = await deleteOldEvents(db, { after, olderThanMs: 30 * DAY_MS, limit: RETENTION_BATCH });
    events += deleted.events;
    if (deleted.next === undefined) break;
    after = deleted.next;
  }
  return { events, perSecond: events / ((performance.now() - startedAt) / 1_000) };
};

const report = (
  measured: readonly Measured[],
  walBytes: number,
  retention: { readonly events: number; readonly perSecond: number },
  relations: readonly { readonly relation: string; readonly bytes: string }[],
): void => {
  if (values.json) {
    console.log(
      JSON.stringify({ rows: ROWS, settings: [...POSTGRES, ...values.set], measured, walBytes, retention, relations }),
    );
    return;
  }
  const head = [
    "what",
    `${count(FEW)}, ms`,
    `${count(ROWS)}, ms`,
    "ratio",
    "of 95 %",
    "CPU, ms",
    "ratio",
    "pages",
    "read",
    "rows at most",
  ];
  const inBoth = (few = Number.NaN, many = Number.NaN): string => `${few.toFixed(0)} -> ${many.toFixed(0)}`;
  const rows = measured.map(
    ({ name, upTo, fewMs, manyMs, ratio, p95Ratio, fewCpuMs, manyCpuMs, fewPages, manyPages }) => [
      name,
      ...[fewMs, manyMs, ratio, p95Ratio].map((value) => value.toFixed(2)),
      `${fewCpuMs.toFixed(2)} -> ${manyCpuMs.toFixed(2)}`,
      (manyCpuMs / fewCpuMs).toFixed(2),
      inBoth(fewPages?.touched, manyPages?.touched),
      inBoth(fewPages?.read, manyPages?.read),
      upTo === undefined ? "" : count(upTo),
    ],
  );
  for (const [name = "", ...cells] of [head, ...rows]) {
    console.log(name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join(""));
  }
  console.log(`\nWAL: ${count(Math.round(walBytes))} bytes a signup`);
  console.log(`retention: ${count(Math.round(retention.perSecond))} events/s, ${count(retention.events)} deleted`);
  for (const { relation, bytes } of relations) {
    console.log(
      `${relation}: ${(Number(bytes) / 2 ** 20).toFixed(0)} MiB, ${(Number(bytes) / ROWS).toFixed(0)} bytes a signup`,
    );
  }
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
    settings: [...POSTGRES, ...values.set],
  });
  try {
    const open = (name: string) =>
      openDatabase({ url: databaseUrl(postgres.url, name), poolSize: 3, applicationName: "bench" });
    const [few, many] = [open("few"), open("many")];
    for (const db of [few, many]) await migrateToLatest(db);
    const relations = await sizes(many);
    const measured = await measure(few, many);
    const walBytes = await measureWal(many);
    report(measured, walBytes, await measureRetention(many), relations);
    await Promise.all([few.destroy(), many.destroy()]);
  } finally {
    await postgres.stop();
  }
} finally {
  if (!values.keep) rmSync(directory, { recursive: true, force: true });
}
