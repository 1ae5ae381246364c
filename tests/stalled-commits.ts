import { sql } from "kysely";
import type { Database } from "../database/connection.ts";
import type { NewSignup } from "../database/users/signup-rows.ts";
import { eventually } from "./eventually.ts";
import { addSecondEntries } from "./lost-entries.ts";
import {
  anOutbox,
  aSignup,
  type ConsumerOptions,
  type MailWork,
  type Outbox,
  type Pipeline,
  type TestConsumer,
} from "./pipeline.ts";

/** A commit of a step in the ledger that does not end, as where the synchronous standby is away: no limit of Postgres' own ends it. */
const STALLING = [
  "create table stall (consumer text, state text)",
  "grant select on stall to public",
  `create function stall() returns trigger language plpgsql as $$
    begin
      while exists (select from stall where consumer = new.timeline -> -1 ->> 'by' and state = new.state) loop
        perform pg_sleep(0.02);
      end loop;
      return null;
    end $$`,
  `create constraint trigger stall after insert or update on deliveries deferrable initially deferred
    for each row execute function stall()`,
];

/** Stalls commits of one consumer. */
export interface StalledCommits {
  /** From now on: those that bring deliveries to this state. */
  begin(consumer: string, state: string): Promise<void>;
  /** How many of a statement's backends wait in their commit now. */
  waiting(): Promise<number>;
  /** All end. */
  end(): Promise<void>;
}

export const createStalledCommits = async (db: Database): Promise<StalledCommits> => {
  for (const text of STALLING) await sql.raw(text).execute(db);
  return {
    begin: async (consumer, state) => {
      await sql`insert into stall values (${consumer}, ${state})`.execute(db);
    },
    waiting: async () =>
      (
        await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
          where datname = current_database() and wait_event = 'PgSleep'`.execute(db)
      ).rows[0]?.n ?? 0,
    end: async () => {
      await sql`delete from stall`.execute(db);
    },
  };
};

const SIGNUPS = 4;

/** Leases run out soon, answers are waited for no longer, and who has one of each signup reads no more. */
export const SHORT = { claimMinIdleMs: 1_000, deadlineMs: 700, concurrency: SIGNUPS };

export const someSignups = () => Array.from({ length: SIGNUPS }, () => aSignup());

export const untilAfter = async (ms: number): Promise<void> => {
  const since = performance.now();
  await eventually(() => performance.now() - since > ms);
};

/** Longer than a lease, and than who asks waits for an answer. Nobody sees the lease of a claim whose commit stalls; it begins before the commit. */
export const untilLeaseIsOver = () => untilAfter(2 * SHORT.claimMinIdleMs);

/** Signups, and a consumer of them whose commit stalls. */
export interface StalledConsumer {
  readonly consumer: TestConsumer;
  readonly outbox: Outbox;
  readonly signups: readonly NewSignup[];
  readonly eventIds: readonly string[];
  readonly stalled: StalledCommits;
}

/** Some signups of which a consumer has claimed ("active") or done the work, and waits for the commit of that. */
export const aStalledConsumer = async (
  pipeline: Pipeline,
  state: "active" | "done",
  options: ConsumerOptions = {},
): Promise<StalledConsumer> => {
  const stalled = await createStalledCommits(pipeline.db);
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work, { ...SHORT, ...options });
  await stalled.begin(consumer.consumer, state);
  const signups = someSignups();
  const eventIds = await pipeline.signUp(...signups);
  await eventually(async () => (await stalled.waiting()) > 0);
  return { consumer, outbox, signups, eventIds, stalled };
};

/** Signups, and a consumer that has begun to work on each, and asks for no commit point until `goOn`. */
export interface GatedConsumer extends Omit<StalledConsumer, "stalled"> {
  goOn(): void;
}

export const aGatedConsumer = async (pipeline: Pipeline, options: ConsumerOptions): Promise<GatedConsumer> => {
  const outbox = anOutbox();
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const work: MailWork = async (...args) => {
    begun += 1;
    await gate.promise;
    return outbox.work(...args);
  };
  const consumer = await pipeline.consumer(work, { ...SHORT, ...options });
  const signups = someSignups();
  const eventIds = await pipeline.signUp(...signups);
  await eventually(() => begun === eventIds.length);
  return { consumer, outbox, signups, eventIds, goOn: gate.resolve };
};

/** A peer that reads another entry of each event. Its own leases are long: on a busy machine, too, it ends what it has begun within them. */
export const aPeer = async (
  pipeline: Pipeline,
  { outbox, signups }: Pick<StalledConsumer, "outbox" | "signups">,
  options: ConsumerOptions = {},
): Promise<void> => {
  await pipeline.consumer(outbox.work, { claimMinIdleMs: 5_000, concurrency: SIGNUPS, ...options });
  await addSecondEntries(pipeline, signups);
};
