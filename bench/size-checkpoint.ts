import assert from "node:assert/strict";
import { type Database, statement } from "../database/connection.ts";
import type { SizeCase } from "./size-cases.ts";
import { processorClock } from "./size-cpu.ts";
import { median } from "./statistics.ts";

/** A call that accepts signups: CPU of Postgres in ms, and bytes of WAL for each signup; medians, beside little history and much. */
export interface AcceptCost {
  readonly few: { readonly cpuMs: number; readonly walBytes: number };
  readonly many: { readonly cpuMs: number; readonly walBytes: number };
}

export interface CheckpointCosts {
  /** Each page that is changed is logged as a whole. */
  readonly after: AcceptCost;
  /** Pages have been logged since. */
  readonly longAfter: AcceptCost;
}

export interface Ledger {
  readonly db: Database;
  readonly accept: SizeCase;
}

interface CheckpointOptions {
  readonly few: Ledger;
  readonly many: Ledger;
  readonly rounds: number;
  /** Changes most pages of the large ledger's indexes, as an hour of signups does. */
  readonly anHour: () => Promise<void>;
}

const checkpoint = statement<never, []>("checkpoint");
const begunAt = statement<{ lsn: string }, []>("select redo_lsn::text as lsn from pg_control_checkpoint()");
const position = statement<{ bytes: string }, []>("select (pg_current_wal_insert_lsn() - '0/0')::text as bytes");

/** In turns with the small ledger, like `measure`. */
const acceptInTurns = async ({ few, many, rounds }: CheckpointOptions): Promise<AcceptCost> => {
  const one = async ({ db, accept }: Ledger, processor: () => number) => {
    const walOf = async () => Number((await position(db))[0]?.bytes);
    const [wal, cpu] = [await walOf(), processor()];
    await accept.run();
    return { cpuMs: processor() - cpu, walBytes: ((await walOf()) - wal) / (accept.batch ?? 1) };
  };
  const [ofFew, ofMany] = [await processorClock(few.db), await processorClock(many.db)];
  const calls = { few: [] as Awaited<ReturnType<typeof one>>[], many: [] as Awaited<ReturnType<typeof one>>[] };
  for (let round = 0; round < rounds; round += 1) {
    calls.few.push(await one(few, ofFew));
    calls.many.push(await one(many, ofMany));
  }
  const medians = (all: (typeof calls)["few"]) => ({
    cpuMs: median(all.map(({ cpuMs }) => cpuMs)),
    walBytes: median(all.map(({ walBytes }) => walBytes)),
  });
  return { few: medians(calls.few), many: medians(calls.many) };
};

/** What it costs to accept signups right after a checkpoint, and long after one. */
export const measureCheckpoints = async (options: CheckpointOptions): Promise<CheckpointCosts> => {
  const { db } = options.many;
  await checkpoint(db);
  const after = await acceptInTurns(options);
  const since = await begunAt(db);
  await options.anHour();
  const longAfter = await acceptInTurns(options);
  assert.deepEqual(await begunAt(db), since, "a checkpoint came in between: give it more max_wal_size");
  return { after, longAfter };
};
