import { setTimeout as sleep } from "node:timers/promises";
import { type Database, statement } from "../database/connection.ts";
import { positionAt } from "../database/ledger/replay.ts";
import { deleteOldEvents } from "../database/ledger/retention.ts";
import { deletePublished } from "../database/outbox.ts";
import { eraseUser } from "../database/users/erase.ts";
import type { SizeCase } from "./size-cases.ts";
import { processorClock } from "./size-cpu.ts";
import { median } from "./statistics.ts";

/** What deletes, at its own size of a batch, without pauses. */
export interface Deleted {
  readonly what: string;
  readonly rows: number;
  readonly perSecond: number;
  /** By the processor's time of Postgres alone. */
  readonly perCpuSecond: number;
  /** How long a statement takes, and so how long its rows are locked; median, ms. */
  readonly statementMs: number;
}

export interface RetentionCosts {
  readonly deleted: readonly Deleted[];
  /** Locks on tables, and by name, that a statement of the retention has at its end, beside those of its rows. */
  readonly locks: readonly string[];
  /** CPU of Postgres for a call that accepts signups, median in ms: without, and with events deleted at the pace of the pruner. */
  readonly acceptMs: { readonly without: number; readonly during: number };
}

const DAY_MS = 24 * 3_600_000;
const EVENTS = { batch: 500, batches: 40, pauseMs: 250 };
const OUTBOX = { batch: 128, batches: 20 };
const USERS = 200;
const ACCEPTS = 30;

const locksOf = statement<{ lock: string }, []>(`
  select coalesce(relname, locktype) || ' ' || string_agg(mode, ' ' order by mode) as lock
  from pg_locks left join pg_class on pg_class.oid = relation
  where pid = pg_backend_pid() and locktype not in ('virtualxid', 'transactionid')
    and (relname is null or relkind = 'r' and relname not like 'pg_%')
  group by relname, locktype order by 1`);
const published = statement<{ event_id: string }, [number]>("select event_id from outbox limit $1::int");

/** Runs until there is nothing more, or it was called so often; `run` returns how many rows are gone. */
const timed = async (
  db: Database,
  what: string,
  calls: number,
  run: (call: number) => Promise<number>,
): Promise<Deleted> => {
  const [processor, startedAt, times] = [await processorClock(db), performance.now(), [] as number[]];
  const before = processor();
  let rows = 0;
  for (let call = 0; call < calls; call += 1) {
    const at = performance.now();
    rows += await run(call);
    times.push(performance.now() - at);
  }
  const perSecond = rows / ((performance.now() - startedAt) / 1_000);
  return { what, rows, perSecond, perCpuSecond: (rows * 1_000) / (processor() - before), statementMs: median(times) };
};

/** A run of batches through the oldest events; each call deletes the next one. */
const oldEvents = () => {
  let after = positionAt(new Date(0));
  return async (db: Database): Promise<number> => {
    const { events, deliveries, next } = await deleteOldEvents(db, {
      ...{ after, olderThanMs: 30 * DAY_MS, limit: EVENTS.batch },
    });
    after = next ?? after;
    return events + deliveries;
  };
};

/** `accepting`: a connection that accepts, and nothing else uses. */
export const measureRetention = async (
  db: Database,
  accepting: { readonly db: Database; readonly accept: SizeCase },
  userIds: readonly string[],
): Promise<RetentionCosts> => {
  const next = oldEvents();
  const locks = await db.transaction().execute(async (transaction) => {
    await next(transaction);
    return (await locksOf(transaction)).map(({ lock }) => lock);
  });
  const events = await timed(db, "events and deliveries", EVENTS.batches, () => next(db));
  const rows = (await published(db, OUTBOX.batch * OUTBOX.batches)).map(({ event_id }) => event_id);
  const outbox = await timed(db, "outbox", OUTBOX.batches, async (call) => {
    const ids = rows.slice(call * OUTBOX.batch, (call + 1) * OUTBOX.batch);
    await deletePublished(db, ids);
    return ids.length;
  });
  const users = await timed(db, "users (erased one by one)", Math.min(USERS, userIds.length), async (call) =>
    (await eraseUser(db, userIds[call] ?? "")).userDeleted ? 1 : 0,
  );

  const accepts = async (): Promise<number> => {
    const processor = await processorClock(accepting.db, "accepting");
    const times: number[] = [];
    for (let call = 0; call < ACCEPTS; call += 1) {
      const before = processor();
      await accepting.accept.run();
      times.push(processor() - before);
    }
    return median(times);
  };
  await accepts();
  const without = await accepts();
  const ended = new AbortController();
  const deleting = (async () => {
    while (!ended.signal.aborted) {
      await next(db);
      await sleep(EVENTS.pauseMs);
    }
  })();
  const during = await accepts();
  ended.abort();
  await deleting;
  return { deleted: [events, outbox, users], locks, acceptMs: { without, during } };
};
